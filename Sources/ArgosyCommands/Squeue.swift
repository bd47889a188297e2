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
    var perPartition = false
    var showsHidden = false
    var keepsUnits = false
    var format: String?
    var longFormat: String?
    var document: DocumentFormat?
    var sort: String?
    var jobs: [JobIdentifier] = []
    /// -j or -s was given.
    var takesOperands = false
    var users: [String]?
    var accounts: [String] = []
    var partitions: [String] = []
    var names: [String] = []
    var qos: [String] = []
    var licenses: [String] = []
    var reservation = ""
    var nodes: [String] = []
    var states: [String] = []
    var clusters: [String] = []
    var iterate: UInt32 = 0
}

enum Squeue {
    typealias Row = Option<SqueueOptions>

    static let description = CommandDescription(
        name: "squeue", synopsis: "[OPTIONS]", options: options, variables: [.timeFormat, .arrayLength])

    static let options: [Row] =
        [
            Row(
                "account", "A", .required, "account(s)", env: ["SQUEUE_ACCOUNT"],
                "comma separated list of accounts to view"
            ) {
                $0.accounts = commaList($1)
            },
            Row("accounts", nil, .required, "account(s)", "same as --account") { $0.accounts = commaList($1) },
            Row("all", "a", .none, env: ["SQUEUE_ALL"], "also jobs in hidden partitions") { o, _ in
                o.showsHidden = true
            },
            Row("array", "r", .none, env: ["SQUEUE_ARRAY"], "display one job array element per line") { o, _ in
                o.array = true
            },
            .accepted("array-unique", nil, .none),
            Row(
                "clusters", "M", .required, "cluster(s)", env: ["SLURM_CLUSTERS"], "clusters to ask: this one, or all"
            ) {
                $0.clusters = commaList($1)
            },
            Row("cluster", nil, .required, "cluster(s)", "same as --clusters") { $0.clusters = commaList($1) },
            Row("format", "o", .required, "format", env: ["SQUEUE_FORMAT"], "format specification") {
                $0.format = $1
                $0.longFormat = nil
            },
            Row("Format", "O", .required, "format", env: ["SQUEUE_FORMAT2"], "format specification by names") {
                $0.longFormat = $1
                $0.format = nil
            },
            Row("hide", "hide jobs in hidden partitions") { o, _ in o.showsHidden = false },
            Row("iterate", "i", .required, "seconds", "report again every so many seconds") {
                o, text throws(OptionError) in o.iterate = try interval(text)
            },
            Row("jobs", "j", .optional, "job(s)", "comma separated list of jobs to view, default is all") {
                o, text throws(OptionError) in
                o.takesOperands = true
                o.jobs += try JobIdentifier.list(text)
            },
            Row("json", nil, .none, "every job, for programs, as JSON") { o, _ in o.document = .json },
            Row(
                "licenses", "L", .required, "license(s)", env: ["SQUEUE_LICENSES"],
                "comma separated list of license names to view"
            ) {
                $0.licenses = commaList($1)
            },
            Row("long", "l", "long report") { o, _ in o.long = true },
            Row("me", nil, .none, "show my jobs only") { o, _ in o.users = ["\(ownUID())"] },
            Row(
                "name", "n", .required, "job_name(s)", env: ["SQUEUE_NAMES"],
                "comma separated list of job names to view"
            ) {
                $0.names = commaList($1)
            },
            Row("noconvert", "sizes in the unit they are kept in") { o, _ in o.keepsUnits = true },
            Row("nodelist", "w", .required, "hostlist", "list of nodes to view, default is all") {
                o, text throws(OptionError) in o.nodes = try nodes(text)
            },
            Row("nodes", nil, .required, "hostlist", "same as --nodelist") {
                o, text throws(OptionError) in o.nodes = try nodes(text)
            },
            Row("noheader", "h", "no headers on output") { o, _ in o.header = false },
            Row(
                "partition", "p", .required, "partition(s)", env: ["SQUEUE_PARTITION"],
                "comma separated list of partitions to view"
            ) {
                $0.partitions = commaList($1)
            },
            Row(
                "priority", "P", .none, env: ["SQUEUE_PRIORITY"],
                "a line for each partition of a waiting job; sort by both priorities"
            ) { o, _ in o.perPartition = true },
            Row("qos", "q", .required, "qos(s)", env: ["SQUEUE_QOS"], "comma separated list of qos's to view") {
                $0.qos = commaList($1)
            },
            Row("reservation", "R", .required, "name", "jobs of this reservation only") { $0.reservation = $1 },
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
            Row("yaml", nil, .none, "every job, for programs, as YAML") { o, _ in o.document = .yaml },
            .accepted("federation", nil, .none, env: ["SQUEUE_FEDERATION"]),
            .accepted("local", nil, .none, env: ["SQUEUE_LOCAL"]),
            .accepted("sibling", nil, .none, env: ["SQUEUE_SIBLING"]),
        ] + informationOptions(helpLetter: nil)

