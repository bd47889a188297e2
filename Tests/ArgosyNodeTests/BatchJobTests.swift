import ArgosyDomain
import ArgosyStep
import ArgosySystem
import ArgosyWire
import Glibc
import Testing

@testable import ArgosyNode

@Suite(.serialized, .enabled(if: ScriptedController.obstacle == nil, "needs root, cgroups and a built argosystepd"))
struct BatchJobTests {
    @Test func `a batch job runs as its user and leaves nothing`() throws {
        let node = try ScriptedController()
        defer { node.cleanUp() }
        let id = AttemptID(7, 0)
        node.send(
            id,
            .prepare(node.batch(node.job(id), "id -u; pwd; echo $GREETING; echo oops >&2; env | grep ^SLURM; exit 3")))
        let end = try node.stepEnd(of: id)
        #expect(end.exit.code == 3 && end.failure.isEmpty)
        let output = node.text("slurm-7.out")
        #expect(output.hasPrefix("65534\n\(node.work)\nhello\noops\n"), "\(output)")
        #expect(output.contains("SLURM_JOB_ID=7\n") && output.contains("SLURMD_NODENAME=\(node.context.node)\n"))
        #expect(!output.contains("SLURM_STEP"))
        var info = stat()
        stat(node.work + "/slurm-7.out", &info)
        #expect(info.st_uid == 65534)
        node.send(id, .terminate(WireTerminate()))
        _ = try node.gone(id)
        #expect(!node.context.cgroup(id).exists)
        node.acknowledgeAll()
        let directory = node.context.paths(id).directory
        #expect(node.wait { _ in !SpoolFile.exists(directory) })
    }

    @Test func `a repeated order does nothing`() throws {
        let node = try ScriptedController()
        defer { node.cleanUp() }
        let id = AttemptID(8, 0)
        let order = node.batch(node.job(id), "echo once >> \(node.work)/count")
        for _ in 0..<3 { node.send(id, .prepare(order)) }
        _ = try node.stepEnd(of: id)
        node.acknowledgeAll()
        node.send(id, .prepare(order))
        var launch = order.batch
        launch.job = order
        node.send(id, .launch(launch))
        usleep(300_000)
        #expect(node.text("count") == "once\n")
    }

    @Test func `orders of an older controller and for an earlier life are refused`() throws {
        let node = try ScriptedController()
        defer { node.cleanUp() }
        let id = AttemptID(9, 0)
        node.send(id, term: 0, .prepare(node.batch(node.job(id), "true")))
        node.send(id, registration: 99, .prepare(node.batch(node.job(id), "true")))
        usleep(300_000)
        #expect(node.reports.isEmpty)
        node.send(id, .terminate(WireTerminate()))
        _ = try node.gone(id)  // Unknown: answered all the same.
    }

