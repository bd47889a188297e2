// The commit rule, in one place for the daemon and the simulator: what a turn promises or orders is released only when
// what it changed is durable, and in the order in which it was decided.
public import ArgosyDomain

/// What one event did: rows to commit in one transaction, and what to do once they are durable.
public struct Turn: Sendable {
    public var changes: [RowChange]
    public var effects: [Effect]
    public init(changes: [RowChange] = [], effects: [Effect] = []) {
        self.changes = changes
        self.effects = effects
    }
}

/// Holds the effects of turns until their commits are durable.
///
/// A turn is staged before its rows go to the store. `durable` releases, `failed` turns every held promise into an error.
public struct CommitLedger: Sendable {
    private var held: [(number: CommitNumber, effects: [Effect])] = []
    private var last: CommitNumber

    /// - Parameter last: the number of the last commit before this ledger's first.
    public init(last: CommitNumber = CommitNumber(0)) { self.last = last }

    /// The number of the last staged turn.
    public var lastStaged: CommitNumber { last }
    public var isEmpty: Bool { held.isEmpty }

    /// Takes in a turn and gives it its commit number: one more than the turn before it.
    public mutating func stage(_ turn: Turn) -> CommitNumber {
        last = last.next
        held.append((last, turn.effects))
        return last
    }

    /// All turns up to `number` are durable: their effects, in order. Repeating it gives nothing.
    public mutating func durable(_ number: CommitNumber) -> [Effect] {
        let ready = held.prefix { $0.number <= number }
        held.removeFirst(ready.count)
        return ready.flatMap(\.effects)
    }

    /// The store failed: nothing staged and not durable ever happened. Whoever waits for an answer is returned, once
    /// each, to be told so; the core must be loaded again from the store.
    public mutating func failed() -> [ReplyHandle] {
        var handles: [ReplyHandle] = []
        for case .reply(let handle, _) in held.flatMap(\.effects) { handles.append(handle) }
        held = []
        return handles
    }
}
