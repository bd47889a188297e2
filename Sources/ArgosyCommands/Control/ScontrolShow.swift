// `scontrol show`: every kind of thing, all of them or one by name.

import ArgosyClient
import ArgosyDomain
import ArgosyWire
import Glibc

extension ScontrolShell {
    mutating func show(_ words: [String]) throws {
        var words = words
        // `show job=12` is `show job 12`.
        if let equals = words[0].firstIndex(of: "="), words.count == 1 {
            words = [String(words[0][..<equals]), String(words[0][words[0].index(after: equals)...])]
        }
        let what = words[0].lowercased()
        let rest = Array(words.dropFirst())
        func means(_ keyword: String, _ least: Int) -> Bool { what.count >= least && keyword.hasPrefix(what) }
        if means("assoc_mgr", 2) { return try AssociationText.show(rest, oneLine: options.oneLine) }
        if means("nodes", 1) || what == "nodename", rest.count > 1 {
            return try showNodes(rest.joined(separator: ","))
        }
        if means("bbstat", 2) || means("dwstat", 2) { return }
        if rest.count > 1 { throw Failure("too many arguments for keyword:show") }
        let name = rest.first ?? ""
        if means("aliases", 1) { return try showAliases(name) }
        if means("burstbuffer", 2) { return }
        if means("config", 1) || what == "configuration" { return try showConfiguration(name) }
        if means("daemons", 1), !rest.isEmpty { throw Failure("too many arguments for keyword:show") }
        if means("daemons", 1) { return Console.print("slurmctld slurmd\n") }
        if means("federation", 2) { return }
        if means("frontend", 2) || what == "frontendname" { return Console.print("No nodes in the system\n") }
        if means("hostnames", 5) || what == "hostname" { return try hostnames(rest.first) }
        if means("hostlistsorted", 9) { return try hostlist(rest.first, sorted: true) }
        if means("hostlist", 5) { return try hostlist(rest.first, sorted: false) }
        if means("jobs", 1) || what == "jobid" { return try showJobs(name) }
        if means("licenses", 1) { return try showLicenses(name) }
        if means("nodes", 1) || what == "nodename" { return try showNodes(name) }
        if means("partitions", 1) || what == "partitionname" { return try showPartitions(name) }
        if means("reservations", 1) || what == "reservationname" { return try showReservations(name) }
        if means("slurmd", 2) { return try showDaemon() }
        if means("steps", 2) || what == "stepid" { return try showSteps(name) }
        if means("topology", 1) { return try showTopology(name) }
        throw Failure("invalid entity:\(words[0]) for keyword:show ")
    }

    /// The text for standard output of something that is not there.
    private mutating func missing(_ text: String) {
        exitCode = 1
        if !options.quiet { Console.print(text + "\n") }
    }

    private func put(_ lines: [[String]]) { Console.print(block(lines, oneLine: options.oneLine)) }

    // MARK: Jobs and steps

    /// All jobs, or those of one id; the error texts are of the kind that `what` names.
    func records(_ selector: WireJobSelector?, _ what: String = "slurm_load_jobs") throws(Failure) -> [JobRecord] {
        var request = WireListJobs()
        if let selector { request.jobs = [selector] }
        do throws(Failure) {
            guard case .jobs(let list)? = try Session().ask(.listJobs(request)).body else { return [] }
            let now = list.nowUs > 0 ? list.nowUs / 1_000_000 : Times.now()
            return list.jobs.map { JobRecord(info: $0, now: now) }
        } catch { throw Failure("\(what) error: \(error.message)", detail: error.detail) }
    }

    private mutating func showJobs(_ name: String) throws {
        var selector: WireJobSelector?
        if !name.isEmpty {
            guard let id = JobName(name) else {
                throw Failure("scontrol_print_job error: Invalid job id specified")
            }
            selector = id.identifier.selector
            if !id.identifier.indices.isEmpty || id.offset != nil {
                return try showElements(name, id)
            }
        }
        let records = try records(selector)
        if records.isEmpty { return missingJobs() }
        for record in records { put(try details(of: record, among: records)) }
    }

