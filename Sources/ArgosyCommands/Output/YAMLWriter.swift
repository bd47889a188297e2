// YAML 1.1 as Slurm writes it: every node with its tag, texts plain where the grammar allows, else quoted.
//
// When a text may stand plain: YAML 1.1, sections 5.3 (indicators) and 9.1.3 (plain style).

struct YAMLWriter {
    private var text = ""

    /// Ends with the mark of the document's end and a newline.
    static func text(_ document: Document) -> String {
        var writer = YAMLWriter()
        writer.text = "%YAML 1.1\n--- "
        writer.write(document, level: 0)
        return writer.text + "...\n"
    }

    private mutating func write(_ document: Document, level: Int, inList: Bool = false) {
        switch document {
        case .null, .unset: text += "!!null null\n"
        case .bool(let value): text += "!!bool \(value)\n"
        case .int(let value): text += "!!int \(value)\n"
        case .double(let value): text += "!!float \(FieldWriter.fixed(value, 6))\n"
        case .text(let value): text += "!!str" + (value.isEmpty ? "" : " " + Self.scalar(value)) + "\n"
        case .list(let elements):
            text += elements.isEmpty ? "!!seq []\n" : "!!seq\n"
            // Elements of a map's list stand as deep as its name.
            for element in elements {
                indent(inList ? level : max(0, level - 1))
                text += "- "
                write(element, level: inList ? level + 1 : level, inList: true)
            }
        case .map(let members):
            text += members.isEmpty ? "!!map {}\n" : "!!map\n"
            for member in members {
                indent(level)
                text += "!!str \(Self.scalar(member.name)): "
                write(member.value, level: level + 1)
            }
        }
    }

    private mutating func indent(_ level: Int) { text += String(repeating: "  ", count: level) }

    /// Plain, in single quotes, or in double quotes with escapes.
    static func scalar(_ value: String) -> String {
        let scalars = Array(value.unicodeScalars)
        let isSpecial = scalars.contains { !($0.isASCII && $0.value >= 32 && $0.value < 127) }
        if isSpecial { return quoted(scalars) }
        return isPlain(scalars) ? value : "'" + value.replacing("'", "''") + "'"
    }

    private static func isPlain(_ scalars: [Unicode.Scalar]) -> Bool {
        guard let first = scalars.first, first != " ", scalars.last != " " else { return false }
        if scalars.starts(with: "---".unicodeScalars) || scalars.starts(with: "...".unicodeScalars) { return false }
        if "#,[]{}&*!|>'\"%@`".unicodeScalars.contains(first) { return false }
        for (index, scalar) in scalars.enumerated() {
            let next = index + 1 < scalars.count ? scalars[index + 1] : " "
            if scalar == ":" && next == " " { return false }
            if (scalar == "?" || scalar == "-") && index == 0 && next == " " { return false }
            if scalar == "#" && index > 0 && scalars[index - 1] == " " { return false }
        }
        return true
    }

    private static func quoted(_ scalars: [Unicode.Scalar]) -> String {
        var text = "\""
        for scalar in scalars {
            switch scalar {
            case "\n": text += "\\n"
            case "\t": text += "\\t"
            case "\r": text += "\\r"
            case "\"", "\\": text += "\\" + String(Character(scalar))
            default:
                text +=
                    scalar.isASCII && scalar.value >= 32 && scalar.value < 127
                    ? String(Character(scalar)) : escape(scalar)
            }
        }
        return text + "\""
    }

    private static func escape(_ scalar: Unicode.Scalar) -> String {
        let digits = String(scalar.value, radix: 16, uppercase: true)
        let (letter, width) = scalar.value < 0x100 ? ("x", 2) : scalar.value < 0x10000 ? ("u", 4) : ("U", 8)
        return "\\" + letter + String(repeating: "0", count: width - digits.count) + digits
    }
}
