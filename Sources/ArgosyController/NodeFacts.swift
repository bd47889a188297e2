// What nodes say, as events of the core.
internal import ArgosyCore
internal import ArgosyDomain
internal import ArgosyWire

extension Registration {
    init(_ wire: WireRegister) {
        self.init(
            incarnation: wire.incarnation.domain, cpus: Int(wire.hardware.cpus), memoryMiB: wire.hardware.memoryMib,
            held: wire.attempts.map(Held.init))
        sockets = Int(wire.hardware.sockets)
        cores = Int(wire.hardware.cores)
        threadsPerCore = Int(wire.hardware.threadsPerCore)
        arch = wire.hardware.arch
        os = wire.hardware.os
        version = wire.version
        ioPort = UInt16(clamping: wire.ioPort)
        boot = Timestamp(microseconds: wire.hardware.bootUs)
        daemonStart = Timestamp(microseconds: wire.daemonStartUs)
        hardware = wire.hardware.hasParts ? wire.hardware.parts.domain : nil
    }
}

extension Registration.Held {
    init(_ wire: WireAttemptState) {
        self.init(
            key: AttemptKey(JobID(wire.job), Attempt(wire.attempt)), prepared: wire.prepared,
            steps: wire.steps.map(StepID.init(rawValue:)), terminating: wire.terminating)
    }
}

extension Report {
    /// Nil for a report of a newer release.
    init?(_ wire: WireReport) {
        guard let body = Body(wire.body) else { return nil }
        self.init(
            incarnation: wire.incarnation.domain, sequence: wire.sequence,
            key: AttemptKey(JobID(wire.job), Attempt(wire.attempt)), body: body)
    }
}

extension Report.Body {
    fileprivate init?(_ wire: WireReport.OneOf_Body?) {
        switch wire {
        case .prepared: self = .prepared
        case .prepareFailed(let failed):
            self = .prepareFailed(message: failed.message, nodeAtFault: failed.nodeAtFault)
        case .stepStarted(let started): self = .stepStarted(StepID(started.step))
        case .stepEnded(let ended):
            self = .stepEnded(
                StepID(ended.step),
                StepEnd(
                    exit: ended.exit.domain, timedOut: ended.timedOut, usage: ended.usage.domain,
                    failure: ended.failure, end: Timestamp(microseconds: ended.endUs)))
        case .gone(let gone): self = .gone(gone.usage.domain)
        case .unfit(let unfit): self = .unfit(reason: unfit.reason)
        case nil: return nil
        }
    }
}
