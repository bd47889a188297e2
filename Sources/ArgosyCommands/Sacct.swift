// sacct: jobs of the past (and present) with what they used; a line for each job, then one for each of its steps.

import ArgosyConfig
import ArgosyDomain
import ArgosyWire
import Glibc

struct SacctOptions: CommandSettings {
    var showsHelp = false
    var showsUsage = false
    var showsVersion = false
    var table = DelimitedTable()
    var allUsers = false
    var allocationsOnly = false
    var format: String?
    var document: DocumentFormat?
    var brief = false
    var jobs: [JobIdentifier] = []
    var users = ""
    var start: Int64?
    var end: Int64?
    var truncates = false
    var listsFields = false
    var duplicates = false
    /// Of a component of a heterogeneous job that is named: all of them, or it alone; nil: all, of the first alone.
    var wholeHetJobs: Bool?
    var showsScript = false
    var showsEnvironment = false
    var asksForCompletion = false
    var units = UnitText()
    var filter = AccountingFilter()
}

enum Sacct {
    typealias Row = Option<SacctOptions>

    static let description = CommandDescription(
        name: "sacct", synopsis: "[<OPTION>]", options: options, variables: [.timeFormat, .arrayLength])

    static let options: [Row] = selection + presentation + informationOptions()

    private static let selection: [Row] = [
        Row("accounts", "A", .required, "account", "show jobs of these accounts") {
            $0.filter.accounts = commaList($1)
        },
        Row("allusers", "a", "display jobs for all users") { o, _ in o.allUsers = true },
        Row("associations", "x", .required, "number", "show jobs of these associations") {
            $0.filter.associations = commaList($1)
        },
        Row("clusters", "M", .required, "cluster", env: ["SLURM_CLUSTERS"], "show jobs of these clusters") {
            $0.filter.clusters = commaList($1)
        },
        Row("cluster", nil, .required, "cluster", "same as --clusters") { $0.filter.clusters = commaList($1) },
        .accepted("allclusters", "L", .none), .accepted("federation", nil, .none, env: ["SACCT_FEDERATION"]),
        .accepted("local", nil, .none, env: ["SACCT_LOCAL"]),
        Row("completion", "c", "job completion data, which is not kept") { o, _ in o.asksForCompletion = true },
        Row("constraints", "C", .required, "feature", "show jobs that asked for all these features") {
            $0.filter.constraints = commaList($1)
        },
        Row("duplicates", "D", "show every start of jobs that were requeued") { o, _ in o.duplicates = true },
        Row("endtime", "E", .required, "time", "show jobs before this time") { o, text throws(OptionError) in
            o.end = try moment(text)
        },
        .refused("file", "f", .required, "there is no accounting file"),
        Row("flags", "F", .required, "flag", "show jobs that were started so: SchedSubmit, SchedMain, SchedBackfill") {
            o, text throws(OptionError) in
            o.filter.flags = commaList(text.lowercased())
            for flag in o.filter.flags where !["schedsubmit", "schedmain", "schedbackfill"].contains(flag) {
                throw OptionError("str_2_job_flags: Invalid job flag \(flag)")
            }
        },
        Row("gid", "g", .required, "group", "show jobs of these groups") { $0.filter.groups = commaList($1) },
        Row("group", nil, .required, "group", "same as --gid") { $0.filter.groups = commaList($1) },
        Row("jobs", "j", .required, "job(.step)", "show these jobs") { o, text throws(OptionError) in
            for word in JobIdentifier.words(text) {
                guard let job = JobIdentifier(word) else {
                    throw OptionError("Bad job/step specified: \(word)", isFatal: true)
                }
                o.jobs.append(job)
            }
        },
        Row("name", nil, .required, "jobname", "show jobs with these names") { $0.filter.names = commaList($1) },
        Row("ncpus", "I", .required, "min[-max]", "show jobs with so many CPUs") { o, text throws(OptionError) in
            o.filter.cpus = try AccountingFilter.range(text)
        },
        Row("nnodes", "i", .required, "min[-max]", "show jobs with so many nodes") { o, text throws(OptionError) in
            o.filter.nodeCounts = try AccountingFilter.range(text)
        },
        Row("nodelist", "N", .required, "nodes", "show jobs that ran on these nodes") { o, text throws(OptionError) in
            do throws(Hostlist.Malformed) { o.filter.nodes = Set(try Hostlist.expand(text)) } catch {
                throw OptionError(error.description)
            }
        },
        Row("partition", "r", .required, "name", "show jobs of these partitions") {
            $0.filter.partitions = commaList($1)
        },
        Row("qos", "q", .required, "qos", "show jobs of these qos") { $0.filter.qos = commaList($1) },
        Row("reason", "R", .required, "reason", "show jobs that wait, or waited last, for these reasons") {
            $0.filter.reasons = commaList($1)
        },
        Row("starttime", "S", .required, "time", "show jobs after this time") { o, text throws(OptionError) in
            o.start = try moment(text)
        },
        Row("state", "s", .required, "state", "show jobs in these states") { o, text throws(OptionError) in
            o.filter.states = try states(text)
        },
        Row("timelimit-min", "k", .required, "time", "show jobs with this time limit, or more with -K") {
            o, text throws(OptionError) in o.filter.least = try AccountingFilter.minutes(text)
        },
        Row("timelimit-max", "K", .required, "time", "with -k: show jobs with time limits up to this") {
            o, text throws(OptionError) in o.filter.most = try AccountingFilter.minutes(text)
        },
        Row("truncate", "T", "cut times to those of -S and -E") { o, _ in o.truncates = true },
        Row("uid", "u", .required, "user", "show jobs of these users") { $0.users = $1 },
        Row("user", nil, .required, "user", "same as --uid") { $0.users = $1 },
        .accepted("use-local-uid", nil, .none),
        Row("whole-hetjob", nil, .optional, "yes|no", "the other components of a job whose component -j names") {
            o, text in o.wholeHetJobs = text.lowercased() != "no"
        },
        Row("wckeys", "W", .required, "wckey", "show jobs of these wckeys") { $0.filter.wckeys = commaList($1) },
    ]

