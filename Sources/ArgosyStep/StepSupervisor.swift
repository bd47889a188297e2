// The root half of a step daemon: one step on one node.
//
// It makes the step's cgroup, opens stdio as the user, starts the tasks and waits. What to do is decided by
// `StepMachine`; this file does it. It reads fixed-size messages from argosyd and from its own unprivileged child and
// nothing else. It lives outside the job's cgroup and outside argosyd's, so that neither's end is its own; how the step
// ended is in exit.pb before anybody is told.
internal import ArgosyDomain
internal import ArgosySystem
internal import ArgosyWire
internal import Glibc

final class StepSupervisor {
    private let order: StepOrder
    private let plan: StdioPlan
    private let cgroup: Cgroup
    private var machine: StepMachine
    private var channel: NodeChannel
    private var files: StdioFiles?
    private var child: IOChildProcess?
    private var tasks: [RunningTask] = []
    /// Kept for the tasks' epilogs.
    private var launcher: TaskLauncher?
    private var failure = ""
    private var hasFinished = false
    private var graceAt: Duration?
    private var limitAt: Duration?
    /// While it stands still: since when.
    private var suspendedAt: Duration?
    private var clientAt: Duration?
    private let timer: TimerDescriptor

    private struct RunningTask {
        var rank: UInt32
        var local: Int
        var process: ChildProcess?
        var exit: ExitStatus?
        /// Could not be started: reported like an exit, once all were tried.
        var startCode: UInt32?
        /// How the task itself ended, while its epilog runs in `process`.
        var ended: ExitStatus?
    }
    /// How long a step waits for its srun.
    private static let clientPatience = Duration.seconds(60)
    /// How long srun may take to read what is left at the end.
    private static let drainPatience = Duration.seconds(30)

    init(_ order: StepOrder) throws {
        self.order = order
        plan = StdioPlan(order.launch, context: order.context, ranks: order.ranks, isBatch: order.isBatch)
        cgroup = try CgroupLayout.discover().cgroup(order.cgroupPath)
        machine = StepMachine(
            killOnBadExit: order.launch.killOnBadExit, killWait: .milliseconds(Int64(order.context.killWaitMs)))
        var greeting = StepMessage(.hello)
        greeting.job = order.context.job
        greeting.attempt = order.context.attempt
        greeting.step = order.launch.step
        greeting.a = Int64(getpid())
        channel = NodeChannel(path: SpoolLayout(root: order.context.spool).stepSocket, greeting: greeting)
        timer = try TimerDescriptor()
        if order.launch.remainingMs > 0 {
            limitAt = BootClock.now + .milliseconds(Int64(clamping: order.launch.remainingMs))
        }
    }

    /// Runs the step to its end. Returns the exit code of the daemon (not of the step).
    func run() throws -> Int32 {
        _ = channel.dial(at: BootClock.now)
        do {
            try prepare()
            if plan.needsClient, order.launch.waitForIo {
                clientAt = BootClock.now + Self.clientPatience
            } else {
                act(machine.apply(.clientConnected))
            }
        } catch {
            failure = "\((error as? StdioFiles.Failure)?.message ?? "\(error)")"
            child?.send(note(.failure, failure))
            act(machine.apply(.terminateOrdered(grace: .zero)))
        }
        while !hasFinished { try turn() }
        return 0
    }

    private func prepare() throws {
        var limits = CgroupLimits()
        limits.cpus = CPUAssignment.physical(order.here.cpuIds, on: order.context.processors)
        if limits.cpus?.isEmpty == true { limits.cpus = nil }
        if order.context.memoryBytes > 0 { limits.memoryBytes = order.context.memoryBytes }
        limits.devices = deniedDevices
        try cgroup.create(limits: limits)
        for local in 0..<order.ranks.count { try leaf(local).create() }
        let spec = order.launch.job.spec
        // Of a step, what is opened here is this node's (or task's) own: srun opens the rest itself.
        let appends = order.isBatch ? spec.appendOutput : order.launch.io.append
        let umask = order.launch.umask != 0 ? order.launch.umask : spec.umask
        let options = order.launch.options
        var opened = try StdioFiles(
            plan, as: Credentials(order.identity), umask: umask, truncate: !appends,
            window: (options.rows, options.columns))
        if plan.needsClient {
            let side = cgroup.child("io")
            try side.create()
            child = try IOChildProcess.start(order, opened, in: side)
            opened.closeChildEnds()
        }
        files = opened
    }

