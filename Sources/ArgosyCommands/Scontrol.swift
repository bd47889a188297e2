// scontrol: shows what the controller knows, block by block, and changes jobs and nodes.

import ArgosyClient
import ArgosyDomain
import ArgosyWire

struct ScontrolOptions: CommandSettings {
    var showsHelp = false
    var showsUsage = false
    var showsVersion = false
    var oneLine = false
    var details = false
    var quiet = false
    var verbose = 0
}

enum Scontrol {
    typealias Row = Option<ScontrolOptions>

    static let description = CommandDescription(
        name: "scontrol", synopsis: "[<OPTION>] [<COMMAND>]", options: options, stopsAtOperand: true)

    static let options: [Row] =
        [
            Row("details", "d", "show more of jobs: their steps") { o, _ in o.details = true },
            Row("oneliner", "o", "one line for each record") { o, _ in o.oneLine = true },
            Row("quiet", "Q", "say only what was asked for") { o, _ in o.quiet = true },
            Row("verbose", "v", "verbosity level") { o, _ in o.verbose += 1 },
            .accepted("all", "a", .none), .accepted("future", "F", .none), .accepted("hide", nil, .none),
            .accepted("local", nil, .none), .accepted("sibling", nil, .none), .accepted("federation", nil, .none),
            .refused("cluster", "M", .required, "one controller serves one cluster; choose it with SLURM_CONF"),
            .refused("json", nil, .none, "use -o, a line for each record"),
            .refused("yaml", nil, .none, "use -o, a line for each record"),
            .refused("uid", "u", .required, "run scontrol as the user"),
        ] + informationOptions()

    static let commandsText = """

        Commands:
          create reservation Key=Value...
          delete ReservationName=NAME
          hold|uhold|release|requeue|requeuehold|suspend|resume JOB[,JOB...]
          ping                       is the controller there
          show config                the controller's configuration
          show hostlist LIST         hosts, or a file of them, as a list in brackets
          show hostnames [LIST]      the hosts of a list, a line each
          show job|step|node|partition|reservation [NAME]
          shutdown                   ends the controller; jobs go on
          update NodeName=LIST State=DRAIN|RESUME|DOWN [Reason=TEXT]
          update JobId=JOB Key=Value...
          update ReservationName=NAME Key=Value...
          update PartitionName=NAME State=UP|DOWN|DRAIN|INACTIVE
          version

        """

    static func run(_ arguments: [String]) -> Int32 {
        var options = ScontrolOptions()
        var exitCode: Int32 = 0
        guard let words = description.parse(arguments, into: &options, exitCode: &exitCode) else {
            if options.showsHelp { Console.print(commandsText) }
            return exitCode
        }
        guard let command = words.first?.lowercased() else {
            Console.error("scontrol", "no command given; there is no interactive mode, see scontrol --help")
            return 1
        }
        do { return try perform(command, Array(words.dropFirst()), options) } catch {
            let failure = Failure(error)
            Console.complain("\(failure.message)\n")
            if !failure.detail.isEmpty, !options.quiet { Console.complain("scontrol: error: \(failure.detail)\n") }
            return 1
        }
    }

    private static func perform(_ command: String, _ words: [String], _ options: ScontrolOptions) throws -> Int32 {
        switch command {
        case "show" where !words.isEmpty: try show(words[0].lowercased(), Array(words.dropFirst()), options)
        case "show":
            throw Failure("too few arguments for keyword:show", detail: "show what: job, node, partition, config, ...")
        case "ping": return try ping()
        case "version": Console.print(versionText)
        case "hold", "uhold", "release", "requeue", "requeuehold", "suspend", "resume":
            return try change(command, words)
        case "create": return try create(words)
        case "delete": return try delete(words)
        case "update": return try update(words)
        case "shutdown": _ = try Session().ask(.shutdown(.init()))
        case "reconfigure", "reconfig": try reconfigure()
        case "help": Console.print(description.help + commandsText)
        default: throw Failure("invalid keyword: \(command)", detail: "see scontrol --help")
        }
        return 0
    }

