// Keys of priority, fair share and limits, and what a partition holds its jobs to.

import ArgosyDomain

extension ConfigurationParser {
    static let priorityReaders: [String: Reader] = [
        "prioritytype": { configuration, text throws(WrongValue) in
            guard let kind = PrioritySettings.Kind(rawValue: text.lowercased()) else {
                throw WrongValue(allowed: "must be priority/basic or priority/multifactor")
            }
            configuration.priority.kind = kind
        },
        "prioritycalcperiod": { configuration, text throws(WrongValue) in
            let time = try timeString(text)
            guard time > .zero else { throw WrongValue(allowed: "must be at least one minute") }
            configuration.priority.calcPeriod = time
        },
        "prioritydecayhalflife": { configuration, text throws(WrongValue) in
            configuration.priority.decayHalfLife = try timeString(text)
        },
        "prioritymaxage": { configuration, text throws(WrongValue) in
            configuration.priority.maxAge = try timeString(text)
        },
        "priorityusageresetperiod": { configuration, text throws(WrongValue) in
            guard let reset = PrioritySettings.UsageReset(rawValue: text.uppercased()) else {
                throw WrongValue(allowed: "must be one of NONE NOW DAILY WEEKLY MONTHLY QUARTERLY YEARLY")
            }
            configuration.priority.usageReset = reset
        },
        "priorityfavorsmall": { configuration, text throws(WrongValue) in
            configuration.priority.favorSmall = try yes(text)
        },
        "priorityflags": { configuration, text throws(WrongValue) in
            configuration.priority.flags = try words(text, PrioritySettings.Flags.words)
        },
        "fairsharedampeningfactor": { configuration, text throws(WrongValue) in
            configuration.priority.dampeningFactor = UInt16(try count(text, 1...65535))
        },
        "priorityweightage": { configuration, text throws(WrongValue) in
            configuration.priority.weights.age = try weight(text)
        },
        "priorityweightassoc": { configuration, text throws(WrongValue) in
            configuration.priority.weights.assoc = try weight(text)
        },
        "priorityweightfairshare": { configuration, text throws(WrongValue) in
            configuration.priority.weights.fairshare = try weight(text)
        },
        "priorityweightjobsize": { configuration, text throws(WrongValue) in
            configuration.priority.weights.jobSize = try weight(text)
        },
        "priorityweightpartition": { configuration, text throws(WrongValue) in
            configuration.priority.weights.partition = try weight(text)
        },
        "priorityweightqos": { configuration, text throws(WrongValue) in
            configuration.priority.weights.qos = try weight(text)
        },
        "priorityweighttres": { configuration, text throws(WrongValue) in
            configuration.priority.weights.tres = try tresWeights(text)
        },
        "accountingstorageenforce": { configuration, text throws(WrongValue) in
            configuration.accounting.enforce = try words(text, AccountingSettings.Enforce.words)
        },
        "accountingstoragetres": { configuration, text throws(WrongValue) in
            configuration.accounting.tres = list(text)
        },
        "enforcepartlimits": { configuration, text throws(WrongValue) in
            // YES is what versions before had for ALL.
            let word = text.uppercased() == "YES" ? "ALL" : text.uppercased()
            guard let limits = AccountingSettings.PartitionLimits(rawValue: word) else {
                throw WrongValue(allowed: "must be NO, ANY or ALL")
            }
            configuration.accounting.enforcePartLimits = limits
        },
        "disablerootjobs": { configuration, text throws(WrongValue) in
            configuration.accounting.disableRootJobs = try yes(text)
        },
        "maxmempercpu": { configuration, text throws(WrongValue) in
            configuration.maxMemoryPerCPUMiB = try mebibytes(text)
        },
        "maxmempernode": { configuration, text throws(WrongValue) in
            configuration.maxMemoryPerNodeMiB = try mebibytes(text)
        },
        "defmempergpu": { configuration, text throws(WrongValue) in
            configuration.defaultMemoryPerGPUMiB = try mebibytes(text)
        },
        "defcpupergpu": { configuration, text throws(WrongValue) in
            configuration.defaultCPUsPerGPU = UInt32(try count(text, 0...65535))
        },
    ]

    /// Minutes, hours:minutes:seconds, days-hours, ...; zero for UNLIMITED and the like.
    static func timeString(_ text: String) throws(WrongValue) -> Duration {
        guard let seconds = SlurmText.seconds(text) else {
            throw WrongValue(allowed: "must be minutes, hours:minutes:seconds or days-hours")
        }
        return .seconds(Int64(seconds))
    }

    static func weight(_ text: String) throws(WrongValue) -> UInt32 { UInt32(try count(text, 0...0xffff_fffe)) }

    /// Comma separated words of a table, in any case.
    static func words<Flags: OptionSet>(
        _ text: String, _ table: [(word: String, flags: Flags)]
    ) throws(WrongValue) -> Flags {
        var all: Flags = []
        for word in list(text) {
            guard let found = table.first(where: { $0.word.lowercased() == word.lowercased() }) else {
                throw WrongValue(allowed: "\(word) is not one of \(table.map(\.word).joined(separator: " "))")
            }
            all = all.union(found.flags)
        }
        return all
    }

    static func list(_ text: String) -> [String] {
        text.split(separator: ",").map { String($0.drop { $0 == " " }) }.filter { !$0.isEmpty }
    }

