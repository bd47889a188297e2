// Columns: what a record can show, under which letter and name, and the formats that choose among them.
//
// One table of fields per record serves -o (letters, `%.18i`), -O (names, `JobID:12`), sorting, and sacct's -o (names
// with `%-20`).

/// One thing a record can show.
struct Field<Record>: Sendable {
    /// Of -o; nil: only by name.
    var letter: Character?
    /// Of -O, in any case; empty: only by letter.
    var name: String
    /// Over the column.
    var title: String
    var value: @Sendable (Record) -> String
    /// Durations: one that is longer than its column is cut only where it stands on the left, as in Slurm.
    var isDuration = false

    init(_ letter: Character?, _ name: String, _ title: String, _ value: @escaping @Sendable (Record) -> String) {
        self.letter = letter
        self.name = name
        self.title = title
        self.value = value
    }

    /// Its values are lengths of time.
    var ofDuration: Field {
        var field = self
        field.isDuration = true
        return field
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
        guard width > 0, !(right && field.isDuration && value.count > width) else { return prefix + value + suffix }
        return prefix + pad(String(value.prefix(width)), width, right: right) + suffix
    }
}

/// Columns of a format, and what of it meant nothing: Slurm says so and shows the rest.
struct ChosenColumns<Record>: Sendable {
    /// Before the first column.
    var lead = ""
    var columns: [Column<Record>] = []
    /// Letters or names that are no fields.
    var unknown: [String] = []

    mutating func append(literal text: String) {
        if columns.isEmpty { lead += text } else { columns[columns.count - 1].suffix += text }
    }

    func header() -> String {
        let titles = columns.map { column in
            var plain = column
            plain.field.isDuration = false
            return plain.text(column.field.title)
        }
        return lead + titles.joined() + "\n"
    }

    func line(_ record: Record) -> String { lead + columns.map { $0.text($0.field.value(record)) }.joined() + "\n" }

    /// Records as lines under a header.
    func render(_ records: [Record], header: Bool) -> String {
        var text = header ? self.header() : ""
        for record in records { text += line(record) }
        return text
    }
}

enum ColumnFormat {
    static let maxWidth = 4096

    /// `"%.18i %.9P"`: `%[[.]size]letter[text]`. An unknown letter is shown as it is written, or left out with its text.
    static func letters<Record>(
        _ format: String, _ fields: [Field<Record>], showsUnknown: Bool = true
    ) -> ChosenColumns<Record> {
        var chosen = ChosenColumns<Record>()
        var parts = format.split(separator: "%", omittingEmptySubsequences: false)
        chosen.lead = parts.isEmpty ? "" : String(parts.removeFirst())
        for part in parts where !part.isEmpty {
            var rest = part
            let right = rest.first == "."
            if right { rest = rest.dropFirst() }
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            rest = rest.dropFirst(digits.count)
            let letter = rest.popFirst()
            guard let letter, let field = fields.first(where: { $0.letter == letter }) else {
                chosen.unknown.append(letter.map(String.init) ?? "")
                if showsUnknown { chosen.append(literal: "%" + part) }
                continue
            }
            chosen.columns.append(
                .init(prefix: "", field: field, width: width(digits), right: right, suffix: String(rest)))
        }
        return chosen
    }

    /// `"JobID:12,Name:.20"`; width 20 unless said. An unknown name is left out.
    static func names<Record>(_ format: String, _ fields: [Field<Record>]) -> ChosenColumns<Record> {
        var chosen = ChosenColumns<Record>()
        for word in format.split(separator: ",") {
            let parts = word.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            let wanted = parts[0].lowercased()
            guard let field = fields.first(where: { $0.name.lowercased() == wanted && !wanted.isEmpty }) else {
                chosen.unknown.append(String(parts[0]))
                continue
            }
            guard parts.count == 2 else {
                chosen.columns.append(.init(prefix: "", field: field, width: 20, right: false, suffix: ""))
                continue
            }
            var size = parts[1]
            let first = size.first { $0 != " " }
            if first == "." || first?.isNumber == true { size = size.drop { $0 == " " } }
            let right = size.hasPrefix(".")
            if right { size = size.dropFirst() }
            let digits = size.prefix { $0.isASCII && $0.isNumber }
            chosen.columns.append(
                .init(
                    prefix: "", field: field, width: width(digits), right: right,
                    suffix: String(size.dropFirst(digits.count))))
        }
        return chosen
    }

    /// Every field, with bars between: `%all`.
    static func all<Record>(_ letters: String, _ fields: [Field<Record>]) -> ChosenColumns<Record> {
        self.letters(letters.map { "%\($0)" }.joined(separator: "|"), fields)
    }

    private static func width(_ digits: Substring) -> Int {
        min(Int(digits) ?? (digits.isEmpty ? 0 : maxWidth), maxWidth)
    }
}