    private static func show(_ what: String, _ words: [String], _ options: ScontrolOptions) throws {
        func means(_ keyword: String, _ least: Int) -> Bool {
            what.count >= least && keyword.hasPrefix(what) || what == keyword + "s"
        }
        if means("hostnames", 5) || what == "hostname" { return try hostnames(words.first) }
        if means("hostlist", 5) || means("hostlistsorted", 9) {
            return try hostlist(words.first, sorted: what == "hostlistsorted")
        }
        if means("config", 1) || what == "configuration" { return try configuration() }
        let name = words.first ?? ""
        if means("jobs", 1) || what == "jobid" { return try jobs(name, options) }
        if means("nodes", 1) || what == "nodename" { return try nodes(name, options) }
        if means("partitions", 1) || what == "partitionname" { return try partitions(name, options) }
        if means("reservations", 3) || what == "reservationname" { return try reservations(name, options) }
        if means("steps", 2) || what == "stepid" { return try steps(name, options) }
        if what == "daemons" { return Console.print("argosyctld argosyd\n") }
        throw Failure(
            "invalid entity:\(what) for keyword:show",
            detail: "show job, step, node, partition, reservation, config, hostnames or hostlist")
    }

    private static func records(_ text: String) throws -> [JobRecord] {
        var request = WireListJobs()
        if !text.isEmpty { request.jobs = try JobIdentifier.list(valueOf(text)).map(\.selector) }
        do throws(Failure) {
            guard case .jobs(let list)? = try Session().ask(.listJobs(request)).body else { return [] }
            let now = list.nowUs > 0 ? list.nowUs / 1_000_000 : Times.now()
            return list.jobs.map { JobRecord(info: $0, now: now) }
        } catch { throw Failure("slurm_load_jobs error: \(error.message)", detail: error.detail) }
    }

    /// `JobId=12` is `12`.
    private static func valueOf(_ text: String) -> String {
        text.firstIndex(of: "=").map { String(text[text.index(after: $0)...]) } ?? text
    }

    private static func jobs(_ name: String, _ options: ScontrolOptions) throws {
        let records = try records(name)
        if records.isEmpty { return Console.print("No jobs in the system\n") }
        for record in records {
            var lines = record.details()
            if options.details { lines += record.info.steps.flatMap { StepText.details(.init(job: record, step: $0)) } }
            Console.print(block(lines, oneLine: options.oneLine))
        }
    }

    private static func steps(_ name: String, _ options: ScontrolOptions) throws {
        let wanted = try JobIdentifier.list(valueOf(name)).compactMap(\.step)
        for record in try records(name) {
            for step in record.info.steps where wanted.isEmpty ? step.endUs == 0 : wanted.contains(step.step) {
                Console.print(block(StepText.details(.init(job: record, step: step)), oneLine: options.oneLine))
            }
        }
    }

    private static func nodes(_ name: String, _ options: ScontrolOptions) throws {
        let list: WireNodeList
        do throws(Failure) {
            guard case .nodes(let found)? = try Session().ask(.listNodes(.init())).body else { return }
            list = found
        } catch { throw Failure("slurm_load_node error: \(error.message)", detail: error.detail) }
        if name.isEmpty {
            for node in list.nodes { Console.print(block(NodeText.details(node), oneLine: options.oneLine)) }
            return
        }
        for wanted in try Hostlist.expand(valueOf(name)) {
            guard let node = list.nodes.first(where: { $0.name == wanted }) else {
                throw Failure("Node \(wanted) not found")
            }
            Console.print(block(NodeText.details(node), oneLine: options.oneLine))
        }
    }

    private static func partitions(_ name: String, _ options: ScontrolOptions) throws {
        let list: WirePartitionList
        do throws(Failure) {
            guard case .partitions(let found)? = try Session().ask(.listPartitions(.init())).body else { return }
            list = found
        } catch { throw Failure("slurm_load_partitions error: \(error.message)", detail: error.detail) }
        let wanted = valueOf(name)
        let chosen = list.partitions.filter { wanted.isEmpty || $0.name == wanted }
        if chosen.isEmpty, !wanted.isEmpty { throw Failure("Partition \(wanted) not found") }
        for partition in chosen { Console.print(block(PartitionText.details(partition), oneLine: options.oneLine)) }
    }

