internal import Synchronization

/// What the shell did since it started; for `sdiag` and tests.
final class Counters: Sendable {
    struct Values: Sendable {
        var requests = 0, refused = 0, events = 0, commits = 0, failedCommits = 0, plans = 0, orders = 0, views = 0
        var planMicroseconds: Int64 = 0
        /// Of those `commits`, how many turns: group commit at work.
        var turns = 0
    }
    private let state = Mutex(Values())
    var values: Values { state.withLock { $0 } }
    func change(_ body: (inout Values) -> Void) { state.withLock { body(&$0) } }
}
