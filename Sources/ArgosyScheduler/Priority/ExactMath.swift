// Powers and logarithms from additions, multiplications and divisions only: the same bits on every machine, whatever its
// mathematical library. Good to a few units in the last place, which is far more than a priority needs.

enum ExactMath {
    private static let ln2 = 0.693147180559945309417232121458

    /// `x` cut to a whole number; 0 below 0 and for what is no number, the largest above it.
    static func whole(_ x: Double) -> UInt64 {
        guard x >= 1 else { return 0 }
        return x < 18_446_744_073_709_549_568 ? UInt64(x) : .max
    }

    /// The same, up to the next whole number.
    static func wholeUp(_ x: Double) -> UInt64 {
        let down = whole(x)
        return Double(down) < x && down < .max ? down + 1 : down
    }

    /// 2 to the `x`. Infinity above the range of Double, 0 below it.
    static func exp2(_ x: Double) -> Double {
        if x >= 1024 { return .infinity }
        if x < -1080 { return 0 }
        let whole = Int(x < 0 ? x - 0.5 : x + 0.5)
        return scaled(1 + exp2MinusOneNearZero(x - Double(whole)), by: whole)
    }

    /// 2 to the `x`, minus 1, without losing digits where `x` is small.
    static func exp2MinusOne(_ x: Double) -> Double {
        abs(x) <= 0.5 ? exp2MinusOneNearZero(x) : exp2(x) - 1
    }

    /// Taylor's series of e^(x ln 2) - 1 for |x| <= 0.5: the 16th term is below 1e-20.
    private static func exp2MinusOneNearZero(_ x: Double) -> Double {
        let y = x * ln2
        var sum = 0.0
        for n in (1...16).reversed() { sum = (sum + 1) * (y / Double(n)) }
        return sum
    }

    /// Exact: only the exponent changes.
    static func scaled(_ x: Double, by power: Int) -> Double {
        // Two steps, since a power below the smallest normal one cannot be written as a factor.
        let half = power / 2
        return x * Double(sign: .plus, exponent: half, significand: 1)
            * Double(sign: .plus, exponent: power - half, significand: 1)
    }

    /// The natural logarithm of a positive finite `x`: that of its exponent and 2 artanh((m-1)/(m+1)) of its significand.
    static func ln(_ x: Double) -> Double {
        var mantissa = x.significand
        var exponent = Double(x.exponent)
        if mantissa > 1.414213562373095 {
            mantissa /= 2
            exponent += 1
        }
        let s = (mantissa - 1) / (mantissa + 1)
        var sum = 0.0
        for n in (0...13).reversed() { sum = sum * s * s + 1 / Double(2 * n + 1) }
        return exponent * ln2 + 2 * s * sum
    }

    /// `base` (positive) to the `power`.
    static func pow(_ base: Double, _ power: Double) -> Double { exp2(power * ln(base) / ln2) }
}
