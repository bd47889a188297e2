// scancel: signals jobs, or ends them. The controller chooses by the filters; ids name jobs, array tasks or steps.

import ArgosyClient
import ArgosyDomain
import ArgosyWire
import Glibc

struct ScancelOptions: CommandSettings {
    var showsHelp = false
    var showsUsage = false
    var showsVersion = false
    var user = ""
    var name = ""
    var partition = ""
    var account = ""
    var nodeList = ""
    var states: [String] = []
    var signal: UInt32 = 0
    var batch = false
    var full = false
    var cron = false
    var interactive = false
    var quiet = false
    var verbose = 0
    var hasFilter: Bool {
        !(user.isEmpty && name.isEmpty && partition.isEmpty && account.isEmpty && nodeList.isEmpty && states.isEmpty)
    }
}

enum Scancel {
    typealias Row = Option<ScancelOptions>

    static let description = CommandDescription(
        name: "scancel", synopsis: "[OPTIONS] [job_id[_array_id][.step_id]]", options: options)

    static let options: [Row] =
        [
            Row(
                "account", "A", .required, "account", env: ["SCANCEL_ACCOUNT"], "act only on jobs charging this account"
            ) { $0.account = $1 },
            Row("batch", "b", .none, env: ["SCANCEL_BATCH"], "signal batch shell for specified job") { o, _ in
                o.batch = true
            },
            Row("cron", nil, "jobs of crontabs too, whose lines are switched off") { o, _ in o.cron = true },
            Row("full", "f", .none, env: ["SCANCEL_FULL"], "signal batch shell and all steps for specified job") {
                o, _ in o.full = true
            },
            Row("interactive", "i", .none, env: ["SCANCEL_INTERACTIVE"], "require response from user for each job") {
                o, _ in
                o.interactive = true
            },
            Row("jobname", "n", .required, "job_name", env: ["SCANCEL_NAME"], "act only on jobs with this name") {
                $0.name = $1
            },
            Row("name", nil, .required, "job_name", "same as --jobname") { $0.name = $1 },
            Row("me", nil, .none, "act only on jobs owned by me") { o, _ in o.user = "\(ownUID())" },
            Row("nodelist", "w", .required, "nodes", "act only on jobs on these nodes") { o, text throws(OptionError) in
                o.nodeList = try JobValue.hosts(text)
            },
            Row(
                "partition", "p", .required, "partition", env: ["SCANCEL_PARTITION"],
                "act only on jobs in this partition"
            ) { $0.partition = $1 },
            Row("quiet", "Q", "disable warnings") { o, _ in o.quiet = true },
            Row("signal", "s", .required, "name | integer", "signal to send to job, default is SIGKILL") {
                o, text throws(OptionError) in
                o.signal = try SignalName.number(text)
            },
            Row("state", "t", .required, "states", env: ["SCANCEL_STATE"], "act only on jobs in these states") {
                o, text throws(OptionError) in
                o.states = try Squeue.states(text)
            },
            Row("user", "u", .required, "user_name", env: ["SCANCEL_USER"], "act only on jobs of this user") {
                $0.user = $1
            },
            Row("verbose", "v", "verbosity level") { o, _ in o.verbose += 1 },
            .accepted("ctld", nil, .none), .accepted("hurry", "H", .none),
            .accepted("sibling", nil, .required),
            .refused("clusters", "M", .required, "one controller serves one cluster; choose it with SLURM_CONF"),
            .refused("qos", "q", .required, "choose jobs by id, user, name or partition"),
            .refused("reservation", "R", .required, "reservations are not supported yet"),
            .refused("wckey", nil, .required, "choose jobs by id, user, name or partition"),
        ] + informationOptions(helpLetter: nil)

    static func run(_ arguments: [String]) -> Int32 {
        var options = ScancelOptions()
        var exitCode: Int32 = 0
        do throws(OptionError) {
            try OptionParser(self.options).parse(environment: Process.variable, into: &options)
        } catch { Console.error("scancel", error.message) }
        guard let operands = description.parse(arguments, into: &options, exitCode: &exitCode) else { return exitCode }
        guard !operands.isEmpty || options.hasFilter else {
            Console.error("scancel", "No job identification provided")
            return 1
        }
        do {
            let identifiers = try operands.flatMap { try JobIdentifier.list($0) }
            return try cancel(identifiers, options)
        } catch {
            let failure = Failure(error)
            Console.error("scancel", failure.message, detail: failure.detail)
            return 1
        }
    }

    private static func cancel(_ identifiers: [JobIdentifier], _ options: ScancelOptions) throws -> Int32 {
        let session = try Session()
        var failed = false
        for step in identifiers where step.step != nil {
            guard confirmed("step \(step.text)", options) else { continue }
            failed = try !signal(step, options, session) || failed
        }
        var jobs = identifiers.filter { $0.step == nil }
        if options.interactive { jobs = try confirm(jobs, options, session) }
        if jobs.isEmpty, !identifiers.isEmpty || options.interactive { return failed ? 1 : 0 }
        let request = request(jobs, options)
        if options.verbose > 0 {
            for job in jobs { Console.complain("scancel: \(verb(options)) job \(job.text)\n") }
        }
        let reply = try session.ask(.cancel(request))
        guard case .cancelled(let result)? = reply.body else { throw Failure("Invalid reply of the controller") }
        for outcome in result.outcomes where outcome.hasRefusal { failed = report(outcome, options) || failed }
        if result.outcomes.isEmpty, options.verbose > 0 { Console.complain("scancel: no matching job\n") }
        return failed ? 1 : 0
    }

