internal import ArgosyDomain
internal import ArgosyStep
internal import ArgosySystem
internal import ArgosyWire
internal import Logging

// What an earlier argosyd of this boot left: read back, taken over, reported again.
extension NodeDaemon {
    func recover() {
        for name in SpoolFile.list(context.spool.run) {
            guard let (job, attempt) = SpoolLayout.attempt(named: name) else { continue }
            recover(AttemptID(job, attempt))
        }
        removeForeignCgroups()
    }

    private func recover(_ id: AttemptID) {
        let paths = context.paths(id)
        guard let bytes = SpoolFile.read(paths.prepareOrder), let order = try? WirePrepare(serializedBytes: bytes)
        else {
            // Cut off before the order was recorded: the controller sends it again.
            return SpoolFile.removeTree(paths.directory)
        }
        var attempt = NodeAttempt(id: id, order: order, paths: paths)
        attempt.endedSteps = Set(lines(paths.directory + "/ended_steps").map { StepID($0) })
        attempt.container = SpoolFile.read(paths.directory + "/container.pb")
            .flatMap { try? WireLocalContainer(serializedBytes: $0) }
        logger.info("taking over", metadata: ["attempt": "\(id)"])
        if let gone = read(paths.gone, as: WireAttemptGone.self) {
            attempt.phase = .gone
            attempts[id] = attempt
            return report(id, .gone(gone))
        }
        recoverSteps(&attempt)
        if let failed = read(paths.failure, as: WirePrepareFailed.self) {
            attempt.phase = .failed
            attempts[id] = attempt
            report(id, .prepareFailed(failed))
        } else if SpoolFile.exists(paths.preparedMark) {
            attempt.phase = .ready
            attempt.relay.listener = try? Preparation.listen(paths, uid: attempt.uid)
            attempts[id] = attempt
            report(id, .prepared(WirePrepared()))
            resumeSteps(id)
        } else {
            attempts[id] = attempt
        }
        if let terminate = read(paths.terminateOrder, as: WireTerminate.self) {
            beginTermination(id, grace: .seconds(Int64(terminate.graceS)))
        } else if attempts[id]?.phase == .preparing {
            // Cut off in the middle: what was built is torn down and built again.
            _ = try? context.cgroup(id).kill(timeout: .seconds(10))
            startPreparation(id)
        }
    }

    private func recoverSteps(_ attempt: inout NodeAttempt) {
        for name in SpoolFile.list(attempt.paths.directory) {
            guard let step = AttemptPaths.step(named: name) else { continue }
            var known = NodeStep(id: step, paths: attempt.paths.step(step))
            if !SpoolFile.exists(known.paths.order) {
                SpoolFile.removeTree(known.paths.directory)
                continue
            }
            known.pid = lines(known.paths.pid).first.map { Int32(clamping: $0) } ?? 0
            attempt.steps[step] = known
        }
    }

    private func resumeSteps(_ id: AttemptID) {
        guard let attempt = attempts[id] else { return }
        for (step, known) in attempt.steps {
            if SpoolFile.exists(known.paths.exit) {
                stepEnded(id, step)
            } else if !SpoolFile.exists(known.paths.pid), let lock = try? FileLock.tryLock(known.paths.lock) {
                // Ordered and never started.
                lock.descriptor.close()
                startAgain(id, step, known.paths)
            } else {
                // Its daemon dials every two seconds at the slowest.
                attempts[id]?.steps[step]?.helloBy = BootClock.now + .seconds(5)
            }
        }
        startDueSteps(id)
    }

    private func startAgain(_ id: AttemptID, _ step: StepID, _ paths: StepPaths) {
        guard let pid = try? startStepDaemon(paths) else { return stepDaemonLost(id, step) }
        attempts[id]?.steps[step]?.pid = pid
        attempts[id]?.steps[step]?.helloBy = BootClock.now + .seconds(10)
    }

    /// Job cgroups of ours that no directory tells about: of a run directory that was wiped.
    private func removeForeignCgroups() {
        for name in context.cgroup.children() {
            guard let (job, attempt) = SpoolLayout.attempt(named: name) else { continue }
            guard attempts[AttemptID(job, attempt)] == nil else { continue }
            let cgroup = context.cgroup.child(name)
            logger.warning("ending a job nobody knows", metadata: ["cgroup": "\(cgroup.path)"])
            detachThread {
                _ = try? cgroup.kill(timeout: .seconds(30))
                try? cgroup.remove(timeout: .seconds(5))
            }
        }
    }

    private func lines(_ path: String) -> [UInt32] {
        (SpoolFile.read(path) ?? []).split(separator: 10).compactMap { UInt32(String(decoding: $0, as: UTF8.self)) }
    }

    private func read<Message: WireMessage>(_ path: String, as: Message.Type) -> Message? {
        SpoolFile.read(path).flatMap { Message(bytes: $0) }
    }
}

/// The messages that lie in run directories.
protocol WireMessage {
    init?(bytes: [UInt8])
}
extension WireAttemptGone: WireMessage {
    init?(bytes: [UInt8]) { try? self.init(serializedBytes: bytes) }
}
extension WirePrepareFailed: WireMessage {
    init?(bytes: [UInt8]) { try? self.init(serializedBytes: bytes) }
}
extension WireTerminate: WireMessage {
    init?(bytes: [UInt8]) { try? self.init(serializedBytes: bytes) }
}
