// `scontrol update`, `create` and `delete`: keys and values, of what the first of them names.

import ArgosyClient
import ArgosyDomain
import ArgosyWire

extension ScontrolShell {
    /// `key=value`, `key+=value`, `key-=value`; a word without `=` is a key without a value.
    struct Pair {
        /// Lower case.
        var key: String
        var value: String
        var sign: Character?
        var word: String

        init(_ word: String) {
            self.word = word
            guard let equals = word.firstIndex(of: "=") else {
                key = word.lowercased()
                value = ""
                return
            }
            var name = word[..<equals]
            if let last = name.last, last == "+" || last == "-" {
                sign = last
                name = name.dropLast()
            }
            key = name.lowercased()
            value = String(word[word.index(after: equals)...])
        }

        func means(_ name: String, _ least: Int) -> Bool { key.count >= least && name.hasPrefix(key) }
    }

    /// `JobId 12` is `JobId=12`.
    private static func pairs(_ words: [String]) -> [Pair] {
        let first = Pair(words[0])
        guard !words[0].contains("="), words.count > 1, !words[1].contains("="),
            first.means("jobid", 3) || first.means("nodename", 4) || first.means("partitionname", 4)
                || first.means("stepid", 4)
        else { return words.map(Pair.init) }
        return [Pair("\(words[0])=\(words[1])")] + words.dropFirst(2).map(Pair.init)
    }

    private static let noEntity = """
        No valid entity in update command
        Input line must include "NodeName", "PartitionName", "Reservation", "JobId", or "SlurmctldDebug"
        """

    mutating func update(_ tag: String, _ words: [String]) throws {
        if words.isEmpty { throw Failure("too few arguments for \(tag) keyword") }
        let pairs = Self.pairs(words)
        for pair in pairs {
            if pair.means("nodename", 1), pair.key.count > 4 || pair.key == "node" {
                return try updateNodes(pairs)
            }
            if pair.means("partitionname", 1), !pair.key.hasPrefix("pr") {
                if isPartition(pairs) { return try updatePartition(pairs) }
            }
            if pair.means("jobid", 4) || pair.key == "job" || pair.means("jobname", 4) { return try updateJobs(pairs) }
            if pair.means("stepid", 2) { return try updateStep(pairs) }
            if pair.means("reservationname", 1), pair.key.hasPrefix("reserv") {
                if isReservation(pairs) {
                    exitCode = max(exitCode, try ReservationCommand.update(words))
                    return
                }
            }
            if pair.means("frontendname", 2) {
                throw Failure("slurm_update error: Invalid node name specified", detail: "there are no front end nodes")
            }
            if pair.means("slurmctlddebug", 2), pair.key.hasPrefix("slurm") {
                return try set("debug", "setdebug", [pair.value])
            }
        }
        throw Failure(Self.noEntity)
    }

    /// `Partition=` of a job is a key among others.
    private func isPartition(_ pairs: [Pair]) -> Bool {
        !pairs.contains { $0.means("jobid", 4) || $0.key == "job" || $0.means("jobname", 4) }
    }
    private func isReservation(_ pairs: [Pair]) -> Bool { isPartition(pairs) }

    // MARK: Jobs

    private mutating func updateJobs(_ pairs: [Pair]) throws {
        var names: [(text: String, selector: WireJobSelector?)] = []
        var rest: [Pair] = []
        var byName: String?
        var uid: UInt32?
        var hasID = false
        for pair in pairs {
            if !hasID, byName == nil, pair.means("jobid", 4) || pair.key == "job" {
                hasID = true
                for text in JobName.words(pair.value) { names.append((text, try selector(of: text))) }
            } else if !hasID, byName == nil, pair.means("jobname", 4) {
                byName = pair.value
            } else if pair.means("userid", 3) {
                guard let found = UInt32(pair.value) ?? PasswordFile.uid(of: pair.value) else {
                    throw Failure("Invalid UserID: \(pair.value)")
                }
                uid = found
            } else {
                rest.append(pair)
            }
        }
        // A name before the id is a new name.
        if hasID, let name = byName {
            rest.append(Pair("JobName=\(name)"))
            byName = nil
        }
        let changes = try JobUpdate.changes(rest)
        if let byName {
            for record in try records(nil)
            where record.info.spec.name == byName && !record.state.isEnded
                && (uid == nil || record.info.spec.identity.uid == uid)
            {
                names.append((record.id, record.selector))
            }
            if names.isEmpty { throw Failure("scontrol: error: No jobs with name '\(byName)'") }
        }
        var request = WireUpdateJob()
        request.changes = WireJobChanges(changes)
        for (text, selector) in names {
            do throws(Failure) {
                guard let selector else { throw Failure("Invalid job id specified") }
                request.job = selector
                _ = try Session().ask(.updateJob(request))
            } catch {
                exitCode = 1
                if options.quiet { continue }
                let isElement = selector.map { !$0.indices.isEmpty } ?? false
                Console.complain(isElement ? "\(text): \(error.message)\n" : "\(error.message) for job \(text)\n")
                if !error.detail.isEmpty { Console.error("scontrol", error.detail) }
            }
        }
    }