    private mutating func missingJobs() {
        if !options.quiet { Console.print("No jobs in the system\n") }
    }

    /// `12_3`, `12+1`
    private mutating func showElements(_ name: String, _ id: JobName) throws {
        var whole = WireJobSelector()
        whole.job = id.identifier.job
        let all = try id.offset == nil ? records(whole) : records(nil)
        var found = false
        for record in all {
            guard let shown = record.part(id) else { continue }
            found = true
            put(try details(of: shown, among: all))
        }
        if !found { missing("Job \(name) not found") }
    }

    private func details(of record: JobRecord, among known: [JobRecord]) throws(Failure) -> [[String]] {
        let leader = record.info.hetLeader
        var components: [UInt32] = []
        if leader != 0 {
            var listed = known.filter { $0.info.hetLeader == leader }.map(\.info.job)
            if listed.count < 2 { listed = try records(nil).filter { $0.info.hetLeader == leader }.map(\.info.job) }
            components = listed.sorted()
        }
        return record.details(options.details, components: components)
    }

    private mutating func showSteps(_ name: String) throws {
        guard !name.isEmpty else {
            let shown = try records(nil, "slurm_get_job_steps").map { showSteps(of: $0, nil) }
            if shown.reduce(0, +) == 0, !options.quiet { Console.print("No job steps in the system\n") }
            return
        }
        guard let id = JobIdentifier(name) else {
            throw Failure("scontrol_print_step error: Invalid job id specified")
        }
        let steps = try records(id.selector, "slurm_get_job_steps").map { showSteps(of: $0, id.step) }
        if steps.reduce(0, +) == 0 {
            if id.step != nil { return missing("Job step \(name) not found") }
            missing("Job steps for job \(name) not found")
        }
    }

    /// How many it has shown.
    @discardableResult
    private func showSteps(of record: JobRecord, _ step: UInt32?) -> Int {
        let shown = record.info.steps.filter { step == nil ? $0.endUs == 0 : $0.step == step && $0.endUs == 0 }
        for found in shown { put(StepText.details(.init(job: record, step: found))) }
        return shown.count
    }

    mutating func completing() throws {
        for record in try records(nil) where record.state == .completing {
            Console.print(
                "JobId=\(record.info.job) EndTime=\(Times.stamp(record.info.endUs)) "
                    + "CompletingTime=\(Times.long(max(0, record.now - record.info.endUs / 1_000_000))) "
                    + "Nodes(COMPLETING)=\(record.nodeList)\n")
        }
    }

    // MARK: Nodes and partitions

    func nodes() throws(Failure) -> [WireNodeInfo] {
        do throws(Failure) {
            guard case .nodes(let found)? = try Session().ask(.listNodes(.init())).body else { return [] }
            return found.nodes
        } catch { throw Failure("slurm_load_node error: \(error.message)", detail: error.detail) }
    }

    private mutating func showNodes(_ name: String) throws {
        let nodes = try nodes()
        if name.isEmpty {
            if nodes.isEmpty, !options.quiet { Console.print("No nodes in the system\n") }
            for node in nodes { put(NodeText.details(node, options.details)) }
            return
        }
        for wanted in name.uppercased() == "ALL" ? nodes.map(\.name) : try Hostlist.expand(name) {
            if let node = nodes.first(where: { $0.name == wanted }) {
                put(NodeText.details(node, options.details))
            } else {
                missing("Node \(wanted) not found")
            }
        }
    }

    private func showAliases(_ host: String) throws {
        let names = try nodes().filter { host.isEmpty || $0.hostname == host || $0.name == host }.map(\.name)
        if names.isEmpty { throw Failure("") }
        Console.print(names.joined(separator: " ") + "\n")
    }

    private mutating func showPartitions(_ name: String) throws {
        let list: WirePartitionList
        do throws(Failure) {
            guard case .partitions(let found)? = try Session().ask(.listPartitions(.init())).body else { return }
            list = found
        } catch { throw Failure("slurm_load_partitions error: \(error.message)", detail: error.detail) }
        let isOperator = getuidIsRoot
        let chosen = list.partitions.filter {
            name.isEmpty ? options.all || isOperator || !$0.hidden : $0.name == name
        }
        if chosen.isEmpty {
            if !name.isEmpty { return missing("Partition \(name) not found") }
            if !options.quiet { Console.print("No partitions in the system\n") }
        }
        for partition in chosen { put(PartitionText.details(partition)) }
    }

