// What scontrol shows beside the lists that squeue and sinfo share with it.
internal import ArgosyConfig
internal import ArgosyCore
internal import ArgosyDomain
internal import ArgosyWire

extension Listing {
    func addControl(_ row: JobRow, to info: inout WireJobInfo, in view: CoreView) {
        info.tres = view.tresText(of: row.id)
        info.isBatch = row.spec.isBatch || row.hetLeader.flatMap { view.job($0)?.spec.isBatch } ?? false
        let steps = view.steps(of: row.id)
        for place in info.steps.indices where place < steps.count {
            info.steps[place].tres = steps[place].step == .batch ? "" : view.tresText(of: steps[place])
            info.steps[place].nodeCount = UInt32(steps[place].layout.nodes.count)
            info.steps[place].timeLimitMinutes =
                steps[place].request.timeLimit == .notGiven
                ? TimeLimit.unlimited.rawValue : steps[place].request.timeLimit.rawValue
        }
    }

    func addControl(_ node: NodeView, to info: inout WireNodeInfo, in view: CoreView) {
        let configured = view.configuration.nodes[node.index.int]
        info.hostname = configured.hostname
        info.address = configured.address
        info.port = UInt32(configured.port)
        info.boards = 1
        info.weight = configured.weight
        info.comment = configured.comment
        info.extra = configured.extra
        info.features = configured.features.joined(separator: ",")
        info.activeFeatures = (configured.activeFeatures ?? configured.features).joined(separator: ",")
        let tres = view.tresTexts(of: node.index)
        info.cfgTres = tres.configured
        info.allocTres = tres.allocated
        info.gresText = configured.gres
        info.gres = configured.gres
        let used = view.gresUsed(of: node.index)
        info.gresUsed = used.isEmpty ? view.configuration.gresTypes.map { "\($0):0" }.joined(separator: ",") : used
        info.owner = "N/A"
    }

    func addControl(_ partition: PartitionView, to info: inout WirePartitionInfo, in view: CoreView) {
        let configuration = view.configuration
        guard let configured = configuration.partitions.first(where: { $0.name == partition.name }) else { return }
        let policy = configured.policy
        info.priorityTier = configured.priorityTier
        info.rootOnly = configured.rootOnly
        info.allowAccounts = configured.allowAccounts.joined(separator: ",")
        info.allowGroups = configured.allowGroups.joined(separator: ",")
        info.denyAccounts = policy.denyAccounts.joined(separator: ",")
        info.allowQos = policy.allowQOS.joined(separator: ",")
        info.denyQos = policy.denyQOS.joined(separator: ",")
        info.allocNodes = policy.allocNodes
        info.alternate = policy.alternate
        info.qos = policy.qos
        info.priorityJobFactor = policy.priorityJobFactor
        info.tresBillingWeights = policy.tresBillingWeights.map { "\($0.tres)=\($0.weight)" }.joined(separator: ",")
        info.preemptMode = preemptMode(policy, configuration)
        info.graceTimeS = policy.graceTime
        info.maxCpusPerNode = policy.maxCPUsPerNode
        info.overSubscribe = policy.overSubscribe.text
        info.exclusiveUser = policy.exclusiveUser
        info.leastLoaded = policy.leastLoaded
        info.requiresReservation = policy.requiresReservation
        info.hidden = policy.hidden
        info.disableRootJobs = policy.disableRootJobs ?? false
        info.defMemPerCpuMib = policy.defMemPerCPUMiB
        info.defMemPerNodeMib = policy.defMemPerNodeMiB
        info.maxMemPerCpuMib = policy.maxMemPerCPUMiB
        info.maxMemPerNodeMib = policy.maxMemPerNodeMiB
        var defaults: [String] = []
        if policy.defCPUPerGPU > 0 { defaults.append("DefCpuPerGPU=\(policy.defCPUPerGPU)") }
        if policy.defMemPerGPUMiB > 0 { defaults.append("DefMemPerGPU=\(policy.defMemPerGPUMiB)") }
        info.jobDefaults = defaults.joined(separator: ",")
        info.tres = view.tresText(of: partition)
    }

    private func preemptMode(
        _ policy: ClusterConfiguration.PartitionPolicy, _ configuration: ClusterConfiguration
    ) -> String {
        let mode = (policy.preemptMode ?? configuration.scheduling.preemptMode).name
        return policy.gang ? mode == "OFF" ? "GANG" : "GANG,\(mode)" : mode
    }

    func licenses(in view: CoreView) -> WireLicenseList {
        var list = WireLicenseList()
        list.licenses = view.licenses(at: clock.now).map { found in
            var license = WireLicenseInfo()
            (license.name, license.total) = (found.name, found.total)
            (license.used, license.reserved) = (found.used, found.reserved)
            return license
        }
        return list
    }

    func switches(in view: CoreView) -> WireSwitchList {
        let configuration = view.configuration
        let tree = configuration.switches
        var list = WireSwitchList()
        for (place, found) in tree.switches.enumerated() {
            var info = WireSwitchInfo()
            info.name = found.name
            info.level = UInt32(found.level)
            let nodes = configuration.nodes.indices.filter {
                found.leaves.contains(configuration.leaf(of: NodeIndex($0)))
            }
            info.nodes = Hostlist.compress(nodes.map { configuration.nodes[$0].name })
            info.switches = Hostlist.compress(tree.switches.filter { $0.parent == place }.map(\.name))
            list.switches.append(info)
        }
        return list
    }
}
