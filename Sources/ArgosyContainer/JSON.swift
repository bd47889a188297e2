/// Enough of JSON (RFC 8259) for image manifests, which come from strangers: size is bounded by the caller, depth here.
enum JSON: Equatable {
    case object([String: JSON])
    case array([JSON])
    case string(String)
    case number(String)
    case bool(Bool)
    case null

    struct Malformed: Error, Equatable { let offset: Int }
    static let maxDepth = 64

    init(_ bytes: [UInt8]) throws(Malformed) {
        var parser = JSONParser(bytes: bytes)
        self = try parser.value(depth: 0)
        parser.skipSpace()
        if parser.position != bytes.count { throw parser.malformed }
    }

    subscript(_ key: String) -> JSON? {
        guard case .object(let members) = self else { return nil }
        return members[key]
    }
    var text: String? {
        guard case .string(let text) = self else { return nil }
        return text
    }
    var elements: [JSON]? {
        guard case .array(let elements) = self else { return nil }
        return elements
    }
    var unsigned: UInt64? {
        guard case .number(let digits) = self else { return nil }
        return UInt64(digits)
    }
}

private struct JSONParser {
    let bytes: [UInt8]
    var position = 0
    var malformed: JSON.Malformed { JSON.Malformed(offset: position) }
    private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    init(bytes: [UInt8]) { self.bytes = bytes }

    mutating func skipSpace() {
        while let byte = next, byte == 32 || byte == 10 || byte == 13 || byte == 9 { position += 1 }
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        skipSpace()
        guard next == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private mutating func expect(_ character: Unicode.Scalar) throws(JSON.Malformed) {
        guard take(character) else { throw malformed }
    }

    mutating func value(depth: Int) throws(JSON.Malformed) -> JSON {
        guard depth < JSON.maxDepth else { throw malformed }
        skipSpace()
        switch next {
        case UInt8(ascii: "{"): return try object(depth)
        case UInt8(ascii: "["): return try array(depth)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default: return try number()
        }
    }

    private mutating func word(_ text: String, _ value: JSON) throws(JSON.Malformed) -> JSON {
        guard bytes[position...].starts(with: text.utf8) else { throw malformed }
        position += text.utf8.count
        return value
    }

    private mutating func number() throws(JSON.Malformed) -> JSON {
        let start = position
        while let byte = next, (48...57).contains(byte) || "+-.eE".utf8.contains(byte) { position += 1 }
        if start == position { throw malformed }
        return .number(String(decoding: bytes[start..<position], as: UTF8.self))
    }

    private mutating func object(_ depth: Int) throws(JSON.Malformed) -> JSON {
        var members: [String: JSON] = [:]
        try expect("{")
        if take("}") { return .object(members) }
        repeat {
            skipSpace()
            let key = try string()
            try expect(":")
            members[key] = try value(depth: depth + 1)
        } while take(",")
        try expect("}")
        return .object(members)
    }

    private mutating func array(_ depth: Int) throws(JSON.Malformed) -> JSON {
        var elements: [JSON] = []
        try expect("[")
        if take("]") { return .array(elements) }
        repeat { elements.append(try value(depth: depth + 1)) } while take(",")
        try expect("]")
        return .array(elements)
    }

    private mutating func string() throws(JSON.Malformed) -> String {
        try expect("\"")
        var units: [UInt8] = []
        while let byte = next {
            position += 1
            if byte == UInt8(ascii: "\"") { return String(decoding: units, as: UTF8.self) }
            if byte < 32 { throw malformed }
            if byte == UInt8(ascii: "\\") { try escape(into: &units) } else { units.append(byte) }
        }
        throw malformed
    }

    private mutating func escape(into units: inout [UInt8]) throws(JSON.Malformed) {
        guard let kind = next else { throw malformed }
        position += 1
        switch kind {
        case UInt8(ascii: "n"): units.append(10)
        case UInt8(ascii: "t"): units.append(9)
        case UInt8(ascii: "r"): units.append(13)
        case UInt8(ascii: "b"): units.append(8)
        case UInt8(ascii: "f"): units.append(12)
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): units.append(kind)
        case UInt8(ascii: "u"): units += Array(String(try unicode()).utf8)
        default: throw malformed
        }
    }

    private mutating func unicode() throws(JSON.Malformed) -> Character {
        let first = try hex4()
        if let scalar = Unicode.Scalar(first) { return Character(scalar) }
        // A pair of surrogates.
        guard (0xd800..<0xdc00).contains(first), bytes[position...].starts(with: "\\u".utf8) else { throw malformed }
        position += 2
        let second = try hex4()
        guard (0xdc00..<0xe000).contains(second),
            let scalar = Unicode.Scalar(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00))
        else { throw malformed }
        return Character(scalar)
    }

    private mutating func hex4() throws(JSON.Malformed) -> UInt32 {
        guard position + 4 <= bytes.count,
            let value = UInt32(String(decoding: bytes[position..<position + 4], as: UTF8.self), radix: 16)
        else { throw malformed }
        position += 4
        return value
    }
}
