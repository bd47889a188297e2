// sreport: sums of what was used, in Slurm's layouts. The controller sums rows once; which lines and columns are made of
// them is decided here, so that tests need no controller.

import ArgosyDomain
import ArgosyWire
import Glibc

struct SreportOptions: CommandSettings {
    var showsHelp = false
    var showsUsage = false
    var showsVersion = false
    var header = true
    var style = SacctmgrTable.Style.padded
    var quiet = false
    var time = ReportTime.minutes
    var tres: [String] = []
    var leaves = false
}

/// How times are written (-t).
enum ReportTime: CaseIterable, Sendable {
    case seconds, minutes, hours, percent, secPer, minPer, hourPer

    /// Any beginning; the longer words first, as Slurm tries them.
    init?(_ text: String) {
        let words: [(String, Self, Int)] = [
            ("secper", .secPer, 6), ("minper", .minPer, 6), ("hourper", .hourPer, 6), ("seconds", .seconds, 1),
            ("minutes", .minutes, 1), ("hours", .hours, 1), ("percent", .percent, 1),
        ]
        let wanted = text.lowercased()
        guard let found = words.first(where: { $0.0.hasPrefix(wanted) && wanted.count >= $0.2 }) else { return nil }
        self = found.1
    }

    var word: String {
        switch self {
        case .seconds: "Seconds"
        case .minutes: "Minutes"
        case .hours: "Hours"
        case .percent: "Percentage of Total"
        case .secPer: "Seconds/Percentage of Total"
        case .minPer: "Minutes/Percentage of Total"
        case .hourPer: "Hours/Percentage of Total"
        }
    }
    var isWide: Bool { self == .secPer || self == .minPer || self == .hourPer }

    func text(_ seconds: Double, of total: Double) -> String {
        let share = Seff.hundredths(total > 0 ? seconds / total * 100 : 0) + "%"
        switch self {
        case .seconds: return Self.whole(seconds)
        case .minutes: return Self.whole(seconds / 60)
        case .hours: return Self.whole(seconds / 3600)
        case .percent: return share
        case .secPer: return "\(Self.whole(seconds))(\(share))"
        case .minPer: return "\(Self.whole(seconds / 60))(\(share))"
        case .hourPer: return "\(Self.whole(seconds / 3600))(\(share))"
        }
    }

    static func whole(_ value: Double) -> String {
        value.isFinite && abs(value) < 9e18 ? "\(Int64(value.rounded(.toNearestOrEven)))" : "0"
    }
}

enum Sreport {
    typealias Row = Option<SreportOptions>

    static let description = CommandDescription(name: "sreport", synopsis: "[<OPTION>] [<COMMAND>]", options: options)

    static let options: [Row] =
        [
            .accepted("all_clusters", "a", .none), .accepted("federation", nil, .none, env: ["SREPORT_FEDERATION"]),
            .accepted("local", nil, .none, env: ["SREPORT_LOCAL"]),
            .accepted("cluster", "M", .required, env: ["SREPORT_CLUSTER"]),
            Row("noheader", "n", "no lines over the values") { o, _ in o.header = false },
            Row("parsable", "p", "'|' between and after values") { o, _ in o.style = .parsable },
            Row("parsable2", "P", "'|' between values") { o, _ in o.style = .parsable2 },
            Row("quiet", "Q", "no messages but errors") { o, _ in o.quiet = true },
            Row("time", "t", .required, "format", "Seconds, Minutes, Hours, Percent, SecPer, MinPer, HourPer") {
                o, text in
                if let time = ReportTime(text) {
                    o.time = time
                } else {
                    Console.complain("unknown time format \(text)")
                }
            },
            Row("tres", "T", .required, "names", env: ["SREPORT_TRES"], "which resources, or ALL") {
                $0.tres = commaList($1)
            },
            Row("verbose", "v", "tell more") { _, _ in },
        ] + informationOptions()

    static let commandsText = """

        Reports:
          cluster AccountUtilizationByUser | UserUtilizationByAccount | UserUtilizationByWckey |
                  Utilization | WCKeyUtilizationByUser
          job SizesByAccount | SizesByAccountAndWckey | SizesByWckey
          reservation Utilization
          user TopUsage

        Each takes start=, end=, format=FIELD[%WIDTH],... and conditions: accounts=, users=, wckeys=,
        partitions=, nodes=, jobs=, gid=, names=, grouping=, topcount=, and the words tree, group,
        flatview, acctasparent, printjobcount. Without a command they are read from standard input.

        """

    static func run(_ arguments: [String]) -> Int32 {
        var options = SreportOptions()
        description.takeEnvironment(into: &options)
        var exitCode: Int32 = 0
        guard let words = description.parse(arguments, into: &options, exitCode: &exitCode) else {
            if options.showsHelp { Console.print(commandsText) }
            return exitCode
        }
        return words.isEmpty ? converse(options) : perform(words, &options)
    }

