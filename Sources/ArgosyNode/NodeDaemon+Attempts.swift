internal import ArgosyDomain
internal import ArgosyStep
internal import ArgosySystem
internal import ArgosyWire
internal import Glibc
internal import Logging

// From Prepare to AttemptGone.
extension NodeDaemon {
    func prepare(_ id: AttemptID, _ order: WirePrepare) {
        guard attempts[id] == nil else { return }  // A repeat: what came of it is reported already.
        let paths = context.paths(id)
        do {
            try SpoolFile.makeDirectory(paths.directory, mode: 0o711)
            try SpoolFile.write(try order.serializedBytes(), to: paths.prepareOrder)
        } catch {
            var failed = WirePrepareFailed()
            failed.message = "cannot record the order on node \(context.node): \(error)"
            failed.nodeAtFault = true
            return report(id, .prepareFailed(failed))
        }
        attempts[id] = NodeAttempt(id: id, order: order, paths: paths)
        startPreparation(id)
    }

    func startPreparation(_ id: AttemptID) {
        guard let attempt = attempts[id] else { return }
        let preparation = Preparation(id, attempt.order, context)
        attempts[id]?.preparation = preparation
        // Host jobs need no more than some directories: not worth a thread.
        if !attempt.order.spec.hasContainer, !JobHook.isWanted(.prolog, context) {
            let result = Result { () throws(Preparation.Failure) in try preparation.run() }
            return preparationEnded(id, result)
        }
        let mailbox = mailbox
        detachThread {
            mailbox.post(.prepared(id, Result { () throws(Preparation.Failure) in try preparation.run() }))
        }
    }

    func preparationEnded(_ id: AttemptID, _ result: Result<Preparation.Outcome, Preparation.Failure>) {
        guard var attempt = attempts[id] else { return }
        attempt.preparation = nil
        if attempt.phase == .terminating {
            // It ended while the order to end it waited for this.
            attempts[id] = attempt
            if !attempt.isKilling { killAttempt(id) }
            return
        }
        guard attempt.phase == .preparing else { return }
        switch result {
        case .success(let outcome):
            attempt.phase = .ready
            attempt.relay.listener = outcome.relay
            attempt.container = outcome.container
            attempts[id] = attempt
            attemptReady(id)
        case .failure(let failure):
            attempt.phase = .failed
            attempts[id] = attempt
            preparationFailed(attempt, failure)
        }
    }

    private func attemptReady(_ id: AttemptID) {
        guard let attempt = attempts[id] else { return }
        _ = try? SpoolFile.write([], to: attempt.paths.preparedMark)
        report(id, .prepared(WirePrepared()))
        logger.info("prepared", metadata: ["attempt": "\(id)"])
        startDueSteps(id)
    }

    /// The batch step that rides in the order, and steps that were ordered meanwhile.
    func startDueSteps(_ id: AttemptID) {
        guard let attempt = attempts[id], attempt.phase == .ready else { return }
        attempts[id]?.queuedLaunches = []
        if attempt.order.hasBatch { launch(id, attempt.order.batch) }
        for order in attempt.queuedLaunches { launch(id, order) }
    }

    private func preparationFailed(_ attempt: NodeAttempt, _ failure: Preparation.Failure) {
        logger.error("cannot prepare", metadata: ["attempt": "\(attempt.id)", "why": "\(failure.message)"])
        var failed = WirePrepareFailed()
        failed.message = failure.message
        failed.nodeAtFault = failure.nodeAtFault
        _ = try? SpoolFile.write((try? failed.serializedBytes()) ?? [], to: attempt.paths.failure)
        report(attempt.id, .prepareFailed(failed))
        FailureNote(order: attempt.order, context: context, id: attempt.id).append(failure.message)
    }

    // MARK: the end

    func terminate(_ id: AttemptID, _ order: WireTerminate) {
        guard let attempt = attempts[id] else {
            return report(id, .gone(WireAttemptGone()))
        }
        guard attempt.phase != .terminating, attempt.phase != .gone else { return }
        _ = try? SpoolFile.write((try? order.serializedBytes()) ?? [], to: attempt.paths.terminateOrder)
        logger.info("terminating", metadata: ["attempt": "\(id)", "why": "\(order.why)"])
        attempts[id]?.why = order.why
        beginTermination(id, grace: .seconds(Int64(order.graceS)))
    }

