// `scontrol show node|partition|step`: Slurm's blocks, key by key in its order.

import ArgosyClient
import ArgosyDomain
import ArgosyWire

enum NodeText {
    static func details(_ node: WireNodeInfo, _ details: Int = 0) -> [[String]] {
        let null = JobFields.orNull
        let load = node.loadHundredths == .max || node.version.isEmpty ? "N/A" : hundredths(node.loadHundredths)
        var lines: [[String]] = [
            ["NodeName=\(node.name)"] + (node.arch.isEmpty ? [] : ["Arch=\(node.arch)"])
                + ["CoresPerSocket=\(node.coresPerSocket) "],
            ["CPUAlloc=\(node.cpusAllocated)", "CPUEfctv=\(node.cpus)", "CPUTot=\(node.cpus)", "CPULoad=\(load)"],
            ["AvailableFeatures=\(null(node.features))"],
            ["ActiveFeatures=\(null(node.activeFeatures))"],
            ["Gres=\(null(node.gres))"],
        ]
        if details > 0 {
            lines.append(["GresDrain=N/A"])
            if !node.gresUsed.isEmpty { lines.append(["GresUsed=\(node.gresUsed)"]) }
        }
        lines.append(
            ["NodeAddr=\(node.address)", "NodeHostName=\(node.hostname)"]
                + (node.port == 6818 ? [] : ["Port=\(node.port)"])
                + (node.version.isEmpty ? [] : ["Version=\(slurmVersion)"]))
        if !node.os.isEmpty { lines.append(["OS=\(node.os) "]) }
        return lines + memoryAndState(node) + times(node) + [
            ["CfgTRES=\(node.cfgTres)"], ["AllocTRES=\(node.allocTres)"], ["CapWatts=n/a"],
            ["CurrentWatts=0", "AveWatts=0"], ["ExtSensorsJoules=n/s", "ExtSensorsWatts=0", "ExtSensorsTemp=n/s"],
        ] + notes(node)
    }

    private static func hundredths(_ value: UInt32) -> String { "\(value / 100).\(two(value % 100))" }

    private static func memoryAndState(_ node: WireNodeInfo) -> [[String]] {
        var lines = [
            [
                "RealMemory=\(node.memoryMib)", "AllocMem=\(node.memoryAllocatedMib)",
                "FreeMem=\(node.freeMemoryMib > 0 ? "\(node.freeMemoryMib)" : "N/A")", "Sockets=\(node.sockets)",
                "Boards=\(max(1, node.boards))",
            ]
        ]
        if !node.coreSpec.isEmpty { lines.append(["CoreSpecCount=\(node.coreSpec)"]) }
        lines.append([
            "State=\(NodeStateText.full(node))", "ThreadsPerCore=\(node.threadsPerCore)",
            "TmpDisk=\(node.tmpDiskMib)", "Weight=\(node.weight)", "Owner=N/A", "MCS_label=N/A",
        ])
        if !node.partitions.isEmpty { lines.append(["Partitions=\(node.partitions.joined(separator: ",")) "]) }
        return lines
    }

    private static func times(_ node: WireNodeInfo) -> [[String]] {
        [
            [
                "BootTime=\(Times.stamp(node.bootUs, unset: "None"))",
                "SlurmdStartTime=\(Times.stamp(node.daemonStartUs, unset: "None"))",
            ],
            [
                "LastBusyTime=\(Times.stamp(node.lastBusyUs > 0 ? node.lastBusyUs : node.daemonStartUs, unset: "Unknown"))"
            ],
        ]
    }

    private static func notes(_ node: WireNodeInfo) -> [[String]] {
        var lines: [[String]] = []
        if !node.reason.isEmpty {
            let user =
                node.reasonUser.isEmpty ? PasswordFile.name(of: node.reasonUid) ?? "\(node.reasonUid)" : node.reasonUser
            lines.append(["Reason=\(node.reason) [\(user)@\(Times.stamp(node.reasonUs, unset: "Unknown"))]"])
        }
        if !node.comment.isEmpty { lines.append(["Comment=\(node.comment)"]) }
        if !node.extra.isEmpty { lines.append(["Extra=\(node.extra)"]) }
        return lines
    }
}

enum PartitionText {
    static func details(_ partition: WirePartitionInfo) -> [[String]] {
        [["PartitionName=\(partition.name)"]] + whoMayUse(partition) + limits(partition) + policy(partition)
            + memory(partition)
    }

    private static func all(_ text: String) -> String { text.isEmpty ? "ALL" : text }
    private static func yes(_ value: Bool) -> String { value ? "YES" : "NO" }
    private static func limit(_ minutes: UInt32) -> String {
        minutes == .max ? "UNLIMITED" : minutes == 0 ? "NONE" : Times.long(Int64(minutes) * 60)
    }
    private static func count(_ value: UInt32, unlimited: UInt32) -> String {
        value == unlimited ? "UNLIMITED" : "\(value)"
    }

