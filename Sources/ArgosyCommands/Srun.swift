// srun: tasks in a job, or a job for tasks.
//
// Inside a job with a relay socket all goes through the relay. With a job id but no relay the controller makes the step
// and the tasks' stdio comes from the nodes directly. Without a job srun first asks for one, which lives as long as its
// connection to the controller does.

import ArgosyClient
import ArgosyDomain
import ArgosyTransport
import ArgosyWire
import Glibc

enum Srun {
    static let description = CommandDescription(
        name: "srun", synopsis: "[OPTIONS...] executable [args...]", options: JobOptionTable.srun,
        stopsAtOperand: true, usageStatus: 255)

    static func run(_ arguments: [String]) -> Int32 {
        var options = JobOptions()
        var exitCode: Int32 = 0
        do throws(OptionError) {
            try OptionParser(JobOptionTable.srun).parse(environment: Process.variable, into: &options)
        } catch {
            Console.error("srun", error.message)
            return error.status
        }
        let environmentTasks = options.tasks
        options.tasks = 0
        let mounts = options.containerMounts
        options.containerMounts = []
        guard let command = description.parse(arguments, into: &options, exitCode: &exitCode) else { return exitCode }
        if options.containerMounts.isEmpty { options.containerMounts = mounts }
        if options.mpi == "list" {
            Console.print("MPI plugin types are...\n\tnone\n\tpmi2\n")
            return 0
        }
        if options.step.asksMemoryBindingHelp {
            Console.print(BindingText.memoryHelp)
            return 255
        }
        guard !command.isEmpty else {
            Console.complain("srun: fatal: No command given to execute.\n")
            return 1
        }
        if let help = options.helpOfValues {
            Console.print(help)
            return options.asksHintHelp ? 1 : 0
        }
        do {
            try StepDefaults.complete(&options, environmentTasks: environmentTasks, variable: Process.variable)
        } catch {
            Console.complain("srun: error: \(error.message)\n")
            return errorStatus
        }
        return start(options, command)
    }

    private static func start(_ given: JobOptions, _ command: [String]) -> Int32 {
        do {
            try given.checkContainer()
            var options = given
            var terminal: Terminal?
            if options.step.terminal {
                terminal = Terminal()
                options.step.terminal = terminal != nil
                if options.step.terminal { options.unbuffered = true }
            }
            var caught = [SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGCONT, SIGALRM]
            if terminal != nil { caught.append(SIGWINCH) }
            let signals = Signals(caught)
            // Another job's than the one it runs in: not by that one's relay.
            if options.jobID > 0, let own = Process.variable("SLURM_JOB_ID"), own != "\(options.jobID)" {
                unsetenv("ARGOSY_RELAY")
            }
            let session = try Session()
            let run = StepStart(
                options: options, command: command, session: session, signals: signals, terminal: terminal)
            if options.jobID > 0 { return try run.start(in: options.jobID, isOwn: false) }
            return try allocated(run)
        } catch let error as StepFileFailure {
            Console.complain("srun: error: \(error.message)\n")
        } catch {
            let failure = Failure(error)
            Console.error("srun", failure.message, detail: failure.detail)
        }
        return errorStatus
    }

    /// Of srun's own failures, so that scripts can tell them from their program's.
    static var errorStatus: Int32 { Process.variable("SLURM_EXIT_ERROR").flatMap { Int32($0) } ?? 1 }

    /// A job of its own, that ends with the connection it was asked for on.
    private static func allocated(_ run: StepStart) throws -> Int32 {
        let (given, command, session) = (run.options, run.command, run.session)
        try given.checkResources()
        let options = given.withoutForbiddenSpecialization("srun", session.configuration)
        if options.testOnly {
            do { try TestOnly.ask(submission(options, command), as: "srun", session) } catch {
                TestOnly.report(Failure(error))
            }
            return 0
        }
        let connection: ControllerConnection?
        let submitted: WireJobSubmitted
        do {
            (submitted, connection) = try obtain(submission(options, command), run, options)
        } catch {
            throw Failure(error).worded("Unable to allocate resources: ", for: options, as: "srun")
        }
        var inner = options
        if inner.minNodes == 0 || inner.maxNodes > inner.minNodes {
            inner.minNodes = UInt32(submitted.allocation.nodes.count)
        }
        if inner.tasks == 0, inner.tasksPerNode == 0 { inner.tasks = max(1, submitted.allocation.tasks) }
        // Placement is the job's; the step takes all of it.
        inner.nodeList = ""
        inner.exclude = ""
        inner.maxNodes = inner.minNodes
        var own = run
        own.options = inner
        own.jobNodes = submitted.allocation.nodes.map(\.name)
        let code = try own.start(in: submitted.job, isOwn: true)
        waitForAccounts(of: submitted.job, session)
        withExtendedLifetime(connection) {}
        return code
    }

