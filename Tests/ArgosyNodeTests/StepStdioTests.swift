import ArgosyDomain
import ArgosySystem
import ArgosyTransport
import ArgosyWire
import Glibc
import Testing

@testable import ArgosyNode
@testable import ArgosyStep

@Suite(.serialized, .enabled(if: ScriptedController.obstacle == nil, "needs root, cgroups and a built argosystepd"))
struct StepStdioTests {
    /// Output of each rank, exit of each rank, and whether the node said its last word.
    struct Heard {
        var output: [UInt32: String] = [:]
        var errors: [UInt32: String] = [:]
        var exits: [UInt32: UInt32] = [:]
        var finished = false
    }

    @Test func `srun's input reaches every task and their output comes back`() throws {
        let node = try ScriptedController()
        defer { node.cleanUp() }
        let id = AttemptID(20, 0)
        node.send(id, .prepare(node.job(id, cpus: [0, 1])))
        // srun is quicker than the controller's order: it waits for its step.
        let client = try connect(node, id)
        let script = "read x; echo $SLURM_PROCID $x; echo err >&2; exit $SLURM_PROCID"
        node.send(id, .launch(step(node, id, ["sh", "-c", script])))
        var input = WireIOFrame()
        input.input.data = .init("word\n".utf8)
        input.input.end = true
        try client.send(input.serializedBytes())
        let heard = try listen(client)
        #expect(heard.output == [0: "0 word\n", 1: "1 word\n"])
        #expect(heard.errors == [0: "err\n", 1: "err\n"])
        #expect(heard.exits == [0: 0, 1: 1] && heard.finished)
        #expect(try node.stepEnd(of: id, StepID(0)).exit.code == 1)
    }

    @Test func `a program that is not there is told to srun`() throws {
        let node = try ScriptedController()
        defer { node.cleanUp() }
        let id = AttemptID(21, 0)
        node.send(id, .prepare(node.job(id, cpus: [0, 1])))
        node.send(id, .launch(step(node, id, ["/no/such"])))
        let heard = try listen(try connect(node, id))
        #expect(heard.errors[0] == "slurmstepd: error: execve(): /no/such: No such file or directory\n")
        #expect(heard.exits == [0: 2, 1: 2] && heard.finished)
    }

    @Test func `a step whose srun goes away is ended`() throws {
        let node = try ScriptedController()
        defer { node.cleanUp() }
        let id = AttemptID(22, 0)
        node.send(id, .prepare(node.job(id, cpus: [0, 1])))
        node.send(id, .launch(step(node, id, ["sleep", "50"])))
        do {
            let client = try connect(node, id)
            _ = try node.report(of: id) { if case .stepStarted = $0 { true } else { nil } }
            client.abort()
        }
        #expect(try node.stepEnd(of: id, StepID(0)).exit.signal == 15)
    }

    @Test func `another user's connection is turned away`() throws {
        let node = try ScriptedController()
        defer { node.cleanUp() }
        let id = AttemptID(23, 0)
        node.send(id, .prepare(node.job(id)))
        _ = try node.report(of: id) { if case .prepared = $0 { true } else { nil } }
        let client = try connect(node, id, uid: 1234)
        let welcome = try WireIOWelcome(serializedBytes: try #require(try client.receive(timeout: .seconds(5))))
        #expect(welcome.refusal == "job 23 is not yours")
    }

    @Test func `a signal from srun reaches the tasks`() throws {
        let node = try ScriptedController()
        defer { node.cleanUp() }
        let id = AttemptID(24, 0)
        node.send(id, .prepare(node.job(id, cpus: [0, 1])))
        let script = "trap 'echo got; exit 9' USR1; while :; do sleep 0.1; done"
        node.send(id, .launch(step(node, id, ["sh", "-c", script])))
        let client = try connect(node, id)
        _ = try node.report(of: id) { if case .stepStarted = $0 { true } else { nil } }
        usleep(300_000)
        var frame = WireIOFrame()
        frame.signal.number = UInt32(SIGUSR1)
        try client.send(frame.serializedBytes())
        let heard = try listen(client)
        #expect(heard.output == [0: "got\n", 1: "got\n"] && heard.exits == [0: 9, 1: 9])
    }

    @Test func `a relay's peers are told by their cgroup`() {
        let text = "5:pids:/argosy/c/n/job_1.0/step_0/task_0\n0::/argosy/c/n/job_1.0/step_0/task_0\n"
        #expect(RelayPeer.isInside("argosy/c/n/job_1.0", text))
        #expect(!RelayPeer.isInside("argosy/c/n/job_1", text))
        #expect(!RelayPeer.isInside("argosy/c/n/job_2.0", text))
        #expect(!RelayPeer.isInside("argosy/c/n/job_1.0", "0::/user/argosy/c/n/job_1.0\n"))
    }

    @Test func `a stranger on the relay's socket gets nothing`() throws {
        let node = try ScriptedController()
        defer { node.cleanUp() }
        let id = AttemptID(25, 0)
        node.send(id, .prepare(node.job(id)))
        _ = try node.report(of: id) { if case .prepared = $0 { true } else { nil } }
        // Root, but of no cgroup of the job: the kernel lets it connect, the relay does not listen to it.
        let client = try Connection.connect(unix: node.context.paths(id).relaySocket)
        var call = WireRelayCall()
        call.request = .init([1])
        try client.send(call.serializedBytes())
        let answer = try? client.receive(timeout: .seconds(5))
        #expect(answer == nil || answer == .some(nil))
        #expect(!node.frames.contains { if case .relayed? = $0.body { true } else { false } })
    }

    private func step(_ node: ScriptedController, _ id: AttemptID, _ arguments: [String]) -> WireLaunchStep {
        var launch = WireLaunchStep()
        launch.layout = node.job(id, cpus: [0, 1]).allocation
        launch.layout.nodes[0].tasks = 2
        launch.layout.tasks = 2
        launch.arguments = arguments
        launch.environment = ["PATH=/usr/bin:/bin"]
        launch.workDir = node.work
        launch.waitForIo = true
        return launch
    }

    /// As the I/O port does once it has read a hello.
    private func connect(_ node: ScriptedController, _ id: AttemptID, uid: UInt32 = 65534) throws -> Connection {
        let (ours, theirs) = try UnixSocket.pair(sequenced: false)
        node.mailbox.post(.ioConnection(.init(socket: theirs, uid: uid, id: id, step: StepID(0))))
        return Connection(adopting: ours.release())
    }

    private func listen(_ client: Connection) throws -> Heard {
        var heard = Heard()
        let welcome = try WireIOWelcome(serializedBytes: try #require(try client.receive(timeout: .seconds(10))))
        #expect(welcome.refusal.isEmpty)
        while let body = try client.receive(timeout: .seconds(20)) {
            let frame = try WireIOFrame(serializedBytes: body)
            switch frame.body {
            case .output(let output):
                let text = String(decoding: output.data, as: UTF8.self)
                if output.isError {
                    heard.errors[output.rank, default: ""] += text
                } else {
                    heard.output[output.rank, default: ""] += text
                }
            case .exited(let exited): heard.exits[exited.rank] = exited.exit.code
            case .finished: heard.finished = true
            default: break
            }
        }
        return heard.cleaned
    }
}

extension StepStdioTests.Heard {
    /// Ends of streams leave empty entries.
    var cleaned: Self {
        var copy = self
        copy.output = output.filter { !$0.value.isEmpty }
        copy.errors = errors.filter { !$0.value.isEmpty }
        return copy
    }
}
