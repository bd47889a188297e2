// sdiag: who asked what how often, what planning cost, what became of jobs.
internal import ArgosyCore
internal import ArgosyDomain
internal import ArgosyLink
internal import ArgosyWire
internal import Synchronization

/// When counting began, and what stood in the core's tally then.
final class StatisticsBase: Sendable {
    struct Values: Sendable {
        var since: Timestamp
        var tally = JobTally()
    }
    private let state: Mutex<Values>
    init(_ started: Timestamp) { state = Mutex(Values(since: started)) }
    var values: Values { state.withLock { $0 } }
    func begin(at now: Timestamp, _ tally: JobTally) { state.withLock { $0 = Values(since: now, tally: tally) } }
}

extension RequestRouter {
    /// Counts a request when it has been answered.
    func count(_ request: WireRequest, _ peer: CommandPeer, _ slot: ReplySlot) {
        let (number, start) = (request.body?.slurmNumber ?? 0, MachineClock.boot)
        let counters = parts.counters
        counters.change {
            $0.requests += 1
            $0.inProgress += 1
        }
        slot.observe {
            let took = MachineClock.boot - start
            counters.change { values in
                values.inProgress -= 1
                values.byRequest[number, default: .init()].count += 1
                values.byRequest[number, default: .init()].microseconds += took
                // Bounded: one that was never seen before is not counted any more.
                guard values.byUser.count < 10_000 || values.byUser[peer.uid] != nil else { return }
                values.byUser[peer.uid, default: .init()].count += 1
                values.byUser[peer.uid, default: .init()].microseconds += took
            }
        }
    }

    func statistics(_ request: WireShowStatistics, _ caller: Caller, _ slot: ReplySlot) {
        if request.reset && !caller.isOperator {
            return refuse(
                slot, Refusal(.accessDenied, "Access/permission denied", detail: "only operators reset counts"))
        }
        query(slot) { [parts] view in
            let now = parts.clock.now
            if request.reset {
                parts.statistics.begin(at: now, view.tally)
                parts.counters.change { $0.reset() }
            }
            return .statistics(Self.statistics(parts, view, now))
        }
    }

    private static func statistics(_ parts: Parts, _ view: CoreView, _ now: Timestamp) -> WireStatistics {
        var answer = WireStatistics()
        let (values, base, tally) = (parts.counters.values, parts.statistics.values, view.tally)
        answer.nowUs = now.microseconds
        answer.sinceUs = base.since.microseconds
        answer.startedUs = parts.started.microseconds
        answer.threads = UInt32(clamping: values.inProgress)
        answer.submitted = tally.submitted - base.tally.submitted
        answer.started = tally.started - base.tally.started
        answer.completed = tally.completed - base.tally.completed
        answer.cancelled = tally.cancelled - base.tally.cancelled
        answer.failed = tally.failed - base.tally.failed
        (answer.pending, answer.running) = view.jobCounts
        answer.statesUs = now.microseconds
        answer.pass.count = UInt64(values.plans)
        answer.pass.lastUs = values.lastPlan
        answer.pass.maxUs = values.maxPlan
        answer.pass.totalUs = values.planMicroseconds
        answer.passUs = values.lastPlanTime.microseconds
        answer.backfilledSinceStart = tally.backfilled
        answer.backfilled = tally.backfilled - base.tally.backfilled
        answer.backfilledHet = tally.backfilledComponents - base.tally.backfilledComponents
        answer.depthLast = tally.lastDepth
        answer.depthTotal = tally.totalDepth - base.tally.totalDepth
        answer.queueLast = UInt64(values.queue)
        answer.queueTotal = UInt64(values.queueTotal)
        answer.clockUs = clockCost()
        answer.requests = values.byRequest.sorted { $0.key < $1.key }.map { number, served in
            var figures = WireRequestFigures()
            (figures.number, figures.count, figures.totalUs) = (number, served.count, served.microseconds)
            return figures
        }
        answer.users = values.byUser.sorted { $0.key < $1.key }.map { uid, served in
            var figures = WireUserFigures()
            figures.uid = uid
            figures.user = parts.users.name(of: uid)
            (figures.count, figures.totalUs) = (served.count, served.microseconds)
            return figures
        }
        return answer
    }

    private static func clockCost() -> UInt64 {
        let start = MachineClock.boot
        for _ in 0..<1000 { _ = MachineClock.boot }
        return UInt64(max(0, MachineClock.boot - start))
    }
}

extension Counters.Values {
    fileprivate mutating func reset() {
        (plans, planMicroseconds, lastPlan, maxPlan, queueTotal) = (0, 0, 0, 0, 0)
        (byRequest, byUser) = ([:], [:])
    }
}

extension WireRequest.OneOf_Body {
    /// Slurm's number of the message that asks the same.
    var slurmNumber: UInt32 {
        switch self {
        case .submit(let submit): submit.testOnly ? 4016 : submit.waitForAllocation ? 4001 : 4003
        case .cancel: 5032
        case .listJobs(let list): list.jobs.count == 1 ? 2021 : 2003
        case .listNodes: 2007
        case .listPartitions: 2009
        case .accounting: 1444
        case .createStep: 5001
        case .signalStep: 5005
        case .createReservation: 3006
        case .updateReservation: 3009
        case .deleteReservation: 3008
        case .listReservations, .reservationRecords: 2024
        case .updateNode: 3002
        case .updatePartition: 3005
        case .updateJob: 3001
        case .ping: 1008
        case .configuration: 2001
        case .waitJob: 4019
        case .accountingRecords: 1410
        case .accountingTransactions: 1445
        case .changeAccounting: 1404
        case .shares: 2022
        case .priorities: 2026
        case .shutdown: 1005
        case .statistics: 2035
        case .reportUsage: 1451
        case .nodeEvents: 1470
        case .triggers: 2036
        case .setTrigger: 2038
        case .dropTriggers: 2039
        case .crontab: 2200
        case .setCrontab: 2202
        // Of ours, without a counterpart.
        default: 0
        }
    }
}
