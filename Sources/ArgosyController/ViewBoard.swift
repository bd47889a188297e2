// Snapshots for queries. One is made only when somebody asks and something changed since the last, by the decider at
// the end of a turn; it is shown when the commit it includes is durable. So a query sees everything that was
// answered before it was asked, and nothing that could still be undone.
internal import ArgosyCore
internal import ArgosyDomain
internal import Synchronization

struct PublishedView: Sendable {
    var view: CoreView
    var commit: CommitNumber
}

final class ViewBoard: Sendable {
    typealias Reader = @Sendable (PublishedView) -> Void
    private struct State {
        var published: PublishedView?
        var held: [PublishedView] = []
        var durable = CommitNumber(0)
        var waiting: [Reader] = []
    }
    private let state = Mutex(State())

    /// Calls `reader` with a view that holds all that is durable now: at once, or when there is one. Returns true when
    /// the decider must be asked for it.
    func read(_ reader: @escaping Reader) -> Bool {
        let (fresh, ask) = state.withLock { state -> (PublishedView?, Bool) in
            if let published = state.published, published.commit >= state.durable { return (published, false) }
            state.waiting.append(reader)
            return (nil, state.waiting.count == 1)
        }
        if let fresh { reader(fresh) }
        return ask
    }

    /// True while somebody waits: the decider offers a view at the end of its turn.
    var isWanted: Bool { state.withLock { !$0.waiting.isEmpty } }

    func offer(_ view: CoreView, at commit: CommitNumber) {
        state.withLock { $0.held.append(PublishedView(view: view, commit: commit)) }
        show()
    }

    /// All up to `commit` is durable.
    func durable(_ commit: CommitNumber) {
        state.withLock { $0.durable = max($0.durable, commit) }
        show()
    }

    /// The core was loaded again: nothing held will ever be durable. What was published stays true.
    func discard() { state.withLock { $0.held = [] } }

    private func show() {
        let (readers, view) = state.withLock { state -> ([Reader], PublishedView?) in
            guard let newest = state.held.last(where: { $0.commit <= state.durable }) else { return ([], nil) }
            state.held.removeAll { $0.commit <= newest.commit }
            state.published = newest
            defer { state.waiting = [] }
            return (state.waiting, newest)
        }
        guard let view else { return }
        for reader in readers { reader(view) }
    }
}