    private func updateStep(_ pairs: [Pair]) throws {
        var request = WireUpdateStep()
        var hasChange = false
        for pair in pairs {
            if pair.means("stepid", 2) {
                guard let id = JobIdentifier(pair.value) else {
                    throw Failure("slurm_update error: Invalid job id specified")
                }
                request.job = id.job
                request.step = id.step ?? 0
                request.allSteps = id.step == nil
            } else if pair.means("timelimit", 5) {
                hasChange = true
                switch try JobUpdate.limit(pair) {
                case .set(let limit): request.timeLimitMinutes = limit.rawValue
                case .longer(let minutes): request.timeLimitChange = Int32(clamping: minutes)
                case .shorter(let minutes): request.timeLimitChange = -Int32(clamping: minutes)
                }
            } else {
                throw Failure("Update of this parameter is not supported: \(pair.word)\nRequest aborted")
            }
        }
        if !hasChange { throw Failure("No changes specified") }
        do throws(Failure) { _ = try Session().ask(.updateStep(request)) } catch {
            throw Failure("slurm_update error: \(error.message)", detail: error.detail)
        }
    }

    // MARK: Nodes

    private static let nodeStates = [
        "NORESP", "DRAIN", "FAIL", "FUTURE", "RESUME", "POWER_DOWN", "POWER_DOWN_ASAP", "POWER_DOWN_FORCE", "POWER_UP",
        "UNDRAIN", "DOWN", "IDLE", "CANCEL_REBOOT", "ALLOCATED", "MIXED", "ERROR", "UNKNOWN",
    ]

    private func updateNodes(_ pairs: [Pair]) throws {
        let request = try Self.nodeUpdate(pairs)
        var settings = request
        settings.state = ""
        var states = WireUpdateNode()
        (states.nodeList, states.state, states.reason) = (request.nodeList, request.state, request.reason)
        if !request.state.isEmpty { settings.hasReason_p = false }
        do throws(Failure) {
            if Self.hasSettings(settings) { _ = try Session().ask(.updateNode(settings)) }
            if !states.state.isEmpty { _ = try Session().ask(.updateNode(states)) }
        } catch { throw Failure("slurm_update error: \(error.message)", detail: error.detail) }
    }

    private static func hasSettings(_ request: WireUpdateNode) -> Bool {
        request.hasWeight || request.hasFeatures || request.hasActiveFeatures || request.hasGres || request.hasComment
            || request.hasExtra || request.hasAddress || request.hasHostname || request.hasReason_p
    }

