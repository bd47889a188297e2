// sacct: jobs of the past (and present) with what they used; a line for each job, then one for each of its steps.

import ArgosyConfig
import ArgosyDomain
import ArgosyWire
import Glibc

struct SacctOptions: CommandSettings {
    var showsHelp = false
    var showsUsage = false
    var showsVersion = false
    var header = true
    var allUsers = false
    var allocationsOnly = false
    var parsable = false
    var parsable2 = false
    var delimiter = "|"
    var format: String?
    var brief = false
    var jobs: [JobIdentifier] = []
    var users = ""
    var accounts: [String] = []
    var names: [String] = []
    var partitions: [String] = []
    var states: [String] = []
    var nodes: Set<String> = []
    var start: Int64?
    var end: Int64?
    var listsFields = false
    var duplicates = false
    var noConvert = false
}

enum Sacct {
    typealias Row = Option<SacctOptions>

    static let description = CommandDescription(name: "sacct", synopsis: "[<OPTION>]", options: options)

    static let options: [Row] =
        [
            Row("accounts", "A", .required, "account", "show jobs of these accounts") { $0.accounts = commaList($1) },
            Row("allocations", "X", "only show statistics relevant to the job allocation itself") { o, _ in
                o.allocationsOnly = true
            },
            Row("allusers", "a", "display jobs for all users") { o, _ in o.allUsers = true },
            Row("brief", "b", "equivalent to --format=jobstep,state,error") { o, _ in o.brief = true },
            Row("delimiter", nil, .required, "char", "between fields with -p or -P") { $0.delimiter = $1 },
            Row("duplicates", "D", "show every start of jobs that were requeued") { o, _ in o.duplicates = true },
            Row("endtime", "E", .required, "time", "show jobs before this time") { o, text throws(OptionError) in
                o.end = try moment(text)
            },
            Row(
                "format", "o", .required, "fields", env: ["SACCT_FORMAT"],
                "comma separated list of fields (see --helpformat)"
            ) {
                $0.format = $1
            },
            Row("helpformat", "e", "print a list of fields that can be specified with --format") { o, _ in
                o.listsFields = true
            },
            Row("jobs", "j", .required, "job(.step)", "show these jobs") { o, text throws(OptionError) in
                o.jobs += try JobIdentifier.list(text)
            },
            Row("long", "l", "show everything that is known") { o, _ in o.format = longFormat },
            Row("name", nil, .required, "jobname", "show jobs with these names") { $0.names = commaList($1) },
            Row("nodelist", "N", .required, "nodes", "show jobs that ran on these nodes") {
                o, text throws(OptionError) in
                do throws(Hostlist.Malformed) { o.nodes = Set(try Hostlist.expand(text)) } catch {
                    throw OptionError(error.description)
                }
            },
            Row("noheader", "n", "no header will be added to the beginning of output") { o, _ in o.header = false },
            Row("parsable", "p", "output will be '|' delimited with a '|' at the end") { o, _ in o.parsable = true },
            Row("parsable2", "P", "output will be '|' delimited without a '|' at the end") { o, _ in o.parsable2 = true
            },
            Row("partition", "r", .required, "name", "show jobs of these partitions") { $0.partitions = commaList($1) },
            Row("starttime", "S", .required, "time", "show jobs after this time") { o, text throws(OptionError) in
                o.start = try moment(text)
            },
            Row("state", "s", .required, "state", "show jobs in these states") { o, text throws(OptionError) in
                o.states = try Squeue.states(text)
            },
            Row("uid", "u", .required, "user", "show jobs of these users") { $0.users = $1 },
            Row("user", nil, .required, "user", "same as --uid") { $0.users = $1 },
            Row("verbose", "v", "verbosity level") { _, _ in },
            .accepted("allclusters", "L", .none), .accepted("federation", nil, .none), .accepted("local", nil, .none),
            .accepted("noconvert", nil, .none), .accepted("truncate", "T", .none), .accepted("units"),
            .accepted("completion", "c", .none),
            .refused("clusters", "M", .required, "one controller serves one cluster; choose it with SLURM_CONF"),
            .refused("associations", "x", .required, "associations are not kept yet"),
            .refused("constraints", "C", .required, "features are not recorded yet"),
            .refused("group", "g", .required, "choose jobs by user"),
            .refused("gid", nil, .required, "choose jobs by user"),
            .refused("ncpus", "I", .required, "choose jobs by id, user, name or state"),
            .refused("nnodes", "i", .required, "choose jobs by id, user, name or state"),
            .refused("qos", "q", .required, "choose jobs by id, user, name or state"),
            .refused("reason", "R", .required, "choose jobs by id, user, name or state"),
            .refused("timelimit-min", "k", .required, "choose jobs by id, user, name or state"),
            .refused("timelimit-max", "K", .required, "choose jobs by id, user, name or state"),
            .refused("wckeys", "W", .required, "wckeys are not kept"),
            .refused(
                "batch-script", "B", .none,
                "scripts are kept by the controller while the job lives; scontrol shows their path"),
            .refused("env-vars", nil, .none, "environments are kept while the job lives only"),
            .refused("json", nil, .none, "choose fields with -o and -P"),
            .refused("yaml", nil, .none, "choose fields with -o and -P"),
            .refused("file", "f", .required, "there is no accounting file"),
        ] + informationOptions()

