internal import ArgosyCore
internal import ArgosyDomain
internal import ArgosyScheduler
internal import Synchronization

/// Plans beside the decider, one snapshot at a time.
final class PlannerThread: Sendable {
    private struct Work: Sendable {
        var snapshot: PlanningSnapshot
        var generation: Int
    }
    private let work = Mailbox<Work>(limit: 4)
    private let latest = Mutex<Made?>(nil)

    /// What was planned last, for those who ask why.
    struct Made: Sendable {
        var snapshot: PlanningSnapshot
        var plan: Plan
    }
    var last: Made? { latest.withLock { $0 } }

    func plan(_ snapshot: PlanningSnapshot, generation: Int) {
        work.push(Work(snapshot: snapshot, generation: generation))
    }

    /// Until `stop`; gives plans to `inbox`.
    func run(_ planner: any Planner, inbox: Mailbox<Input>, counters: Counters) {
        while let taken = work.take(max: 1, timeout: nil) {
            for item in taken {
                let start = MachineClock.boot
                let plan = planner.plan(item.snapshot)
                let took = MachineClock.boot - start
                latest.withLock { $0 = Made(snapshot: item.snapshot, plan: plan) }
                counters.change {
                    $0.plans += 1
                    $0.planMicroseconds += took
                    $0.lastPlan = took
                    $0.maxPlan = max($0.maxPlan, took)
                    $0.queue = plan.placements.count + plan.explanations.count
                    $0.queueTotal += $0.queue
                    $0.lastPlanTime = item.snapshot.now
                }
                inbox.push(.planned(plan, generation: item.generation, took: .microseconds(took)))
            }
        }
    }

    func stop() { work.close() }
}
