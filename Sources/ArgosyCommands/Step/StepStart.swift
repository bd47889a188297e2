// From srun's options to a running step: programs around it, the copy of its program, the request, and its loop.

import ArgosyClient
import ArgosyDomain
import ArgosyTransport
import ArgosyWire
import Glibc

struct StepStart {
    var options: JobOptions
    var command: [String]
    let session: Session
    let signals: Signals
    let terminal: Terminal?
    /// Of the job; none: not known.
    var jobNodes: [String] = []

    /// Runs the step to its end; its exit code.
    ///
    /// - Parameter isOwn: the job was made for this step.
    func start(in job: UInt32, isOwn: Bool) throws -> Int32 {
        var settled = self
        settled.options.takeStepDefaults(of: session.configuration)
        return try settled.startSettled(in: job, isOwn: isOwn)
    }

    private func startSettled(in job: UInt32, isOwn: Bool) throws -> Int32 {
        var request = try StepRequestWriter(
            options: options, command: command, job: job, isOwn: isOwn, propagated: propagated
        ).request()
        if let wanted = options.step.broadcast {
            let broadcast = ProgramBroadcast(start: self, job: job)
            request.arguments[0] = try broadcast.run(request.arguments[0], to: wanted)
        }
        if options.verbose > 0 { describe(job) }
        try runLocal(options.step.prolog ?? configured("SrunProlog"), job)
        defer { try? runLocal(options.step.epilog ?? configured("SrunEpilog"), job) }
        return try run(request, isOwn: isOwn)
    }

    private func configured(_ key: String) -> String? {
        session.configuration.entries.last { $0.key.lowercased() == key.lowercased() }?.value
    }

    /// Limits that go along: as asked, else as configured, else all.
    private var propagated: String {
        if let asked = options.step.propagated { return asked }
        if let names = configured("PropagateResourceLimits") { return names }
        guard let except = configured("PropagateResourceLimitsExcept") else { return "ALL" }
        return LimitNames.all(but: except)
    }

    /// Of the step only, as it was asked for.
    ///
    /// It is asked for without waiting first: so it is known that other steps are in its way. One that ended just now may
    /// still be, for a moment, which is not worth a word.
    func run(_ request: WireCreateStep, isOwn: Bool) throws -> Int32 {
        let relay = isOwn ? nil : ControllerConnection.environment("ARGOSY_RELAY")
        var busy: Refusal?
        do { return try attempt(request, relay, busy: nil) } catch let refusal as Refusal {
            guard refusal.code == .stepNodesBusy else { throw refused(refusal, request.job) }
            busy = refusal
        }
        if options.immediate != nil {
            for _ in 0..<8 {
                pause(milliseconds: 40)
                do { return try attempt(request, relay, busy: nil) } catch let refusal as Refusal {
                    guard refusal.code == .stepNodesBusy else { throw refused(refusal, request.job) }
                }
            }
            throw refused(busy ?? Refusal(.stepNodesBusy, "Requested nodes are busy"), request.job)
        }
        do { return try attempt(request, relay, busy: busy) } catch let refusal as Refusal {
            throw refused(refusal, request.job)
        }
    }

    private func refused(_ refusal: Refusal, _ job: UInt32) -> Failure {
        if refusal.code == .invalidJobID || refusal.code == .jobAlreadyComplete {
            return Failure(
                "Unable to confirm allocation for job \(job): \(refusal.message)\n"
                    + "srun: Check SLURM_JOB_ID environment variable. Expired or invalid job \(job)")
        }
        return Failure("Unable to create step for job \(job): \(refusal.message)", detail: refusal.detail)
    }

    /// - Parameter busy: why it could not start at once; nil: it is not to wait.
    private func attempt(_ step: WireCreateStep, _ relay: String?, busy: Refusal?) throws -> Int32 {
        var request = WireRequest()
        request.createStep = step
        request.createStep.noWait = busy == nil
        var loop = loop(relayed: relay != nil)
        let notice = WaitingNotice(job: step.job, busy: busy?.message, isQuiet: options.quiet > 0)
        loop.notice = notice
        if let relay {
            return try loop.follow(try StepSession.throughRelay(relay, request), signals)
        }
        let connection = try session.connect()
        try connection.send(request)
        let reply = try Srun.waitForReply(
            connection, signals, after: WaitingNotice.patienceMS, cancelled: "Cancelled pending job step",
            slow: notice.say)
        guard case .stepCreated(let created)? = reply.body else { throw Failure("Invalid reply of the controller") }
        try loop.begin(created)
        let nodes = try StepSession.direct(created, munge: Munge(socket: session.configuration.mungeSocket))
        return try loop.follow(nodes, signals)
    }