    private static func whoMayUse(_ partition: WirePartitionInfo) -> [[String]] {
        let accounts =
            partition.allowAccounts.isEmpty && !partition.denyAccounts.isEmpty
            ? "DenyAccounts=\(partition.denyAccounts)" : "AllowAccounts=\(all(partition.allowAccounts))"
        let qos =
            partition.allowQos.isEmpty && !partition.denyQos.isEmpty
            ? "DenyQos=\(partition.denyQos)" : "AllowQos=\(all(partition.allowQos))"
        var place = ["AllocNodes=\(all(partition.allocNodes))", "Default=\(yes(partition.isDefault))"]
        place.append("QoS=\(partition.qos.isEmpty ? "N/A" : partition.qos)")
        var lines = [["AllowGroups=\(all(partition.allowGroups))", accounts, qos], place]
        if !partition.alternate.isEmpty { lines.append(["Alternate=\(partition.alternate)"]) }
        return lines
    }

    private static func limits(_ partition: WirePartitionInfo) -> [[String]] {
        [
            [
                "DefaultTime=\(limit(partition.defaultTimeMinutes))",
                "DisableRootJobs=\(yes(partition.disableRootJobs))",
                "ExclusiveUser=\(yes(partition.exclusiveUser))", "GraceTime=\(partition.graceTimeS)",
                "Hidden=\(yes(partition.hidden))",
            ],
            [
                "MaxNodes=\(count(partition.maxNodes, unlimited: .max))",
                "MaxTime=\(limit(partition.maxTimeMinutes))", "MinNodes=\(partition.minNodes)",
                "LLN=\(yes(partition.leastLoaded))",
                "MaxCPUsPerNode=\(count(partition.maxCpusPerNode, unlimited: 0))",
            ],
            ["Nodes=\(JobFields.orNull(partition.nodeList))"],
        ]
    }

    private static func policy(_ partition: WirePartitionInfo) -> [[String]] {
        [
            [
                "PriorityJobFactor=\(partition.priorityJobFactor)", "PriorityTier=\(partition.priorityTier)",
                "RootOnly=\(yes(partition.rootOnly))", "ReqResv=\(yes(partition.requiresReservation))",
                "OverSubscribe=\(partition.overSubscribe.isEmpty ? "NO" : partition.overSubscribe)",
            ],
            [
                "OverTimeLimit=NONE",
                "PreemptMode=\(partition.preemptMode.isEmpty ? "OFF" : partition.preemptMode)",
            ],
            [
                "State=\(partition.state)", "TotalCPUs=\(partition.cpus)", "TotalNodes=\(partition.nodes)",
                "SelectTypeParameters=NONE",
            ],
            ["JobDefaults=\(JobFields.orNull(partition.jobDefaults))"],
        ]
    }

    private static func memory(_ partition: WirePartitionInfo) -> [[String]] {
        func bound(_ name: String, _ perCPU: UInt64, _ perNode: UInt64) -> String {
            if perCPU > 0 { return "\(name)PerCPU=\(perCPU)" }
            return "\(name)PerNode=\(perNode > 0 ? "\(perNode)" : "UNLIMITED")"
        }
        var lines = [
            [
                bound("DefMem", partition.defMemPerCpuMib, partition.defMemPerNodeMib),
                bound("MaxMem", partition.maxMemPerCpuMib, partition.maxMemPerNodeMib),
            ]
        ]
        if !partition.tres.isEmpty { lines.append(["TRES=\(partition.tres)"]) }
        if !partition.tresBillingWeights.isEmpty {
            lines.append(["TRESBillingWeights=\(partition.tresBillingWeights)"])
        }
        return lines
    }
}

enum StepText {
    static func details(_ record: StepRecord) -> [[String]] {
        let (job, step) = (record.job, record.step)
        let isBatch = step.step == 0xffff_fffb
        let limit = TimeLimit(rawValue: step.timeLimitMinutes == 0 ? .max : step.timeLimitMinutes)
        return [
            [
                "StepId=\(job.info.job).\(StepRecord.name(of: step.step))", "UserId=\(job.info.spec.identity.uid)",
                "StartTime=\(Times.stamp(step.startUs, unset: "Unknown"))",
                "TimeLimit=\(limit.duration.map { Times.long($0.microseconds / 1_000_000) } ?? "UNLIMITED")",
            ],
            ["State=\(step.state)", "Partition=\(job.partition)", "NodeList=\(JobFields.orNull(step.nodeList))"],
            [
                "Nodes=\(step.nodeCount)", "CPUs=\(isBatch ? 0 : step.cpus)", "Tasks=\(step.tasks)",
                "Name=\(step.name)", "Network=(null)",
            ],
            ["TRES=\(JobFields.orNull(step.tres))"], ["ResvPorts=(null)"],
            ["CPUFreqReq=Default"] + (isBatch ? [] : ["Dist=Cyclic"]),
            ["SrunHost:Pid=\(JobFields.orNull(step.clientHost)):\(step.clientPid)"],
        ]
    }
}
