// What `scontrol show config` shows: the table's keys, with the file's values as Slurm writes them.

import ArgosyDomain

extension ConfigurationTable {
    /// What only the running controller knows.
    public struct Facts: Sendable {
        /// As the command shows times: 2026-11-21T15:16:09.
        public var bootTime: String
        public var nextJobID: UInt32
        /// The file that was read.
        public var file: String
        /// Id of a user.
        public var uid: @Sendable (String) -> UInt32?
        public init(
            bootTime: String, nextJobID: UInt32, file: String, uid: @escaping @Sendable (String) -> UInt32?
        ) {
            self.bootTime = bootTime
            self.nextJobID = nextJobID
            self.file = file
            self.uid = uid
        }
    }

    /// Keys and values in Slurm's order; a heading, as of cgroup.conf's, is a key without value that ends in a colon.
    public static func showConfig(_ configuration: ClusterConfiguration, _ facts: Facts) -> [(
        key: String, value: String
    )] {
        let multifactor = configuration.priority.kind == .multifactor
        var shown: [(key: String, value: String)] = []
        for key in keys(.general) {
            guard let standard = key.shown, multifactor || !needsMultifactor.contains(key.name) else { continue }
            if key.name == "SlurmctldHost[0]" {
                shown += hosts(configuration)
                continue
            }
            let name = key.shownName ?? key.name
            if let special = special(key.name, configuration, facts) {
                shown.append(special)
            } else if let text = configuration.given(key.name), key.state != .fact {
                shown.append((name, key.rendered(text, uid: facts.uid)))
            } else {
                shown.append((name, key.kind == .user ? key.rendered(standard, uid: facts.uid) : standard))
            }
        }
        return shown + cgroups(configuration, facts)
    }

    /// Factors are not shown while none counts.
    private static let needsMultifactor: Set<String> = [
        "FairShareDampeningFactor", "PriorityDecayHalfLife", "PriorityCalcPeriod", "PriorityFavorSmall",
        "PriorityFlags", "PriorityMaxAge", "PriorityUsageResetPeriod", "PriorityWeightAge", "PriorityWeightAssoc",
        "PriorityWeightFairshare", "PriorityWeightJobSize", "PriorityWeightPartition", "PriorityWeightQOS",
        "PriorityWeightTRES",
    ]

    private static func cgroups(
        _ configuration: ClusterConfiguration, _ facts: Facts
    ) -> [(key: String, value: String)] {
        [("", ""), ("Cgroup Support Configuration:", "")]
            + keys(.cgroup).map { key in
                let given = configuration.given(key.name).map { key.rendered($0, uid: facts.uid) }
                return (key.name, given ?? key.shown ?? "(null)")
            }
    }

    private static func hosts(_ configuration: ClusterConfiguration) -> [(key: String, value: String)] {
        configuration.controllers.enumerated().map { index, host in
            ("SlurmctldHost[\(index)]", host.address == host.name ? host.name : "\(host.name)(\(host.address))")
        }
    }

    /// Keys whose line is made from more than their own value.
    private static func special(
        _ name: String, _ configuration: ClusterConfiguration, _ facts: Facts
    ) -> (key: String, value: String)? {
        switch name {
        case "AccountingStorageTRES":
            let standard = ["cpu", "mem", "energy", "node", "billing", "fs/disk", "vmem", "pages"]
            let more = configuration.accounting.tres.filter { !standard.contains($0.lowercased()) }
            return (name, (standard + more).joined(separator: ","))
        case "AccountingStorageEnforce": return (name, enforced(configuration))
        case "BOOT_TIME": return (name, facts.bootTime)
        case "ClusterName": return (name, configuration.clusterName)
        case "DefMemPerNode":
            let perCPU = configuration.defaultMemoryPerCPUMiB
            return perCPU > 0 ? ("DefMemPerCPU", "\(perCPU)") : nil
        case "HASH_VAL": return (name, "Match")
        case "JobDefaults": return (name, jobDefaults(configuration))
        case "MaxDBDMsgs": return configuration.given(name) == nil ? (name, databaseMessages(configuration)) : nil
        case "MaxMemPerNode":
            let perCPU = configuration.maxMemoryPerCPUMiB
            return perCPU > 0 ? ("MaxMemPerCPU", "\(perCPU)") : nil
        case "MaxNodeCount": return (name, "\(configuration.nodes.count)")
        case "MULTIPLE_SLURMD": return (name, "Yes")
        case "NEXT_JOB_ID": return (name, "\(facts.nextJobID)")
        case "PrologFlags": return configuration.given(name).map { (name, prologFlags($0)) }
        case "PropagateResourceLimits":
            return configuration.given("PropagateResourceLimitsExcept") == nil ? nil : (name, "(null)")
        case "SelectTypeParameters":
            return configuration.given(name) == nil && configuration.scheduling.wholeNodes ? (name, "NONE") : nil
        case "SLURM_CONF": return (name, facts.file)
        case "SLURM_VERSION": return (name, slurmVersion)
        case "StateSaveLocation": return (name, configuration.stateSaveLocation)
        case "TaskPluginParam":
            return configuration.given(name).map { (name, $0.lowercased()) }
        default: return nil
        }
    }

    /// The version that Argosy's interfaces are compared with.
    public static let slurmVersion = "22.05.8"

    private static func enforced(_ configuration: ClusterConfiguration) -> String {
        let words: [(String, AccountingSettings.Enforce)] = [
            ("associations", .associations), ("limits", .limits), ("nojobs", .noJobs), ("nosteps", .noSteps),
            ("qos", .qos), ("safe", .safe), ("wckeys", .wckeys),
        ]
        let found = words.filter { configuration.accounting.enforce.contains($0.1) }.map(\.0)
        return found.isEmpty ? "none" : found.joined(separator: ",")
    }

    private static func jobDefaults(_ configuration: ClusterConfiguration) -> String {
        var parts: [String] = []
        if configuration.defaultCPUsPerGPU > 0 { parts.append("DefCpuPerGPU=\(configuration.defaultCPUsPerGPU)") }
        if configuration.defaultMemoryPerGPUMiB > 0 {
            parts.append("DefMemPerGPU=\(configuration.defaultMemoryPerGPUMiB)")
        }
        return parts.isEmpty ? "(null)" : parts.joined(separator: ",")
    }

    /// What Slurm's would be, which programs compare with nothing else.
    private static func databaseMessages(_ configuration: ClusterConfiguration) -> String {
        if configuration.given("AccountingStorageType")?.lowercased() == "accounting_storage/none" { return "0" }
        return "\(max(10_000, configuration.maxJobCount * 2 + configuration.nodes.count * 4))"
    }

    /// Contain brings Alloc, X11 both.
    private static func prologFlags(_ text: String) -> String {
        var given = ConfigurationParser.list(text).map { $0.lowercased() }
        if given.contains("x11") || given.contains("serial") { given.append("contain") }
        if given.contains("contain") || given.contains("nohold") { given.append("alloc") }
        return ["Alloc", "Contain", "DeferBatch", "NoHold", "Serial", "X11"]
            .filter { given.contains($0.lowercased()) }.joined(separator: ",")
    }
}