    /// Devices of the job that are not this step's.
    private var deniedDevices: DevicePolicy? {
        guard order.context.constrainsDevices, !order.isContainerized else { return nil }
        let own = order.context.gres.flatMap(\.files)
        let others = order.context.jobGres.flatMap(\.files).filter { !own.contains($0) }
        return others.isEmpty ? nil : DevicePolicy(rules: DevicePolicy.rules(for: others), denies: true)
    }

    private func leaf(_ local: Int) -> Cgroup { cgroup.child("task_\(local)") }

    // MARK: waiting

    private func turn() throws {
        _ = channel.dial(at: BootClock.now)
        let deadlines = [graceAt, suspendedAt == nil ? limitAt : nil, clientAt, channel.retryAt].compactMap { $0 }
        try timer.set(deadlines.min())
        let live = tasks.indices.filter { tasks[$0].exit == nil && tasks[$0].process != nil }
        var interests = [
            Poll.Interest(timer.descriptor.raw), Poll.Interest(channel.descriptor),
            Poll.Interest(child?.control.raw ?? -1),
        ]
        interests += live.map { Poll.Interest(tasks[$0].process?.pidfd.raw ?? -1) }
        let ready = try Poll.wait(interests)
        if ready[0].any { timer.acknowledge() }
        if ready[1].any { hearNode() }
        if ready[2].any { hearChild() }
        for (place, index) in live.enumerated() where ready[place + 3].any { try reap(index) }
        fireDeadlines(BootClock.now)
    }

    private func fireDeadlines(_ now: Duration) {
        if let limit = limitAt, suspendedAt == nil, now >= limit {
            limitAt = nil
            if machine.phase == .running {
                say("*** \(title) ON \(order.context.node) CANCELLED AT \(WallClock.text) DUE TO TIME LIMIT ***")
            }
            act(machine.apply(.timeLimitReached))
        }
        if let grace = graceAt, now >= grace {
            // Again, should something outlive the first kill.
            graceAt = now + .seconds(1)
            act(machine.apply(.graceOver))
        }
        if let patience = clientAt, now >= patience {
            clientAt = nil
            failure = "srun did not connect to node \(order.context.node) within \(Self.clientPatience)"
            act(machine.apply(.clientLost))
        }
    }

    private func hearNode() {
        guard let (message, descriptor) = channel.receive(at: BootClock.now) else { return }
        switch message.kind {
        case .signal where message.b == 1:
            for task in tasks where task.exit == nil { _ = try? task.process?.signal(Int32(clamping: message.a)) }
        case .signal: act(machine.apply(.signalOrdered(UInt32(clamping: message.a))))
        case .terminate:
            if machine.phase == .running {
                let cause = message.text.isEmpty ? "" : message.text + " "
                say("*** \(title) ON \(order.context.node) CANCELLED AT \(WallClock.text) \(cause)***")
            }
            // What is frozen hears no signal.
            resume()
            act(machine.apply(.terminateOrdered(grace: .milliseconds(message.a))))
        case .suspend: suspend()
        case .resume: resume()
        case .limit: setLimit(message.a)
        case .connection: if let descriptor { child?.send(message, descriptor: descriptor.raw) }
        case .hello, .started, .ended, .taskExited, .finished, .failure, .clientConnected, .clientLost, .drained, .note:
            break
        }
    }

    /// The job's limit is another now. A step of a batch job that has a limit of its own keeps that.
    private func setLimit(_ milliseconds: Int64) {
        guard limitAt != nil || order.isBatch, order.isBatch || order.launch.job.spec.scriptDigest.isEmpty else { return }
        limitAt = milliseconds > 0 ? BootClock.now + .milliseconds(milliseconds) : nil
        // What was suspended before now is not what is left.
        if suspendedAt != nil { suspendedAt = BootClock.now }
    }