    /// The job, and the connection that it belongs to.
    private static func obtain(
        _ submit: WireSubmitJob, _ run: StepStart, _ options: JobOptions
    ) throws -> (WireJobSubmitted, ControllerConnection?) {
        guard options.immediate == nil else { return try obtainSoon(submit, run, options) }
        let connection = try run.session.connect()
        var request = WireRequest()
        request.submit = submit
        try connection.send(request)
        return (try waitForAllocation(connection, run.signals, options), connection)
    }

    /// -I: within its seconds, or not at all.
    private static func obtainSoon(
        _ submit: WireSubmitJob, _ run: StepStart, _ options: JobOptions
    ) throws -> (WireJobSubmitted, ControllerConnection?) {
        var allocation = Allocation("srun", run.session, run.signals)
        allocation.isQuiet = true
        allocation.patience = options.immediate
        do { return (try allocation.obtain(submit), allocation.connection) } catch let ended as Allocation.Ended {
            switch ended {
            case .tooLate where allocation.missed.contains("partition configuration"):
                throw Failure("Requested partition configuration not available now")
            case .tooLate: throw Failure("Requested nodes are busy")
            case .signal: throw Failure("Cancelled pending job", detail: "srun was interrupted while it waited")
            case .revoked(let failure): throw failure
            }
        }
    }

    private static func waitForAllocation(
        _ connection: ControllerConnection, _ signals: Signals, _ options: JobOptions
    ) throws -> WireJobSubmitted {
        var told = false
        while true {
            let reply = try waitForReply(connection, signals, cancelled: "Cancelled pending job") {
                guard !told, options.quiet == 0 else { return }
                Console.info("srun", "job queued and waiting for resources")
                told = true
            }
            guard case .submitted(let submitted)? = reply.body else { throw Failure("Invalid reply of the controller") }
            if !submitted.warning.isEmpty { Console.info("srun", submitted.warning) }
            if submitted.hasAllocation {
                if told { Console.info("srun", "job \(submitted.job) has been allocated resources") }
                return submitted
            }
            if !told, options.quiet == 0 {
                Console.info("srun", "job \(submitted.job) queued and waiting for resources")
            }
            told = true
        }
    }

    /// The next reply, with an eye on signals; `slow` is called once when it takes more than a second.
    static func waitForReply(
        _ connection: ControllerConnection, _ signals: Signals, after patience: Int32 = 1000, cancelled: String,
        slow: () -> Void = {}
    ) throws -> WireReply {
        var waits = patience
        while true {
            var entries = [
                pollfd(fd: connection.descriptor, events: Int16(POLLIN), revents: 0),
                pollfd(fd: signals.descriptor, events: Int16(POLLIN), revents: 0),
            ]
            let count = poll(&entries, 2, waits)
            if count == 0 {
                waits = -1
                slow()
            }
            guard count > 0 else { continue }
            if entries[1].revents != 0,
                signals.take().contains(where: { [SIGINT, SIGTERM, SIGHUP, SIGQUIT].contains($0) })
            {
                throw Failure(cancelled, detail: "srun was interrupted while it waited")
            }
            if entries[0].revents != 0 { return try connection.receive(timeout: .seconds(30)) }
        }
    }

    /// The nodes tell srun of the step's end before they tell the controller. The job should end as its step did and not
    /// as one whose srun went away, so let the controller hear of it first.
    private static func waitForAccounts(of job: UInt32, _ session: Session) {
        var list = WireListJobs()
        var selector = WireJobSelector()
        selector.job = job
        list.jobs = [selector]
        var request = WireRequest()
        request.listJobs = list
        guard let connection = try? session.connect() else { return }
        for _ in 0..<100 {
            guard let reply = try? connection.call(request, timeout: .seconds(5)), case .jobs(let found)? = reply.body,
                let info = found.jobs.first
            else { return }
            let busy = info.steps.contains { $0.endUs == 0 && $0.step < 0xffff_0000 }
            if !busy || info.state != "RUNNING" { return }
            pause(milliseconds: 20)
        }
    }

    private static func submission(_ options: JobOptions, _ command: [String]) -> WireSubmitJob {
        var named = options
        if named.name.isEmpty { named.name = Process.variable("SLURM_JOB_NAME") ?? baseName(command[0]) }
        var job = named.specification(command: "srun")
        job.stdinPath = ""
        job.stdoutPath = ""
        job.stderrPath = ""
        job.killOnClientLoss = true
        job.command = command[0]
        job.requeue = false
        if job.tasks == 0, job.tasksPerNode == 0, job.maxNodes <= job.minNodes { job.tasks = max(1, job.minNodes) }
        var submit = WireSubmitJob()
        submit.job = job
        submit.token = Process.token()
        submit.waitForAllocation = true
        return submit
    }
}
