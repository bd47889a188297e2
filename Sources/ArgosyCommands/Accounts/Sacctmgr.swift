// sacctmgr: shows and changes accounts, users, associations and QOS.

import ArgosyDomain
import ArgosyWire
import Glibc

struct SacctmgrOptions: CommandSettings {
    var showsHelp = false
    var showsUsage = false
    var showsVersion = false
    var associations = false
    var immediate = false
    var header = true
    var style = SacctmgrTable.Style.padded
    var quiet = false
    var readOnly = false
    var verbose = 0
    /// Of the command line's own; a command's `format=` comes first.
    var format: String?
}

enum Sacctmgr {
    typealias Row = Option<SacctmgrOptions>

    static let description = CommandDescription(
        name: "sacctmgr", synopsis: "[<OPTION>] [<COMMAND>]", options: options, stopsAtOperand: false)

    static let options: [Row] =
        [
            Row("associations", "s", "show associations with accounts and users") { o, _ in o.associations = true },
            Row("immediate", "i", "commit changes without asking") { o, _ in o.immediate = true },
            Row("noheader", "n", "no header will be added to the beginning of output") { o, _ in o.header = false },
            Row("parsable", "p", "output will be '|' delimited with a '|' at the end") { o, _ in o.style = .parsable },
            Row("parsable2", "P", "output will be '|' delimited without a '|' at the end") { o, _ in
                o.style = .parsable2
            },
            Row("quiet", "Q", "print no messages other than errors") { o, _ in o.quiet = true },
            Row("readonly", "r", "refuse commands that change anything") { o, _ in o.readOnly = true },
            Row("verbose", "v", "verbosity level") { o, _ in o.verbose += 1 },
            .accepted("oneliner", "o", .none),
            .refused("json", nil, .none, "use -P, fields between |"),
            .refused("yaml", nil, .none, "use -P, fields between |"),
        ] + informationOptions()

    static let commandsText = """

        Commands:
          add|create account|user|qos|coordinator NAME... KEY=VALUE...
          modify account|user|qos|cluster [where] KEY=VALUE... set KEY=VALUE...
          delete|remove account|user|qos|coordinator [where] KEY=VALUE...
          show|list account|association|cluster|configuration|event|problem|qos|reservation|
                    runawayjobs|stats|transaction|tres|user|wckey [where] KEY=VALUE... [format=FIELDS]
          dump CLUSTER [file=FILE]   writes accounts and users to a file
          load [file=]FILE           adds and changes what such a file says
          version

        """

    static func run(_ arguments: [String]) -> Int32 {
        var options = SacctmgrOptions()
        var exitCode: Int32 = 0
        guard let words = description.parse(arguments, into: &options, exitCode: &exitCode) else {
            if options.showsHelp { Console.print(commandsText) }
            return exitCode
        }
        return words.isEmpty ? converse(options) : perform(words, options)
    }

    /// Commands from standard input, one a line.
    private static func converse(_ options: SacctmgrOptions) -> Int32 {
        var (last, exitCode): ([String], Int32) = ([], 0)
        while true {
            Console.print("sacctmgr: ")
            guard let line = promptedLine() else {
                Console.print("\n")
                return exitCode
            }
            var words = split(line)
            if words == ["!!"] { words = last }
            guard let command = words.first?.lowercased() else { continue }
            if ["exit", "quit", "q"].contains(command) { return exitCode }
            last = words
            exitCode = perform(words, options)
        }
    }

    /// A line of standard input. Where nobody types it is shown after the prompt, as the line editor does it.
    static func promptedLine() -> String? {
        guard let line = readLine() else { return nil }
        if isatty(0) == 0 { Console.print(line + "\n") }
        return line
    }

    /// Words of a line; quotes keep blanks together.
    static func split(_ line: String) -> [String] {
        var (words, word, quote, started): ([String], String, Character?, Bool) = ([], "", nil, false)
        for character in line {
            if let open = quote {
                if character == open { quote = nil } else { word.append(character) }
            } else if character == "'" || character == "\"" {
                (quote, started) = (character, true)
            } else if character == " " || character == "\t" {
                if started { words.append(word) }
                (word, started) = ("", false)
            } else {
                word.append(character)
                started = true
            }
        }
        if started { words.append(word) }
        return words
    }

