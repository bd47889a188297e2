// Lines and pairs of Slurm's configuration syntax (slurm.conf(5)): `Key=Value Key="two words"`, a comment from an
// unescaped # to the end of the line, a line continued by a backslash at its end.

/// A line after continuation and comments, with its pairs in order.
struct ConfigurationLine {
    struct Pair {
        var key: String
        var value: String
        /// `+` or `-` before the equals sign, else nil.
        var operation: Character?
    }
    var file: String
    /// Of its first physical line.
    var number: Int
    var pairs: [Pair]
    /// `Include PATH`
    var include: String?
    /// What could not be read as pairs.
    var rest: String?
}

enum ConfigurationLines {
    /// All lines of `text` that say something.
    static func read(_ text: ConfigurationText) -> [ConfigurationLine] {
        var lines: [ConfigurationLine] = []
        var pending: [UInt8] = []
        var first = 0
        for (index, raw) in text.text.utf8.split(separator: 10, omittingEmptySubsequences: false).enumerated() {
            var bytes = withoutComment(Array(raw))
            while let last = bytes.last, isSpace(last) { bytes.removeLast() }
            if first == 0 { first = index + 1 }
            if bytes.last == UInt8(ascii: "\\") {
                bytes.removeLast()
                pending += bytes
                continue
            }
            if let line = line(pending + bytes, file: text.file, number: first) { lines.append(line) }
            pending = []
            first = 0
        }
        if !pending.isEmpty, let line = line(pending, file: text.file, number: first) { lines.append(line) }
        return lines
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 32 || byte == 9 || byte == 13 }

    /// `\#` is a number sign; inside quotes it is one too.
    private static func withoutComment(_ bytes: [UInt8]) -> [UInt8] {
        var kept: [UInt8] = []
        var quoted = false
        for (index, byte) in bytes.enumerated() {
            if byte == UInt8(ascii: "\"") { quoted.toggle() }
            if byte == UInt8(ascii: "#"), !quoted {
                guard index > 0, bytes[index - 1] == UInt8(ascii: "\\") else { break }
                kept.removeLast()
            }
            kept.append(byte)
        }
        return kept
    }

    private static func line(_ bytes: [UInt8], file: String, number: Int) -> ConfigurationLine? {
        var scanner = Scanner(bytes: bytes)
        scanner.skipSpace()
        guard !scanner.atEnd else { return nil }
        var line = ConfigurationLine(file: file, number: number, pairs: [])
        if let path = includePath(bytes) {
            line.include = path
            return line
        }
        while !scanner.atEnd {
            guard let pair = scanner.pair() else {
                line.rest = scanner.remaining
                break
            }
            line.pairs.append(pair)
            scanner.skipSpace()
        }
        return line
    }

    private static func includePath(_ bytes: [UInt8]) -> String? {
        let words = bytes.split(whereSeparator: isSpace)
        guard words.count == 2, String(decoding: words[0], as: UTF8.self).lowercased() == "include" else { return nil }
        return String(decoding: words[1], as: UTF8.self)
    }

    /// Walks over the pairs of one line.
    private struct Scanner {
        let bytes: [UInt8]
        var position = 0
        init(bytes: [UInt8]) { self.bytes = bytes }
        var atEnd: Bool { position >= bytes.count }
        var remaining: String { String(decoding: bytes[position...], as: UTF8.self) }

        mutating func skipSpace() {
            while !atEnd, isSpace(bytes[position]) { position += 1 }
        }

        /// `key [+-]= value`; nil, without moving, when that is not what follows.
        mutating func pair() -> ConfigurationLine.Pair? {
            let start = position
            let key = word { Self.isKey($0) }
            skipSpace()
            var operation: Character?
            if !atEnd, bytes[position] == UInt8(ascii: "+") || bytes[position] == UInt8(ascii: "-") {
                operation = Character(Unicode.Scalar(bytes[position]))
                position += 1
            }
            guard !key.isEmpty, !atEnd, bytes[position] == UInt8(ascii: "=") else {
                position = start
                return nil
            }
            position += 1
            skipSpace()
            return .init(key: key, value: value(), operation: operation)
        }

        private mutating func value() -> String {
            guard !atEnd, bytes[position] == UInt8(ascii: "\"") else { return word { !isSpace($0) } }
            position += 1
            let text = word { $0 != UInt8(ascii: "\"") }
            position += 1
            return text
        }

        private mutating func word(_ belongs: (UInt8) -> Bool) -> String {
            let start = position
            while !atEnd, belongs(bytes[position]) { position += 1 }
            return String(decoding: bytes[start..<position], as: UTF8.self)
        }

        private static func isKey(_ byte: UInt8) -> Bool {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "/"):
                true
            default: false
            }
        }
    }
}
