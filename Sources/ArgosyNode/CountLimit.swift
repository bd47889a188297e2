internal import Synchronization

/// How many may be somewhere at once.
final class CountLimit: Sendable {
    private let most: Int
    private let inside = Mutex(0)
    init(_ most: Int) { self.most = most }

    func enter() -> Bool {
        inside.withLock { count in
            guard count < most else { return false }
            count += 1
            return true
        }
    }
    func leave() { inside.withLock { $0 -= 1 } }
}
