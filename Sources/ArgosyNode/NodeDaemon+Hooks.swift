internal import ArgosyDomain
internal import ArgosyStep
internal import ArgosySystem
internal import ArgosyWire
internal import Glibc
internal import Logging

// Programs of the site on this node: epilogs, the health check, the reboot; and limits that move.
extension NodeDaemon {
    // MARK: the end of a job

    /// True when there is none, or it ended; else it runs, and `release` is called again after it.
    func epilogIsDone(_ id: AttemptID) -> Bool {
        guard let attempt = attempts[id], JobHook.isWanted(.epilog, context), attempt.epilog != .done else {
            return true
        }
        guard attempt.epilog == .none else { return false }
        attempts[id]?.epilog = .running
        let hook = JobHook(kind: .epilog, id: id, order: attempt.order, context: context)
        let mailbox = mailbox
        detachThread { mailbox.post(.epilogEnded(id, failure: hook.run())) }
        return false
    }

    func epilogEnded(_ id: AttemptID, _ failure: String) {
        guard attempts[id]?.epilog == .running else { return }
        attempts[id]?.epilog = .done
        if !failure.isEmpty {
            logger.error("epilog failed", metadata: ["attempt": "\(id)", "why": "\(failure)"])
            reportUnfit(id, "Epilog error")
        }
        release(id)
    }

    private func reportUnfit(_ id: AttemptID, _ reason: String) {
        var unfit = WireNodeUnfit()
        unfit.reason = reason
        report(id, .unfit(unfit))
    }

    /// Processes that SIGKILL does not end (uninterruptible sleep) keep the node, not the job.
    func giveUp(_ id: AttemptID) {
        guard let attempt = attempts[id], attempt.phase == .terminating else { return }
        attempts[id]?.isAbandoned = true
        logger.error("giving up processes that do not die", metadata: ["attempt": "\(id)"])
        reportUnfit(id, "Kill task failed")
    }

    // MARK: limits

    func setLimit(_ id: AttemptID, _ order: WireSetLimit) {
        guard let attempt = attempts[id], attempt.phase != .terminating, attempt.phase != .gone else { return }
        for step in attempt.liveSteps {
            guard let socket = attempt.steps[step]?.socket, socket >= 0 else { continue }
            var message = StepMessage(.limit)
            message.a = Int64(clamping: order.remainingMs)
            _ = ControlSocket.send(message, to: socket)
        }
    }

    // MARK: notices

    /// `scontrol notify`; in Slurm's words.
    func notify(_ id: AttemptID, _ text: String) {
        guard let attempt = attempts[id] else { return }
        FailureNote(order: attempt.order, context: context, id: id).write(
            "slurmstepd-\(context.node): error: \(text)")
    }

    // MARK: health

    /// Before anybody sends jobs here.
    func checkHealthAtStart() {
        guard !context.hooks.healthCheck.isEmpty else { return }
        startHealthCheck()
    }

    func checkHealth() {
        healthAt = nil
        if context.hooks.checksHealth(isBusy: !attempts.isEmpty) { startHealthCheck() } else { planHealthCheck() }
    }

    private func startHealthCheck() {
        let program = SiteProgram(
            path: context.hooks.healthCheck,
            environment: [
                "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "SLURMD_NODENAME=\(context.node)",
                "SLURM_CLUSTER_NAME=\(context.cluster)", "SLURM_CONF=\(context.configurationFile)",
            ], timeout: .seconds(60))
        let mailbox = mailbox
        detachThread { mailbox.post(.healthChecked(failure: program.run())) }
    }

    /// As in Slurm the program itself says what should become of the node.
    func healthChecked(_ failure: String) {
        if !failure.isEmpty { logger.error("health check failed", metadata: ["why": "\(failure)"]) }
        planHealthCheck()
    }

    private func planHealthCheck() {
        let interval = context.hooks.healthInterval
        healthAt = interval > .zero && !context.hooks.healthCheck.isEmpty ? BootClock.now + interval : nil
    }

    // MARK: reboot

    func reboot(_ order: WireReboot) {
        let path = context.hooks.rebootProgram
        guard !path.isEmpty else {
            logger.error("told to reboot, and there is no RebootProgram")
            return
        }
        logger.notice("rebooting", metadata: ["why": "\(order.reason)"])
        let program = SiteProgram(
            path: path, arguments: order.reason.isEmpty ? [] : [order.reason],
            environment: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"])
        detachThread { _ = program.run() }
    }
}
