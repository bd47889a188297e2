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
        var request = try StepRequestWriter(options: options, command: command, job: job, isOwn: isOwn).request()
        if let wanted = options.step.broadcast {
            let broadcast = ProgramBroadcast(start: self, job: job)
            request.arguments[0] = try broadcast.run(request.arguments[0], to: wanted)
        }
        try runLocal(options.step.prolog, job)
        defer { try? runLocal(options.step.epilog, job) }
        return try run(request, isOwn: isOwn)
    }

    /// Of the step only, as it was asked for.
    func run(_ request: WireCreateStep, isOwn: Bool) throws -> Int32 {
        let relay = isOwn ? nil : ControllerConnection.environment("ARGOSY_RELAY")
        do {
            return try attempt(request, relay, waits: false)
        } catch let refusal as Refusal where refusal.code == .stepNodesBusy && options.immediate == nil {
            if options.quiet == 0 {
                Console.info(
                    "srun", "Job \(request.job) step creation temporarily disabled, retrying (\(refusal.message))")
            }
        } catch let refusal as Refusal {
            throw refused(refusal, request.job)
        }
        do { return try attempt(request, relay, waits: true) } catch let refusal as Refusal {
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

    private func attempt(_ step: WireCreateStep, _ relay: String?, waits: Bool) throws -> Int32 {
        var request = WireRequest()
        request.createStep = step
        request.createStep.noWait = !waits
        var loop = loop(relayed: relay != nil)
        if waits, options.quiet == 0 {
            loop.created = { Console.info("srun", "Step created for job \($0.job)") }
        }
        if let relay {
            return try loop.follow(try StepSession.throughRelay(relay, request), signals)
        }
        let connection = try session.connect()
        try connection.send(request)
        let reply = try Srun.waitForReply(connection, signals, cancelled: "Cancelled pending job step")
        guard case .stepCreated(let created)? = reply.body else { throw Failure("Invalid reply of the controller") }
        try loop.begin(created)
        let nodes = try StepSession.direct(created, munge: Munge(socket: session.configuration.mungeSocket))
        return try loop.follow(nodes, signals)
    }

    private func loop(relayed: Bool) -> StepLoop {
        let run = StepRun(
            killsOnBadExit: options.killOnBadExit ?? false, waitSeconds: options.waitSeconds,
            disablesStatus: options.disableStatus || options.quitOnInterrupt,
            killWait: session.configuration.killWait.microseconds / 1_000_000)
        return StepLoop(run, options, terminal: terminal, relayed: relayed)
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
