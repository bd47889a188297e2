// Records as trees: what --json and --yaml write. Members keep their order, for a listing is compared as text too.

/// A value of a listing for programs.
enum Document: Sendable, Equatable {
    case null
    /// A text that was never set: `""` in JSON, null in YAML, as Slurm writes it.
    case unset
    case bool(Bool)
    case int(Int64)
    case double(Double)
    case text(String)
    case list([Document])
    case map([Member])

    struct Member: Sendable, Equatable {
        var name: String
        var value: Document
    }

    /// `text`, or that none is set.
    static func set(_ text: String) -> Document { text.isEmpty ? .unset : .text(text) }

    static func number(_ value: some BinaryInteger) -> Document { .int(Int64(clamping: value)) }

    /// null for 0, which stands for "not given".
    static func given(_ value: some BinaryInteger) -> Document { value == 0 ? .null : .int(Int64(clamping: value)) }

    /// Seconds since 1970 of a time in microseconds.
    static func time(_ microseconds: Int64) -> Document { .int(microseconds / 1_000_000) }

    static func texts(_ list: some Sequence<String>) -> Document { .list(list.map { .text($0) }) }

    static func members(_ pairs: KeyValuePairs<String, Document>) -> Document {
        .map(pairs.map { Member(name: $0.key, value: $0.value) })
    }
}

extension Document: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByFloatLiteral, ExpressibleByNilLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    init(stringLiteral value: String) { self = .text(value) }
    init(integerLiteral value: Int64) { self = .int(value) }
    init(booleanLiteral value: Bool) { self = .bool(value) }
    init(floatLiteral value: Double) { self = .double(value) }
    init(nilLiteral: ()) { self = .null }
    init(arrayLiteral elements: Document...) { self = .list(elements) }
    init(dictionaryLiteral elements: (String, Document)...) {
        self = .map(elements.map { Member(name: $0.0, value: $0.1) })
    }
}

/// How a command writes its records for programs.
enum DocumentFormat: Sendable, Equatable {
    case json
    case yaml

    func text(_ document: Document) -> String {
        switch self {
        case .json: JSONWriter.text(document)
        case .yaml: YAMLWriter.text(document)
        }
    }
}

extension Document {
    /// What stands around the records: of which plugin of Slurm's the shape is, and no errors.
    /// `accounting`: the plugin of slurmdbd's records (sacct, sacctmgr), else slurmctld's (squeue, sinfo, scontrol).
    static func answer(accounting: Bool, _ records: KeyValuePairs<String, Document>) -> Document {
        let plugin: Document = [
            "type": .text(accounting ? "openapi/dbv0.0.38" : "openapi/v0.0.38"),
            "name": .text(accounting ? "Slurm OpenAPI DB v0.0.38" : "Slurm OpenAPI v0.0.38"),
        ]
        let numbers = slurmVersion.split(separator: ".").map { Int64($0) ?? 0 }
        let version: Document = [
            "major": .int(numbers[0]), "micro": .int(numbers[2]), "minor": .int(numbers[1]),
        ]
        let slurm: Document = ["version": version, "release": .text(slurmVersion)]
        var members = [
            Member(name: "meta", value: ["plugin": plugin, "Slurm": slurm]), Member(name: "errors", value: []),
        ]
        members += records.map { Member(name: $0.key, value: $0.value) }
        return .map(members)
    }
}
