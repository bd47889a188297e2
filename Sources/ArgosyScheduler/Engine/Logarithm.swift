/// Logarithms that are the same on every machine: keys of a queue must not depend on a C library's last bit.
///
/// From the exponent and the series of artanh, correct to about one unit in the last place.
enum Logarithm {
    static func natural(_ value: Double) -> Double {
        let (exponent, ratio) = reduced(value)
        // ln 2 in two parts, so that the product with a small integer is exact in the first.
        return Double(exponent) * 0x1.62e42feep-1 + (series(ratio) + Double(exponent) * 0x1.a39ef35793c76p-33)
    }

    static func base2(_ value: Double) -> Double {
        let (exponent, ratio) = reduced(value)
        return Double(exponent) + series(ratio) * 0x1.71547652b82fep+0
    }

    static func base10(_ value: Double) -> Double { natural(value) * 0x1.bcb7b1526e50ep-2 }

    /// `value` is 2^exponent · m with m in [√½, √2), and the ratio is (m - 1) / (m + 1).
    private static func reduced(_ value: Double) -> (exponent: Int, ratio: Double) {
        var exponent = Int(value.exponent)
        var significand = value.significand
        if significand > 0x1.6a09e667f3bcdp+0 {
            significand /= 2
            exponent += 1
        }
        return (exponent, (significand - 1) / (significand + 1))
    }

    /// 2 artanh(z) for |z| <= 0.172.
    private static func series(_ z: Double) -> Double {
        let square = z * z
        var sum = 0.0
        for term in stride(from: 21.0, through: 3.0, by: -2.0) { sum = (sum + 1 / term) * square }
        return 2 * z + 2 * z * sum
    }
}