    private static func perform(_ words: [String], _ options: SacctmgrOptions) -> Int32 {
        do { return try SacctmgrSession(options).perform(words) } catch {
            if let failure = error as? SacctmgrFailure {
                Console.complain(failure.text)
            } else {
                let failure = Failure(error)
                Console.error("sacctmgr", failure.message, detail: failure.detail)
            }
            return 1
        }
    }
}

/// One command: what the controller has, what is wanted, what is said.
struct SacctmgrSession {
    private let options: SacctmgrOptions
    init(_ options: SacctmgrOptions) { self.options = options }

    private static let commands: [(word: String, least: Int)] = [
        ("add", 3), ("archive", 3), ("associations", 3), ("clear", 3), ("create", 3), ("delete", 3), ("dump", 4),
        ("exit", 4), ("help", 2), ("list", 3), ("load", 2), ("modify", 1), ("quiet", 4), ("quit", 4),
        ("reconfigure", 4),
        ("remove", 3), ("show", 3), ("shutdown", 4), ("verbose", 4), ("version", 4),
    ]

    func perform(_ words: [String]) throws -> Int32 {
        let command = words[0].lowercased()
        let rest = Array(words.dropFirst())
        let entity = rest.first.flatMap(SacctmgrEntity.init)
        let found = Self.commands.first { $0.word.hasPrefix(command) && command.count >= $0.least }?.word
        switch found {
        case "add", "create": return try change { $0.add(entity, Array(rest.dropFirst())) }
        case "modify": return try change { $0.modify(entity, Array(rest.dropFirst())) }
        case "delete", "remove":
            return try change { $0.delete(entity, Array(rest.dropFirst()), asks: !options.immediate) }
        case "show", "list": return try show(entity, Array(rest.dropFirst()))
        case "associations": return try show(.association, rest)
        case "dump": return try dump(rest)
        case "load": return try load(rest)
        case "help": Console.print(Sacctmgr.description.help + Sacctmgr.commandsText)
        case "version": Console.print(versionText)
        case "quiet", "verbose", "reconfigure": return 0
        case "clear" where ["stats", "statistics"].contains(rest.first?.lowercased() ?? ""):
            return try clearStatistics()
        case "archive", "clear", "shutdown":
            throw SacctmgrFailure(
                " \(command) is of slurmdbd, which Argosy has none of: the controller keeps the records.\n")
        default: throw SacctmgrFailure("invalid keyword: \(words[0])\n")
        }
        return 0
    }

    private func records(_ session: Session) throws -> RecordSet {
        guard case .accountingRecords(let list)? = try session.ask(.accountingRecords(.init())).body else {
            throw Failure("Invalid reply of the controller")
        }
        return RecordSet(list)
    }

    // MARK: - Changes

    private func change(_ plan: (SacctmgrPlanner) -> SacctmgrPlan) throws -> Int32 {
        if options.readOnly { throw SacctmgrFailure("Can't run this command in readonly mode.\n") }
        let session = try Session()
        let records = try records(session)
        var plan = plan(SacctmgrPlanner(records))
        plan.cluster = records.cluster
        return try carryOut(plan, session)
    }

    private func carryOut(_ plan: SacctmgrPlan, _ session: Session) throws -> Int32 {
        if !plan.complaint.isEmpty { Console.complain(plan.complaint) }
        if plan.isRefused {
            Console.print(plan.text)
            return plan.exitCode
        }
        if !plan.question.isEmpty, !options.immediate, !Self.confirms(plan.question) {
            Console.print(" Changes Discarded\n")
            return 0
        }
        if !options.immediate {
            if let refusal = try send(plan, session, checkOnly: true) { return tell(refusal, plan, discarded: true) }
            Console.print(plan.text)
            guard Self.confirms("Would you like to commit changes?") else {
                Console.print(" Changes Discarded\n")
                return 0
            }
            if let refusal = try send(plan, session) { return tell(refusal, plan, discarded: false) }
            return 0
        }
        if let refusal = try send(plan, session) { return tell(refusal, plan, discarded: false) }
        Console.print(plan.text)
        return 0
    }

    /// Nil: done (or would be).
    private func send(_ plan: SacctmgrPlan, _ session: Session, checkOnly: Bool = false) throws -> Failure? {
        if plan.operations.isEmpty { return nil }
        var request = WireChangeAccounting()
        request.operations = plan.operations.map(WireAccountingOperation.init)
        request.checkOnly = checkOnly
        do throws(Failure) {
            _ = try session.ask(.changeAccounting(request))
            return nil
        } catch { return error }
    }