    private static let presentation: [Row] = [
        Row("allocations", "X", "only show statistics relevant to the job allocation itself") { o, _ in
            o.allocationsOnly = true
        },
        Row("batch-script", "B", "print the batch scripts of the jobs named with -j") { o, _ in o.showsScript = true },
        Row("brief", "b", "equivalent to --format=jobid,state,exitcode") { o, _ in o.brief = true },
        Row("delimiter", nil, .required, "char", "between fields with -p or -P") { $0.table.delimiter = $1 },
        Row("env-vars", "print the environments of the jobs named with -j") { o, _ in o.showsEnvironment = true },
        Row(
            "format", "o", .required, "fields", env: ["SACCT_FORMAT"],
            "comma separated list of fields (see --helpformat)"
        ) {
            $0.format = $1
        },
        Row("helpformat", "e", "print a list of fields that can be specified with --format") { o, _ in
            o.listsFields = true
        },
        Row("json", nil, .none, "the jobs, for programs, as JSON") { o, _ in o.document = .json },
        Row("long", "l", "show everything that is known") { o, _ in o.format = longFormat },
        Row("noconvert", "sizes in the unit they are kept in") { o, _ in o.units.keeps = true },
        Row("noheader", "n", "no header will be added to the beginning of output") { o, _ in o.table.header = false },
        Row("parsable", "p", "output will be '|' delimited with a '|' at the end") { o, _ in
            o.table.style = .parsable
        },
        Row("parsable2", "P", "output will be '|' delimited without a '|' at the end") { o, _ in
            o.table.style = .parsable2
        },
        Row("units", nil, .required, "KMGTP", "sizes in this unit") { o, text throws(OptionError) in
            guard text.count == 1, let unit = text.first, "KMGTP".contains(unit) else {
                throw OptionError(
                    "Invalid unit type '\(text)'. Possible options are 'KMGTP'\nsacct: fatal: Invalid unit type")
            }
            o.units.unit = unit
        },
        Row("verbose", "v", "verbosity level") { _, _ in },
        Row("yaml", nil, .none, "the jobs, for programs, as YAML") { o, _ in o.document = .yaml },
    ]

