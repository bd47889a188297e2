// Output of many tasks on one terminal: as it comes, or with `--label` line by line behind the task's rank.

struct OutputWriter {
    /// Where bytes go: descriptor 1 or 2. Replaced by tests.
    var write: (_ bytes: [UInt8], _ descriptor: Int32) -> Void = { Console.write($0, to: $1) }
    /// Digits of the largest rank; nil: no labels.
    var labelWidth: Int?
    private var unfinished: [Key: [UInt8]] = [:]

    private struct Key: Hashable {
        var rank: UInt32
        var isError: Bool
    }

    init(labels: Bool, tasks: UInt32) { labelWidth = labels ? String(max(tasks, 1) - 1).count : nil }

    mutating func take(_ bytes: [UInt8], rank: UInt32, isError: Bool, end: Bool) {
        guard let width = labelWidth else { return write(bytes, isError ? 2 : 1) }
        let key = Key(rank: rank, isError: isError)
        var text = unfinished.removeValue(forKey: key) ?? []
        text += bytes
        var out: [UInt8] = []
        let digits = String(rank)
        let label = Array((String(repeating: "0", count: max(0, width - digits.count)) + digits + ": ").utf8)
        while let newline = text.firstIndex(of: 10) {
            out += label + text[...newline]
            text.removeSubrange(...newline)
        }
        // A line longer than any line is shown in pieces rather than kept.
        if !text.isEmpty, end || text.count > 64 << 10 {
            out += label + text + [10]
            text = []
        }
        if !text.isEmpty { unfinished[key] = text }
        if !out.isEmpty { write(out, isError ? 2 : 1) }
    }

    /// What is left of lines without an end.
    mutating func finish() {
        for key in unfinished.keys.sorted(by: { ($0.rank, $0.isError ? 1 : 0) < ($1.rank, $1.isError ? 1 : 0) }) {
            take([], rank: key.rank, isError: key.isError, end: true)
        }
    }
}
