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
        stopsAtOperand: true)

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
            Console.print("MPI plugin types are...\n\tnone\n")
            return 0
        }
        if let help = options.helpOfValues {
            Console.print(help)
            return options.asksHintHelp ? 1 : 0
        }
        guard !command.isEmpty else {
            Console.complain("srun: fatal: No command given to execute.\n")
            return 1
        }
        complete(&options, environmentTasks: environmentTasks, variable: Process.variable)
        return start(options, command)
    }

    /// What the job's environment says when the command line does not: as many tasks and nodes as the job has.
    static func complete(_ options: inout JobOptions, environmentTasks: UInt32, variable: (String) -> String?) {
        func number(_ name: String) -> UInt32 { variable(name).flatMap { UInt32($0) } ?? 0 }
        let askedTasks = options.tasks > 0
        if options.tasks == 0, options.tasksPerNode == 0 {
            options.tasks = environmentTasks
            if environmentTasks == 0 { options.tasksPerNode = number("SLURM_NTASKS_PER_NODE") }
        }
        guard options.minNodes == 0, options.nodeList.isEmpty else { return }
        let nodes = max(number("SLURM_JOB_NUM_NODES"), number("SLURM_NNODES"))
        guard nodes > 0, options.relative == nil else { return }
        options.minNodes = askedTasks ? min(nodes, options.tasks) : nodes
        options.maxNodes = options.minNodes
    }

    private static func start(_ options: JobOptions, _ command: [String]) -> Int32 {
        do {
            try options.checkContainer()
            let signals = Signals([SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGCONT, SIGALRM])
            if let relay = ControllerConnection.environment("ARGOSY_RELAY") {
                return try relayed(options, command, relay, signals)
            }
            let session = try Session()
            if options.jobID > 0 { return try step(options, command, options.jobID, session, signals) }
            return try allocated(options, command, session, signals)
        } catch {
            let failure = Failure(error)
            Console.error("srun", failure.message, detail: failure.detail)
            return 1
        }
    }

    private static func loop(_ options: JobOptions, relayed: Bool) -> StepLoop {
        let run = StepRun(
            killsOnBadExit: options.killOnBadExit ?? false, waitSeconds: options.waitSeconds,
            disablesStatus: options.disableStatus || options.quitOnInterrupt)
        return StepLoop(run, labels: options.label, input: input(options), relayed: relayed)
    }

    private static func input(_ options: JobOptions) -> StepLoop.Input {
        switch options.input {
        case "", "all": return .all
        case "none": return .none
        default: return UInt32(options.input).map { .task($0) } ?? .none
        }
    }

    private static func relayed(
        _ options: JobOptions, _ command: [String], _ relay: String, _ signals: Signals
    ) throws -> Int32 {
        var request = WireRequest()
        request.createStep = stepRequest(options, command, job: options.jobID)
        let session = try StepSession.throughRelay(relay, request)
        var loop = loop(options, relayed: true)
        do { return try loop.follow(session, signals) } catch {
            let failure = Failure(error)
            throw Failure("Unable to create step for job \(options.jobID): \(failure.message)", detail: failure.detail)
        }
    }

    private static func step(
        _ options: JobOptions, _ command: [String], _ job: UInt32, _ session: Session, _ signals: Signals
    ) throws -> Int32 {
        var request = WireRequest()
        request.createStep = stepRequest(options, command, job: job)
        let reply: WireReply
        do {
            let connection = try session.connect()
            try connection.send(request)
            reply = try waitForReply(connection, signals, cancelled: "Cancelled pending job step")
        } catch {
            let failure = Failure(error)
            throw Failure("Unable to create step for job \(job): \(failure.message)", detail: failure.detail)
        }
        guard case .stepCreated(let created)? = reply.body else { throw Failure("Invalid reply of the controller") }
        var loop = loop(options, relayed: false)
        loop.run.start(created)
        let nodes = try StepSession.direct(created, munge: Munge(socket: session.configuration.mungeSocket))
        return try loop.follow(nodes, signals)
    }

    /// A job of its own, that ends with the connection it was asked for on.
    private static func allocated(
        _ given: JobOptions, _ command: [String], _ session: Session, _ signals: Signals
    ) throws -> Int32 {
        try given.checkResources()
        let options = given.withoutForbiddenSpecialization("srun", session.configuration)
        if options.testOnly {
            do { try TestOnly.ask(submission(options, command), as: "srun", session) } catch {
                let failure = Failure(error)
                throw Failure("allocation failure: \(failure.message)", detail: failure.detail)
            }
            return 0
        }
        let connection = try session.connect()
        var request = WireRequest()
        request.submit = submission(options, command)
        let submitted: WireJobSubmitted
        do {
            try connection.send(request)
            submitted = try waitForAllocation(connection, signals, options)
        } catch {
            let failure = Failure(error)
            throw Failure("Unable to allocate resources: \(failure.message)", detail: failure.detail)
        }
        var inner = options
        if inner.minNodes == 0 || inner.maxNodes > inner.minNodes { inner.minNodes = UInt32(submitted.allocation.nodes.count) }
        if inner.tasks == 0, inner.tasksPerNode == 0 { inner.tasks = max(1, submitted.allocation.tasks) }
        // Placement is the job's; the step takes all of it.
        inner.nodeList = ""
        inner.exclude = ""
        inner.maxNodes = inner.minNodes
        let code = try step(inner, command, submitted.job, session, signals)
        waitForAccounts(of: submitted.job, session)
        withExtendedLifetime(connection) {}
        return code
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
    private static func waitForReply(
        _ connection: ControllerConnection, _ signals: Signals, cancelled: String, slow: () -> Void = {}
    ) throws -> WireReply {
        var waits: Int32 = 1000
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

    static func stepRequest(_ options: JobOptions, _ command: [String], job: UInt32) -> WireCreateStep {
        var step = WireCreateStep()
        step.job = job
        step.tasks = options.tasks
        step.nodes = options.minNodes
        step.tasksPerNode = options.tasksPerNode
        step.cpusPerTask = options.cpusPerTask
        step.nodeList = options.nodeList
        step.exclude = options.exclude
        step.arguments = command
        step.environment = exported(Process.environment, options.export)
        step.workDir = options.absoluteWorkDirectory
        step.name = options.name.isEmpty ? baseName(command[0]) : options.name
        step.overlap = options.overlap
        step.exact = options.exact || options.exclusive
        step.io = io(options)
        if let container = options.container { step.container = container }
        step.noContainer = options.noContainer
        step.relative = options.relative ?? 0
        step.hasRelative_p = options.relative != nil
        step.killOnBadExit = options.killOnBadExit ?? false
        step.timeLimitMinutes = options.timeLimit.rawValue
        step.memoryPerNodeMib = options.memoryPerNodeMiB
        step.mpi = "none"
        step.label = options.label
        step.umask = Process.umask
        step.waitS = options.waitSeconds ?? 0
        return step
    }

    /// Modes of --input, --output and --error: `all` (or nothing) is srun itself, `none` is /dev/null, a task's number
    /// is only that task, all else is a file on the nodes.
    private static func io(_ options: JobOptions) -> WireStepIO {
        var io = WireStepIO()
        io.stdinPath = options.input == "all" ? "" : options.input
        io.stdoutPath = path(options.output)
        // Without a word of their own, errors go where output goes.
        io.stderrPath = options.error.isEmpty ? io.stdoutPath : path(options.error)
        io.append = options.append ?? false
        return io
    }

    private static func path(_ mode: String) -> String {
        switch mode {
        case "all": ""
        case "none": "/dev/null"
        default: mode
        }
    }
}