    static let standardFormat = "jobid,jobname,partition,account,alloccpus,state,exitcode"
    static let longFormat =
        "jobid,jobidraw,jobname,partition,maxvmsize,maxvmsizenode,maxvmsizetask,avevmsize,maxrss,maxrssnode,maxrsstask,"
        + "averss,maxpages,maxpagesnode,maxpagestask,avepages,mincpu,mincpunode,mincputask,avecpu,ntasks,alloccpus,"
        + "elapsed,state,exitcode,avecpufreq,reqcpufreqmin,reqcpufreqmax,reqcpufreqgov,reqmem,consumedenergy,"
        + "maxdiskread,maxdiskreadnode,maxdiskreadtask,avediskread,maxdiskwrite,maxdiskwritenode,maxdiskwritetask,"
        + "avediskwrite,reqtres,alloctres,tresusageinave,tresusageinmax,tresusageinmaxnode,tresusageinmaxtask,"
        + "tresusageinmin,tresusageinminnode,tresusageinmintask,tresusageintot,tresusageoutmax,tresusageoutmaxnode,"
        + "tresusageoutmaxtask,tresusageoutave,tresusageouttot"

    private static func moment(_ text: String) throws(OptionError) -> Int64 {
        guard let time = MomentParser(now: Times.now(), future: false).parse(text) else {
            throw OptionError("Invalid time specification (pos=0): \(text)", isBare: true)
        }
        return time
    }

    private static func states(_ text: String) throws(OptionError) -> [String] {
        var states: [String] = []
        for word in commaList(text) {
            guard let matching = JobState.matching([word]) else {
                throw OptionError("unrecognized job state value '\(word)'", isFatal: true)
            }
            states.append(matching.first?.name ?? word.uppercased())
        }
        return states
    }

    static func run(_ arguments: [String]) -> Int32 {
        var options = SacctOptions()
        var exitCode: Int32 = 0
        do throws(OptionError) {
            try OptionParser(self.options).parse(environment: Process.variable, into: &options)
        } catch { Console.error("sacct", error.message) }
        guard let operands = description.parse(arguments, into: &options, exitCode: &exitCode) else { return exitCode }
        if !operands.isEmpty {
            Console.error("sacct", "Unknown arguments:")
            for operand in operands { Console.error("sacct", " \(operand)") }
            return 1
        }
        if options.listsFields {
            Console.print(AccountingFields.list)
            return 0
        }
        do {
            if let complaint = contradiction(options) { throw complaint }
            try list(options)
            return 0
        } catch {
            let failure = Failure(error)
            if failure.message.hasPrefix("Invalid user: ") {
                Console.error("sacct", "Invalid user id: \(failure.message.dropFirst(14))")
            } else if let error = error as? OptionError {
                description.report(error)
            } else {
                Console.error("sacct", failure.message, detail: failure.detail)
            }
            return 1
        }
    }

    private static func contradiction(_ options: SacctOptions) -> OptionError? {
        if options.asksForCompletion { return OptionError("Slurm job completion is disabled", isBare: true) }
        if options.showsScript || options.showsEnvironment, options.jobs.isEmpty {
            let what = options.showsScript ? "job scripts" : "job environment"
            return OptionError(
                "When requesting \(what) you must also request specific jobs with the '-j' option.", isFatal: true)
        }
        if let start = options.start, let end = options.end, start > end {
            return OptionError(
                "Start time (\(Times.standard(start))) requested is after end time (\(Times.standard(end))).")
        }
        return nil
    }

