// strigger: programs that run when something happens to a job, a node or the controller.

import ArgosyDomain
import ArgosyWire
import Glibc

struct StriggerOptions: CommandSettings {
    var showsHelp = false
    var showsUsage = false
    var showsVersion = false
    var actions: Set<String> = []
    var kinds: [TriggerKind] = []
    var id: UInt32 = 0
    var job: UInt32 = 0
    /// Nil: not about nodes; empty: all of them.
    var nodes: String?
    var frontEnd = false
    var header = true
    var offset: Int32 = 0
    var program = ""
    var user = ""
    var permanent = false
    var quiet = false
    var verbose = false
}

enum Strigger {
    typealias Row = Option<StriggerOptions>

    static let description = CommandDescription(
        name: "strigger", synopsis: "[--set | --get | --clear] [OPTIONS]", options: options)

    private static func kind(_ long: String, _ short: Character?, _ kind: TriggerKind, _ help: String) -> Row {
        Row(long, short, help) { o, _ in o.kinds.append(kind) }
    }

    static let options: [Row] =
        [
            Row("set", nil, "create a trigger") { o, _ in o.actions.insert("set") },
            Row("get", nil, "show triggers") { o, _ in o.actions.insert("get") },
            Row("clear", nil, "delete triggers") { o, _ in o.actions.insert("clear") },
            kind("burst_buffer", nil, .burstBuffer, "a burst buffer fails"),
            Row("front_end", nil, "about front end nodes") { o, _ in o.frontEnd = true },
            kind("primary_slurmctld_failure", "a", .primaryFailure, "the controller fails"),
            kind(
                "primary_slurmctld_resumed_operation", "A", .primaryResumedOperation, "the controller works again"),
            kind("primary_slurmctld_resumed_control", "b", .primaryResumedControl, "the controller takes over again"),
            kind("backup_slurmctld_failure", "B", .backupFailure, "the backup controller fails"),
            kind(
                "backup_slurmctld_resumed_operation", "c", .backupResumedOperation, "the backup controller works again"),
            kind("backup_slurmctld_assumed_control", "C", .backupAssumedControl, "the backup controller takes over"),
            kind("down", "d", .down, "a node goes DOWN"),
            kind("drained", "D", .drained, "a drained node has no work left"),
            kind("primary_slurmctld_acct_buffer_full", "e", .primaryAccountingFull, "accounting cannot be written"),
            kind("fail", "F", .fail, "a node is expected to fail"),
            kind("fini", "f", .fini, "the job has ended"),
            Row("flags", nil, .required, "perm", "perm: stay when it has run") { o, text throws(OptionError) in
                guard text.lowercased().hasPrefix("perm") else { throw OptionError("Invalid flags \(text)") }
                o.permanent = true
            },
            kind("primary_slurmdbd_failure", "g", .dbdFailure, "the accounting daemon fails"),
            kind("primary_slurmdbd_resumed_operation", "G", .dbdResumedOperation, "the accounting daemon works again"),
            kind("primary_database_failure", "h", .databaseFailure, "the database fails"),
            kind(
                "primary_database_resumed_operation", "H", .databaseResumedOperation, "the database works again"),
            Row("id", "i", .required, "number", "the trigger with this number") { o, text throws(OptionError) in
                guard let id = UInt32(text), id > 0 else { throw OptionError("Invalid id: \(text)") }
                o.id = id
            },
            kind("idle", "I", .idle, "a node stays idle"),
            Row("jobid", "j", .required, "id", "about this job") { o, text throws(OptionError) in
                guard let id = UInt32(text), id > 0 else { throw OptionError("Invalid jobid: \(text)") }
                o.job = id
            },
            .accepted("cluster", "M", .required), .accepted("clusters", nil, .required),
            Row("node", "n", .optional, "nodes", "about these nodes, or all") { $0.nodes = $1 },
            Row("noheader", "N", "no line over the columns") { o, _ in o.header = false },
            Row("offset", "o", .required, "seconds", "that much after the event; before it with a minus") {
                o, text throws(OptionError) in
                guard let seconds = Int32(text) else { throw OptionError("Invalid offset: \(text)") }
                o.offset = seconds
            },
            Row("program", "p", .required, "path", "what to run, with its arguments") { $0.program = $1 },
            Row("quiet", "Q", "no messages but errors") { o, _ in o.quiet = true },
            kind("reconfig", "r", .reconfig, "the configuration was read again"),
            kind("time", "t", .time, "the job's time limit is reached"),
            kind("up", "u", .up, "a node returns from DOWN"),
            Row("user", nil, .required, "name", "triggers of this user") { $0.user = $1 },
            Row("verbose", "v", "tell more") { o, _ in o.verbose = true },
        ] + informationOptions(helpLetter: nil)

    static func run(_ arguments: [String]) -> Int32 {
        var options = StriggerOptions()
        var exitCode: Int32 = 0
        guard description.parse(arguments, into: &options, exitCode: &exitCode) != nil else { return exitCode }
        do {
            if !options.user.isEmpty, UInt32(options.user) == nil, getpwnam(options.user) == nil {
                throw Failure("Invalid user \(options.user)")
            }
            guard options.actions.count == 1, let action = options.actions.first else {
                throw Failure("You must use exactly one of the following options: --set, --get or --clear")
            }
            switch action {
            case "set": return try set(options)
            case "clear": return try clear(options)
            default: return try get(options)
            }
        } catch {
            let failure = Failure(error)
            Console.error("strigger", failure.message, detail: failure.detail)
            return 1
        }
    }

