internal import ArgosyDomain
internal import ArgosyStep
internal import ArgosySystem
internal import ArgosyWire
internal import Glibc
internal import Logging

// Step daemons: started, heard, ended.
extension NodeDaemon {
    func launch(_ id: AttemptID, _ order: WireLaunchStep) {
        let step = StepID(order.step)
        guard let attempt = attempts[id] else {
            return reportFailure(id, step, "node \(context.node) knows nothing of job \(id.job)")
        }
        guard attempt.steps[step] == nil, !attempt.endedSteps.contains(step) else { return }  // A repeat.
        switch attempt.phase {
        case .preparing: attempts[id]?.queuedLaunches.append(order)
        case .ready: start(id, order)
        case .failed, .terminating, .gone: reportFailure(id, step, "job \(id.job) is ending on node \(context.node)")
        }
    }

    private func reportFailure(_ id: AttemptID, _ step: StepID, _ why: String) {
        var ended = WireStepEnded()
        ended.step = step.rawValue
        ended.exit = WireExitStatus(ExitStatus(code: 1))
        ended.failure = why
        report(id, .stepEnded(ended))
    }

    private func start(_ id: AttemptID, _ launch: WireLaunchStep) {
        guard let attempt = attempts[id] else { return }
        let step = StepID(launch.step)
        let paths = attempt.paths.step(step)
        var order = launch
        order.job = attempt.order
        order.job.clearBatch()
        var record = NodeStep(id: step, paths: paths)
        do {
            try SpoolFile.makeDirectory(paths.directory, mode: 0o700)
            if step == .batch { try writeScript(order, attempt) }
            order.script = .init()
            if step != .batch { addTaskPrograms(&order.options) }
            try SpoolFile.write(try stepContext(id, attempt, order).serializedBytes(), to: paths.context)
            try SpoolFile.write(try order.serializedBytes(), to: paths.order)
            record.pid = try startStepDaemon(paths)
            record.helloBy = BootClock.now + .seconds(10)
            attempts[id]?.steps[step] = record
            routeWaitingClients()
        } catch {
            attempts[id]?.steps[step] = record
            writeEnd(
                id, step, exit: ExitStatus(code: 1),
                failure: "cannot start the step on node \(context.node): \(error)", usage: Usage())
            stepEnded(id, step)
        }
    }

    /// The site's programs around each task: before the user's own, and after them.
    private func addTaskPrograms(_ options: inout WireStepOptions) {
        options.taskProlog = [taskPrograms.prolog, options.taskProlog].filter { !$0.isEmpty }.joined(separator: "\n")
        options.taskEpilog = [options.taskEpilog, taskPrograms.epilog].filter { !$0.isEmpty }.joined(separator: "\n")
    }