    private static func list(_ options: SacctOptions) throws {
        let session = try Session()
        if !options.filter.qos.isEmpty { try checkQOS(session, options.filter.qos) }
        var list = try answer(session, request(options))
        let leaders = leaders(of: list.jobs, options)
        if !leaders.isEmpty {
            let known = Set(list.jobs.map(\.job))
            var whole = request(options)
            whole.jobs += leaders.sorted().flatMap(possibleComponents)
            list = try answer(session, whole)
            list.jobs.removeAll { !known.contains($0.job) && !leaders.contains($0.hetLeader) }
        } else if options.wholeHetJobs == false, !options.jobs.isEmpty {
            list.jobs.removeAll { job in job.hetLeader != 0 && !options.jobs.contains { $0.job == job.job } }
        }
        let now = list.nowUs > 0 ? list.nowUs / 1_000_000 : Times.now()
        let jobs = try jobs(list.jobs, now: now, cluster: list.cluster, options)
        if options.showsScript || options.showsEnvironment {
            return Console.print(jobs.map { kept($0, options) }.joined())
        }
        if let format = options.document { return Console.print(format.text(AccountingDocument.answer(jobs))) }
        Console.print(try render(jobs, options))
    }

    private static func answer(_ session: Session, _ request: WireListAccounting) throws -> WireAccountingList {
        guard case .accounting(let list)? = try session.ask(.accounting(request)).body else {
            throw Failure("Invalid reply of the controller")
        }
        return list
    }

    /// First components of the heterogeneous jobs that are shown whole: those that are named by their own id, or by any
    /// component's with --whole-hetjob.
    static func leaders(of jobs: [WireJobInfo], _ options: SacctOptions) -> Set<UInt32> {
        guard !options.jobs.isEmpty, options.wholeHetJobs != false else { return [] }
        let whole = jobs.filter { $0.hetLeader != 0 && (options.wholeHetJobs == true || $0.hetLeader == $0.job) }
        return Set(whole.map(\.hetLeader))
    }

    /// Components have the ids behind their leader's; there are at most 128.
    private static func possibleComponents(_ leader: UInt32) -> [WireJobSelector] {
        (0..<UInt32(128)).map { offset in
            var selector = WireJobSelector()
            selector.job = leader &+ offset
            return selector
        }
    }

    private static func checkQOS(_ session: Session, _ names: [String]) throws {
        guard case .accountingRecords(let records)? = try session.ask(.accountingRecords(.init())).body else { return }
        let known = records.qos.map(\.name)
        for name in names where !known.contains(name.lowercased()) && !name.allSatisfy(\.isNumber) {
            throw OptionError(
                "You gave a bad qos '\(name)'. Valid QOS's are \(known.joined(separator: ","))\n"
                    + "sacct: fatal: problem processing qos list")
        }
    }

    /// The batch script, or the environment it ran in.
    private static func kept(_ record: AccountingRecord, _ options: SacctOptions) -> String {
        let line = String(repeating: "-", count: 80) + "\n"
        let spec = record.job.info.spec
        if options.showsScript {
            let script = String(decoding: spec.script, as: UTF8.self)
            return "Batch Script for \(record.job.info.job)\n\(line)\(script.isEmpty ? "NONE\n" : script)"
                + (script.isEmpty || script.hasSuffix("\n") ? "" : "\n")
        }
        let environment = spec.environment.joined(separator: "\n")
        return "Environment used for \(record.job.info.job) (must be batch to display)\n\(line)"
            + "\(environment.isEmpty ? "NONE" : environment)\n"
    }

    /// Slurm's window: today, unless jobs or states or times are named. States with a start only are those at the start.
    static func request(_ options: SacctOptions) -> WireListAccounting {
        var request = WireListAccounting()
        request.jobs = options.jobs.map(\.selector)
        request.user = options.users
        // Root sees all, others themselves.
        request.allUsers = options.allUsers || options.users.isEmpty && (getuid() == 0 || !options.jobs.isEmpty)
        if !options.allUsers, options.users.isEmpty, !request.allUsers { request.user = "\(getuid())" }
        let parser = MomentParser(now: Times.now(), future: false)
        let since = options.filter.states.isEmpty ? parser.parse("today") ?? 0 : Times.now()
        request.sinceUs = (options.start ?? (options.jobs.isEmpty ? since : 0)) * 1_000_000
        request.untilUs = (options.end ?? stateMoment(options) ?? 0) * 1_000_000
        request.states = options.filter.states
        request.withScript = options.showsScript
        request.withEnvironment = options.showsEnvironment
        return request
    }