    @Test func `a job that ignores SIGTERM is killed after the grace`() throws {
        let node = try ScriptedController()
        defer { node.cleanUp() }
        let id = AttemptID(10, 0)
        node.send(
            id,
            .prepare(
                node.batch(
                    node.job(id), "trap '' TERM; setsid sh -c 'trap \"\" TERM; sleep 100' & while :; do sleep 1; done"))
        )
        _ = try node.report(of: id) { if case .stepStarted = $0 { true } else { nil } }
        usleep(300_000)
        var order = WireTerminate()
        order.graceS = 1
        let before = BootClock.now
        node.send(id, .terminate(order))
        let end = try node.stepEnd(of: id)
        #expect(end.exit.signal == 9)
        _ = try node.gone(id)
        #expect(BootClock.now - before > .milliseconds(900))
        #expect(
            node.text("slurm-10.out").contains("slurmstepd: error: *** JOB 10 ON \(node.context.node) CANCELLED AT "))
    }

    @Test func `a job past its limit is ended and says so`() throws {
        let node = try ScriptedController()
        defer { node.cleanUp() }
        let id = AttemptID(11, 0)
        node.send(id, .prepare(node.batch(node.job(id), "sleep 60", limit: 500)))
        let end = try node.stepEnd(of: id)
        #expect(end.timedOut)
        #expect(node.text("slurm-11.out").contains("DUE TO TIME LIMIT ***"))
    }

    @Test func `memory beyond the limit is an out-of-memory kill, also of a child only`() throws {
        let node = try ScriptedController()
        defer { node.cleanUp() }
        let id = AttemptID(12, 0)
        node.send(
            id,
            .prepare(node.batch(node.job(id, memoryMiB: 40), "head -c 200000000 /dev/zero | tail >/dev/null; exit 0")))
        let end = try node.stepEnd(of: id)
        #expect(end.usage.oomKills > 0)
        #expect(end.exit.code == 0)
        #expect(node.text("slurm-12.out").contains("oom_kill event"))
    }

    @Test func `an output file that cannot be opened fails the step with its name`() throws {
        let node = try ScriptedController()
        defer { node.cleanUp() }
        let id = AttemptID(13, 0)
        var job = node.batch(node.job(id), "true")
        job.spec.stdoutPath = "/nowhere/out"
        node.send(id, .prepare(job))
        let end = try node.stepEnd(of: id)
        #expect(end.failure == "Could not open stdout file /nowhere/out: No such file or directory")
        #expect(end.exit.signal == 53)
    }

    @Test func `an interpreter that is not there is told in the output`() throws {
        let node = try ScriptedController()
        defer { node.cleanUp() }
        let id = AttemptID(14, 0)
        var job = node.batch(node.job(id), "")
        job.batch.script = .init("#!/no/such/shell\n".utf8)
        node.send(id, .prepare(job))
        let end = try node.stepEnd(of: id)
        #expect(end.exit.code == 2)
        #expect(node.text("slurm-14.out").contains("slurmstepd: error: execve(): "))
        #expect(node.text("slurm-14.out").contains("No such file or directory"))
    }

    @Test func `a restarted argosyd takes running jobs over`() throws {
        let first = try ScriptedController()
        let id = AttemptID(15, 0)
        first.send(id, .prepare(first.batch(first.job(id), "sleep 2; echo done; exit 4")))
        _ = try first.report(of: id) { if case .stepStarted = $0 { true } else { nil } }
        first.stop()
        let second = try ScriptedController(directory: first.directory, registration: 2)
        defer { second.cleanUp() }
        #expect(second.frames.first?.register.attempts.first?.steps == [StepID.batch.rawValue])
        #expect(try second.stepEnd(of: id).exit.code == 4)
        #expect(second.text("slurm-15.out") == "done\n")
    }

    @Test func `a step that ended while argosyd was away is reported`() throws {
        let first = try ScriptedController()
        let id = AttemptID(16, 0)
        first.send(id, .prepare(first.batch(first.job(id), "sleep 0.5; exit 5")))
        _ = try first.report(of: id) { if case .stepStarted = $0 { true } else { nil } }
        first.stop()
        sleep(1)
        let second = try ScriptedController(directory: first.directory, registration: 2)
        defer { second.cleanUp() }
        #expect(try second.stepEnd(of: id).exit.code == 5)
    }

    /// As `argosy dev down` and a crash of the machine's daemons do it.
    @Test func `a job killed with its step daemon while argosyd was away is reported as lost`() throws {
        let first = try ScriptedController()
        let id = AttemptID(19, 0)
        first.send(id, .prepare(first.batch(first.job(id), "sleep 60")))
        _ = try first.report(of: id) { if case .stepStarted = $0 { true } else { nil } }
        first.stop()
        // The daemon first: had it lived on, it would have told of the kill itself.
        let paths = first.context.paths(id).step(.batch)
        let pid = String(decoding: SpoolFile.read(paths.pid) ?? [], as: UTF8.self).split(separator: "\n").first.flatMap
        { Int32($0) }
        kill(try #require(pid), SIGKILL)
        _ = try first.context.cgroup.kill(timeout: .seconds(5))
        let second = try ScriptedController(directory: first.directory, registration: 2)
        defer { second.cleanUp() }
        let end = try second.stepEnd(of: id)
        #expect(end.exit.signal == 9 && end.failure.contains("was lost"), "\(end)")
        second.acknowledgeAll()
        usleep(300_000)
        #expect(second.text("slurm-19.out") == "", "nothing of it runs again")
    }

    @Test func `a step daemon killed ends its step and no other`() throws {
        let node = try ScriptedController()
        defer { node.cleanUp() }
        let id = AttemptID(17, 0)
        node.send(id, .prepare(node.batch(node.job(id, cpus: [0, 1]), "sleep 2; echo alive")))
        _ = try node.report(of: id) { if case .stepStarted = $0 { true } else { nil } }
        node.send(id, .launch(step(0, node, id, ["sleep", "50"])))
        _ = try node.report(of: id) { if case .stepStarted(let step) = $0, step.step == 0 { true } else { nil } }
        let paths = node.context.paths(id).step(StepID(0))
        let pid = String(decoding: SpoolFile.read(paths.pid) ?? [], as: UTF8.self).split(separator: "\n").first.flatMap
        { Int32($0) }
        kill(try #require(pid), SIGKILL)
        let lost = try node.stepEnd(of: id, StepID(0))
        #expect(lost.failure.contains("daemon"))
        #expect(!node.context.cgroup(id).child("step_0").exists)
        #expect(try node.stepEnd(of: id).exit.code == 0)
        #expect(node.text("slurm-17.out") == "alive\n")
    }

    @Test func `a step writes one file per task`() throws {
        let node = try ScriptedController()
        defer { node.cleanUp() }
        let id = AttemptID(18, 0)
        node.send(id, .prepare(node.job(id, cpus: [0, 1])))
        var launch = step(
            3, node, id, ["sh", "-c", "echo rank $SLURM_PROCID of $SLURM_NTASKS $SLURM_GTIDS; exit $SLURM_PROCID"])
        launch.layout.nodes[0].tasks = 2
        launch.layout.tasks = 2
        launch.io.stdoutPath = "out.%J.%2t"
        node.send(id, .launch(launch))
        let end = try node.stepEnd(of: id, StepID(3))
        #expect(end.exit.code == 1)
        #expect(end.tasks.map(\.code) == [0, 1])
        #expect(node.text("out.18.3.01") == "rank 1 of 2 0,1\n")
    }

    private func step(_ number: UInt32, _ node: ScriptedController, _ id: AttemptID, _ arguments: [String])
        -> WireLaunchStep
    {
        var launch = WireLaunchStep()
        launch.step = number
        launch.layout = node.job(id, cpus: [0, 1]).allocation
        launch.arguments = arguments
        launch.environment = ["PATH=/usr/bin:/bin"]
        launch.workDir = node.work
        launch.io.stdinPath = "none"
        launch.io.stdoutPath = "none"
        launch.io.stderrPath = "none"
        return launch
    }
}