    func startStepDaemon(_ paths: StepPaths) throws -> Int32 {
        var spec = ProcessSpec(
            path: context.stepDaemon, arguments: ["argosystepd", "step", paths.directory],
            environment: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "SWIFT_BACKTRACE=enable=no"])
        spec.workingDirectory = "/"
        spec.stdout = 2
        spec.stderr = 2
        spec.cgroup = try context.daemonsCgroup.joinDescriptors()
        return try Spawn.start(spec).pid
    }

    /// The script as the job will run it: its owner may read and run it, nobody may change it.
    private func writeScript(_ order: WireLaunchStep, _ attempt: NodeAttempt) throws {
        let path = attempt.paths.script
        try SpoolFile.write(Array(order.script), to: path, mode: 0o500)
        guard chown(path, attempt.uid, attempt.order.spec.identity.gid) == 0, chmod(path, 0o500) == 0 else {
            throw SystemError("chown", path, code: errno)
        }
    }

    private func stepContext(_ id: AttemptID, _ attempt: NodeAttempt, _ order: WireLaunchStep) -> WireStepContext {
        let inside = attempt.order.spec.hasContainer && !order.noContainer
        let visible = inside ? AttemptPaths.containerPublic : attempt.paths.publicDirectory
        let here = Int(order.nodeIndex) < order.layout.nodes.count ? order.layout.nodes[Int(order.nodeIndex)] : nil
        var step = WireStepContext()
        step.cluster = context.cluster
        step.node = context.node
        step.spool = context.spool.root
        step.killWaitMs = UInt32(clamping: killWait.microseconds / 1000)
        step.processors = context.processors
        if let container = attempt.container { step.container = container }
        step.relay = visible + "/relay/sock"
        step.memoryBytes = (order.memoryMib > 0 ? order.memoryMib : here?.memoryMib ?? 0) << 20
        step.ioPort = UInt32(context.ioPort)
        step.script = visible + "/slurm_script"
        step.job = id.job.rawValue
        step.attempt = id.attempt.rawValue
        let jobNodes = attempt.order.allocation.nodes
        let place = Int(attempt.order.nodeIndex)
        step.jobGres = context.devices.list(place < jobNodes.count ? jobNodes[place].gres : [])
        // The script has all that the job has here.
        step.gres = StepID(order.step) == .batch ? step.jobGres : context.devices.list(here?.gres ?? [])
        step.constrainsDevices = context.hooks.constrainsDevices || inside
        return step
    }

    // MARK: their words

    func acceptStepDaemons() {
        guard let listener = stepListener else { return }
        while let socket = try? UnixSocket.accept(listener) {
            stepLines[socket.raw] = StepLine(socket: socket, step: nil)
        }
    }

    func hearStepDaemon(_ descriptor: Int32) {
        guard let line = stepLines[descriptor] else { return }
        guard let (message, extra) = ControlSocket.receive(from: descriptor) else { return lineBroke(descriptor) }
        if let extra { close(extra) }
        let id = AttemptID(message.job, message.attempt)
        let step = StepID(message.step)
        switch (message.kind, line.step) {
        case (.hello, nil): stepSaidHello(descriptor, id, step, pid: Int32(clamping: message.a))
        case (.started, let (id, step)?): stepStarted(id, step)
        case (.ended, _?): lineBroke(descriptor)
        default: break
        }
    }

    private func stepSaidHello(_ descriptor: Int32, _ id: AttemptID, _ step: StepID, pid: Int32) {
        guard let known = attempts[id]?.steps[step], known.phase == .running else {
            logger.warning("a step daemon nobody knows", metadata: ["attempt": "\(id)", "step": "\(step)"])
            stepLines[descriptor] = nil
            return
        }
        stepLines[descriptor]?.step = (id, step)
        attempts[id]?.steps[step]?.socket = descriptor
        attempts[id]?.steps[step]?.pid = pid
        attempts[id]?.steps[step]?.helloBy = nil
        attempts[id]?.steps[step]?.waitingClients = []
        for client in known.waitingClients { hand(client, toStepAt: descriptor, id, step) }
        if attempts[id]?.phase == .terminating { sendTerminate(id, step) }
        if attempts[id]?.isSuspended == true { sendPause(id, step) }
        // It may have told an earlier argosyd only.
        if SpoolFile.exists(known.paths.started) { stepStarted(id, step) }
    }

    private func stepStarted(_ id: AttemptID, _ step: StepID) {
        guard attempts[id]?.steps[step]?.startReported == false else { return }
        attempts[id]?.steps[step]?.startReported = true
        var started = WireStepStarted()
        started.step = step.rawValue
        report(id, .stepStarted(started))
    }

    private func lineBroke(_ descriptor: Int32) {
        guard let line = stepLines.removeValue(forKey: descriptor), let (id, step) = line.step else { return }
        attempts[id]?.steps[step]?.socket = -1
        guard let known = attempts[id]?.steps[step], known.phase == .running else { return }
        reapChild(known.pid)
        if SpoolFile.exists(known.paths.exit) { stepEnded(id, step) } else { stepDaemonLost(id, step) }
    }

    /// No hello in time: it ended before it could say it, was never started, or only takes long.
    func checkSilentStep(_ id: AttemptID, _ step: StepID) {
        guard let known = attempts[id]?.steps[step], known.phase == .running else { return }
        attempts[id]?.steps[step]?.helloBy = nil
        reapChild(known.pid)
        if SpoolFile.exists(known.paths.exit) { return stepEnded(id, step) }
        if let lock = try? FileLock.tryLock(known.paths.lock) {
            withExtendedLifetime(lock) { stepDaemonLost(id, step) }
            return
        }
        attempts[id]?.steps[step]?.helloBy = BootClock.now + .seconds(1)
    }

    /// Its tasks have nobody to wait for them: they are ended, the job's other steps go on.
    func stepDaemonLost(_ id: AttemptID, _ step: StepID) {
        guard attempts[id]?.steps[step]?.phase == .running else { return }
        attempts[id]?.steps[step]?.phase = .cleaning
        logger.error("lost a step daemon", metadata: ["attempt": "\(id)", "step": "\(step)"])
        let cgroup = context.cgroup(id).child("step_\(step)")
        let mailbox = mailbox
        detachThread {
            while cgroup.exists, (try? cgroup.kill(timeout: .seconds(10))) != true { sleep(1) }
            let usage = cgroup.usage()
            _ = try? cgroup.remove(timeout: .seconds(2))
            mailbox.post(.stepCleaned(id, step, usage))
        }
    }

    func lostStepCleaned(_ id: AttemptID, _ step: StepID, _ usage: Usage) {
        guard attempts[id]?.steps[step]?.phase == .cleaning else { return }
        // What became of its tasks nobody saw, but that they were killed is certain.
        writeEnd(
            id, step, exit: ExitStatus(code: 0, signal: 9),
            failure: "the step's daemon on node \(context.node) was lost, and its tasks with it", usage: usage)
        stepEnded(id, step)
    }

    private func writeEnd(_ id: AttemptID, _ step: StepID, exit: ExitStatus, failure: String, usage: Usage) {
        guard let known = attempts[id]?.steps[step] else { return }
        var ended = WireStepEnded()
        ended.step = step.rawValue
        ended.exit = WireExitStatus(exit)
        ended.failure = failure
        ended.usage = WireUsage(usage)
        ended.endUs = WallClock.microseconds
        _ = try? SpoolFile.write((try? ended.serializedBytes()) ?? [], to: known.paths.exit)
    }

    /// Its exit.pb is there: tell the controller.
    func stepEnded(_ id: AttemptID, _ step: StepID) {
        guard let known = attempts[id]?.steps[step], known.phase != .ended else { return }
        attempts[id]?.steps[step]?.phase = .ended
        attempts[id]?.steps[step]?.helloBy = nil
        attempts[id]?.steps[step]?.waitingClients = []
        let ended = SpoolFile.read(known.paths.exit).flatMap { try? WireStepEnded(serializedBytes: $0) }
        var unknown = WireStepEnded()
        unknown.step = step.rawValue
        unknown.exit = WireExitStatus(ExitStatus(code: 1))
        unknown.failure = "how the step ended on node \(context.node) cannot be read"
        report(id, .stepEnded(ended ?? unknown))
        logger.info("step ended", metadata: ["attempt": "\(id)", "step": "\(step)"])
        guard let attempt = attempts[id], attempt.phase == .terminating, attempt.liveSteps.isEmpty else { return }
        if attempt.usage != nil { release(id) } else if attempt.preparation == nil { killAttempt(id) }
    }

    /// The controller knows how it ended.
    func forgetStep(_ id: AttemptID, _ step: StepID) {
        guard let attempt = attempts[id], let known = attempt.steps[step], known.phase == .ended else { return }
        attempts[id]?.steps[step] = nil
        attempts[id]?.endedSteps.insert(step)
        let list = (attempt.endedSteps.union([step])).sorted().map { String($0.rawValue) }.joined(separator: "\n")
        _ = try? SpoolFile.write(Array(list.utf8), to: attempt.paths.directory + "/ended_steps")
        SpoolFile.removeTree(known.paths.directory)
    }

    // MARK: signals

    func signal(_ id: AttemptID, _ order: WireSignal) {
        guard let attempt = attempts[id] else { return }
        for (step, known) in attempt.steps where known.socket >= 0 {
            let isBatch = step == .batch
            // As scancel(1): a signal is for the job's steps; the script only gets it when asked for.
            let wanted = order.batchOnly ? isBatch : order.allSteps || step.rawValue == order.step
            guard wanted else { continue }
            var message = StepMessage(.signal)
            message.a = Int64(order.number)
            message.b = order.batchOnly ? 1 : 0
            _ = ControlSocket.send(message, to: known.socket)
        }
    }

    // MARK: standing still

    /// An order without a higher number than the last one's is a repeat, or late.
    func pause(_ id: AttemptID, number: UInt32, suspended: Bool) {
        guard let attempt = attempts[id], attempt.phase != .terminating, attempt.phase != .gone, attempt.pause < number
        else { return }
        attempts[id]?.pause = number
        attempts[id]?.isSuspended = suspended
        logger.info(suspended ? "suspending" : "resuming", metadata: ["attempt": "\(id)"])
        for step in attempt.liveSteps { sendPause(id, step) }
    }

    private func sendPause(_ id: AttemptID, _ step: StepID) {
        guard let attempt = attempts[id], let socket = attempt.steps[step]?.socket, socket >= 0 else { return }
        _ = ControlSocket.send(StepMessage(attempt.isSuspended ? .suspend : .resume), to: socket)
    }

    /// Children of this life of argosyd are reaped; those of an earlier one are init's.
    private func reapChild(_ pid: Int32) {
        guard pid > 0 else { return }
        var status: Int32 = 0
        // It is about to exit, if it has not yet: collected at the next occasion otherwise.
        if waitpid(pid, &status, WNOHANG) == 0 { unreaped.insert(pid) }
        for other in unreaped where waitpid(other, &status, WNOHANG) != 0 { unreaped.remove(other) }
    }
}