    private static func reconfigure() throws {
        do throws(Failure) {
            let body = try Session().ask(.reconfigure(.init()), timeout: .seconds(60)).body
            guard case .reconfigured(let found)? = body else { throw Failure("Invalid reply of the controller") }
            for note in found.notes { Console.error("scontrol", note) }
        } catch { throw Failure("slurm_reconfigure error: \(error.message)", detail: error.detail) }
    }

    private static func configuration() throws {
        guard case .configuration(let found)? = try Session().ask(.configuration(.init())).body else { return }
        Console.print(
            "Configuration data as of \(Times.stamp(found.nowUs > 0 ? found.nowUs : Times.now() * 1_000_000))\n")
        for entry in found.entries {
            let value = entry.key == "BOOT_TIME" && found.bootUs > 0 ? Times.stamp(found.bootUs) : entry.value
            let isHeading = value.isEmpty && (entry.key.isEmpty || entry.key.hasSuffix(":"))
            Console.print(isHeading ? "\(entry.key)\n" : "\(pad(entry.key, 23)) = \(value)\n")
        }
        Console.print("\n")
        _ = try ping()
    }

    private static func hostnames(_ text: String?) throws {
        let list = text ?? Process.variable("SLURM_JOB_NODELIST") ?? Process.variable("SLURM_NODELIST")
        guard let list else {
            throw Failure("SLURM_JOB_NODELIST environment variable is not set", detail: "name a list")
        }
        Console.print(try Hostlist.expand(list).map { $0 + "\n" }.joined())
    }

    private static func hostlist(_ text: String?, sorted: Bool) throws {
        guard let text else { throw Failure("show hostlist needs a list of hosts or a file of them") }
        var hosts: [String] = []
        if text.contains("/"), let bytes = FileBytes.read(path: text, limit: 16 << 20) {
            let words = String(decoding: bytes, as: UTF8.self).split(whereSeparator: { " \n\t,".contains($0) })
            hosts = words.map(String.init)
        } else {
            hosts = try Hostlist.expand(text)
        }
        if sorted { hosts.sort { ($0.count, $0) < ($1.count, $1) } }
        Console.print(Hostlist.compress(hosts) + "\n")
    }

    private static func ping() throws -> Int32 {
        let session = try Session()
        let name = session.configuration.controllers.first?.name ?? "controller"
        do throws(Failure) {
            guard case .pong(let pong)? = try session.ask(.ping(.init()), timeout: .seconds(10)).body else {
                throw Failure("Invalid reply of the controller")
            }
            Console.print("Slurmctld(primary) at \(pong.host.isEmpty ? name : pong.host) is UP\n")
            return 0
        } catch {
            Console.print("Slurmctld(primary) at \(name) is DOWN\n")
            if !error.detail.isEmpty { Console.error("scontrol", error.detail) }
            return 1
        }
    }

    private static func change(_ action: String, _ words: [String]) throws -> Int32 {
        guard !words.isEmpty else { throw Failure("too few arguments for keyword:\(action)") }
        var failed = false
        let session = try Session()
        for word in words {
            for job in try JobIdentifier.list(valueOf(word)) {
                var request = WireUpdateJob()
                request.job = job.selector
                request.action = action
                do throws(Failure) { _ = try session.ask(.updateJob(request)) } catch {
                    failed = true
                    Console.complain("\(error.message) for job \(job.text)\n")
                    if !error.detail.isEmpty { Console.error("scontrol", error.detail) }
                }
            }
        }
        return failed ? 1 : 0
    }

    private static func create(_ words: [String]) throws -> Int32 {
        guard let first = words.first else { throw Failure("too few arguments for create keyword") }
        guard first.lowercased().hasPrefix("res") else {
            throw Failure("scontrol: error: Invalid creation entity: \(first)", detail: "reservations are created")
        }
        return try ReservationCommand.create(words)
    }