    private static func stateMoment(_ options: SacctOptions) -> Int64? {
        options.filter.states.isEmpty || options.end != nil ? nil : options.start
    }

    /// The jobs that are shown, with the steps that are.
    static func jobs(
        _ jobs: [WireJobInfo], now: Int64, cluster: String, _ options: SacctOptions
    ) throws(OptionError) -> [AccountingRecord] {
        var records: [AccountingRecord] = []
        for var job in jobs.sorted(by: { $0.listingOrder < $1.listingOrder }) {
            // What could never start yet is shown to those who name it.
            let until = min(options.end ?? now, now) * 1_000_000
            if options.jobs.isEmpty, job.startUs == 0, job.eligibleUs == 0 || job.eligibleUs > until { continue }
            // The window is its start alone: what ended later was in another state then.
            if let moment = stateMoment(options), job.endUs / 1_000_000 > moment { continue }
            guard try options.filter.lets(job, cluster: cluster) else { continue }
            // Of a job that was requeued, only the last start counts, as in Slurm.
            let last = job.restarts
            if !options.duplicates { job.steps.removeAll { $0.attempt != last } }
            job.steps.sort(by: stepOrder)
            if options.truncates { truncate(&job, options) }
            let record = JobRecord(info: job, now: now, cluster: cluster, keepsUnits: options.units.keeps)
            records.append(AccountingRecord(job: record, step: nil, cluster: cluster, units: options.units))
        }
        return records
    }

    private static func truncate(_ job: inout WireJobInfo, _ options: SacctOptions) {
        func cut(_ start: Int64, _ end: Int64) -> (start: Int64, end: Int64) {
            let from = options.start.map { start > 0 ? max(start, $0 * 1_000_000) : start } ?? start
            let to = options.end.map { end == 0 ? $0 * 1_000_000 : min(end, $0 * 1_000_000) } ?? end
            return (from, to)
        }
        let times = cut(job.startUs, job.endUs)
        (job.startUs, job.endUs) = (times.start, times.end)
        job.steps = job.steps.map { step in
            var step = step
            let times = cut(step.startUs, step.endUs)
            (step.startUs, step.endUs) = (times.start, times.end)
            return step
        }
    }

    static func render(_ jobs: [AccountingRecord], _ options: SacctOptions) throws(OptionError) -> String {
        let text = options.format ?? (options.brief ? "jobid,state,exitcode" : standardFormat)
        var columns = try AccountingFields.columns(text)
        if options.table.style == .padded { columns.removeAll { $0.width == 0 } }
        var rows: [[String]] = []
        for record in jobs {
            let named = options.jobs.filter { $0.means(record.job.info) }
            if named.isEmpty || named.contains(where: { $0.step == nil }) {
                rows.append(columns.map { $0.value(record) })
            }
            if options.allocationsOnly { continue }
            let wanted = named.contains { $0.step == nil } ? [] : named.compactMap(\.step)
            for step in record.job.info.steps where wanted.isEmpty || wanted.contains(step.step) {
                var one = record
                one.step = step
                rows.append(columns.map { $0.value(one) })
            }
        }
        return options.table.render(columns.map { ($0.name, $0.width) }, rows)
    }

    private static func stepOrder(_ a: WireStepInfo, _ b: WireStepInfo) -> Bool {
        func rank(_ step: UInt32) -> UInt64 { step >= 0xffff_0000 ? UInt64(step & 0xf) : UInt64(step) + 16 }
        return (a.attempt, rank(a.step)) < (b.attempt, rank(b.step))
    }
}
