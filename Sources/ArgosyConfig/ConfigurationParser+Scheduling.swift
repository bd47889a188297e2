// Keys of scheduling: what plans, with what parameters, what is preempted, which licenses there are.

import ArgosyDomain

extension ConfigurationParser {
    static let schedulingReaders: [String: Reader] = [
        "schedulertype": { configuration, text throws(WrongValue) in
            guard let kind = SchedulingSettings.Kind(rawValue: text.lowercased()) else {
                throw WrongValue(allowed: "must be sched/backfill or sched/builtin")
            }
            configuration.scheduling.kind = kind
        },
        "schedulerparameters": { configuration, text throws(WrongValue) in
            configuration.scheduling.unknownParameters = []
            for word in list(text) { try readSchedulerParameter(word, into: &configuration.scheduling) }
        },
        "preempttype": { configuration, text throws(WrongValue) in
            guard let type = SchedulingSettings.PreemptType(rawValue: text.lowercased()) else {
                throw WrongValue(allowed: "must be preempt/none, preempt/partition_prio or preempt/qos")
            }
            configuration.scheduling.preemptType = type
        },
        "preemptmode": { configuration, text throws(WrongValue) in
            for word in list(text) {
                guard let mode = PreemptMode(text: word) else {
                    throw WrongValue(allowed: "must be OFF, CANCEL, REQUEUE or SUSPEND, with GANG beside it if wanted")
                }
                if mode != .gang && mode != .within { configuration.scheduling.preemptMode = mode }
            }
        },
        "preemptexempttime": { configuration, text throws(WrongValue) in
            configuration.scheduling.preemptExemptTime = text == "-1" ? .zero : try timeString(text)
        },
        "licenses": { configuration, text throws(WrongValue) in
            configuration.licenses = try licenses(text)
        },
        "selecttype": { configuration, text throws(WrongValue) in
            let word = text.lowercased()
            guard ["select/linear", "select/cons_res", "select/cons_tres"].contains(word) else {
                throw WrongValue(allowed: "must be select/cons_tres, select/cons_res or select/linear")
            }
            configuration.scheduling.wholeNodes = word == "select/linear"
        },
        "selecttypeparameters": { configuration, text throws(WrongValue) in
            for word in list(text) { try readSelectParameter(word, into: &configuration.scheduling) }
        },
    ]

    /// `name[:count]`, count 1 when not said; `*` for `:` as older files have it.
    private static func licenses(_ text: String) throws(WrongValue) -> [LicenseRequest] {
        var found: [LicenseRequest] = []
        for item in list(text) {
            let parts = item.split(maxSplits: 1, omittingEmptySubsequences: false) { $0 == ":" || $0 == "*" }
            let name = String(parts[0])
            guard !name.isEmpty, let count = parts.count > 1 ? SlurmText.number(parts[1]) : 1, count < UInt32.max else {
                throw WrongValue(allowed: "\(item) is not NAME:COUNT, as in fluent:30,ansys:100")
            }
            found.removeAll { $0.name == name }
            found.append(LicenseRequest(name: name, count: UInt32(count)))
        }
        return found
    }

    private static func readSelectParameter(
        _ word: String, into settings: inout SchedulingSettings
    ) throws(WrongValue) {
        switch word.uppercased() {
        case "CR_CPU": (settings.allocatesThreads, settings.memoryCounts) = (true, false)
        case "CR_CPU_MEMORY": (settings.allocatesThreads, settings.memoryCounts) = (true, true)
        case "CR_CORE", "CR_SOCKET": (settings.allocatesThreads, settings.memoryCounts) = (false, false)
        case "CR_CORE_MEMORY", "CR_SOCKET_MEMORY", "CR_MEMORY":
            (settings.allocatesThreads, settings.memoryCounts) = (false, true)
        case "CR_LLN": settings.leastLoaded = true
        case "CR_CORE_DEFAULT_DIST_BLOCK", "CR_ONE_TASK_PER_CORE", "CR_PACK_NODES", "LL_SHARED_GRES",
            "OTHER_CONS_RES", "OTHER_CONS_TRES", "NHC_NO", "NHC_NO_STEPS":
            settings.unknownParameters.append(word)
        default:
            throw WrongValue(
                allowed: "\(word) is not one of CR_CPU CR_CPU_Memory CR_Core CR_Core_Memory CR_Socket"
                    + " CR_Socket_Memory CR_Memory CR_LLN")
        }
    }

    private static func readSchedulerParameter(
        _ word: String, into settings: inout SchedulingSettings
    ) throws(WrongValue) {
        let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let (key, value) = (parts[0].lowercased(), parts.count > 1 ? String(parts[1]) : "")
        switch key {
        case "bf_reservations": settings.reservations = try reservations(value)
        case "bf_conservative": settings.conservative = true
        case "argosy_policy":
            guard let policy = SchedulingSettings.Policy(rawValue: value.lowercased()) else {
                throw WrongValue(allowed: "argosy_policy must be default or priority")
            }
            settings.policy = policy
        case "bf_window": settings.window = Int64(try number(key, value, 1...43_200)) * 60
        case "bf_resolution": settings.resolution = Int64(try number(key, value, 1...3600))
        case "bf_max_job_test": settings.maxJobsTested = try number(key, value, 1...1_000_000)
        case "bf_max_job_user": settings.maxJobsPerUser = try number(key, value, 0...1_000_000)
        case "bf_max_job_part": settings.maxJobsPerPartition = try number(key, value, 0...1_000_000)
        case "bf_max_job_assoc": settings.maxJobsPerAssociation = try number(key, value, 0...1_000_000)
        case "bf_max_job_start": settings.maxJobsStarted = try number(key, value, 0...10_000)
        case "bf_max_time": settings.passBudget = .seconds(try number(key, value, 1...3600))
        case "bf_interval", "sched_interval", "batch_sched_delay":
            // A pass follows what happened, not a clock.
            _ = try number(key, value, 0...10_800)
        case "sched_min_interval": settings.minInterval = .microseconds(try number(key, value, 0...60_000_000))
        case "defer", "defer_batch": settings.minInterval = max(settings.minInterval, .seconds(2))
        // Read where dependencies are.
        case "kill_invalid_depend": break
        case "pack_serial_at_end": settings.packsSerialAtEnd = true
        case "bf_continue", "default_queue_depth", "partition_job_depth", "sched_max_job_start", "max_rpc_cnt",
            "bf_yield_interval", "bf_yield_sleep", "bf_yield_rpc_cnt", "bf_busy_nodes", "max_sched_time":
            // What they tune in Slurm does not exist here: every job is looked at, requests never wait for a pass.
            break
        default: settings.unknownParameters.append(word)
        }
    }

    private static func reservations(_ text: String) throws(WrongValue) -> SchedulingSettings.Reservations {
        if text.lowercased() == "all" { return .all }
        guard let count = SlurmText.number(text), count <= 1_000_000 else {
            throw WrongValue(allowed: "bf_reservations must be a number or all")
        }
        return .first(Int(count))
    }

    private static func number(_ key: String, _ text: String, _ range: ClosedRange<Int>) throws(WrongValue) -> Int {
        guard let number = SlurmText.number(text), range.contains(Int(number)) else {
            throw WrongValue(allowed: "\(key) must be a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return Int(number)
    }
}