    private func loop(relayed: Bool) -> StepLoop {
        var options = options
        if options.name.isEmpty { options.name = Process.variable("SLURM_JOB_NAME") ?? baseName(command.first ?? "") }
        var run = StepRun(
            killsOnBadExit: options.killOnBadExit ?? false, waitSeconds: options.waitSeconds,
            disablesStatus: options.disableStatus || options.quitOnInterrupt,
            killWait: session.configuration.killWait.microseconds / 1_000_000)
        run.tellsOnce = Process.variable("SLURM_SRUN_REDUCE_TASK_EXIT_MSG").flatMap { Int($0) }.map { $0 != 0 } ?? false
        run.isVerbose = options.verbose > 0
        return StepLoop(run, options, terminal: terminal, relayed: relayed)
    }

    private func describe(_ job: UInt32) {
        let rule = "-------------------- --------------------"
        var lines = ["defined options", rule]
        func line(_ name: String, _ value: String) {
            if !value.isEmpty { lines.append(pad(name, 20) + ": " + value) }
        }
        line("jobid", options.jobID > 0 ? "\(options.jobID)" : "")
        line("job-name", options.name)
        line("nodes", options.minNodes > 0 ? "\(options.minNodes)" : "")
        line("ntasks", options.tasks > 0 ? "\(options.tasks)" : "")
        line("cpus-per-task", options.cpusPerTask > 0 ? "\(options.cpusPerTask)" : "")
        line("verbose", "\(options.verbose)")
        lines += [rule, "end of defined options"]
        if !jobNodes.isEmpty {
            lines.append("jobid \(job): nodes(\(jobNodes.count)):`\(jobNodes.joined(separator: ","))'")
        }
        for line in lines { Console.info("srun", line) }
    }

    // MARK: srun's own prolog and epilog

    private func runLocal(_ program: String?, _ job: UInt32) throws {
        guard let program, program.lowercased() != "none", !program.isEmpty else { return }
        guard access(program, R_OK | X_OK) == 0 else {
            Console.info("srun", "Access denied for \(program): \(String(cString: strerror(errno)))")
            return
        }
        setenv("SLURM_JOB_ID", "\(job)", 1)
        _ = LocalProgram.run([program])
    }
}

/// What is said of a step that waits for others, once it has waited long enough to be worth it.
final class WaitingNotice {
    static let patienceMS: Int32 = 300
    private let job: UInt32
    private let busy: String?
    private let isQuiet: Bool
    private var said = false

    init(job: UInt32, busy: String?, isQuiet: Bool) {
        self.job = job
        self.busy = busy
        self.isQuiet = isQuiet
    }

    var isDue: Bool { busy != nil && !said && !isQuiet }

    func say() {
        guard isDue, let busy else { return }
        said = true
        Console.info("srun", "Job \(job) step creation temporarily disabled, retrying (\(busy))")
    }

    func created() { if said { Console.info("srun", "Step created for job \(job)") } }
}

/// Programs that srun itself runs and waits for.
enum LocalProgram {
    /// Its wait status; nil: it could not be started.
    static func run(_ arguments: [String]) -> Int32? {
        var pointers: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) }
        pointers.append(nil)
        defer { for pointer in pointers { free(pointer) } }
        var pid: pid_t = 0
        guard let path = pointers.first ?? nil, posix_spawn(&pid, path, nil, nil, pointers, environ) == 0 else {
            return nil
        }
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        return status
    }
}

enum LocalUser {
    /// Of this process, as /etc/passwd has it, else as the environment does.
    static var name: String {
        let text = String(decoding: LocalFile.read("/etc/passwd") ?? [], as: UTF8.self)
        for line in text.split(separator: "\n") {
            let fields = line.split(separator: ":", maxSplits: 3, omittingEmptySubsequences: false)
            if fields.count > 2, fields[2] == "\(getuid())" { return String(fields[0]) }
        }
        return Process.variable("USER") ?? "\(getuid())"
    }
}

enum LocalFile {
    /// All of a file; nil when it cannot be read.
    static func read(_ path: String) -> [UInt8]? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = Glibc.read(file, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { return nil }
            if count == 0 { return bytes }
            bytes += buffer[..<count]
        }
    }
}