    static let shortFormat = "%.18i %.9P %.8j %.8u %.2t %.10M %.6D %R"
    static let wideFormat = "%.18i %.9P %.8j %.8u %.8T %.10M %.9l %.6D %R"
    static let startFormat = "%.18i %.9P %.8j %.8u %.2t %.19S %.6D %20Y %R"

    /// Names or codes; `all` is every state.
    static func states(_ text: String) throws(OptionError) -> [String] {
        var states: [String] = []
        for word in commaList(text) {
            if word.lowercased() == "all" { return JobState.shownNames }
            guard let matching = JobState.matching([word]) else {
                throw OptionError(
                    "Invalid job state specified: \(word)\nsqueue: error: Valid job states include: \(validStates)\n")
            }
            states.append(matching.first?.name ?? word.uppercased())
        }
        return states
    }

    /// In Slurm's order: a program may read them.
    static let validStates =
        "PENDING,RUNNING,SUSPENDED,COMPLETED,CANCELLED,FAILED,TIMEOUT,NODE_FAIL,PREEMPTED,BOOT_FAIL,DEADLINE,"
        + "OUT_OF_MEMORY,COMPLETING,CONFIGURING,RESIZING,RESV_DEL_HOLD,REQUEUED,REQUEUE_FED,REQUEUE_HOLD,REVOKED,"
        + "SIGNALING,SPECIAL_EXIT,STAGE_OUT,STOPPED"

    static func interval(_ text: String) throws(OptionError) -> UInt32 {
        guard let seconds = UInt32(text), seconds > 0 else { throw OptionError("--iterate=\(text)\n") }
        return seconds
    }

    static func nodes(_ text: String) throws(OptionError) -> [String] {
        do throws(Hostlist.Malformed) { return try Hostlist.expand(text) } catch {
            throw OptionError("Invalid node name \(text)")
        }
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
                Console.error("squeue", "Unrecognized option: \(operands[0])")
                Console.print(description.usage)
                return 1
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
        let session = try Session()
        let list = try jobs(session, options)
        let now = list.nowUs > 0 ? list.nowUs / 1_000_000 : Times.now()
        let records = list.jobs.map {
            JobRecord(info: $0, now: now, cluster: list.cluster, keepsUnits: options.keepsUnits)
        }
        if let format = options.document {
            Console.print(format.text(JobDocument.answer(records)) + (format == .json ? "\n" : ""))
            return
        }
        let surroundings = try Surroundings(session, records, options)
        if !options.clusters.isEmpty {
            try Clusters.check(options.clusters, own: list.cluster, command: "squeue")
            if options.header { Console.print("CLUSTER: \(list.cluster)\n") }
        }
        if options.long && options.header || options.iterate > 0 { Console.print(Times.dateLine(now) + "\n") }
        if options.steps {
            Console.print(try StepListing.render(records, options, surroundings))
        } else {
            Console.print(try render(records, options, surroundings))
        }
    }

