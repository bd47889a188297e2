// Powers and logarithms from additions, multiplications and divisions only: the same bits on every machine, whatever its
// mathematical library. Good to a few units in the last place, which is far more than a priority needs.

enum ExactMath {
    private static let ln2 = 0.693147180559945309417232121458

    /// 2 to the `x`. Infinity above the range of Double, 0 below it.
    static func exp2(_ x: Double) -> Double {
        if x >= 1024 { return .infinity }
        if x < -1080 { return 0 }
        let whole = x.rounded(.toNearestOrEven)
        return scaled(1 + exp2MinusOneNearZero(x - whole), by: Int(whole))
    }

    /// 2 to the `x`, minus 1, without losing digits where `x` is small.
    static func exp2MinusOne(_ x: Double) -> Double {
        abs(x) <= 0.5 ? exp2MinusOneNearZero(x) : exp2(x) - 1
    }

    /// Taylor's series of e^(x ln 2) - 1 for |x| <= 0.5: the 16th term is below 1e-20.
    private static func exp2MinusOneNearZero(_ x: Double) -> Double {
        let y = x * ln2
        var sum = 0.0
        for n in stride(from: 16.0, through: 1.0, by: -1.0) { sum = (sum + 1) * (y / n) }
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
        for n in stride(from: 27.0, through: 1.0, by: -2.0) { sum = sum * s * s + 1 / n }
        return exponent * ln2 + 2 * s * sum
    }

    /// `base` (positive) to the `power`.
    static func pow(_ base: Double, _ power: Double) -> Double { exp2(power * ln(base) / ln2) }
}
