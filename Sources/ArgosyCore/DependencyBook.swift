// Who waits for whom. What is left of a job's dependency is in `Tables.dependencies` and in its row; this book only finds
// the waiting jobs that an event concerns, so that an event costs nothing for those it does not.
import ArgosyDomain

struct DependencyBook: Sendable {
    /// Something that a dependency may wait for. Taken in where it happens, acted on at the end of the turn.
    enum Happened: Sendable {
        case began(JobRecord)
        case ended(JobRecord)
    }

    /// What is known of an array that somebody waits for.
    struct ArrayTally: Sendable {
        /// Elements with records of their own that have not ended.
        var live = 0
        var sawFailure = false
        var lastStart = Timestamp.unset
    }

    struct SingletonKey: Hashable, Sendable {
        var uid: UInt32
        var name: String
    }
    struct SingletonWatch: Sendable {
        /// Jobs of the name and user that have not ended, ascending; and those of them that wait as singletons.
        var live: [JobID] = []
        var waiting: [JobID] = []
    }

    var happened: [Happened] = []
    /// By the job or array waited for. Entries may be stale: whoever takes one looks what the job still waits for.
    private var waiters: [UInt32: [JobID]] = [:]
    /// Of arrays in `waiters` only.
    var arrays: [UInt32: ArrayTally] = [:]
    /// Only names that a singleton waits for.
    var singletons: [SingletonKey: SingletonWatch] = [:]

    var isWatchingArrays: Bool { !arrays.isEmpty }
    var isWatchingNames: Bool { !singletons.isEmpty }

    func isAwaited(_ id: UInt32) -> Bool { waiters[id] != nil }

    mutating func add(_ waiter: JobID, for id: JobID) {
        if waiters[id.rawValue]?.last != waiter { waiters[id.rawValue, default: []].append(waiter) }
    }

    /// All who wait for it, each once, ascending; they enter themselves again if they still do.
    mutating func takeWaiters(for id: UInt32) -> [JobID] {
        guard var taken = waiters.removeValue(forKey: id) else { return [] }
        taken.sort()
        var previous: JobID?
        return taken.filter { waiter in
            defer { previous = waiter }
            return waiter != previous
        }
    }

    mutating func forgetArray(_ id: UInt32) {
        if waiters[id] == nil { arrays[id] = nil }
    }
}

extension Array where Element: Comparable {
    /// Keeps ascending order; nothing happens when it is there already.
    mutating func insertSorted(_ element: Element) {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if self[middle] < element { low = middle + 1 } else { high = middle }
        }
        if low < count && self[low] == element { return }
        insert(element, at: low)
    }

    mutating func removeSorted(_ element: Element) {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if self[middle] < element { low = middle + 1 } else { high = middle }
        }
        if low < count && self[low] == element { remove(at: low) }
    }
}
