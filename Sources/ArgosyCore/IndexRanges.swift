import ArgosyDomain

/// Array indices as sorted ranges: an array of a million elements is one range.
enum IndexRanges {
    static func count(_ ranges: [IndexRange]) -> Int { ranges.reduce(0) { $0 + count($1) } }

    static func first(_ ranges: [IndexRange]) -> UInt32? { ranges.first?.first }

    static func contains(_ ranges: [IndexRange], _ index: UInt32) -> Bool {
        ranges.contains { $0.first <= index && index <= $0.last && (index - $0.first) % $0.step == 0 }
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
        var (taken, left): ([UInt32], [UInt32]) = ([], [])
        for range in ranges {
            for index in stride(from: range.first, through: range.last, by: Int(range.step)) {
                if contains(wanted, index) { taken.append(index) } else { left.append(index) }
            }
        }
        return (compress(taken), compress(left))
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