    static func nodeUpdate(_ pairs: [Pair]) throws(Failure) -> WireUpdateNode {
        var request = WireUpdateNode()
        for pair in pairs {
            if pair.means("nodename", 1), pair.key.count > 4 || pair.key == "node", request.nodeList.isEmpty {
                if pair.value.uppercased() == "ALL" {
                    request.nodeList = "ALL"
                } else {
                    do { request.nodeList = try JobValue.hosts(pair.value) } catch { throw Failure(error) }
                }
            } else if pair.means("nodeaddr", 5) {
                request.address = pair.value
            } else if pair.means("nodehostname", 5) {
                request.hostname = pair.value
            } else if pair.means("features", 1) || pair.means("availablefeatures", 3) {
                request.features = pair.value
            } else if pair.means("activefeatures", 3) {
                request.activeFeatures = pair.value
            } else if pair.means("gres", 1) {
                request.gres = pair.value
            } else if pair.means("weight", 1) {
                guard let weight = UInt32(pair.value) else {
                    throw Failure("Invalid input: \(pair.word)\nRequest aborted")
                }
                request.weight = weight
            } else if pair.means("reason", 1) {
                request.reason = pair.value
                request.hasReason_p = true
            } else if pair.means("comment", 3) {
                request.comment = pair.value
            } else if pair.means("extra", 1) {
                request.extra = pair.value
            } else if pair.means("cpubind", 3) {
                throw Failure(
                    "slurm_update error: Requested operation not supported on this system",
                    detail: "jobs and steps say --cpu-bind themselves")
            } else if pair.means("state", 1) {
                let state = pair.value.uppercased()
                guard state.count >= 2, let name = nodeStates.first(where: { $0.hasPrefix(state) }) else {
                    throw Failure(
                        "Invalid input: \(pair.word)\nRequest aborted\nValid states are: NoResp DRAIN FAIL FUTURE RESUME "
                            + "POWER_DOWN POWER_UP UNDRAIN\nNot all states are valid given a node's prior state")
                }
                request.state = name
            } else {
                throw Failure("Update of this parameter is not supported: \(pair.word)\nRequest aborted")
            }
        }
        if ["DRAIN", "DOWN", "FAIL"].contains(request.state), request.reason.isEmpty {
            throw Failure("You must specify a reason when DOWNING or DRAINING a node. Request denied")
        }
        if request.state.isEmpty, !hasSettings(request) { throw Failure("No changes specified") }
        return request
    }

    // MARK: Partitions

    /// Full names, with the least letters that stand for them, as the configuration has them.
    private static let partitionKeys: [(name: String, least: Int)] = [
        ("MaxTime", 4), ("DefaultTime", 8), ("MaxCPUsPerNode", 4), ("MaxNodes", 4), ("MinNodes", 2),
        ("Default", 7), ("DisableRootJobs", 2), ("ExclusiveUser", 1), ("Hidden", 1), ("LLN", 1), ("RootOnly", 2),
        ("ReqResv", 3), ("Shared", 2), ("OverSubscribe", 5), ("OverTimeLimit", 5), ("PreemptMode", 3),
        ("Priority", 3), ("PriorityJobFactor", 9), ("PriorityTier", 9), ("State", 2), ("AllowGroups", 6),
        ("AllowAccounts", 6), ("AllowQOS", 6), ("DenyAccounts", 5), ("DenyQOS", 5), ("AllocNodes", 6),
        ("Alternate", 3), ("GraceTime", 5), ("DefMemPerCPU", 10), ("DefMemPerNode", 10), ("MaxMemPerCPU", 10),
        ("MaxMemPerNode", 10), ("QOS", 3), ("JobDefaults", 1), ("TRESBillingWeights", 1), ("CpuBind", 7), ("Nodes", 1),
    ]
    private static let partitionStates = ["UP", "DOWN", "DRAIN", "INACTIVE"]

    static func partitionUpdate(_ pairs: [Pair], create: Bool = false) throws(Failure) -> WireUpdatePartition {
        var request = WireUpdatePartition()
        request.create = create
        for pair in pairs {
            if pair.means("partitionname", 3) || create && pair.key == "partition" {
                request.name = pair.value
                continue
            }
            let exact = partitionKeys.first { $0.name.lowercased() == pair.key }
            guard let key = exact ?? partitionKeys.first(where: { pair.means($0.name.lowercased(), $0.least) }) else {
                throw Failure(
                    "scontrol: error: Update of this parameter is not supported: \(pair.word)\n\n"
                        + "scontrol: error: Request aborted\nslurm_update error: No error")
            }
            try add(key.name, pair, to: &request)
        }
        if request.settings.isEmpty, !create { throw Failure("No changes specified") }
        return request
    }

