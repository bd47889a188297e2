// Lists of nodes for thousands of jobs: the names are taken apart once, not for each list.
import ArgosyDomain

/// The nodes' names in parts, by position; what `Hostlist.compress` makes of them.
struct NodeNames {
    private struct Name {
        /// Position in `families`; -1: there is no number in it.
        var family: Int32
        var number: UInt32
        var digits: Int32
        var isPadded: Bool
    }
    private struct Family: Hashable {
        var prefix: String
        var suffix: String
    }
    private let whole: [String]
    private var names: [Name] = []
    private var families: [Family] = []

    init(_ names: [String]) {
        whole = names
        self.names.reserveCapacity(names.count)
        var known: [Family: Int32] = [:]
        for name in names { self.names.append(part(name, &known)) }
    }

    /// The last run of digits is the number; one too long for a number is none, as in a hostlist.
    private mutating func part(_ name: String, _ known: inout [Family: Int32]) -> Name {
        let bytes = Array(name.utf8)
        let none = Name(family: -1, number: 0, digits: 0, isPadded: false)
        func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }
        guard bytes.allSatisfy({ $0 < 128 }), let last = bytes.lastIndex(where: isDigit) else { return none }
        let first = (bytes[..<last].lastIndex { !isDigit($0) } ?? -1) + 1
        guard last - first < 9 else { return none }
        let family = Family(
            prefix: String(decoding: bytes[..<first], as: UTF8.self),
            suffix: String(decoding: bytes[(last + 1)...], as: UTF8.self))
        let number = known[family] ?? Int32(families.count)
        if Int(number) == families.count {
            known[family] = number
            families.append(family)
        }
        return Name(
            family: number, number: bytes[first...last].reduce(0) { $0 * 10 + UInt32($1 - UInt8(ascii: "0")) },
            digits: Int32(last - first + 1), isPadded: bytes[first] == UInt8(ascii: "0"))
    }

    /// The hostlist of the nodes at `positions`, in that order.
    func list(_ positions: [Int32]) -> String {
        var text = ""
        var index = 0
        while index < positions.count {
            if index > 0 { text += "," }
            let family = names[Int(positions[index])].family
            guard family >= 0 else {
                text += whole[Int(positions[index])]
                index += 1
                continue
            }
            var end = index + 1
            while end < positions.count, names[Int(positions[end])].family == family { end += 1 }
            if end == index + 1 {
                text += whole[Int(positions[index])]
            } else {
                text += families[Int(family)].prefix
                text += "["
                write(positions[index..<end], to: &text)
                text += "]"
                text += families[Int(family)].suffix
            }
            index = end
        }
        return text
    }

    /// Numbers of one family, runs of them as ranges.
    private func write(_ positions: ArraySlice<Int32>, to text: inout String) {
        var index = positions.startIndex
        while index < positions.endIndex {
            if index > positions.startIndex { text += "," }
            var last = index
            while last + 1 < positions.endIndex, follows(positions[last + 1], positions[last]) { last += 1 }
            write(names[Int(positions[index])], to: &text)
            if last > index {
                text += "-"
                write(names[Int(positions[last])], to: &text)
            }
            index = last + 1
        }
    }

    private func write(_ name: Name, to text: inout String) {
        let number = String(name.number)
        for _ in number.utf8.count..<max(Int(name.digits), number.utf8.count) { text += "0" }
        text += number
    }

    private func follows(_ position: Int32, _ before: Int32) -> Bool {
        let (a, b) = (names[Int(before)], names[Int(position)])
        return b.number == a.number + 1 && (a.digits == b.digits || !a.isPadded && !b.isPadded)
    }
}
