/// A generator with a seed: the same numbers in every run.
struct Dice: RandomNumberGenerator {
    private var state: UInt64
    init(_ seed: UInt64) { state = seed &* 0x9e37_79b9_7f4a_7c15 | 1 }

    private mutating func step() {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
    }

    mutating func next() -> UInt64 {
        step()
        return state &* 0x2545_f491_4f6c_dd1d
    }

    /// At least 0, less than `bound`.
    mutating func roll(_ bound: Int) -> Int {
        step()
        return Int(state >> 33) % max(bound, 1)
    }
    mutating func roll(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &self) }
    mutating func one<T>(of values: [T]) -> T { values[roll(0...values.count - 1)] }
    /// True once in `n`.
    mutating func rare(_ n: Int) -> Bool { roll(1...n) == 1 }
}
