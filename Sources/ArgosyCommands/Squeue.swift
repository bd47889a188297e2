// squeue: jobs that wait or run (or, with -s, their steps).

import ArgosyClient
import ArgosyDomain
import ArgosyWire

struct SqueueOptions: CommandSettings {
    var showsHelp = false
    var showsUsage = false
    var showsVersion = false
    var header = true
    var long = false
    var steps = false
    var start = false
    var array = false
    var format: String?
    var longFormat: String?
    var sort: String?
    var jobs: [JobIdentifier] = []
    /// -j or -s was given.
    var takesOperands = false
    var users: [String] = []
    var accounts: [String] = []
    var partitions: [String] = []
    var names: [String] = []
    var qos: [String] = []
    var nodes: Set<String> = []
    var states: [String] = []
    var iterate: UInt32 = 0
}

enum Squeue {
    typealias Row = Option<SqueueOptions>

    static let description = CommandDescription(name: "squeue", synopsis: "[OPTIONS]", options: options)

    static let options: [Row] =
        [
            Row(
                "account", "A", .required, "account(s)", env: ["SQUEUE_ACCOUNT"],
                "comma separated list of accounts to view"
            ) {
                $0.accounts = commaList($1)
            },
            Row("array", "r", .none, env: ["SQUEUE_ARRAY"], "display one job array element per line") { o, _ in
                o.array = true
            },
            Row("format", "o", .required, "format", env: ["SQUEUE_FORMAT"], "format specification") { $0.format = $1 },
            Row("Format", "O", .required, "format", env: ["SQUEUE_FORMAT2"], "format specification by names") {
                $0.longFormat = $1
            },
            Row("iterate", "i", .required, "seconds", "report again every so many seconds") {
                o, text throws(OptionError) in
                o.iterate = try JobValue.count(text, "--iterate")
            },
            Row("jobs", "j", .optional, "job(s)", "comma separated list of jobs to view, default is all") {
                o, text throws(OptionError) in
                o.takesOperands = true
                o.jobs += try JobIdentifier.list(text)
            },
            Row("long", "l", "long report") { o, _ in o.long = true },
            Row("me", nil, .none, "show my jobs only") { o, _ in o.users = ["\(ownUID())"] },
            Row(
                "name", "n", .required, "job_name(s)", env: ["SQUEUE_NAMES"],
                "comma separated list of job names to view"
            ) {
                $0.names = commaList($1)
            },
            Row("noheader", "h", "no headers on output") { o, _ in o.header = false },
            Row("nodelist", "w", .required, "hostlist", "list of nodes to view, default is all") {
                o, text throws(OptionError) in
                do throws(Hostlist.Malformed) { o.nodes = Set(try Hostlist.expand(text)) } catch {
                    throw OptionError(error.description)
                }
            },
            Row(
                "partition", "p", .required, "partition(s)", env: ["SQUEUE_PARTITION"],
                "comma separated list of partitions to view"
            ) {
                $0.partitions = commaList($1)
            },
            Row("qos", "q", .required, "qos(s)", env: ["SQUEUE_QOS"], "comma separated list of qos's to view") {
                $0.qos = commaList($1)
            },
            Row("sort", "S", .required, "fields", env: ["SQUEUE_SORT"], "comma separated list of fields to sort on") {
                $0.sort = $1
            },
            Row("start", nil, .none, "print expected start times of pending jobs") { o, _ in o.start = true },
            Row(
                "states", "t", .required, "states", env: ["SQUEUE_STATES"],
                "comma separated list of states to view, all for every state"
            ) {
                o, text throws(OptionError) in o.states = try states(text)
            },
            Row("steps", "s", .optional, "step(s)", "comma separated list of job steps to view, default is all") {
                o, text throws(OptionError) in
                o.steps = true
                o.takesOperands = true
                o.jobs += try JobIdentifier.list(text)
            },
            Row("user", "u", .required, "user_name(s)", env: ["SQUEUE_USERS"], "comma separated list of users to view")
            {
                $0.users = commaList($1)
            },
            Row("users", nil, .required, "user_name(s)", "same as --user") { $0.users = commaList($1) },
            Row("verbose", "v", "verbosity level") { _, _ in },
            .accepted("all", "a", .none), .accepted("federation", nil, .none), .accepted("hide", nil, .none),
            .accepted("licenses", "L"), .accepted("local", nil, .none), .accepted("priority", "P", .none),
            .accepted("sibling", nil, .none), .accepted("reservation", "R"),
            .refused("clusters", "M", .required, "one controller serves one cluster; choose it with SLURM_CONF"),
            .refused("json", nil, .none, "choose fields with -o or -O"),
            .refused("yaml", nil, .none, "choose fields with -o or -O"),
        ] + informationOptions(helpLetter: nil)

    static let shortFormat = "%.18i %.9P %.8j %.8u %.2t %.10M %.6D %R"
    static let wideFormat = "%.18i %.9P %.8j %.8u %.8T %.10M %.9l %.6D %R"
    static let startFormat = "%.18i %.9P %.8j %.8u %.2t %.19S %.6D %20Y %R"

    /// Names or codes; `all` is every state.
    static func states(_ text: String) throws(OptionError) -> [String] {
        var states: [String] = []
        for word in commaList(text) {
            if word.lowercased() == "all" { return JobState.allCases.map(\.name) }
            guard let matching = JobState.matching([word]) else {
                let valid = JobState.allCases.map(\.name).joined(separator: ",")
                throw OptionError("Invalid job state specified: \(word)\nValid job states include: \(valid)")
            }
            states.append(matching.first?.name ?? word.uppercased())
        }
        return states
    }