    private var getuidIsRoot: Bool { ownUID() == 0 }

    private mutating func showReservations(_ name: String) throws {
        let list = try ReservationCommand.list()
        let chosen = list.reservations.filter { name.isEmpty || $0.reservation.name == name }
        if chosen.isEmpty {
            if !name.isEmpty { return missing("Reservation \(name) not found") }
            if !options.quiet { Console.print("No reservations in the system\n") }
        }
        for info in chosen { put(ReservationText(info: info, now: list.nowUs).details()) }
    }

    // MARK: The cluster

    private mutating func showConfiguration(_ key: String) throws {
        let found: WireConfiguration
        do throws(Failure) {
            guard case .configuration(let answer)? = try Session().ask(.configuration(.init())).body else { return }
            found = answer
        } catch { throw Failure("slurm_load_ctl_conf error: \(error.message)", detail: error.detail) }
        Console.print(
            "Configuration data as of \(Times.stamp(found.nowUs > 0 ? found.nowUs : Times.now() * 1_000_000))\n")
        for entry in found.entries {
            let value = entry.key == "BOOT_TIME" && found.bootUs > 0 ? Times.stamp(found.bootUs) : entry.value
            let isHeading = value.isEmpty && (entry.key.isEmpty || entry.key.hasSuffix(":"))
            Console.print(isHeading ? "\(entry.key)\n" : "\(pad(entry.key, 23)) = \(value)\n")
        }
        Console.print("\n")
        try ping()
    }

    private func showLicenses(_ name: String) throws {
        guard case .licenses(let list)? = try Session().ask(.licenses(.init())).body else { return }
        if list.licenses.isEmpty { return Console.print("No licenses configured in Slurm.\n") }
        for license in list.licenses where name.isEmpty || license.name == name {
            let free = license.total - min(license.total, license.used + license.reserved)
            Console.print(
                "LicenseName=\(license.name)\(options.oneLine ? " " : "\n    ")Total=\(license.total) "
                    + "Used=\(license.used) Free=\(free) Reserved=\(license.reserved) Remote=no\n")
        }
    }

