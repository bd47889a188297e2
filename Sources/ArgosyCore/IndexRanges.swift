import ArgosyDomain

/// Array indices as sorted ranges: an array of a million elements is one range.
enum IndexRanges {
    static func count(_ ranges: [IndexRange]) -> Int { ranges.reduce(0) { $0 + count($1) } }

    static func first(_ ranges: [IndexRange]) -> UInt32? { ranges.first?.first }

    static func contains(_ ranges: [IndexRange], _ index: UInt32) -> Bool {
        ranges.contains { $0.first <= index && index <= $0.last && (index - $0.first) % $0.step == 0 }
    }

    /// All of them, range by range.
    static func members(_ ranges: [IndexRange]) -> [UInt32] {
        ranges.flatMap { Array(stride(from: $0.first, through: $0.last, by: Int($0.step))) }
    }

    static func removing(_ index: UInt32, from ranges: [IndexRange]) -> [IndexRange] {
        ranges.flatMap { range -> [IndexRange] in
            guard contains([range], index) else { return [range] }
            var parts: [IndexRange] = []
            if index > range.first {
                parts.append(IndexRange(first: range.first, last: index - range.step, step: range.step))
            }
            if index < range.last, index + range.step <= range.last {
                parts.append(IndexRange(first: index + range.step, last: range.last, step: range.step))
            }
            return parts
        }
    }

    /// Those of `ranges` that are in `wanted`, and the rest.
    static func split(_ ranges: [IndexRange], by wanted: [IndexRange]) -> (taken: [IndexRange], left: [IndexRange]) {
        if let quick = splitByBounds(ranges, wanted) { return quick }
        var (taken, left): ([UInt32], [UInt32]) = ([], [])
        for range in ranges {
            for index in stride(from: range.first, through: range.last, by: Int(range.step)) {
                if contains(wanted, index) { taken.append(index) } else { left.append(index) }
            }
        }
        return (compress(taken), compress(left))
    }

    /// Without looking at each index: when every wanted range is a run of whatever it meets. Nil: not so.
    private static func splitByBounds(
        _ ranges: [IndexRange], _ wanted: [IndexRange]
    ) -> (taken: [IndexRange], left: [IndexRange])? {
        let wanted = wanted.sorted { $0.first < $1.first }
        guard wanted.allSatisfy({ $0.step == 1 || $0.first == $0.last }), wanted.count <= 1000 else { return nil }
        var (taken, left): ([IndexRange], [IndexRange]) = ([], [])
        for range in ranges {
            var rest: IndexRange? = range
            for run in wanted {
                guard let open = rest, run.last >= open.first, run.first <= open.last else { continue }
                let parts = cut(open, run.first, run.last)
                if let before = parts.before { left.append(before) }
                if let inside = parts.inside { taken.append(inside) }
                rest = parts.after
            }
            if let rest { left.append(rest) }
        }
        return (taken, left)
    }

    /// What of the range is before `first`, from there to `last`, and after it.
    private static func cut(
        _ range: IndexRange, _ first: UInt32, _ last: UInt32
    ) -> (before: IndexRange?, inside: IndexRange?, after: IndexRange?) {
        func part(_ from: UInt64, _ to: UInt64) -> IndexRange? {
            let step = UInt64(range.step)
            let low = max(from, UInt64(range.first)) - UInt64(range.first)
            let start = UInt64(range.first) + (low + step - 1) / step * step
            let limit = min(to, UInt64(range.last))
            guard start <= limit else { return nil }
            let end = start + (limit - start) / step * step
            return IndexRange(first: UInt32(start), last: UInt32(end), step: start == end ? 1 : range.step)
        }
        return (
            first == 0 ? nil : part(0, UInt64(first) - 1), part(UInt64(first), UInt64(last)),
            part(UInt64(last) + 1, .max)
        )
    }

    /// Ranges of ascending `indices`; neighbours with one distance share a range.
    static func compress(_ indices: [UInt32]) -> [IndexRange] {
        var ranges: [IndexRange] = []
        for index in indices {
            guard let open = ranges.last else {
                ranges.append(IndexRange(first: index, last: index))
                continue
            }
            if open.first == open.last {
                ranges[ranges.count - 1] = IndexRange(first: open.first, last: index, step: index - open.first)
            } else if index - open.last == open.step {
                ranges[ranges.count - 1].last = index
            } else {
                ranges.append(IndexRange(first: index, last: index))
            }
        }
        return ranges
    }

    private static func count(_ range: IndexRange) -> Int {
        range.last < range.first ? 0 : Int((range.last - range.first) / range.step) + 1
    }
}