    func beginTermination(_ id: AttemptID, grace: Duration) {
        guard let attempt = attempts[id] else { return }
        attempts[id]?.phase = .terminating
        attempts[id]?.grace = grace
        attempts[id]?.queuedLaunches = []
        attempts[id]?.relay.listener = nil
        if let preparation = attempt.preparation, !preparation.cancel() { return }  // Killed when it comes back.
        let live = attempt.liveSteps
        if live.isEmpty { return killAttempt(id) }
        for step in live { sendTerminate(id, step) }
        // The step daemons keep the grace; this is for those that do not.
        attempts[id]?.killAt = BootClock.now + grace + .seconds(2)
    }

    func sendTerminate(_ id: AttemptID, _ step: StepID) {
        guard let attempt = attempts[id], let socket = attempt.steps[step]?.socket, socket >= 0 else { return }
        var message = StepMessage(.terminate)
        message.a = attempt.grace.microseconds / 1000
        message.text = attempt.cause
        _ = ControlSocket.send(message, to: socket)
    }

    /// SIGKILL to everything of the attempt, again and again until nothing is left.
    func killAttempt(_ id: AttemptID) {
        guard let attempt = attempts[id], !attempt.isKilling else { return }
        attempts[id]?.isKilling = true
        attempts[id]?.killAt = nil
        let cgroup = context.cgroup(id)
        let mailbox = mailbox
        let logger = logger
        let patience = BootClock.now + max(context.hooks.unkillableTimeout, .seconds(1))
        let program = context.hooks.unkillableProgram
        detachThread {
            while true {
                if BootClock.now >= patience, cgroup.exists, cgroup.isPopulated() {
                    if !program.isEmpty {
                        _ = SiteProgram(
                            path: program,
                            environment: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "SLURM_JOB_ID=\(id.job)"],
                            timeout: .seconds(60)
                        ).run()
                    }
                    mailbox.post(.unkillable(id))
                    break
                }
                do {
                    if try !cgroup.exists || cgroup.kill(timeout: .seconds(5)) { break }
                    logger.warning(
                        "processes will not die", metadata: ["attempt": "\(id)", "pids": "\(cgroup.processes())"])
                } catch {
                    logger.error("cannot kill", metadata: ["attempt": "\(id)", "why": "\(error)"])
                    sleep(1)
                }
            }
            mailbox.post(.emptied(id, cgroup.usage()))
        }
    }

    func attemptEmptied(_ id: AttemptID, _ usage: Usage) {
        guard let attempt = attempts[id], attempt.phase == .terminating else { return }
        attempts[id]?.usage = usage
        if attempt.relay.process != nil { relayEnded(id) }
        if attempt.liveSteps.isEmpty { return release(id) }
        attempts[id]?.abandonAt = BootClock.now + .seconds(10)
    }

    /// Step daemons that keep silent although nothing of their step is left.
    func abandonSteps(_ id: AttemptID) {
        guard let attempt = attempts[id] else { return }
        attempts[id]?.abandonAt = nil
        for step in attempt.liveSteps {
            let pid = attempt.steps[step]?.pid ?? 0
            logger.error("a step daemon hangs", metadata: ["attempt": "\(id)", "step": "\(step)", "pid": "\(pid)"])
            if pid > 0, attempt.steps[step]?.socket ?? -1 >= 0 { _ = try? ChildProcess(pid: pid).signal(SIGKILL) }
            stepDaemonLost(id, step)
        }
    }

    /// Gives everything back: from here on only the acknowledgement is missing.
    func release(_ id: AttemptID) {
        guard let attempt = attempts[id], attempt.phase == .terminating, let usage = attempt.usage else { return }
        guard epilogIsDone(id) else { return }
        do {
            try context.cgroup(id).remove(timeout: .seconds(2))
        } catch {
            if attempt.isAbandoned { return finishRelease(id, usage) }
            // Something was started after the kill (it cannot fork from nothing): once more.
            logger.warning("cgroup is not empty", metadata: ["attempt": "\(id)", "why": "\(error)"])
            attempts[id]?.isKilling = false
            return killAttempt(id)
        }
        finishRelease(id, usage)
    }

    private func finishRelease(_ id: AttemptID, _ usage: Usage) {
        guard let attempt = attempts[id] else { return }
        attempts[id]?.phase = .gone
        attempts[id]?.abandonAt = nil
        var gone = WireAttemptGone()
        gone.usage = WireUsage(usage)
        _ = try? SpoolFile.write((try? gone.serializedBytes()) ?? [], to: attempt.paths.gone)
        SpoolFile.removeTree(attempt.paths.publicDirectory)
        report(id, .gone(gone))
        logger.info("gone", metadata: ["attempt": "\(id)"])
    }

    func forgetAttempt(_ id: AttemptID) {
        guard let attempt = attempts[id], attempt.phase == .gone else { return }
        SpoolFile.removeTree(attempt.paths.directory)
        attempts[id] = nil
    }
}
