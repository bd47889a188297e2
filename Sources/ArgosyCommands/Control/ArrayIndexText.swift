// Indices of an array's waiting tasks as Slurm writes them: neighbours as a range, others one by one; a step is written
// only where all of them, seven at least, are as far from each other.

import ArgosyWire

enum ArrayIndexText {
    typealias Range = (first: UInt32, last: UInt32, step: UInt32)
    private static let fewestWithStep = 7

    static func text(_ ranges: [Range]) -> String {
        if ranges.count == 1, let all = ranges.first, all.step > 1,
            (all.last - all.first) / all.step + 1 >= fewestWithStep
        {
            return "\(all.first)-\(all.last):\(all.step)"
        }
        var parts: [(first: UInt32, last: UInt32)] = []
        func add(_ first: UInt32, _ last: UInt32) {
            if let open = parts.last, open.last != .max, open.last + 1 == first {
                parts[parts.count - 1].last = last
            } else {
                parts.append((first, last))
            }
        }
        for range in ranges {
            if range.step <= 1 {
                add(range.first, range.last)
            } else {
                for index in stride(from: range.first, through: range.last, by: Int(range.step)) { add(index, index) }
            }
        }
        return parts.map { $0.first == $0.last ? "\($0.first)" : "\($0.first)-\($0.last)" }.joined(separator: ",")
    }

    /// Cut after a whole item where it is longer than SLURM_BITSTR_LEN (64; 0: never cut) lets it be.
    static func short(_ text: String) -> String {
        let limit = Process.variable("SLURM_BITSTR_LEN").flatMap { Int($0) } ?? 64
        guard limit > 0, text.utf8.count >= limit else { return text }
        let room = max(1, limit - 4)
        var kept = text.prefix(room)
        let rest = text.dropFirst(room)
        if rest.first != ",", let comma = kept.lastIndex(of: ",") { kept = kept[..<comma] }
        return kept + "..."
    }
}

extension WireJobInfo {
    /// `3`, `1-4,6%2` (waiting tasks, with how many may run at once), empty: not of an array.
    var arrayTaskText: String {
        guard arrayJob != 0 else { return "" }
        guard !arrayPending.isEmpty else { return "\(arrayTask)" }
        let text = ArrayIndexText.short(ArrayIndexText.text(arrayPending.map { ($0.first, $0.last, max(1, $0.step)) }))
        let isOne = arrayPending.count == 1 && arrayPending.first.map { $0.first == $0.last } ?? false
        return isOne ? text : text + (arrayMaxRunning > 0 ? "%\(arrayMaxRunning)" : "")
    }
}