    /// A refusal in Slurm's words: the reason, which records, what to do.
    private func tell(_ refusal: Failure, _ plan: SacctmgrPlan, discarded: Bool) -> Int32 {
        let isDenied = refusal.message == "Access/permission denied"
        if isDenied, !refusal.detail.isEmpty { Console.error("sacctmgr", refusal.detail) }
        // Slurm tells of a default QOS without a word of who refused.
        let isOwnSentence = refusal.message.hasSuffix("default qos.") || refusal.message.hasSuffix("Default QOS.")
        Console.complain((isOwnSentence ? "" : plan.failure) + " \(refusal.message)\n")
        if !isDenied { Console.complain(Self.lines(refusal.detail, cluster: plan.cluster)) }
        if refusal.message.hasSuffix("Default QOS.") {
            Console.complain(
                " Please either remove the qos' listed above from list and resubmit,\n"
                    + " or change the default qos to remove the qos.\n Changes Discarded\n")
        }
        if plan.failure.hasPrefix(" Problem adding") { Console.print(plan.text) }
        if discarded { Console.complain(" Changes Discarded\n") }
        return 1
    }

    /// Records get their cluster before the account; sentences stand further left.
    static func lines(_ detail: String, cluster: String) -> String {
        detail.split(separator: "\n").map { line in
            guard let place = line.firstRange(of: " A = ") else {
                return (line.hasPrefix("Please") ? " " : "  ") + line + "\n"
            }
            return "  \(line[..<place.lowerBound]) C = \(pad(cluster, 10))\(line[place.lowerBound...])\n"
        }.joined()
    }

    /// Half a minute to say y; anything else, or nothing, is no.
    static func confirms(_ question: String) -> Bool {
        Console.print("\(question) (You have 30 seconds to decide)\n")
        while true {
            Console.print("(N/y): ")
            var entry = pollfd(fd: 0, events: Int16(POLLIN), revents: 0)
            guard poll(&entry, 1, 30_000) > 0, let line = readLine() else {
                Console.print("\n")
                return false
            }
            Console.print("\n")
            switch line.first {
            case "y", "Y": return true
            case "n", "N", nil: return false
            default: Console.print("Y or N please\n")
            }
        }
    }

    // MARK: - Listings

    private func show(_ entity: SacctmgrEntity?, _ words: [String]) throws -> Int32 {
        guard let entity, entity != .job, entity != .coordinator else {
            throw SacctmgrFailure(
                "No valid entity in list command\nInput line must include \"Account\", \"Association\", \"Cluster\", "
                    + "\"Configuration\",\n\"Event\", \"Federation\", \"Problem\", \"QOS\", \"Resource\", \"Reservation\",\n"
                    + "\"RunAwayJobs\", \"Stats\", \"Transaction\", \"TRES\", \"User\", or \"WCKey\"\n")
        }
        let session = try Session()
        let records = try records(session)
        switch entity {
        case .runawayJobs:
            Console.print("Runaway Jobs: No runaway jobs found on cluster \(records.cluster)\n")
        case .stats: Console.print(try statisticsText(session))
        case .configuration: Console.print(try configuration(session))
        case .event:
            let shown = SacctmgrShow(records, options)
            Console.print(try shown.text(.event, words, rows: try events(session, words, shown)))
        case .federation: Console.print(empty("Federation:10,Cluster:10,ID:2,Features:20,FedState:12"))
        case .reservation:
            let shown = SacctmgrShow(records, options)
            Console.print(try shown.text(.reservation, words, rows: try reservations(session, words, shown)))
        case .resource:
            Console.print(empty("Name:10,Server:10,Type:8,Count:6,% Allocated:11,ServerType:10"))
        case .transaction:
            let found = try transactions(session, words)
            Console.print(try SacctmgrShow(records, options).text(.transaction, words, transactions: found))
        case .account, .association, .cluster, .coordinator, .problem, .qos, .tres, .user, .wckey, .job:
            Console.print(try SacctmgrShow(records, options).text(entity, words))
        }
        return 0
    }