    /// Time that it stands still does not count for its limit.
    private func suspend() {
        guard suspendedAt == nil else { return }
        suspendedAt = BootClock.now
        if tasks.isEmpty { return }  // Frozen once they are there: launching waits for them.
        do { try cgroup.freeze(true) } catch { complain("cannot freeze \(cgroup.path): \(error)") }
    }

    private func resume() {
        guard let since = suspendedAt else { return }
        suspendedAt = nil
        if let limit = limitAt { limitAt = limit + (BootClock.now - since) }
        if tasks.isEmpty { return }
        do { try cgroup.freeze(false) } catch { complain("cannot thaw \(cgroup.path): \(error)") }
    }

    private func hearChild() {
        guard let child else { return }
        guard let (message, descriptor) = ControlSocket.receive(from: child.control.raw) else {
            // Killed by its own user, most likely: the step has lost its srun.
            self.child = nil
            _ = try? child.process.wait()
            act(machine.apply(.clientLost))
            return
        }
        if let descriptor { close(descriptor) }
        switch message.kind {
        case .clientConnected:
            clientAt = nil
            act(machine.apply(.clientConnected))
        case .clientLost: act(machine.apply(.clientLost))
        case .signal:
            if [9, 15].contains(message.a), machine.phase == .running {
                say("*** \(title) ON \(order.context.node) CANCELLED AT \(WallClock.text) ***")
            }
            act(machine.apply(.signalOrdered(UInt32(clamping: message.a))))
        case .hello, .started, .ended, .terminate, .connection, .taskExited, .finished, .failure, .drained, .note,
            .suspend, .resume, .limit:
            break
        }
    }

    private func reap(_ index: Int) throws {
        guard let process = tasks[index].process, let exit = try process.poll() else { return }
        if let ended = tasks[index].ended { return taskEnded(index, ended) }
        let local = tasks[index].local
        let ends = StdioFiles.Ends(rank: tasks[index].rank)
        guard let epilog = (try? launcher?.startEpilog(local, ends, in: leaf(local))) ?? nil else {
            return taskEnded(index, exit)
        }
        tasks[index].ended = exit
        tasks[index].process = epilog
    }

    private func taskEnded(_ index: Int, _ exit: ExitStatus) {
        tasks[index].exit = exit
        var message = StepMessage(.taskExited)
        message.rank = tasks[index].rank
        message.a = Int64(exit.code)
        message.b = Int64(exit.signal)
        message.c = Int64(tasks[index].process?.pid ?? 0)
        if leaf(tasks[index].local).usage().oomKills > 0 { message.text = "oom" }
        child?.send(message)
        act(machine.apply(.taskExited(rank: tasks[index].rank, exit)))
    }

    // MARK: doing

    private func act(_ actions: [StepMachine.Action]) {
        for action in actions {
            switch action {
            case .startTasks: startTasks()
            case .signal(let number): for task in tasks { leaf(task.local).signal(Int32(number)) }
            case .startGrace(let grace): graceAt = BootClock.now + grace
            case .kill: for task in tasks { _ = try? leaf(task.local).kill(timeout: .seconds(10)) }
            case .finish: finish()
            }
        }
    }

    private func startTasks() {
        launchTasks()
        // Only now: as long as root holds the tasks' ends of the pipes, nobody sees their output end.
        files?.closeTaskPipes(plan)
        _ = try? SpoolFile.write([], to: order.paths.started)
        channel.send(.started)
        act(machine.apply(.tasksStarted(tasks.count)))
        if suspendedAt != nil, !tasks.isEmpty { _ = try? cgroup.freeze(true) }
        for index in tasks.indices {
            if let code = tasks[index].startCode { taskEnded(index, ExitStatus(code: code)) }
        }
    }

    private func launchTasks() {
        guard let ends = files?.tasks else { return }
        do {
            let launcher = try TaskLauncher(order)
            self.launcher = launcher
            for (local, end) in ends.enumerated() { tasks.append(start(local, end, by: launcher)) }
        } catch {
            failure = (error as? TaskLauncher.Failed)?.message ?? "\(error)"
            say(failure)
            child?.send(note(.failure, failure))
        }
    }

