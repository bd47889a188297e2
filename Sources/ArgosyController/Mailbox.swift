internal import Glibc

/// A queue between threads. `offer` is bounded and never waits; `push` always takes (for what must not be lost, and is
/// bounded where it arises); `pushWaiting` waits for room.
final class Mailbox<Element: Sendable>: @unchecked Sendable {
    // All state is guarded by `mutex`.
    private var items: [Element] = []
    private var isClosed = false
    private let limit: Int
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    init(limit: Int) {
        self.limit = limit
        pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(changed, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(changed)
        pthread_mutex_destroy(mutex)
        changed.deallocate()
        mutex.deallocate()
    }

    /// False when it is full or closed.
    func offer(_ item: Element) -> Bool {
        locked {
            guard !isClosed, items.count < limit else { return false }
            append(item)
            return true
        }
    }

    func push(_ item: Element) { locked { if !isClosed { append(item) } } }

    func pushWaiting(_ item: Element) {
        locked {
            while items.count >= limit && !isClosed { pthread_cond_wait(changed, mutex) }
            if !isClosed { append(item) }
        }
    }

    /// Up to `max` items, oldest first; waits for the first at most `timeout` (nil: for ever). Empty: time passed. Nil:
    /// closed and drained.
    func take(max: Int, timeout: Duration?) -> [Element]? {
        locked {
            let deadline = timeout.map(Self.deadline)
            while items.isEmpty && !isClosed {
                guard var deadline else {
                    pthread_cond_wait(changed, mutex)
                    continue
                }
                if pthread_cond_timedwait(changed, mutex, &deadline) == ETIMEDOUT { break }
            }
            if items.isEmpty { return isClosed ? nil : [] }
            let taken = Array(items.prefix(max))
            items.removeFirst(taken.count)
            pthread_cond_broadcast(changed)
            return taken
        }
    }

    /// Takes no more; what is in it can still be taken.
    func close() {
        locked {
            isClosed = true
            pthread_cond_broadcast(changed)
        }
    }

    var count: Int { locked { items.count } }

    private func append(_ item: Element) {
        items.append(item)
        pthread_cond_broadcast(changed)
    }

    private func locked<R>(_ body: () -> R) -> R {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return body()
    }

    private static func deadline(_ timeout: Duration) -> timespec {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        let (seconds, attoseconds) = Swift.max(timeout, .zero).components
        let nanoseconds = now.tv_nsec + Int(attoseconds / 1_000_000_000)
        let whole = Swift.min(seconds, 1 << 32)
        return timespec(
            tv_sec: now.tv_sec + Int(whole) + nanoseconds / 1_000_000_000, tv_nsec: nanoseconds % 1_000_000_000)
    }
}
