/// The sum of several pools' free nodes, read forward in time.
struct MergedProfiles {
    private struct Column {
        let times: UnsafeBufferPointer<Int64>
        let values: UnsafeBufferPointer<Int32>
        var index: Int
        /// When the next segment begins; `.max`: there is none.
        var next: Int64

        init(_ times: UnsafeBufferPointer<Int64>, _ values: UnsafeBufferPointer<Int32>, _ index: Int) {
            self.times = times
            self.values = values
            self.index = index
            next = index + 1 < times.count ? times[index + 1] : .max
        }

        /// Goes on to the next segment; returns how much more is free there.
        mutating func advance() -> Int32 {
            index += 1
            next = index + 1 < times.count ? times[index + 1] : .max
            return values[index] - values[index - 1]
        }
    }
    private var columns: [Column] = []
    private var time: Int64
    private var sum: Int32 = 0
    private(set) var steps = 0

    init(from time: Int64) { self.time = time }

    /// Calls `body` while the profiles of `pools` can be read.
    mutating func read<Result>(_ pools: ArraySlice<Pool>, _ body: (inout MergedProfiles) -> Result) -> Result {
        guard let pool = pools.first else { return body(&self) }
        let index = pool.whole.segment(of: time)
        return pool.whole.times.withUnsafeBufferPointer { times in
            pool.whole.values.withUnsafeBufferPointer { values in
                columns.append(Column(times, values, index))
                defer { columns.removeLast() }
                sum += values[index]
                return read(pools.dropFirst(), body)
            }
        }
    }

    /// The first time from which on at least `wanted` are free for `duration`; nil: never. Reads on from where it is.
    mutating func firstStart(of wanted: Int32, duration: Int64) -> Int64? {
        columns.withUnsafeMutableBufferPointer { columns in
            var start: Int64?
            var until = Int64.max
            var next = columns.reduce(Int64.max) { min($0, $1.next) }
            while true {
                if sum < wanted {
                    start = nil
                } else if start == nil {
                    start = time
                    until = time.plus(duration)
                }
                if next == .max || start != nil && next >= until { return start }
                time = next
                steps += 1
                next = .max
                for number in columns.indices {
                    if columns[number].next == time { sum += columns[number].advance() }
                    next = min(next, columns[number].next)
                }
            }
        }
    }
}
