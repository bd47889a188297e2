// GRES as node lines write them: `Gres=gpu:a100:4(S:0-1),shard:8,bandwidth:lustre:no_consume:4G`.

import ArgosyDomain

/// One item of a node's `Gres=`.
struct NodeGRES: Equatable {
    var name: String
    var type = ""
    var count: UInt64 = 1
    /// `(S:0-1)`: the sockets they are near to; nil: not said.
    var sockets: [Int]?
}

enum GRESText {
    /// All items of `text`; what is wrong with one is thrown as what is allowed.
    static func items(_ text: String) throws(WrongValue) -> [NodeGRES] {
        var items: [NodeGRES] = []
        for part in parts(text) {
            let item = try item(part)
            guard !items.contains(where: { $0.name == item.name && $0.type == item.type }) else {
                throw WrongValue(allowed: "names \(part.prefix { $0 != ":" }) of one type twice; give their sum once")
            }
            items.append(item)
        }
        return items
    }

    /// Splits at commas that are not within parentheses.
    private static func parts(_ text: String) -> [Substring] {
        var depth = 0
        return text.split { character in
            if character == "(" { depth += 1 }
            if character == ")" { depth -= 1 }
            return character == "," && depth == 0
        }
    }

    private static func item(_ text: Substring) throws(WrongValue) -> NodeGRES {
        let wrong = WrongValue(allowed: "\"\(text)\" must be NAME[:TYPE][:COUNT][(S:SOCKETS)], as gpu:a100:4(S:0-1)")
        let open = text.firstIndex(of: "(") ?? text.endIndex
        var words = text[..<open].split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard !words.contains(""), let name = words.first else { throw wrong }
        var item = NodeGRES(name: name.lowercased())
        words.removeFirst()
        words.removeAll { $0.lowercased() == "no_consume" }
        if let last = words.last, let count = count(last) {
            item.count = count
            words.removeLast()
        }
        guard words.count <= 1 else { throw wrong }
        item.type = words.first?.lowercased() ?? ""
        guard open < text.endIndex else { return item }
        let inside = text[open...].dropFirst().dropLast()
        guard text.last == ")", inside.hasPrefix("S:"), let sockets = numbers(inside.dropFirst(2)) else { throw wrong }
        item.sockets = sockets
        return item
    }

    /// `8`, `4K`, `2G`: K is 1024.
    static func count(_ text: some StringProtocol) -> UInt64? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard let number = SlurmText.number(digits) else { return nil }
        let shift: UInt64
        switch text.dropFirst(digits.count).lowercased() {
        case "": shift = 0
        case "k": shift = 10
        case "m": shift = 20
        case "g": shift = 30
        case "t": shift = 40
        case "p": shift = 50
        default: return nil
        }
        return number < 1 << (62 - shift) ? number << shift : nil
    }

    /// `0-3,8`: ascending without repeats, none above 65,535.
    static func numbers(_ text: some StringProtocol) -> [Int]? {
        var found: Set<Int> = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { SlurmText.number($0) }
            guard ends.count <= 2, let first = ends.first ?? nil, let last = ends.last ?? nil, first <= last,
                last < 65_536
            else { return nil }
            found.formUnion(Int(first)...Int(last))
        }
        return found.sorted()
    }
}
