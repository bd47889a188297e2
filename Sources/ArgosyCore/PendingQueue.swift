// The order of waiting jobs: tier of the partition and priority downwards, then id upwards. Held ones are last.
import ArgosyDomain

/// Sorted keys of waiting jobs. Removal is lazy: a key counts only while the job's record agrees with it, so ending a job
/// costs nothing here, and stale keys are swept when they are half of all.
struct PendingQueue: Sendable {
    struct Key: Hashable, Comparable, Sendable {
        var priority: UInt64
        var job: JobID
        var tier: UInt16
        init(_ record: JobRecord) {
            priority = record.priority
            job = record.id
            tier = record.tier
        }
        static func < (a: Key, b: Key) -> Bool {
            if a.tier != b.tier { return a.tier > b.tier }
            return a.priority != b.priority ? a.priority > b.priority : a.job < b.job
        }
    }
    private(set) var keys: [Key] = []
    private var stale = 0

    init(_ keys: [Key] = []) { self.keys = keys.sorted() }

    mutating func insert(_ key: Key) {
        var (low, high) = (0, keys.count)
        while low < high {
            let middle = (low + high) / 2
            if keys[middle] < key { low = middle + 1 } else { high = middle }
        }
        if low < keys.count && keys[low] == key { return }
        keys.insert(key, at: low)
    }

    /// A key went out of date; `isValid` decides which stay when it is time to sweep.
    mutating func noteRemoval(isValid: (Key) -> Bool) {
        stale += 1
        guard stale > 64 && stale * 2 > keys.count else { return }
        keys.removeAll { !isValid($0) }
        stale = 0
    }
}
