// srun's loop: frames of the step, standard input, signals, all in one poll.

import ArgosyClient
import ArgosyDomain
import ArgosyWire
import FoundationEssentials
import Glibc

struct StepLoop {
    var run: StepRun
    private var output: OutputWriter?
    private var files: StepFiles
    private let options: JobOptions
    private let terminal: Terminal?
    private var inputEnded = false
    private let relayed: Bool
    /// Called when the step is there.
    var created: (WireStepCreated) -> Void = { _ in }

    init(_ run: StepRun, _ options: JobOptions, terminal: Terminal?, relayed: Bool) {
        self.run = run
        self.options = options
        self.terminal = terminal
        self.relayed = relayed
        files = StepFiles(options)
    }

    /// Until the step has ended everywhere. Throws `Failure` when it was refused, `StepFileFailure` when srun's part of its
    /// stdio is not to be had.
    mutating func follow(_ session: StepSession, _ signals: Signals) throws -> Int32 {
        defer { terminal?.restore() }
        while !session.isFinished {
            let events = try session.pump(also: watches(session, signals), timeout: timeout) { event in
                try handle(event)
            }
            let now = monotonicMS()
            if events[0] != 0 { for signal in signals.take() { try interrupted(signal, session, now) } }
            if events[1] != 0 { try passInput(session) }
            run.tick(at: now)
            try flush(session, quiet: events.allSatisfy { $0 == 0 })
            if relayed, run.isFinished { session.finish() }
        }
        output?.finish()
        terminal?.restore()
        run.finish()
        print()
        if run.created == nil {
            throw Failure("Unable to create step", detail: "the job's relay closed the connection")
        }
        return run.exitCode
    }

    /// Opens what srun itself reads and writes for the step.
    mutating func begin(_ created: WireStepCreated) throws(StepFileFailure) {
        run.start(created)
        let name = options.name.isEmpty ? Process.variable("SLURM_JOB_NAME") ?? "" : options.name
        try files.open(created, user: Process.variable("USER") ?? "", jobName: name)
        var writer = OutputWriter(labels: options.label, tasks: run.tasks)
        let (output, error) = (files.descriptors.output, files.descriptors.error)
        writer.write = { bytes, stream in Console.write(bytes, to: stream == 2 ? error : output) }
        self.output = writer
        terminal?.makeRaw()
        self.created(created)
    }

    private func watches(_ session: StepSession, _ signals: Signals) -> [StepSession.Watch] {
        let wantsInput = run.created != nil && files.input != .none && !inputEnded && session.hasRoom
        return [
            .init(descriptor: signals.descriptor, events: Int16(POLLIN)),
            .init(descriptor: files.descriptors.input, events: wantsInput ? Int16(POLLIN) : 0),
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
        case .created(let created): try begin(created)
        case .refused(let refusal): throw Refusal(.init(rawValue: refusal.code) ?? .malformed, refusal.message, detail: refusal.detail)
        case .output(let data):
            output?.take(Array(data.data), rank: data.rank, isError: data.isError, end: data.end)
        case .exited(let task): run.exited(task, at: monotonicMS())
        case .finished(let node): run.nodeFinished(node)
        case .failure(let failure): run.failed(failure)
        case .input, .signal, .window, .exchange, nil: break
        }
    }

    private mutating func interrupted(_ signal: Int32, _ session: StepSession, _ now: Int64) throws {
        if signal == SIGWINCH {
            guard terminal != nil else { return }
            var frame = WireIOFrame()
            frame.window = Terminal.window
            return try session.send(frame)
        }
        if run.created == nil, [SIGINT, SIGTERM, SIGHUP, SIGQUIT].contains(signal) {
            Console.complain("srun: Cancelled pending job step with signal \(signal)\n")
            exit(1)
        }
        run.signalled(signal, at: now)
    }

    private mutating func passInput(_ session: StepSession) throws {
        var bytes = [UInt8](repeating: 0, count: 64 << 10)
        let count = read(files.descriptors.input, &bytes, bytes.count)
        if count < 0, errno == EINTR || errno == EAGAIN { return }
        var frame = WireIOFrame()
        frame.input.data = Data(bytes[..<max(0, count)])
        frame.input.end = count <= 0
        if case .task(let rank) = files.input {
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
        // In raw mode a line's end does not begin the next one.
        let end = terminal == nil ? "\n" : "\r\n"
        for line in run.lines { Console.complain("srun: \(line)\(end)") }
        run.lines = []
    }
}