    private static func converse(_ given: SreportOptions) -> Int32 {
        var (options, last, exitCode): (SreportOptions, [String], Int32) = (given, [], 0)
        while !options.leaves {
            Console.print("sreport: ")
            guard let line = Sacctmgr.promptedLine() else {
                Console.print("\n")
                return exitCode
            }
            var words = Sacctmgr.split(line)
            if words == ["!!"] { words = last }
            if words.isEmpty { continue }
            last = words
            exitCode = perform(words, &options)
        }
        return exitCode
    }

    private static func perform(_ words: [String], _ options: inout SreportOptions) -> Int32 {
        let command = words[0].lowercased()
        func means(_ word: String, _ least: Int = 1) -> Bool { command.count >= least && word.hasPrefix(command) }
        let rest = Array(words.dropFirst())
        if let kind = ReportKind.groups.first(where: { means($0.word, $0.least) }) {
            return report(kind.word, rest, options)
        }
        if means("exit") || means("quit", 4) {
            options.leaves = true
        } else if means("help") {
            Console.print(description.help + commandsText)
        } else if means("parsable2", 9) {
            options.style = .parsable2
        } else if means("parsable") {
            options.style = .parsable
        } else if means("nonparsable") {
            options.style = .padded
        } else if means("quiet", 4) {
            options.quiet = true
        } else if means("time") {
            guard let format = rest.first.flatMap(ReportTime.init) else {
                Console.complain(
                    rest.isEmpty ? "too few arguments for keyword:\(words[0])\n" : "unknown time format \(rest[0])")
                return 1
            }
            options.time = format
        } else if means("verbose", 4) {
            return 0
        } else if means("version", 4) {
            Console.print(versionText)
        } else {
            Console.complain("invalid keyword: \(words[0])\n")
            return 1
        }
        return 0
    }

    private static func report(_ group: String, _ words: [String], _ options: SreportOptions) -> Int32 {
        guard let name = words.first else {
            Console.complain("too few arguments for keyword:\(group)\n")
            return 1
        }
        guard let kind = ReportKind(group, name) else {
            Console.complain("Not valid report \(name)\nValid \(group) reports are, \(ReportKind.valid[group] ?? "")\n")
            return 1
        }
        do {
            let question = try ReportQuestion(kind, Array(words.dropFirst()), now: Times.now())
            if !question.complaint.isEmpty { Console.complain(question.complaint) }
            let session = try Session()
            guard case .usageReport(let found)? = try session.ask(.reportUsage(question.request)).body,
                case .accountingRecords(let records)? = try session.ask(.accountingRecords(.init())).body
            else { throw Failure("Invalid reply of the controller") }
            let (text, unknown) = try Report(question, found, RecordSet(records), options).text()
            for word in unknown { Console.complain(" Unknown field '\(word)'\n") }
            Console.print(text)
            return unknown.isEmpty && !question.isWrong ? 0 : 1
        } catch {
            if let refusal = error as? ReportRefusal {
                Console.complain(refusal.text)
                return refusal.status
            }
            let failure = Failure(error)
            Console.error("sreport", failure.message, detail: failure.detail)
            return 1
        }
    }
}

struct ReportRefusal: Error {
    var text: String
    var status: Int32 = 1
}

enum ReportKind: Sendable {
    case utilization, accountByUser, userByAccount, userByWCKey, wckeyByUser, sizesByAccount, sizesByAccountAndWCKey
    case sizesByWCKey, reservation, top

    static let groups: [(word: String, least: Int)] = [
        ("cluster", 1), ("job", 1), ("reservation", 1), ("resv", 4), ("user", 1),
    ]
    static let valid = [
        "cluster": "\"AccountUtilizationByUser\", \"UserUtilizationByAccount\", \"UserUtilizationByWckey\","
            + " \"Utilization\", and \"WCKeyUtilizationByUser\"",
        "job": "\"SizesByAccount, SizesByAccountAndWcKey, and  SizesByWckey\"", "reservation": "\"Utilization\"",
        "resv": "\"Utilization\"", "user": "\"Top\"",
    ]

    init?(_ group: String, _ name: String) {
        let wanted = name.lowercased()
        func first(_ list: [(String, Self, Int)]) -> Self? {
            list.first { $0.0.hasPrefix(wanted) && wanted.count >= $0.2 || wanted == $0.0 }?.1
        }
        let found: Self? =
            switch group {
            case "cluster":
                first([
                    ("accountutilizationbyuser", .accountByUser, 1), ("userutilizationbyaccount", .userByAccount, 18),
                    ("userutilizationbywckey", .userByWCKey, 18), ("utilization", .utilization, 2),
                    ("wckeyutilizationbyuser", .wckeyByUser, 1),
                ])
            case "job":
                first([
                    ("sizesbyaccount", .sizesByAccount, 1), ("sizesbyaccountandwckey", .sizesByAccountAndWCKey, 15),
                    ("sizesbywckey", .sizesByWCKey, 8),
                ])
            case "user": first([("topusage", .top, 1)])
            default: first([("utilization", .reservation, 1)])
            }
        guard let found else { return nil }
        self = found
    }

    var isJobSizes: Bool { self == .sizesByAccount || self == .sizesByAccountAndWCKey || self == .sizesByWCKey }
}
