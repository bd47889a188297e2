// `scontrol show node|partition|step`: Slurm's blocks.

import ArgosyClient
import ArgosyDomain
import ArgosyWire

enum NodeText {
    static func details(_ node: WireNodeInfo) -> [[String]] {
        let load = "\(node.loadHundredths / 100).\(two(node.loadHundredths % 100))"
        let features = JobFields.orNull(node.features)
        var lines: [[String]] = [
            [
                "NodeName=\(node.name)", "Arch=\(node.arch.isEmpty ? "unknown" : node.arch)",
                "CoresPerSocket=\(node.coresPerSocket)",
            ],
            ["CPUAlloc=\(node.cpusAllocated)", "CPUEfctv=\(node.cpus)", "CPUTot=\(node.cpus)", "CPULoad=\(load)"],
            ["AvailableFeatures=\(features)"],
            ["ActiveFeatures=\(features)"],
            ["Gres=\(JobFields.orNull(node.gres))"],
            ["NodeAddr=\(node.address)", "NodeHostName=\(node.name)", "Version=\(node.version)"],
        ]
        if !node.os.isEmpty { lines.append(["OS=\(node.os)"]) }
        lines += [
            [
                "RealMemory=\(node.memoryMib)", "AllocMem=\(node.memoryAllocatedMib)",
                "FreeMem=\(node.freeMemoryMib > 0 ? "\(node.freeMemoryMib)" : "N/A")", "Sockets=\(node.sockets)",
                "Boards=1",
            ],
            [
                "State=\(NodeStateText.full(node))", "ThreadsPerCore=\(node.threadsPerCore)", "TmpDisk=0",
                "Weight=\(node.weight)", "Owner=N/A", "MCS_label=N/A",
            ],
            ["Partitions=\(node.partitions.joined(separator: ","))"],
            [
                "BootTime=\(Times.stamp(node.bootUs, unset: "None"))",
                "SlurmdStartTime=\(Times.stamp(node.daemonStartUs, unset: "None"))",
            ],
            ["LastBusyTime=\(Times.stamp(node.lastBusyUs, unset: "Unknown"))"],
            ["CfgTRES=cpu=\(node.cpus),mem=\(Memory.short(node.memoryMib)),billing=\(node.cpus)"],
            ["AllocTRES=" + allocated(node)],
        ]
        if node.realCpus > 0, node.realCpus != node.cpus { lines.append(["RealCPUs=\(node.realCpus)"]) }
        if !node.reason.isEmpty {
            let user =
                node.reasonUser.isEmpty ? PasswordFile.name(of: node.reasonUid) ?? "\(node.reasonUid)" : node.reasonUser
            lines.append(["Reason=\(node.reason) [\(user)@\(Times.stamp(node.reasonUs, unset: "Unknown"))]"])
        }
        return lines
    }

    private static func allocated(_ node: WireNodeInfo) -> String {
        guard node.cpusAllocated > 0 else { return "" }
        let memory = node.memoryAllocatedMib > 0 ? ",mem=\(Memory.short(node.memoryAllocatedMib))" : ""
        return "cpu=\(node.cpusAllocated)" + memory
    }
}

enum PartitionText {
    static func details(_ partition: WirePartitionInfo) -> [[String]] {
        func all(_ text: String) -> String { text.isEmpty ? "ALL" : text }
        func limit(_ minutes: UInt32) -> String {
            minutes == .max ? "UNLIMITED" : minutes == 0 ? "NONE" : Times.long(Int64(minutes) * 60)
        }
        return [
            ["PartitionName=\(partition.name)"],
            [
                "AllowGroups=\(all(partition.allowGroups))", "AllowAccounts=\(all(partition.allowAccounts))",
                "AllowQos=ALL",
            ],
            ["AllocNodes=ALL", "Default=\(partition.isDefault ? "YES" : "NO")", "QoS=N/A"],
            [
                "DefaultTime=\(limit(partition.defaultTimeMinutes))", "DisableRootJobs=NO", "ExclusiveUser=NO",
                "GraceTime=0",
                "Hidden=NO",
            ],
            [
                "MaxNodes=\(partition.maxNodes == .max ? "UNLIMITED" : "\(partition.maxNodes)")",
                "MaxTime=\(limit(partition.maxTimeMinutes))", "MinNodes=\(partition.minNodes)", "LLN=NO",
                "MaxCPUsPerNode=UNLIMITED",
            ],
            ["Nodes=\(JobFields.orNull(partition.nodeList))"],
            [
                "PriorityJobFactor=1", "PriorityTier=\(partition.priorityTier)",
                "RootOnly=\(partition.rootOnly ? "YES" : "NO")", "ReqResv=NO", "OverSubscribe=NO",
            ],
            ["OverTimeLimit=NONE", "PreemptMode=OFF"],
            [
                "State=\(partition.state)", "TotalCPUs=\(partition.cpus)", "TotalNodes=\(partition.nodes)",
                "SelectTypeParameters=NONE",
            ],
            ["JobDefaults=(null)"],
            ["DefMemPerNode=UNLIMITED", "MaxMemPerNode=UNLIMITED"],
        ]
    }
}

enum StepText {
    static func details(_ record: StepRecord) -> [[String]] {
        let step = record.step
        return [
            [
                "StepId=\(record.job.info.job).\(StepRecord.name(of: step.step))",
                "UserId=\(record.job.info.spec.identity.uid)",
                "StartTime=\(Times.stamp(step.startUs, unset: "Unknown"))", "TimeLimit=\(record.job.limitText)",
            ],
            [
                "State=\(step.state)", "Partition=\(record.job.partition)",
                "NodeList=\(JobFields.orNull(step.nodeList))",
            ],
            ["CPUs=\(step.cpus)", "Tasks=\(step.tasks)", "Name=\(step.name)", "Network=(null)"],
        ]
    }
}