    private func start(_ local: Int, _ ends: StdioFiles.Ends, by launcher: TaskLauncher) -> RunningTask {
        var task = RunningTask(rank: ends.rank, local: local)
        do {
            let process = try launcher.start(local, ends, in: leaf(local)) { tell(ends, $0) }
            task.process = process
            let node = order.context.node
            let reports = [
                launcher.cpus.report(node: node, rank: ends.rank, local: local, pid: process.pid),
                launcher.memory.report(node: node, rank: ends.rank, local: local, pid: process.pid),
            ]
            for report in reports { if let report { tell(ends, report) } }
        } catch {
            let failed = error as? TaskLauncher.Failed ?? .init(message: "slurmstepd: error: \(error)", code: 1)
            tell(ends, failed.message)
            task.startCode = failed.code
        }
        return task
    }

    /// A line for a task's stderr, which only root's words reach before (or instead of) the task's own.
    private func tell(_ ends: StdioFiles.Ends, _ text: String) {
        if let file = ends.error {
            let line = Array((text + "\n").utf8)
            _ = write(file.raw, line, line.count)
        }
    }

    /// A line for whoever reads the step's errors.
    private func say(_ text: String) {
        let line = "slurmstepd: error: " + text
        if let first = files?.tasks.first, first.error != nil { return tell(first, line) }
        var message = note(.note, line)
        message.rank = order.ranks.first ?? 0
        child?.send(message)
    }

    private func note(_ kind: StepMessage.Kind, _ text: String) -> StepMessage {
        var message = StepMessage(kind)
        message.text = text
        return message
    }

    private var title: String { order.isBatch ? "JOB \(order.context.job)" : "STEP \(order.name)" }

    // MARK: the end

    private func finish() {
        let usage = cgroup.usage()
        if usage.oomKills > 0 {
            say(
                "Detected \(usage.oomKills) oom_kill event\(usage.oomKills == 1 ? "" : "s") in StepId=\(order.name). Some of the step tasks have been OOM Killed."
            )
        }
        drain(oom: usage.oomKills > 0)
        var ended = WireStepEnded()
        ended.step = order.launch.step
        ended.exit = WireExitStatus(worst)
        ended.timedOut = machine.timedOut
        ended.usage = WireUsage(cgroup.usage())
        ended.failure = failure
        ended.endUs = WallClock.microseconds
        ended.tasks = tasks.map { WireExitStatus($0.exit ?? .success) }
        do {
            try SpoolFile.write(try ended.serializedBytes(), to: order.paths.exit)
        } catch {
            complain("cannot write \(order.paths.exit): \(error)")
        }
        _ = try? cgroup.remove()
        channel.send(.ended)
        hasFinished = true
    }

    /// Slurm's "0:53" stands for stdio that could not be set up.
    private var worst: ExitStatus {
        if !failure.isEmpty, tasks.isEmpty { return ExitStatus(code: 0, signal: 53) }
        return machine.worst
    }

    /// Lets srun read the rest; gives up on one that does not.
    private func drain(oom: Bool) {
        files = nil
        guard let child else { return }
        var message = StepMessage(.finished)
        message.a = oom ? 1 : 0
        message.b = machine.timedOut ? 1 : 0
        child.send(message)
        let deadline = BootClock.now + Self.drainPatience
        while BootClock.now < deadline {
            let interests = [
                Poll.Interest(child.process.pidfd.raw), Poll.Interest(child.control.raw),
                Poll.Interest(channel.descriptor),
            ]
            guard let ready = try? Poll.wait(interests, timeout: deadline - BootClock.now) else { break }
            if ready[0].any { break }
            if ready[2].any { hearNode() }
            // Its last words; an end of the line is followed by its own.
            if ready[1].any, ControlSocket.receive(from: child.control.raw) == nil { break }
        }
        _ = try? child.process.signal(SIGKILL)
        _ = try? child.process.wait()
        self.child = nil
    }
}

func complain(_ text: String) {
    let line = Array("argosystepd: \(text)\n".utf8)
    _ = write(2, line, line.count)
}