    private mutating func showTopology(_ name: String) throws {
        guard case .switches(let list)? = try Session().ask(.switches(.init())).body else { return }
        if list.switches.isEmpty {
            Console.error("scontrol", "No topology information available")
            return
        }
        var chosen = list.switches
        if !name.isEmpty {
            chosen = list.switches.filter { $0.name == name }
            if chosen.isEmpty {
                let wanted = try Hostlist.expand(name)
                chosen = try list.switches.filter { found in
                    let below = Set(try Hostlist.expand(found.nodes))
                    return wanted.allSatisfy(below.contains)
                }
            }
            if chosen.isEmpty {
                Console.error("scontrol", "Topology information contains no switch or node named \(name)")
                return
            }
        }
        for found in chosen {
            let below = found.switches.isEmpty ? "" : " Switches=\(found.switches)"
            let line = "SwitchName=\(found.name) Level=\(found.level) LinkSpeed=1 Nodes=\(found.nodes)\(below)"
            let longest = Process.variable("SLURM_TOPO_LEN").flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil }
            Console.print(line.prefix(longest ?? .max) + "\n")
        }
    }

    private func showDaemon() throws {
        let own = Process.variable("SLURMD_NODENAME") ?? Process.host
        guard let node = try nodes().first(where: { $0.name == own || $0.hostname == own }), !node.version.isEmpty
        else {
            throw Failure("slurm_load_slurmd_status: Connection refused", detail: "no node daemon runs on \(own)")
        }
        let pid = Self.daemonPID(of: node.name).map { "Slurmd PID               = \($0)\n" } ?? ""
        Console.print(
            """
            Active Steps             = \(try activeSteps(on: node.name))
            Actual CPUs              = \(node.realCpus == 0 ? node.cpus : node.realCpus)
            Actual Boards            = 1
            Actual sockets           = \(node.sockets)
            Actual cores             = \(node.coresPerSocket)
            Actual threads per core  = \(node.threadsPerCore)
            Actual real memory       = \(node.memoryMib) MB
            Actual temp disk space   = \(node.tmpDiskMib) MB
            Boot time                = \(Times.stamp(node.daemonStartUs))
            Hostname                 = \(node.hostname)
            \(pid)Version                  = \(slurmVersion)

            """)
    }

    /// `12.batch,12.0`
    private func activeSteps(on node: String) throws(Failure) -> String {
        var names: [String] = []
        for record in try records(nil, "slurm_load_slurmd_status") {
            for step in record.info.steps where step.endUs == 0 {
                let hosts = (try? Hostlist.expand(step.nodeList)) ?? []
                if hosts.contains(node) { names.append("\(record.info.job).\(StepRecord.name(of: step.step))") }
            }
        }
        return names.isEmpty ? "NONE" : names.joined(separator: ",")
    }

    /// The node daemon's process on this machine: the only one, or the one that was started for the node by name.
    private static func daemonPID(of node: String) -> Int? {
        var found: [(pid: Int, words: [Substring])] = []
        guard let directory = opendir("/proc") else { return nil }
        defer { closedir(directory) }
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            guard let pid = Int(name),
                let comm = FileBytes.read(path: "/proc/\(name)/comm", limit: 64),
                String(decoding: comm, as: UTF8.self) == "argosyd\n",
                let line = FileBytes.read(path: "/proc/\(name)/cmdline", limit: 1 << 16)
            else { continue }
            found.append((pid, String(decoding: line, as: UTF8.self).split(separator: "\0")))
        }
        if found.count == 1 { return found[0].pid }
        let named = found.filter { $0.words.contains(node[...]) }
        return named.count == 1 ? named[0].pid : nil
    }

    mutating func ping() throws {
        let session = try Session()
        let name = session.configuration.controllers.first?.name ?? "controller"
        do throws(Failure) {
            guard case .pong(let pong)? = try session.ask(.ping(.init()), timeout: .seconds(10)).body else {
                throw Failure("Invalid reply of the controller")
            }
            Console.print("Slurmctld(primary) at \(pong.host.isEmpty ? name : pong.host) is UP\n")
        } catch {
            exitCode = 1
            Console.print("Slurmctld(primary) at \(name) is DOWN\n")
            if !error.detail.isEmpty { Console.error("scontrol", error.detail) }
        }
    }

    // MARK: Host lists

    private func hostnames(_ text: String?) throws {
        let list = text ?? Process.variable("SLURM_JOB_NODELIST") ?? Process.variable("SLURM_NODELIST") ?? ""
        guard !list.isEmpty else { return Console.error("scontrol", "host list is empty") }
        do throws(Hostlist.Malformed) {
            Console.print(try Hostlist.expand(list).map { $0 + "\n" }.joined())
        } catch { throw Failure("Invalid hostlist: \(list)", detail: "\(error)") }
    }

    private func hostlist(_ text: String?, sorted: Bool) throws {
        guard let text else {
            throw Failure("invalid encode argument", detail: "give a list of hosts or a file of them")
        }
        var hosts: [String] = []
        if text.hasPrefix("/") {
            guard let bytes = FileBytes.read(path: text, limit: 16 << 20) else {
                throw Failure("Can not open \(text)")
            }
            let words = String(decoding: bytes, as: UTF8.self).split(whereSeparator: { " \n\t,".contains($0) })
            hosts = words.map(String.init)
        } else {
            do throws(Hostlist.Malformed) { hosts = try Hostlist.expand(text) } catch {
                throw Failure("Invalid hostlist: \(text)", detail: "\(error)")
            }
        }
        if sorted { hosts.sort { ($0.count, $0) < ($1.count, $1) } }
        Console.print(Hostlist.compress(hosts) + "\n")
    }
}
