// Columns: what a record can show, under which letter and name, and the formats that choose among them.
//
// One table of fields per record serves -o (letters, `%.18i`), -O (names, `JobID:12`) and sacct's -o (names with
// `%-20`).

/// One thing a record can show.
struct Field<Record>: Sendable {
    /// Of -o; nil: only by name.
    var letter: Character?
    /// Of -O, in any case.
    var name: String
    /// Over the column.
    var title: String
    var value: @Sendable (Record) -> String

    init(_ letter: Character?, _ name: String, _ title: String, _ value: @escaping @Sendable (Record) -> String) {
        self.letter = letter
        self.name = name
        self.title = title
        self.value = value
    }
}

/// A chosen field with its width (0: as wide as its text) and place in it.
struct Column<Record>: Sendable {
    var prefix: String
    var field: Field<Record>
    var width: Int
    var right: Bool
    var suffix: String

    func text(_ value: String) -> String {
        guard width > 0 else { return prefix + value + suffix }
        return prefix + pad(String(value.prefix(width)), width, right: right) + suffix
    }
}

enum ColumnFormat {
    /// `"%.18i %.9P"`: `%[[.]size]letter[text]`. Unknown letters are an error, as in Slurm.
    static func letters<Record>(
        _ format: String, _ fields: [Field<Record>]
    ) throws(OptionError) -> [Column<Record>] {
        var columns: [Column<Record>] = []
        var rest = format[...]
        var prefix = ""
        while let percent = rest.firstIndex(of: "%") {
            let text = String(rest[..<percent])
            if columns.isEmpty { prefix += text } else { columns[columns.count - 1].suffix += text }
            rest = rest[percent...].dropFirst()
            let right = rest.first == "."
            if right { rest = rest.dropFirst() }
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            rest = rest.dropFirst(digits.count)
            guard let letter = rest.popFirst() else { break }
            guard let field = fields.first(where: { $0.letter == letter }) else {
                throw OptionError("Invalid job format specification: \(letter)")
            }
            columns.append(
                .init(prefix: prefix, field: field, width: min(Int(digits) ?? 0, 1000), right: right, suffix: ""))
            prefix = ""
        }
        if columns.isEmpty { throw OptionError("Invalid format specification \"\(format)\"; write it like \"%i %j\"") }
        columns[columns.count - 1].suffix += rest
        return columns
    }

    /// `"JobID:12,Name:.20"`; width 20 unless said.
    static func names<Record>(
        _ format: String, _ fields: [Field<Record>]
    ) throws(OptionError) -> [Column<Record>] {
        var columns: [Column<Record>] = []
        for word in format.split(separator: ",") {
            let parts = word.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            let wanted = parts[0].lowercased()
            guard let field = fields.first(where: { $0.name.lowercased() == wanted }) else {
                throw OptionError("Invalid job format specification: \(parts[0])")
            }
            var size = parts.count == 2 ? parts[1] : "20"
            let right = size.hasPrefix(".")
            if right { size = size.dropFirst() }
            let digits = size.prefix { $0.isASCII && $0.isNumber }
            columns.append(
                .init(
                    prefix: "", field: field, width: min(Int(digits) ?? 20, 1000), right: right,
                    suffix: String(size.dropFirst(digits.count))))
        }
        if columns.isEmpty { throw OptionError("Invalid format specification \"\(format)\"") }
        return columns
    }
}

/// Records as lines under a header.
func render<Record>(_ columns: [Column<Record>], _ records: [Record], header: Bool) -> String {
    var text = header ? columns.map { $0.text($0.field.title) }.joined() + "\n" : ""
    for record in records { text += columns.map { $0.text($0.field.value(record)) }.joined() + "\n" }
    return text
}
