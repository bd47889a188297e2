// JSON (RFC 8259) in the layout of Slurm's serializer: two spaces a level, `/` escaped, an empty list on two lines.

struct JSONWriter {
    private var bytes: [UInt8] = []

    /// Ends without a newline.
    static func text(_ document: Document) -> String {
        var writer = JSONWriter()
        writer.write(document, level: 0)
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    private mutating func write(_ document: Document, level: Int) {
        switch document {
        case .null: put("null")
        case .unset: put("\"\"")
        case .bool(let value): put(value ? "true" : "false")
        case .int(let value): put("\(value)")
        case .double(let value): put(Self.number(value))
        case .text(let text): write(text: text)
        case .list(let elements):
            enclose("[", "]", level, elements) { writer, element in writer.write(element, level: level + 1) }
        case .map(let members):
            enclose("{", "}", level, members) { writer, member in
                writer.write(text: member.name)
                writer.put(": ")
                writer.write(member.value, level: level + 1)
            }
        }
    }

    private mutating func enclose<Element>(
        _ open: String, _ close: String, _ level: Int, _ elements: [Element],
        _ body: (inout JSONWriter, Element) -> Void
    ) {
        put(open)
        for (index, element) in elements.enumerated() {
            put(index == 0 ? "\n" : ",\n")
            indent(level + 1)
            body(&self, element)
        }
        put("\n")
        indent(level)
        put(close)
    }

    private mutating func put(_ text: String) { bytes += Array(text.utf8) }

    private mutating func indent(_ level: Int) { bytes += [UInt8](repeating: 32, count: 2 * level) }

    /// Whole numbers keep `.0`.
    private static func number(_ value: Double) -> String {
        guard value.isFinite else { return "null" }
        return value == value.rounded() && abs(value) < 1e15 ? "\(Int64(value)).0" : "\(value)"
    }

    private mutating func write(text: String) {
        bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): bytes += [UInt8(ascii: "\\"), byte]
            case 8: put("\\b")
            case 9: put("\\t")
            case 10: put("\\n")
            case 12: put("\\f")
            case 13: put("\\r")
            case 0..<32:
                let digits = String(byte, radix: 16)
                put("\\u" + String(repeating: "0", count: 4 - digits.count) + digits)
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }
}
