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
    var qos = ""
    var reservation = ""
    var wckey = ""
    var clusters = ""
    /// A value was wrong, and has been complained of.
    var isRefused = false
    var hasFilter: Bool {
        !(user.isEmpty && name.isEmpty && partition.isEmpty && account.isEmpty && nodeList.isEmpty && states.isEmpty
            && qos.isEmpty && reservation.isEmpty && wckey.isEmpty)
    }

    /// As Slurm tells which filters matched nothing.
    var filterText: String {
        let all = [
            ("account", account), ("job_name", name), ("nodelist", nodeList), ("partition", partition), ("qos", qos),
            ("reservation", reservation), ("state", states.joined(separator: ",")), ("user", user), ("wckey", wckey),
        ]
        return all.filter { !$0.1.isEmpty }.map { "\($0.0)=\($0.1) " }.joined()
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
            Row("nodelist", "w", .required, "hosts...", "act only on jobs on these nodes") {
                o, text throws(OptionError) in
                o.nodeList = (try? JobValue.hosts(text)) ?? text
            },
            Row(
                "partition", "p", .required, "partition", env: ["SCANCEL_PARTITION"],
                "act only on jobs in this partition"
            ) { $0.partition = $1 },
            Row("quiet", "Q", "disable warnings") { o, _ in o.quiet = true },
            Row("qos", "q", .required, "qos", env: ["SCANCEL_QOS"], "act only on jobs with this quality of service") {
                $0.qos = $1
            },
            Row("reservation", "R", .required, "reservation", "act only on jobs with this reservation") {
                $0.reservation = $1
            },
            Row("signal", "s", .required, "name | integer", "signal to send to job, default is SIGKILL") {
                o, text throws(OptionError) in
                do throws(OptionError) { o.signal = try SignalName.number(text) } catch {
                    Console.complain("\(error.message)\n")
                    o.isRefused = true
                }
            },
            Row("state", "t", .required, "states", env: ["SCANCEL_STATE"], "act only on jobs in these states") {
                o, text throws(OptionError) in
                do throws(OptionError) { o.states = try Squeue.states(text) } catch {
                    Console.complain(
                        "Invalid job state specified: \(text)\nValid job states are PENDING, RUNNING, and SUSPENDED\n")
                    o.isRefused = true
                }
            },
            Row("user", "u", .required, "user_name", env: ["SCANCEL_USER"], "act only on jobs of this user") {
                $0.user = $1
            },
            Row("verbose", "v", .none, env: ["SCANCEL_VERBOSE"], "verbosity level") { o, _ in o.verbose += 1 },
            Row("wckey", nil, .required, "wckey", env: ["SCANCEL_WCKEY"], "act only on jobs with this workload key") {
                $0.wckey = $1
            },
            Row("clusters", "M", .required, "names", env: ["SLURM_CLUSTERS"], "clusters that are meant; only ours") {
                $0.clusters = $1
            },
            Row("cluster", nil, .required, "names", "same as --clusters") { $0.clusters = $1 },
            .accepted("ctld", nil, .none, env: ["SCANCEL_CTLD"]),
            .accepted("hurry", "H", .none, env: ["SCANCEL_HURRY"]),
            .accepted("sibling", nil, .required),
        ] + informationOptions(helpLetter: nil)

    static func run(_ arguments: [String]) -> Int32 {
        var options = ScancelOptions()
        var exitCode: Int32 = 0
        do throws(OptionError) {
            try OptionParser(self.options).parse(environment: Process.variable, into: &options)
        } catch { Console.error("scancel", error.message) }
        guard let operands = description.parse(arguments, into: &options, exitCode: &exitCode) else { return exitCode }
        if options.isRefused { return 1 }
        do {
            let names = try checked(operands, options)
            return options.signal == 0 && !options.hasFilter && !options.interactive
                ? try cancel(names, options) : try cancelChosen(names, options)
        } catch {
            let failure = Failure(error)
            Console.error("scancel", failure.message, detail: failure.detail)
            return 1
        }
    }

    private static func checked(_ operands: [String], _ options: ScancelOptions) throws(Failure) -> [JobName] {
        if !options.clusters.isEmpty {
            let own = try Session().configuration.clusterName
            if let other = commaList(options.clusters).first(where: { $0 != own && $0 != "all" && !own.isEmpty }) {
                throw Failure(
                    "No cluster '\(other)' known by database.",
                    detail: ScontrolShell.noCluster(other))
            }
        }
        if !options.user.isEmpty, UInt32(options.user) == nil, PasswordFile.uid(of: options.user) == nil {
            throw Failure("Invalid user name: \(options.user)")
        }
        guard !operands.isEmpty || options.hasFilter else { throw Failure("No job identification provided") }
        var names: [JobName] = []
        for word in operands.flatMap({ JobName.words($0.replacing(" ", ",")) }) {
            // Steps go by number here: Slurm knows no `.batch` in this place.
            guard let name = JobName(word), (name.identifier.step ?? 0) < 0xffff_0000 else {
                throw Failure("Invalid job id \(word)")
            }
            names.append(name)
        }
        return names
    }

    // MARK: Jobs by id only

    /// Of jobs that are unknown, or done already, nothing is said, as Slurm does.
    private static func cancel(_ names: [JobName], _ options: ScancelOptions) throws -> Int32 {
        let session = try Session()
        var status: Int32 = 0
        for name in names {
            if name.identifier.step != nil {
                if try !signal(name, options, session) { status = 1 }
                continue
            }
            if options.verbose > 0 { Console.complain("scancel: \(verb(options)) job \(name.text)\n") }
            guard let selected = try identifier(of: name, session) else {
                if options.verbose > 0 { complain(name.text, "Invalid job id specified", options) }
                continue
            }
            if let offset = name.offset, offset > 0, selected.isPending {
                complain(name.text, "Operation not permitted on individual component of heterogeneous job", options)
                status = 60
                continue
            }
            let reply = try session.ask(.cancel(request([selected.identifier], options)))
            guard case .cancelled(let result)? = reply.body else { throw Failure("Invalid reply of the controller") }
            for outcome in result.outcomes where outcome.hasRefusal {
                status = max(status, report(outcome, name.text, options))
            }
        }
        return status
    }

    /// The id that a component of a heterogeneous job has of its own; nil: there is none.
    private static func identifier(
        of name: JobName, _ session: Session
    ) throws -> (identifier: JobIdentifier, isPending: Bool)? {
        guard name.offset != nil else { return (name.identifier, false) }
        guard case .jobs(let list)? = try session.ask(.listJobs(.init())).body else { return nil }
        let record = list.jobs.map { JobRecord(info: $0, now: list.nowUs / 1_000_000) }.first { $0.part(name) != nil }
        return record.flatMap { found in
            JobIdentifier("\(found.info.job)").map { ($0, found.state == .pending) }
        }
    }

    private static func complain(_ id: String, _ message: String, _ options: ScancelOptions, detail: String = "") {
        if options.quiet { return }
        Console.error("scancel", "Kill job error on job id \(id): \(message)", detail: detail)
    }

    /// The exit status that it makes: Slurm's is the last byte of its error number.
    private static func report(_ outcome: WireCancelOutcome, _ id: String, _ options: ScancelOptions) -> Int32 {
        let refusal = outcome.refusal
        let code = Refusal.Code(rawValue: refusal.code)
        if code == .jobAlreadyComplete || code == .invalidJobID {
            if options.verbose > 0 { complain(id, refusal.message, options) }
            return 0
        }
        complain(id, refusal.message, options, detail: refusal.detail)
        return code == .accessDenied ? 210 : 1
    }

    // MARK: With a signal, filters or questions

    /// The jobs that the controller knows, those meant of them, one by one.
    private static func cancelChosen(_ names: [JobName], _ options: ScancelOptions) throws -> Int32 {
        let session = try Session()
        var status: Int32 = 0
        let records = try live(session, options)
        var chosen: [(text: String, identifier: JobIdentifier)] = []
        for name in names where name.identifier.step != nil {
            guard confirmed("step \(name.text)", options) else { continue }
            if try !signal(name, options, session) { status = 1 }
        }
        for name in names where name.identifier.step == nil {
            let parts = records.filter { $0.part(name) != nil }
            if parts.isEmpty {
                if options.verbose >= 0 { complain(name.text, "Invalid job id specified", options) }
                status = options.quiet ? status : 1
                continue
            }
            // An array, or some of it, is one request.
            let fits = parts.filter { matches($0, options) }
            if fits.isEmpty { continue }
            if fits.count == parts.count, name.offset == nil, !options.interactive {
                chosen.append((name.text, name.identifier))
            } else {
                chosen += fits.compactMap(identified)
            }
        }
        if names.isEmpty { chosen = records.filter { matches($0, options) }.compactMap(identified) }
        if chosen.isEmpty, names.isEmpty, options.verbose > 0 {
            Console.error("scancel", "No active jobs match ALL job filters, including: \(options.filterText)")
        }
        for job in chosen { status = max(status, try cancel(job.text, job.identifier, records, options, session)) }
        return status
    }

    private static func identified(_ record: JobRecord) -> (text: String, identifier: JobIdentifier)? {
        // A waiting array as a whole goes by its id; components of heterogeneous jobs by theirs.
        let isWaitingArray = !record.info.arrayPending.isEmpty
        let text = record.info.arrayJob == 0 || isWaitingArray ? "\(record.info.job)" : record.id
        guard let identifier = JobIdentifier(isWaitingArray ? record.waitingText : text) else { return nil }
        return (isWaitingArray ? record.waitingText : text, identifier)
    }

    private static func cancel(
        _ text: String, _ identifier: JobIdentifier, _ records: [JobRecord], _ options: ScancelOptions,
        _ session: Session
    ) throws -> Int32 {
        if options.interactive {
            let record = records.first { $0.info.job == identifier.job || $0.info.arrayJob == identifier.job }
            let what = "job_id=\(text) name=\(record?.info.spec.name ?? "") partition=\(record?.partition ?? "")"
            guard confirmed(what, options) else { return 0 }
        }
        if options.verbose > 0 { Console.complain("scancel: \(verb(options)) job \(text)\n") }
        var only = ScancelOptions()
        (only.signal, only.batch, only.full) = (options.signal, options.batch, options.full)
        let reply = try session.ask(.cancel(request([identifier], only)))
        guard case .cancelled(let result)? = reply.body else { throw Failure("Invalid reply of the controller") }
        return result.outcomes.filter(\.hasRefusal).map { report($0, text, options) }.max() ?? 0
    }

    private static func live(_ session: Session, _ options: ScancelOptions) throws -> [JobRecord] {
        var request = WireListJobs()
        request.user = options.user
        guard case .jobs(let list)? = try session.ask(.listJobs(request)).body else { return [] }
        let mine = ownUID()
        return list.jobs.map { JobRecord(info: $0, now: list.nowUs / 1_000_000) }
            .filter { !$0.state.isEnded && (mine == 0 || !options.hasFilter || $0.info.spec.identity.uid == mine) }
    }

    static func matches(_ record: JobRecord, _ options: ScancelOptions) -> Bool {
        let spec = record.info.spec
        func fits(_ wanted: String, _ value: String) -> Bool { wanted.isEmpty || commaList(wanted).contains(value) }
        if record.state == .completing { return false }
        guard fits(options.account, spec.account), options.name.isEmpty || options.name == spec.name,
            fits(options.qos, spec.qos), fits(options.reservation, record.reservation),
            fits(options.wckey, spec.wckey),
            options.partition.isEmpty || commaList(record.partition).contains(options.partition)
        else { return false }
        let states = JobState.matching(options.states) ?? []
        if !options.states.isEmpty, !states.contains(record.state) { return false }
        guard !options.nodeList.isEmpty else { return true }
        let wanted = Set((try? Hostlist.expand(options.nodeList)) ?? [])
        return record.info.allocation.nodes.contains { wanted.contains($0.name) }
    }

    private static func verb(_ options: ScancelOptions) -> String {
        if options.signal == 0 { return "Terminating" }
        return "Signal \(options.signal) to" + (options.full ? " full" : options.batch ? " batch" : "")
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
        request.qos = options.qos
        request.reservation = options.reservation
        request.wckey = options.wckey
        request.states = options.states
        request.signal = options.signal
        request.batchOnly = options.batch
        request.full = options.full
        request.cron = options.cron
        return request
    }

    private static func signal(_ name: JobName, _ options: ScancelOptions, _ session: Session) throws -> Bool {
        let identifier = name.identifier
        var job = identifier.job
        if !identifier.indices.isEmpty || name.offset != nil {
            guard case .jobs(let list)? = try session.ask(.listJobs(.init())).body,
                let found = list.jobs.first(where: { JobRecord(info: $0, now: 0).part(name) != nil })
            else {
                stepError(name, "Invalid job id specified", options)
                return false
            }
            job = found.job
        }
        var request = WireSignalStep()
        request.job = job
        request.step = identifier.step ?? 0
        request.signal = options.signal == 0 ? UInt32(SIGKILL) : options.signal
        if options.verbose > 0 {
            let verb = options.signal == 0 ? "Terminating" : "Signal \(options.signal) to"
            Console.complain("scancel: \(verb) step \(name.text)\n")
        }
        do throws(Failure) {
            _ = try session.ask(.signalStep(request))
            return true
        } catch {
            stepError(name, error.message, options, detail: error.detail)
            return false
        }
    }

    private static func stepError(
        _ name: JobName, _ message: String, _ options: ScancelOptions, detail: String = ""
    ) {
        if options.quiet { return }
        Console.error("scancel", "Kill job error on job step id \(name.text): \(message)", detail: detail)
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
        if let number = UInt32(text), number > 0 { return number }
        let upper = text.uppercased()
        let name = upper.hasPrefix("SIG") ? String(upper.dropFirst(3)) : upper
        guard let found = names.first(where: { $0.0 == name }) else { throw OptionError("Unknown job signal: \(text)") }
        return found.1
    }

    /// As strsignal(3) words it.
    static func text(_ number: UInt32) -> String { String(cString: strsignal(Int32(clamping: number))) }
}

extension JobRecord {
    /// `12_[3-8]`, without how many may run at once.
    fileprivate var waitingText: String {
        let ranges = ArrayText.text(info.arrayPending.map { ($0.first, $0.last, max(1, $0.step)) })
        return "\(info.arrayJob)_[\(ranges)]"
    }
}

func ownUID() -> UInt32 { getuid() }