    private static func verb(_ options: ScancelOptions) -> String {
        options.signal == 0 ? "Terminating" : "Signal \(options.signal) to"
    }

    static func request(_ jobs: [JobIdentifier], _ options: ScancelOptions) -> WireCancelJobs {
        var request = WireCancelJobs()
        request.jobs = jobs.map(\.selector)
        request.user = options.user
        request.allOfUser = jobs.isEmpty && !options.user.isEmpty
        request.partition = options.partition
        request.name = options.name
        request.account = options.account
        request.nodeList = options.nodeList
        request.states = options.states
        request.signal = options.signal
        request.batchOnly = options.batch
        request.full = options.full
        request.cron = options.cron
        return request
    }

    /// True when it counts as an error; Slurm says nothing of jobs that are done already.
    private static func report(_ outcome: WireCancelOutcome, _ options: ScancelOptions) -> Bool {
        let refusal = outcome.refusal
        let id = outcome.text.isEmpty ? "\(outcome.job)" : outcome.text
        if refusal.code == Refusal.Code.jobAlreadyComplete.rawValue {
            if options.verbose > 0 { Console.error("scancel", "Kill job error on job id \(id): \(refusal.message)") }
            return false
        }
        if !options.quiet {
            Console.error("scancel", "Kill job error on job id \(id): \(refusal.message)", detail: refusal.detail)
        }
        return true
    }

    private static func signal(
        _ step: JobIdentifier, _ options: ScancelOptions, _ session: Session
    ) throws(Failure) -> Bool {
        guard step.indices.isEmpty else {
            throw Failure(
                "Invalid job id: \(step.text)", detail: "name the step of an array task by the task's own job id")
        }
        var request = WireSignalStep()
        request.job = step.job
        request.step = step.step ?? 0
        request.signal = options.signal == 0 ? UInt32(SIGKILL) : options.signal
        do throws(Failure) {
            _ = try session.ask(.signalStep(request))
            return true
        } catch {
            if !options.quiet {
                Console.error(
                    "scancel", "Kill job error on job step id \(step.text): \(error.message)", detail: error.detail)
            }
            return false
        }
    }

    /// Asks for each job that the controller knows among those meant.
    private static func confirm(
        _ jobs: [JobIdentifier], _ options: ScancelOptions, _ session: Session
    ) throws -> [JobIdentifier] {
        var request = WireListJobs()
        request.jobs = jobs.map(\.selector)
        request.user = options.user
        guard case .jobs(let list)? = try session.ask(.listJobs(request)).body else { return [] }
        var filter = SqueueOptions()
        filter.accounts = commaList(options.account)
        filter.names = commaList(options.name)
        filter.partitions = commaList(options.partition)
        filter.states = options.states
        let records = list.jobs.map { JobRecord(info: $0, now: list.nowUs / 1_000_000) }
        return records.filter { Squeue.matches($0, filter) }.compactMap { record in
            let question = "job_id=\(record.id) name=\(record.info.spec.name) partition=\(record.partition)"
            return confirmed(question, options)
                ? JobIdentifier(record.id.prefix { $0 != "%" } == record.id[...] ? record.id : "\(record.info.job)")
                : nil
        }
    }

    private static func confirmed(_ what: String, _ options: ScancelOptions) -> Bool {
        guard options.interactive else { return true }
        Console.print("\(options.signal == 0 ? "Cancel" : "Signal") \(what) [y/n]? ")
        return readLine()?.lowercased().hasPrefix("y") ?? false
    }
}

/// Signals by name (with or without SIG) or number.
enum SignalName {
    static let names: [(String, UInt32)] = [
        ("HUP", 1), ("INT", 2), ("QUIT", 3), ("ILL", 4), ("TRAP", 5), ("ABRT", 6), ("BUS", 7), ("FPE", 8), ("KILL", 9),
        ("USR1", 10), ("SEGV", 11), ("USR2", 12), ("PIPE", 13), ("ALRM", 14), ("TERM", 15), ("CHLD", 17), ("CONT", 18),
        ("STOP", 19), ("TSTP", 20), ("TTIN", 21), ("TTOU", 22), ("URG", 23), ("XCPU", 24), ("XFSZ", 25),
        ("VTALRM", 26), ("PROF", 27), ("WINCH", 28), ("IO", 29), ("PWR", 30), ("SYS", 31),
    ]

    static func number(_ text: String) throws(OptionError) -> UInt32 {
        if let number = UInt32(text), (1...64).contains(number) { return number }
        let upper = text.uppercased()
        let name = upper.hasPrefix("SIG") ? String(upper.dropFirst(3)) : upper
        guard let found = names.first(where: { $0.0 == name }) else { throw OptionError("Unknown job signal: \(text)") }
        return found.1
    }

    /// As strsignal(3) words it.
    static func text(_ number: UInt32) -> String { String(cString: strsignal(Int32(clamping: number))) }
}

func ownUID() -> UInt32 { getuid() }