    static func run(_ arguments: [String]) -> Int32 {
        var options = SqueueOptions()
        do throws(OptionError) {
            try OptionParser(self.options).parse(environment: Process.variable, into: &options)
        } catch { Console.error("squeue", error.message) }
        var exitCode: Int32 = 0
        guard let operands = description.parse(arguments, into: &options, exitCode: &exitCode) else { return exitCode }
        // `-j 12`: the list of an option whose argument may be absent comes as an operand.
        do throws(OptionError) {
            guard operands.isEmpty || options.takesOperands else {
                throw OptionError("Unrecognized option: \(operands[0])")
            }
            for operand in operands { options.jobs += try JobIdentifier.list(operand) }
        } catch {
            Console.error("squeue", error.message)
            return 1
        }
        return RepeatedListing(command: "squeue", complaint: "slurm_load_jobs error", seconds: options.iterate).run {
            try list(options)
        }
    }

    private static func list(_ options: SqueueOptions) throws {
        var request = WireListJobs()
        request.jobs = options.jobs.map(\.selector)
        request.user = options.users.joined(separator: ",")
        let reply = try Session().ask(.listJobs(request))
        guard case .jobs(let list)? = reply.body else { throw Failure("Invalid reply of the controller") }
        let now = list.nowUs > 0 ? list.nowUs / 1_000_000 : Times.now()
        let records = list.jobs.map { JobRecord(info: $0, now: now) }
        if options.long || options.iterate > 0 { Console.print(Times.dateLine(now) + "\n") }
        if options.steps {
            Console.print(try StepListing.render(records, options))
        } else {
            Console.print(try render(records, options))
        }
    }

    static func render(_ records: [JobRecord], _ options: SqueueOptions) throws(OptionError) -> String {
        let columns: [Column<JobRecord>]
        if let names = options.longFormat {
            columns = try ColumnFormat.names(names, JobFields.all)
        } else {
            let standard = options.start ? startFormat : options.long ? wideFormat : shortFormat
            columns = try ColumnFormat.letters(options.format ?? standard, JobFields.all)
        }
        var chosen = records.filter { matches($0, options) }
        if options.array || !options.jobs.allSatisfy({ $0.indices.isEmpty }) { chosen = chosen.flatMap(\.expanded) }
        try sort(&chosen, options.sort ?? (options.start ? "S" : "P,t,-p"))
        return ArgosyCommands.render(columns, chosen, header: options.header)
    }

    static func matches(_ record: JobRecord, _ options: SqueueOptions) -> Bool {
        let info = record.info
        func among(_ list: [String], _ value: String) -> Bool { list.isEmpty || list.contains(value) }
        let stateFits =
            options.states.isEmpty
            ? !record.state.isEnded
            : options.states.contains(info.state)
        return stateFits && among(options.accounts, info.spec.account) && among(options.names, info.spec.name)
            && among(options.qos, info.spec.qos) && fits(options.partitions, record)
            && (!options.start || record.state == .pending) && fits(options.nodes, record)
    }

    private static func fits(_ partitions: [String], _ record: JobRecord) -> Bool {
        partitions.isEmpty || record.partition.split(separator: ",").contains { partitions.contains(String($0)) }
    }

    private static func fits(_ nodes: Set<String>, _ record: JobRecord) -> Bool {
        nodes.isEmpty || record.info.allocation.nodes.contains { nodes.contains($0.name) }
    }

    /// Letters of the fields, `-` before those that descend; numbers by value, ties by job id.
    static func sort(_ records: inout [JobRecord], _ text: String) throws(OptionError) {
        var keys: [(field: Field<JobRecord>, descends: Bool)] = []
        for word in commaList(text) {
            let descends = word.hasPrefix("-")
            let letter = word.first { $0 != "-" && $0 != "+" && $0 != "#" }
            guard let field = JobFields.all.first(where: { $0.letter == letter }) else {
                throw OptionError("Invalid sort specification: \(word)")
            }
            keys.append((field, descends))
        }
        records.sort { a, b in
            for key in keys {
                let order = compare(a, b, key.field)
                if order != 0 { return key.descends ? order > 0 : order < 0 }
            }
            return (a.info.job, a.info.arrayTask) < (b.info.job, b.info.arrayTask)
        }
    }

    private static func compare(_ a: JobRecord, _ b: JobRecord, _ field: Field<JobRecord>) -> Int {
        switch field.letter {
        case "t", "T": return Int(a.state.rawValue) - Int(b.state.rawValue)
        case "p", "Q": return a.info.priority == b.info.priority ? 0 : a.info.priority < b.info.priority ? -1 : 1
        case "i", "A": return Int(a.info.job) - Int(b.info.job)
        case "M": return Int(a.elapsed - b.elapsed)
        case "S": return Int(clamping: a.startUs - b.startUs)
        case "l": return Int(a.info.timeLimitMinutes) - Int(b.info.timeLimitMinutes)
        default: break
        }
        let (left, right) = (field.value(a), field.value(b))
        if let x = Int(left), let y = Int(right) { return x - y }
        return left == right ? 0 : left < right ? -1 : 1
    }
}