    /// `CPU=1.0,Mem=0.25G,GRES/gpu=2`
    static func tresWeights(_ text: String) throws(WrongValue) -> [TRESWeight] {
        var weights: [TRESWeight] = []
        for part in list(text) {
            guard let equals = part.firstIndex(of: "="), let weight = tresWeight(part, equals) else {
                throw WrongValue(allowed: "\(part) is not TYPE=WEIGHT, as in CPU=1.0,Mem=0.25G,GRES/gpu=2")
            }
            weights.removeAll { $0.tres == weight.tres }
            weights.append(weight)
        }
        return weights
    }

    /// A unit makes the weight one of that many units: of memory in MiB, of anything else in ones.
    private static func tresWeight(_ part: String, _ equals: String.Index) -> TRESWeight? {
        let name = part[..<equals].split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let type = name.first?.lowercased(), !type.isEmpty else { return nil }
        let value = part[part.index(after: equals)...]
        let digits = value.prefix { $0.isASCII && ($0.isNumber || $0 == "." || $0 == "-" || $0 == "+") }
        guard let number = Double(digits), number.isFinite else { return nil }
        let unit = value[digits.endIndex...].uppercased()
        let exponent = ["K", "M", "G", "T", "P"].firstIndex(of: unit).map { $0 + 1 }
        guard unit.isEmpty || exponent != nil else { return nil }
        var weight = number
        if let power = exponent {
            let units = power - (["mem", "bb", "vmem"].contains(type) ? 2 : 0)
            for _ in 0..<max(units, 0) { weight /= 1024 }
            for _ in 0..<max(-units, 0) { weight *= 1024 }
        }
        return TRESWeight(name.count > 1 ? "\(type)/\(name[1])" : type, weight)
    }

    /// Reads a key of a partition's policy; false when it is none.
    static func setPolicy(
        _ key: String, _ text: String, in policy: inout ClusterConfiguration.PartitionPolicy
    ) throws(WrongValue) -> Bool {
        switch key {
        case "denyaccounts": policy.denyAccounts = everyone(text)
        case "allowqos": policy.allowQOS = everyone(text)
        case "denyqos": policy.denyQOS = everyone(text)
        case "allocnodes": policy.allocNodes = text.uppercased() == "ALL" ? "" : text
        case "alternate": policy.alternate = text
        case "qos": policy.qos = text
        case "priorityjobfactor": policy.priorityJobFactor = UInt32(try count(text, 0...65533))
        case "tresbillingweights": policy.tresBillingWeights = try tresWeights(text)
        case "preemptmode": try setPreemptMode(text, in: &policy)
        case "gracetime": policy.graceTime = UInt32(try count(text, 0...0xffff_fffe))
        case "maxcpuspernode":
            policy.maxCPUsPerNode = text.uppercased() == "UNLIMITED" ? 0 : UInt32(try count(text, 0...0xffff_fffe))
        case "oversubscribe", "shared": policy.overSubscribe = try overSubscribe(text)
        case "exclusiveuser": policy.exclusiveUser = try yes(text)
        case "lln": policy.leastLoaded = try yes(text)
        case "reqresv": policy.requiresReservation = try yes(text)
        case "hidden": policy.hidden = try yes(text)
        case "disablerootjobs": policy.disableRootJobs = try yes(text)
        default: return try setMemory(key, text, in: &policy)
        }
        return true
    }

    private static func setMemory(
        _ key: String, _ text: String, in policy: inout ClusterConfiguration.PartitionPolicy
    ) throws(WrongValue) -> Bool {
        switch key {
        case "defmempercpu": policy.defMemPerCPUMiB = try mebibytes(text)
        case "defmempernode": policy.defMemPerNodeMiB = try mebibytes(text)
        case "defmempergpu": policy.defMemPerGPUMiB = try mebibytes(text)
        case "maxmempercpu": policy.maxMemPerCPUMiB = try mebibytes(text)
        case "maxmempernode": policy.maxMemPerNodeMiB = try mebibytes(text)
        case "defcpupergpu": policy.defCPUPerGPU = UInt32(try count(text, 0...65535))
        default: return false
        }
        return true
    }

    /// ALL, in any case, is everybody: an empty list.
    static func everyone(_ text: String) -> [String] { text.uppercased() == "ALL" ? [] : list(text) }

    private static func setPreemptMode(
        _ text: String, in policy: inout ClusterConfiguration.PartitionPolicy
    ) throws(WrongValue) {
        policy.preemptMode = nil
        policy.gang = false
        for word in list(text) {
            guard let mode = PreemptMode(text: word), mode != .within else {
                throw WrongValue(allowed: "must be OFF, CANCEL, REQUEUE or SUSPEND, with GANG beside it if wanted")
            }
            if mode == .gang { policy.gang = true } else { policy.preemptMode = mode }
        }
    }

    /// `NO`, `EXCLUSIVE`, `YES[:jobs]`, `FORCE[:jobs]`; 4 jobs when not said.
    private static func overSubscribe(_ text: String) throws(WrongValue) -> ClusterConfiguration.OverSubscribe {
        let parts = text.uppercased().split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let jobs = parts.count > 1 ? UInt32(try count(String(parts[1]), 1...32767)) : 4
        switch parts[0] {
        case "NO" where parts.count == 1: return .no
        case "EXCLUSIVE" where parts.count == 1: return .exclusive
        case "YES": return .yes(jobs)
        case "FORCE": return .force(jobs)
        default: throw WrongValue(allowed: "must be NO, EXCLUSIVE, YES:jobs or FORCE:jobs")
        }
    }
}