    private static func add(_ name: String, _ pair: Pair, to request: inout WireUpdatePartition) throws(Failure) {
        func put(_ name: String, _ value: String) {
            var entry = WireConfigurationEntry()
            entry.key = name
            entry.value = value
            request.settings.append(entry)
        }
        var value = pair.value
        switch name {
        case "State":
            let state = value.uppercased()
            guard let full = partitionStates.first(where: { !state.isEmpty && $0.hasPrefix(state) }) else {
                throw Failure(
                    "scontrol: error: Invalid input: \(pair.word)\n"
                        + "scontrol: error: Acceptable State values are UP, DOWN, DRAIN and INACTIVE\n"
                        + "slurm_update error: No error")
            }
            value = full
        case "JobDefaults":
            for item in commaList(value) {
                let parts = item.split(separator: "=", maxSplits: 1).map(String.init)
                if parts.count == 2 { put(parts[0], parts[1]) }
            }
            return
        case "Alternate" where value.uppercased() == "NONE": value = ""
        case "MaxNodes" where value.uppercased() == "INFINITE": value = "UNLIMITED"
        case "Nodes": return put(pair.sign.map { "Nodes\($0)" } ?? "Nodes", value)
        case "OverTimeLimit", "CpuBind":
            throw Failure(
                "slurm_update error: Requested operation not supported on this system",
                detail: "\(name) of a partition is not acted on")
        default: break
        }
        put(name, value)
    }

    private func updatePartition(_ pairs: [Pair]) throws {
        let request = try Self.partitionUpdate(pairs)
        do throws(Failure) { _ = try Session().ask(.updatePartition(request)) } catch {
            guard error.message.hasPrefix("Invalid input: ") else {
                throw Failure("slurm_update error: \(error.message)", detail: error.detail)
            }
            let key = error.message.dropFirst(15).prefix { $0 != "=" }.lowercased()
            let word = pairs.first { $0.key == key }?.word ?? String(error.message.dropFirst(15))
            throw Failure(
                "scontrol: error: Invalid input \(word)\nslurm_update error: No error", detail: error.detail)
        }
    }

    // MARK: Create and delete

    mutating func create(_ tag: String, _ words: [String]) throws {
        guard let first = words.first else { throw Failure("too few arguments for \(tag) keyword") }
        let pair = Pair(first)
        if pair.means("reservationname", 3) {
            exitCode = max(exitCode, try ReservationCommand.create(words))
            return
        }
        if pair.means("partitionname", 1), pair.key.hasPrefix("p") {
            if !first.contains("=") {
                throw Failure("scontrol: error: Invalid input: \(first)  Request aborted")
            }
            let request = try Self.partitionUpdate(words.map(Pair.init), create: true)
            do throws(Failure) { _ = try Session().ask(.updatePartition(request)) } catch {
                throw Failure("Error creating the partition: \(error.message)", detail: error.detail)
            }
            return
        }
        if pair.means("nodename", 1) {
            let states = words.map(Pair.init).filter { $0.means("state", 2) }.map { $0.value.uppercased() }
            guard states.contains(where: { $0.hasPrefix("CLOUD") || $0.hasPrefix("FUTURE") }) else {
                throw Failure(
                    "scontrol: error: Only State=FUTURE and State=CLOUD allowed for nodes created by scontrol\n"
                        + "Error creating the node(s): Invalid node state specified")
            }
            throw Failure(
                "Error creating the node(s): Requested operation not supported on this system",
                detail: "nodes that come and go by themselves are not supported; add them to the configuration")
        }
        throw Failure("scontrol: error: Invalid creation entity: \(first)")
    }

    mutating func delete(_ tag: String, _ words: [String]) throws {
        guard let first = words.first else { throw Failure("too few arguments for \(tag) keyword") }
        let pair = Pair(first)
        let name = first.contains("=") ? pair.value : words.count > 1 ? words[1] : ""
        if pair.means("reservationname", 3) {
            exitCode = max(exitCode, try ReservationCommand.delete(words.joined(separator: " "), name))
            return
        }
        if pair.means("partitionname", 3) {
            var request = WireDeletePartition()
            request.name = first.contains("=") ? name : ""
            do throws(Failure) { _ = try Session().ask(.deletePartition(request)) } catch {
                throw Failure("delete_partition \(first): \(error.message)", detail: error.detail)
            }
            return
        }
        if pair.means("nodename", 3) {
            throw Failure(
                "delete_node \(first): Requested operation not supported on this system",
                detail: "take the nodes out of the configuration")
        }
        throw Failure("Invalid deletion entity: \(first)")
    }
}
