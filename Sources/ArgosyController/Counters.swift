internal import ArgosyDomain
internal import Synchronization

/// What the shell did since it started; for `sdiag` and tests.
final class Counters: Sendable {
    struct Values: Sendable {
        var requests = 0, refused = 0, events = 0, commits = 0, failedCommits = 0, plans = 0, orders = 0, views = 0
        var planMicroseconds: Int64 = 0
        /// Requests answered and the time that took, from their coming to their answer.
        struct Served: Sendable {
            var count: UInt64 = 0
            var microseconds: Int64 = 0
        }
        /// Of those `commits`, how many turns: group commit at work.
        var turns = 0
        var lastPlan: Int64 = 0, maxPlan: Int64 = 0, queue = 0, queueTotal = 0
        var lastPlanTime = Timestamp.unset
        var inProgress = 0
        var byRequest: [UInt32: Served] = [:]
        var byUser: [UInt32: Served] = [:]
    }
    private let state = Mutex(Values())
    var values: Values { state.withLock { $0 } }
    func change(_ body: (inout Values) -> Void) { state.withLock { body(&$0) } }
}