    static let standardFormat = "jobid,jobname,partition,account,alloccpus,state,exitcode"
    static let longFormat =
        "jobid,jobname,user,partition,account,nnodes,ntasks,alloccpus,reqmem,maxrss,elapsed,totalcpu,usercpu,systemcpu,"
        + "submit,start,end,state,exitcode,nodelist"

    private static func moment(_ text: String) throws(OptionError) -> Int64 {
        guard let time = MomentParser(now: Times.now(), future: false).parse(text) else {
            throw OptionError("Invalid time specification (\"\(text)\"); write 2026-01-31T12:00:00, now-1day or 0131")
        }
        return time
    }

    static func run(_ arguments: [String]) -> Int32 {
        var options = SacctOptions()
        var exitCode: Int32 = 0
        do throws(OptionError) {
            try OptionParser(self.options).parse(environment: Process.variable, into: &options)
        } catch { Console.error("sacct", error.message) }
        guard let operands = description.parse(arguments, into: &options, exitCode: &exitCode) else { return exitCode }
        if let operand = operands.first {
            Console.error("sacct", "Unrecognized argument: \(operand); name jobs with -j")
            return 1
        }
        if options.listsFields {
            Console.print(AccountingFields.list)
            return 0
        }
        do {
            let reply = try Session().ask(.accounting(request(options)))
            guard case .accounting(let list)? = reply.body else { throw Failure("Invalid reply of the controller") }
            Console.print(try render(list.jobs, now: list.nowUs / 1_000_000, cluster: list.cluster, options))
            return 0
        } catch {
            let failure = Failure(error)
            Console.error("sacct", failure.message, detail: failure.detail)
            return 1
        }
    }

    /// Slurm's window: today, unless jobs or states or times are named.
    static func request(_ options: SacctOptions) -> WireListAccounting {
        var request = WireListAccounting()
        request.jobs = options.jobs.map(\.selector)
        request.user = options.users
        // Root sees all, others themselves.
        request.allUsers = options.allUsers || options.users.isEmpty && (getuid() == 0 || !options.jobs.isEmpty)
        if !options.allUsers, options.users.isEmpty, !request.allUsers { request.user = "\(getuid())" }
        let today = MomentParser(now: Times.now(), future: false).parse("today") ?? 0
        let since = options.start ?? (options.jobs.isEmpty ? today : 0)
        request.sinceUs = since * 1_000_000
        request.untilUs = (options.end ?? 0) * 1_000_000
        request.states = options.states
        return request
    }

    static func render(
        _ jobs: [WireJobInfo], now: Int64, cluster: String, _ options: SacctOptions
    ) throws(OptionError) -> String {
        let text = options.format ?? (options.brief ? "jobid,state,exitcode" : standardFormat)
        let columns = try AccountingFields.columns(text)
        let lines = AccountingLines(columns: columns, options: options)
        var records: [AccountingRecord] = []
        for var job in jobs.sorted(by: { $0.listingOrder < $1.listingOrder }) where matches(job, options) {
            // Of a job that was requeued, only the last start counts, as in Slurm.
            let last = job.restarts
            if !options.duplicates { job.steps.removeAll { $0.attempt != last } }
            let record = JobRecord(info: job, now: now > 0 ? now : Times.now())
            records.append(AccountingRecord(job: record, step: nil, cluster: cluster))
            if options.allocationsOnly { continue }
            for step in job.steps.sorted(by: stepOrder) where wanted(step, of: job, options) {
                records.append(AccountingRecord(job: record, step: step, cluster: cluster))
            }
        }
        return lines.render(records)
    }

    private static func stepOrder(_ a: WireStepInfo, _ b: WireStepInfo) -> Bool {
        func rank(_ step: UInt32) -> UInt64 { step >= 0xffff_0000 ? UInt64(step & 0xf) : UInt64(step) + 16 }
        return (a.attempt, rank(a.step)) < (b.attempt, rank(b.step))
    }

    private static func wanted(_ step: WireStepInfo, of job: WireJobInfo, _ options: SacctOptions) -> Bool {
        let named = options.jobs.filter { $0.job == job.job && $0.step != nil }
        return named.isEmpty || named.contains { $0.step == step.step }
    }

    private static func matches(_ job: WireJobInfo, _ options: SacctOptions) -> Bool {
        func among(_ list: [String], _ value: String) -> Bool { list.isEmpty || list.contains(value) }
        return among(options.accounts, job.spec.account) && among(options.names, job.spec.name)
            && among(options.partitions, job.partition) && among(options.states, job.state)
            && (options.nodes.isEmpty || job.allocation.nodes.contains { options.nodes.contains($0.name) })
    }
}