    /// The head of a listing of records that are not kept here.
    private func empty(_ columns: String) -> String {
        guard options.header else { return "" }
        let pairs = columns.split(separator: ",").map { $0.split(separator: ":") }
        switch options.style {
        case .parsable: return pairs.map { $0[0] + "|" }.joined() + "\n"
        case .parsable2: return pairs.map { String($0[0]) }.joined(separator: "|") + "\n"
        case .padded:
            let widths = pairs.map { Int($0[1]) ?? 10 }
            return zip(pairs, widths).map { pad(String($0[0].prefix(abs($1))), abs($1), right: $1 > 0) + " " }.joined()
                + "\n"
                + widths.map { String(repeating: "-", count: abs($0)) + " " }.joined() + "\n"
        }
    }

    private func transactions(_ session: Session, _ words: [String]) throws -> [AccountingTransaction] {
        var request = WireListAccountingTransactions()
        let parsed = SacctmgrWords(words)
        if let conditions = try? SacctmgrConditions(parsed.conditions, of: .transaction) {
            request.sinceUs = (conditions.start ?? 0) * 1_000_000
            request.untilUs = (conditions.end ?? 0) * 1_000_000
        }
        guard case .accountingTransactions(let list)? = try session.ask(.accountingTransactions(request)).body else {
            throw Failure("Invalid reply of the controller")
        }
        return list.transactions.map(\.domain)
    }

    private func configuration(_ session: Session) throws -> String {
        guard case .configuration(let found)? = try session.ask(.configuration(.init())).body else {
            throw Failure("Invalid reply of the controller")
        }
        let wanted = ["accounting", "auth", "privatedata", "slurmuser", "trackwckey", "messagetimeout", "tcptimeout"]
        let entries = found.entries.filter { entry in
            wanted.contains { entry.key.lowercased().hasPrefix($0) }
        }
        return "Configuration data as of \(Times.stamp(Times.now() * 1_000_000))\n"
            + entries.map { "\(pad($0.key, 23))= \($0.value)\n" }.joined()
    }

    // MARK: - The flat file

    private func dump(_ words: [String]) throws -> Int32 {
        let records = try records(try Session())
        var (cluster, file): (String?, String?) = (nil, nil)
        for spec in words.map(SacctmgrSpec.init) {
            if spec.means("file", 1), spec.value != nil {
                file = spec.value
            } else if spec.means("cluster", 1), spec.value != nil {
                cluster = spec.value
            } else if spec.value == nil, cluster == nil {
                cluster = spec.whole
            } else {
                throw SacctmgrFailure(" Unknown option: \(spec.whole)\n")
            }
        }
        guard let cluster else { throw SacctmgrFailure(" We need a cluster to dump.\n") }
        guard cluster == records.cluster else {
            throw SacctmgrFailure(" Cluster \(cluster) doesn't exist.\n")
        }
        let path = file ?? "./\(cluster).cfg"
        guard FileBytes.write(Array(SacctmgrFile.text(records).utf8), path: path) else {
            throw SacctmgrFailure("sacctmgr: error: Can't open file \(path): \(String(cString: strerror(errno)))\n")
        }
        if !options.quiet {
            Console.complain(SacctmgrFile.lines(records).map { "sacctmgr: \($0)\n" }.joined())
        }
        return 0
    }

    private func load(_ words: [String]) throws -> Int32 {
        if options.readOnly { throw SacctmgrFailure("Can't run this command in readonly mode.\n") }
        var file: String?
        for spec in words.map(SacctmgrSpec.init) {
            if spec.means("file", 1), spec.value != nil {
                file = spec.value
            } else if spec.value == nil, file == nil, spec.whole.lowercased() != "clean" {
                file = spec.whole
            } else {
                throw SacctmgrFailure(
                    " \(spec.whole): only file= can be given; what the file leaves out stays as it is.\n")
            }
        }
        guard let file else { throw SacctmgrFailure(" You need to specify a file to load.\n") }
        guard let bytes = FileBytes.read(path: file, limit: 64 << 20) else {
            throw SacctmgrFailure(
                " Unable to read \"\(file)\": \(String(cString: strerror(errno)))\n")
        }
        let session = try Session()
        let records = try records(session)
        var plan = SacctmgrPlan()
        do throws(SacctmgrFile.Malformed) {
            plan.operations = try SacctmgrFile.operations(String(decoding: bytes, as: UTF8.self), records)
        } catch { throw SacctmgrFailure("sacctmgr: error: \(error.why)\n") }
        plan.text = "For cluster \(records.cluster)\n"
        plan.text += plan.operations.isEmpty ? " Nothing new added.\n" : " \(plan.operations.count) changes\n"
        return try carryOut(plan, session)
    }
}