    private static func delete(_ words: [String]) throws -> Int32 {
        guard let first = words.first else { throw Failure("too few arguments for delete keyword") }
        guard first.lowercased().hasPrefix("res") else {
            throw Failure("Invalid deletion entity: \(first)", detail: "reservations are deleted")
        }
        let name = first.contains("=") ? valueOf(first) : words.count > 1 ? words[1] : ""
        return try ReservationCommand.delete(words.joined(separator: " "), name)
    }

    private static func reservations(_ name: String, _ options: ScontrolOptions) throws {
        let list = try ReservationCommand.list()
        let wanted = valueOf(name)
        let chosen = list.reservations.filter { wanted.isEmpty || $0.reservation.name == wanted }
        if chosen.isEmpty {
            if wanted.isEmpty { return Console.print("No reservations in the system\n") }
            throw Failure("Reservation \(wanted) not found")
        }
        for info in chosen {
            let text = ReservationText(info: info, now: list.nowUs)
            Console.print(block(text.details(), oneLine: options.oneLine))
        }
    }

    private static func update(_ words: [String]) throws -> Int32 {
        if let first = words.first?.lowercased(), first.hasPrefix("reservation") {
            return try ReservationCommand.update(words)
        }
        var values: [(key: String, value: String)] = []
        for word in words {
            guard let equals = word.firstIndex(of: "=") else {
                throw Failure("Invalid input: \(word)", detail: "write it as Key=Value; quote values with blanks")
            }
            values.append((word[..<equals].lowercased(), String(word[word.index(after: equals)...])))
        }
        switch values.first?.key {
        case "nodename": return try updateNode(values)
        case "jobid", "job": return try JobUpdate.run(values)
        case "partitionname", "partition": return try updatePartition(values)
        default:
            throw Failure(
                "No valid entity in update command",
                detail: "begin with NodeName=LIST, JobId=JOB, PartitionName=NAME or ReservationName=NAME")
        }
    }

    private static func updateNode(_ values: [(key: String, value: String)]) throws -> Int32 {
        var request = WireUpdateNode()
        request.nodeList = try JobValue.hosts(values[0].value)
        for (key, value) in values.dropFirst() {
            switch key {
            case "state":
                let allowed = ["DRAIN", "RESUME", "DOWN", "UNDRAIN", "IDLE", "FAIL"]
                guard allowed.contains(value.uppercased()) else {
                    throw Failure("Invalid input: State=\(value)", detail: "State is DRAIN, RESUME or DOWN")
                }
                request.state = value.uppercased()
            case "reason": request.reason = value
            default: throw Failure("Invalid input: \(key)", detail: "State and Reason of nodes can be changed")
            }
        }
        if ["DRAIN", "DOWN", "FAIL"].contains(request.state), request.reason.isEmpty {
            throw Failure(
                "You must specify a reason when \(request.state == "DOWN" ? "downing" : "draining") a node. Request denied",
                detail: "add Reason=TEXT")
        }
        do throws(Failure) { _ = try Session().ask(.updateNode(request)) } catch {
            throw Failure("slurm_update error: \(error.message)", detail: error.detail)
        }
        return 0
    }

    private static func updatePartition(_ values: [(key: String, value: String)]) throws -> Int32 {
        let request = try partitionUpdate(values)
        do throws(Failure) { _ = try Session().ask(.updatePartition(request)) } catch {
            throw Failure("slurm_update error: \(error.message)", detail: error.detail)
        }
        return 0
    }

    static func partitionUpdate(_ values: [(key: String, value: String)]) throws(Failure) -> WireUpdatePartition {
        var request = WireUpdatePartition()
        request.name = values[0].value
        for (key, value) in values.dropFirst() {
            guard key == "state" else {
                throw Failure(
                    "Invalid input: \(key)",
                    detail: "only State of a partition can be changed; the rest stands in argosy.conf")
            }
            guard ["UP", "DOWN", "DRAIN", "INACTIVE"].contains(value.uppercased()) else {
                throw Failure(
                    "Invalid input: State=\(value)",
                    detail: "Valid partition states are DOWN, DRAIN, INACTIVE, and UP")
            }
            request.state = value.uppercased()
        }
        if request.state.isEmpty {
            throw Failure("No changes specified", detail: "add State=UP, DOWN, DRAIN or INACTIVE")
        }
        return request
    }
}
