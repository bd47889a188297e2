// srun's loop: frames of the step, standard input, signals, all in one poll.

import ArgosyClient
import ArgosyWire
import FoundationEssentials
import Glibc

struct StepLoop {
    var run: StepRun
    var output: OutputWriter?
    let labels: Bool
    /// Nil: no input is passed on. A rank: to that task only.
    enum Input: Equatable { case none, all, task(UInt32) }
    var input: Input
    private var inputEnded = false
    private let relayed: Bool

    init(_ run: StepRun, labels: Bool, input: Input, relayed: Bool) {
        self.run = run
        self.labels = labels
        self.input = input
        self.relayed = relayed
    }

    /// Until the step has ended everywhere. Throws `Failure` when it was refused.
    mutating func follow(_ session: StepSession, _ signals: Signals) throws -> Int32 {
        if let created = run.created { begin(created) }
        while !session.isFinished {
            let events = try session.pump(also: watches(session, signals), timeout: timeout) { event in
                try handle(event)
            }
            let now = monotonicMS()
            if events[0] != 0 { for signal in signals.take() { interrupted(signal, session, now) } }
            if events[1] != 0 { try passInput(session) }
            run.tick(at: now)
            try flush(session, quiet: events.allSatisfy { $0 == 0 })
            if relayed, run.isFinished { session.finish() }
        }
        output?.finish()
        run.tellEnds()
        print()
        if run.created == nil {
            throw Failure("Unable to create step", detail: "the job's relay closed the connection")
        }
        return run.exitCode
    }

    private mutating func begin(_ created: WireStepCreated) {
        run.start(created)
        output = OutputWriter(labels: labels, tasks: run.tasks)
    }

    private func watches(_ session: StepSession, _ signals: Signals) -> [StepSession.Watch] {
        let wantsInput = run.created != nil && input != .none && !inputEnded && session.hasRoom
        return [
            .init(descriptor: signals.descriptor, events: Int16(POLLIN)),
            .init(descriptor: 0, events: wantsInput ? Int16(POLLIN) : 0),
        ]
    }

    private var timeout: Duration? {
        if run.hasUntoldEnds { return .milliseconds(100) }
        return run.killAt.map { .milliseconds(max(0, $0 - monotonicMS())) }
    }

    private mutating func handle(_ event: StepSession.Event) throws {
        switch event {
        case .lost(let node, let why):
            let name = relayed ? "relay" : run.created?.layout.nodes[node].name ?? ""
            run.lost(name, why: relayed ? "the job's relay is gone: \(why)" : why)
        case .frame(let frame, _): try handle(frame)
        }
    }

    private mutating func handle(_ frame: WireIOFrame) throws {
        switch frame.body {
        case .created(let created): begin(created)
        case .refused(let refusal): throw Failure(refusal.message, detail: refusal.detail)
        case .output(let data):
            output?.take(Array(data.data), rank: data.rank, isError: data.isError, end: data.end)
        case .exited(let task): run.exited(task, at: monotonicMS())
        case .finished(let node): run.nodeFinished(node)
        case .failure(let failure): run.failed(failure)
        case .input, .signal, .window, nil: break
        }
    }

    private mutating func interrupted(_ signal: Int32, _ session: StepSession, _ now: Int64) {
        if run.created == nil, [SIGINT, SIGTERM, SIGHUP, SIGQUIT].contains(signal) {
            Console.complain("srun: Cancelled pending job step with signal \(signal)\n")
            exit(1)
        }
        run.signalled(signal, at: now)
    }

    private mutating func passInput(_ session: StepSession) throws {
        var bytes = [UInt8](repeating: 0, count: 64 << 10)
        let count = read(0, &bytes, bytes.count)
        if count < 0, errno == EINTR || errno == EAGAIN { return }
        var frame = WireIOFrame()
        frame.input.data = Data(bytes[..<max(0, count)])
        frame.input.end = count <= 0
        if case .task(let rank) = input {
            frame.input.oneTask = true
            frame.input.rank = rank
        }
        if count <= 0 { inputEnded = true }
        try session.send(frame)
    }

    private mutating func flush(_ session: StepSession, quiet: Bool) throws {
        if quiet { run.tellEnds() }
        print()
        for number in run.signals {
            var frame = WireIOFrame()
            frame.signal.number = number
            try session.send(frame)
        }
        run.signals = []
    }

    private mutating func print() {
        for line in run.lines { Console.complain("srun: \(line)\n") }
        run.lines = []
    }
}