    /// Users that the controller does not know are told and left out.
    private static func jobs(_ session: Session, _ options: SqueueOptions) throws(Failure) -> WireJobList {
        var request = WireListJobs()
        var users = options.document == nil ? options.users : nil
        if options.document == nil { request.jobs = options.jobs.map(\.selector) }
        while true {
            request.user = users?.joined(separator: ",") ?? ""
            // Of nobody, when only unknown ones were asked for.
            if users?.isEmpty == true { request.user = "0" }
            do throws(Failure) {
                guard case .jobs(var list)? = try session.ask(.listJobs(request)).body else {
                    throw Failure("Invalid reply of the controller")
                }
                if users?.isEmpty == true { list.jobs = [] }
                return list
            } catch {
                guard error.message.hasPrefix("Invalid user: "), let all = users,
                    let place = all.firstIndex(where: { error.message.hasSuffix(" \($0)") })
                else { throw error }
                Console.error("squeue", error.message + "\n")
                users?.remove(at: place)
            }
        }
    }

    /// What of the cluster decides which jobs are shown.
    struct Surroundings {
        var hidden: Set<String> = []

        init() {}

        init(_ session: Session, _ records: [JobRecord], _ options: SqueueOptions) throws {
            if !options.nodes.isEmpty { try Self.checkNodes(session, options.nodes) }
            // Root sees all.
            guard !options.showsHidden, ownUID() != 0, options.jobs.isEmpty, !records.isEmpty,
                case .partitions(let list)? = try session.ask(.listPartitions(.init())).body
            else { return }
            hidden = Set(list.partitions.lazy.filter(\.hidden).map(\.name))
        }

        private static func checkNodes(_ session: Session, _ names: [String]) throws {
            guard case .nodes(let list)? = try session.ask(.listNodes(.init())).body else { return }
            let known = Set(list.nodes.map(\.name))
            for name in names where !known.contains(name) { throw OptionError("Invalid node name \(name)") }
        }
    }

    static func render(
        _ records: [JobRecord], _ options: SqueueOptions, _ surroundings: Surroundings = .init()
    ) throws(OptionError) -> String {
        let chosen: ChosenColumns<JobRecord>
        if let names = options.longFormat {
            chosen = ColumnFormat.names(names, JobFields.all)
        } else if let format = options.format, format.lowercased() == "%all" {
            chosen = ColumnFormat.all(JobFields.letters, JobFields.all)
        } else {
            let standard = options.start ? startFormat : options.long ? wideFormat : shortFormat
            chosen = ColumnFormat.letters(options.format ?? standard, JobFields.all)
        }
        for unknown in chosen.unknown { Console.error("squeue", "Invalid job format specification: \(unknown)") }
        var shown = records.filter { matches($0, options, surroundings) }
        if options.array || !options.jobs.allSatisfy({ $0.indices.isEmpty }) {
            shown = shown.flatMap { options.array ? $0.expanded : $0.narrowed(to: options.jobs).map { [$0] } ?? [] }
        }
        if options.perPartition { shown = shown.flatMap(\.ofEachPartition) }
        let header = options.header ? chosen.header() : ""
        do throws(OptionError) {
            try JobSorting.sort(&shown, options.sort ?? (options.start ? "S" : "P,t,-p"))
        } catch {
            Console.print(header)
            throw error
        }
        return header + chosen.render(shown, header: false)
    }

    static func matches(
        _ record: JobRecord, _ options: SqueueOptions, _ surroundings: Surroundings = .init()
    ) -> Bool {
        let info = record.info
        func among(_ list: [String], _ value: String) -> Bool { list.isEmpty || list.contains(value) }
        let states = options.start && options.states.isEmpty ? [JobState.pending.name] : options.states
        // Steps have states of their own.
        let stateFits = states.isEmpty || options.steps ? !record.state.isEnded : states.contains(info.state)
        let partitions = record.partition.split(separator: ",").map(String.init)
        let licenses = (info.licenses + info.spec.resources.licenses).map(\.name)
        return stateFits && among(options.accounts, info.spec.account) && among(options.names, info.spec.name)
            && among(options.qos, info.spec.qos)
            && (options.partitions.isEmpty || partitions.contains { options.partitions.contains($0) })
            && (options.licenses.isEmpty || licenses.contains { options.licenses.contains($0) })
            && (options.reservation.isEmpty || record.reservation == options.reservation)
            && (options.nodes.isEmpty || info.allocation.nodes.contains { options.nodes.contains($0.name) })
            && (partitions.isEmpty || !partitions.allSatisfy { surroundings.hidden.contains($0) })
    }
}
