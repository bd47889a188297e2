// argosy coverage: what Slurm documents and what becomes of it here, made from the tables that act: options, the
// variables that stand for them, output fields, keys of the configuration. A test holds it against the documented names.

import ArgosyConfig

/// One documented thing.
struct CoverageRow: Sendable {
    enum Kind: String, Sendable { case option, variable, field, key }
    /// The command, or the configuration file with the place in it.
    var owner: String
    var kind: Kind
    /// As it is written: `--mem`, `-N`, `%i`, `JobID`, `KillWait`.
    var name: String
    /// `works`, `accepted` (changes nothing, as in Slurm on such a cluster), `refused` or `no effect`.
    var state: String
    var what: String

    var line: String { [owner, kind.rawValue, name, state, what].joined(separator: "\t") }
}

enum Coverage {
    static var rows: [CoverageRow] { Completion.commands.flatMap(\.coverage) + fields + keys }

    /// Of a command's own table of options.
    static func rows<Settings>(_ description: CommandDescription<Settings>) -> [CoverageRow] {
        description.options.flatMap { option -> [CoverageRow] in
            let (state, what) = told(option.standing, option.help)
            let names = (option.long.isEmpty ? [] : ["--" + option.long]) + (option.short.map { ["-\($0)"] } ?? [])
            return names.map {
                .init(owner: description.name, kind: .option, name: $0, state: state, what: what)
            }
                + option.variables.filter { !$0.isEmpty }.map {
                    .init(
                        owner: description.name, kind: .variable, name: $0, state: state,
                        what: names.first.map { "as " + $0 } ?? option.help)
                }
        }
            + description.variables.map { variable in
                let (state, what) = told(variable.standing, variable.what)
                return .init(owner: description.name, kind: .variable, name: variable.name, state: state, what: what)
            }
    }

    private static func told(_ standing: Standing, _ help: String) -> (String, String) {
        switch standing {
        case .acted: ("works", help)
        case .accepted: ("accepted", "changes nothing here")
        case .refused(let why): ("refused", why)
        }
    }

    // MARK: Fields

    private static var fields: [CoverageRow] {
        fields("squeue", JobFields.all) + fields("sinfo", NodeFields.all)
            + fields("sprio", PriorityFields.all) + names("sacct", AccountingFields.all.map(\.name))
            + names("sstat", UsageFields.all.map(\.name))
            + names("sshare", ShareTable.fields.map(\.name))
            + names(
                "sacctmgr",
                SacctmgrColumns.all.flatMap { [$0.title] + $0.words }.reduce(into: []) {
                    if !$0.contains($1) { $0.append($1) }
                })
    }

    private static func fields<Record>(_ owner: String, _ table: [Field<Record>]) -> [CoverageRow] {
        table.flatMap { field -> [CoverageRow] in
            let letter = field.letter.map { ["%\($0)"] } ?? []
            return (letter + [field.name]).map {
                .init(owner: owner, kind: .field, name: $0, state: "works", what: field.title)
            }
        }
    }

    private static func names(_ owner: String, _ names: [String]) -> [CoverageRow] {
        names.map { .init(owner: owner, kind: .field, name: $0, state: "works", what: "") }
    }

    // MARK: Keys

    private static var keys: [CoverageRow] {
        ConfigurationTable.Place.allCases.flatMap { place -> [CoverageRow] in
            ConfigurationTable.keys(place).compactMap { key -> CoverageRow? in
                switch key.state {
                case .fact: return nil
                case .honoured: return row(place, key, "works", key.shown.map { "default \($0)" } ?? "")
                case .noEffect(let why): return row(place, key, "no effect", why)
                }
            }
        }
    }

    private static func row(
        _ place: ConfigurationTable.Place, _ key: ConfigurationKey, _ state: String, _ what: String
    ) -> CoverageRow {
        .init(owner: place.owner, kind: .key, name: key.name, state: state, what: what)
    }

    // MARK: The command

    static let usage = """
        Usage: argosy coverage [man | TEXT...]

        What Slurm documents and what becomes of it here: command or file, kind, name, state and what happens, with tabs
        between. With TEXT: the lines that have all of it. man prints the table of keys of argosy.conf(5).

        """

    static func run(_ arguments: [String]) -> Int32 {
        switch arguments.first {
        case "--help", "-h": Console.print(usage)
        case "man": Console.print(manual)
        default:
            for row in rows where arguments.allSatisfy({ row.line.contains($0) }) { Console.print(row.line + "\n") }
        }
        return 0
    }

    /// The table of keys for argosy.conf(5).
    static var manual: String {
        ConfigurationTable.Place.allCases.map { place in
            let rows = ConfigurationTable.keys(place).filter { $0.state != .fact }.sorted {
                $0.name.lowercased() < $1.name.lowercased()
            }
            return "## \(place.heading)\n\n" + rows.map(manualRow).joined(separator: "++\n")
        }.joined(separator: "\n\n") + "\n"
    }

    private static func manualRow(_ key: ConfigurationKey) -> String {
        let standard = key.shown ?? ""
        var text = "*\(key.name)*"
        if !standard.isEmpty, !standard.hasPrefix("(null") { text += " (\(standard.replacingUnderscores))" }
        switch key.state {
        case .honoured, .fact: text += ": honoured."
        case .noEffect(let why): text += ": no effect; \(why)."
        }
        return text
    }
}

extension ConfigurationTable.Place {
    /// The file, with the kind of line where it has several.
    var owner: String {
        switch self {
        case .general, .argosy: "slurm.conf"
        case .node, .downNodes, .frontEnd, .nodeSet, .partition: "slurm.conf.\(rawValue)"
        case .cgroup, .gres, .topology: "\(rawValue).conf"
        }
    }

    fileprivate var heading: String {
        switch self {
        case .general: "Keys of their own"
        case .node: "NodeName lines"
        case .downNodes: "DownNodes lines"
        case .frontEnd: "FrontendName lines"
        case .nodeSet: "NodeSet lines"
        case .partition: "PartitionName lines"
        case .cgroup: "cgroup.conf"
        case .gres: "gres.conf"
        case .topology: "topology.conf"
        case .argosy: "Argosy's own"
        }
    }
}

extension String {
    /// scdoc takes an underscore for emphasis.
    fileprivate var replacingUnderscores: String {
        split(separator: "_", omittingEmptySubsequences: false).joined(separator: "\\_")
    }
}
