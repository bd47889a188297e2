/// Slurm's numbers of node states, as its library has them: one state in the low four bits, and flags.
enum NodeStateNumber {
    private static let states = ["DOWN": 1, "IDLE": 2, "ALLOCATED": 3, "ERROR": 4, "MIXED": 5, "FUTURE": 6]
    private static let flags = [
        "RESERVED": 0x20, "CLOUD": 0x80, "DRAIN": 0x200, "COMPLETING": 0x400, "NOT_RESPONDING": 0x800,
        "POWERED_DOWN": 0x1000, "FAIL": 0x2000, "MAINTENANCE": 0x8000,
    ]

    /// Of `DOWN`, `IDLE+DRAIN` or `DOWN*`, whose star is for a node that does not answer.
    static func of(_ text: String) -> Int {
        let plain = text.hasSuffix("*") ? text.dropLast() : text[...]
        let star = text.hasSuffix("*") ? 0x800 : 0
        return plain.uppercased().split(separator: "+").reduce(star) { number, word in
            number | (states[String(word)] ?? flags[String(word)] ?? 0)
        }
    }
}