    // MARK: - Set

    private static let noKind = """
        You must specify a trigger (--down, --up, --reconfig, --time, --fini, --burst_buffer,
        --primary_slurmctld_failure,
        --primary_slurmctld_resumed_operation,
        --primary_slurmctld_resumed_control,
        --primary_slurmctld_acct_buffer_full,
        --backup_slurmctld_failure,
        --backup_slurmctld_resumed_operation,
        --backup_slurmctld_as_ctrl,
        --primary_slurmdbd_failure,
        --primary_slurmdbd_resumed_operation,
        --primary_database_failure, or\u{20}
        --primary_database_resumed_operation)

        """

    private static func set(_ options: StriggerOptions) throws -> Int32 {
        if options.kinds.isEmpty { throw Failure(noKind) }
        if options.program.isEmpty { throw Failure("You must specify a --program value") }
        guard options.program.hasPrefix("/") else { throw Failure("The --program value must start with \"/\"") }
        let path = options.program.split(separator: " ").first.map(String.init) ?? options.program
        var status = stat()
        if stat(path, &status) != 0 { throw Failure("Invalid --program value, file not found") }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw Failure("Invalid --program value, not regular file")
        }
        let ofJobs = options.kinds.contains { $0 == .time || $0 == .fini }
        if ofJobs, options.job == 0 { throw Failure("You must specify a --jobid value") }
        if options.job != 0, !ofJobs { throw Failure("You must specify a trigger (--time or --fini)") }
        // Slurm keeps several in one trigger; here each is one.
        for kind in Set(options.kinds).sorted(by: { $0.rawValue < $1.rawValue }) {
            var request = WireSetTrigger()
            request.trigger.kind = kind.rawValue
            request.trigger.resource = resource(kind, options).rawValue
            request.trigger.name = ofJobs ? "\(options.job)" : options.nodes.flatMap { $0.isEmpty ? nil : $0 } ?? "*"
            request.trigger.offsetS = options.offset
            request.trigger.permanent = options.permanent
            request.trigger.program = options.program
            if let status = try send(.setTrigger(request), "slurm_set_trigger") { return status }
        }
        return 0
    }

    private static func resource(_ kind: TriggerKind, _ options: StriggerOptions) -> TriggerResource {
        switch kind {
        case .time, .fini: .job
        case .up, .down, .drained, .fail, .idle: options.frontEnd ? .frontEnd : .node
        case .reconfig: .slurmctld
        case .burstBuffer: .other
        case .primaryFailure, .primaryResumedOperation, .primaryResumedControl, .primaryAccountingFull,
            .backupFailure, .backupResumedOperation, .backupAssumedControl:
            .slurmctld
        case .dbdFailure, .dbdResumedOperation: .slurmdbd
        case .databaseFailure, .databaseResumedOperation: .database
        }
    }

    /// Nil when it was done; a refusal is told as Slurm's library tells it.
    private static func send(_ body: WireRequest.OneOf_Body, _ call: String) throws -> Int32? {
        do throws(Failure) {
            _ = try Session().ask(body)
            return nil
        } catch {
            Console.complain("\(call): \(error.message)\n")
            return 1
        }
    }

    // MARK: - Get and clear

    private static func clear(_ options: StriggerOptions) throws -> Int32 {
        guard options.id != 0 || options.job != 0 || !options.user.isEmpty else {
            throw Failure("You must specify a --id, --jobid, or --user to clear")
        }
        var request = WireClearTriggers()
        (request.id, request.job, request.user) = (options.id, options.job, options.user)
        if let status = try send(.dropTriggers(request), "slurm_clear_trigger") { return status }
        if options.verbose, !options.quiet { Console.info("strigger", "triggers cleared") }
        return 0
    }

    private static func get(_ options: StriggerOptions) throws -> Int32 {
        guard case .triggers(let list)? = try Session().ask(.triggers(.init())).body else {
            throw Failure("Invalid reply of the controller")
        }
        if options.verbose { Console.info("strigger", "Read \(list.triggers.count) trigger records") }
        let found = list.triggers.compactMap(\.domain).filter { matches($0, options) }
        if found.isEmpty { return 0 }
        var text = ""
        if options.header {
            text = "TRIG_ID RES_TYPE   RES_ID TYPE                                OFFSET USER     FLAGS PROGRAM\n"
        }
        for trigger in found { text += line(trigger) }
        Console.print(text)
        return 0
    }

    private static func matches(_ trigger: Trigger, _ options: StriggerOptions) -> Bool {
        (options.id == 0 || trigger.id == options.id)
            && (options.job == 0 || trigger.resource == .job && trigger.name == "\(options.job)")
            && (options.user.isEmpty || trigger.user == options.user || "\(trigger.uid)" == options.user)
            && (options.kinds.isEmpty || options.kinds.contains(trigger.kind))
            && (options.nodes == nil || trigger.resource == .node)
    }

    static func line(_ trigger: Trigger) -> String {
        "\(pad("\(trigger.id)", 7, right: true)) \(pad(trigger.resource.name, 9)) \(pad(name(trigger), 7, right: true)) "
            + "\(pad(trigger.kind.name, 35)) \(pad("\(trigger.offset)", 6, right: true)) \(pad(trigger.user, 8)) "
            + "\(pad(trigger.isPermanent ? "PERM" : "", 5)) \(trigger.program)\n"
    }

    private static func name(_ trigger: Trigger) -> String {
        trigger.resource == .other || trigger.resource == .frontEnd && trigger.name == "*" ? "(null)" : trigger.name
    }
}
