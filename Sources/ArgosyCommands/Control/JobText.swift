// `scontrol show job`: Slurm's block of a job.

import ArgosyDomain
import ArgosyWire

extension JobRecord {
    /// Lines of the block, without indentation; each a list of words.
    func details() -> [[String]] {
        let spec = info.spec
        let null = JobFields.orNull
        let array =
            info.arrayJob == 0
            ? []
            : [
                "ArrayJobId=\(info.arrayJob)",
                "ArrayTaskId=\(arrayIndex.filter { $0 != "[" && $0 != "]" }.prefix { $0 != "%" })",
            ]
                + (info.arrayMaxRunning > 0 ? ["ArrayTaskThrottle=\(info.arrayMaxRunning)"] : [])
        var lines: [[String]] = [
            ["JobId=\(info.job)"] + array + ["JobName=\(spec.name)"],
            ["UserId=\(user)(\(spec.identity.uid))", "GroupId=\(group)(\(spec.identity.gid))", "MCS_label=N/A"],
            [
                "Priority=\(info.priority)", "Nice=\(spec.nice)", "Account=\(null(spec.account))",
                "QOS=\(null(spec.qos))",
            ],
            ["JobState=\(info.state)", "Reason=\(reason)", "Dependency=\(null(info.dependency))"],
        ]
        if info.reasons.count > 1 { lines.append(["Reasons=\(info.reasons.joined(separator: ","))"]) }
        if !info.reasonDetail.isEmpty { lines.append(["ReasonDetail=\(info.reasonDetail)"]) }
        lines += [
            [
                "Requeue=\(spec.requeue ? 1 : 0)", "Restarts=\(info.restarts)", "BatchFlag=\(isBatch ? 1 : 0)",
                "Reboot=0",
                "ExitCode=\(info.exit.code):\(info.exit.signal)",
            ],
            ["RunTime=\(Times.long(elapsed))", "TimeLimit=\(limitLong)", "TimeMin=\(timeMin)"],
            [
                "SubmitTime=\(Times.stamp(info.submitUs))",
                "EligibleTime=\(Times.stamp(info.eligibleUs, unset: "Unknown"))",
            ],
            [
                "StartTime=\(Times.stamp(startUs, unset: "Unknown"))",
                "EndTime=\(Times.stamp(endUs, unset: "Unknown"))", "Deadline=\(Times.stamp(spec.deadlineUs))",
            ],
            [
                "SuspendTime=\(Times.stamp(info.suspendedAtUs, unset: "None"))",
                "SecsPreSuspend=\(info.suspendedAtUs > 0 ? elapsed : 0)",
                "LastSchedEval=\(Times.stamp(info.lastPlanUs, unset: "Unknown"))",
            ],
            ["Partition=\(partition)", "AllocNode:Sid=\(spec.submitHost):0"],
            ["ReqNodeList=\(null(spec.nodeList))", "ExcNodeList=\(null(spec.exclude))"],
            ["NodeList=\(null(nodeList))"],
        ]
        if state == .pending, !info.plannedNodes.isEmpty { lines.append(["SchedNodeList=\(info.plannedNodes)"]) }
        if !info.batchHost.isEmpty { lines.append(["BatchHost=\(info.batchHost)"]) }
        return lines + resources() + paths()
    }

    private var isBatch: Bool { info.batchHost.isEmpty ? !info.spec.killOnClientLoss : true }

    private var timeMin: String {
        TimeLimit(rawValue: info.spec.timeMinMinutes).duration.map { Times.long($0.microseconds / 1_000_000) } ?? "N/A"
    }

    private var limitLong: String {
        guard let duration = limit.duration else { return limit == .unlimited ? "UNLIMITED" : "Partition_Limit" }
        return Times.long(duration.microseconds / 1_000_000)
    }

    /// A running job's end is where its limit puts it.
    private var endUs: Int64 {
        if info.endUs > 0 { return info.endUs }
        guard state == .running, let duration = limit.duration else { return 0 }
        return info.startUs + duration.microseconds
    }

    private func resources() -> [[String]] {
        let spec = info.spec
        let asked = spec.resources
        let (cores, threads) = (JobFields.orAny(asked.coresPerSocket), JobFields.orAny(asked.threadsPerCore))
        let memory = info.allocation.nodes.reduce(0) { $0 &+ $1.memoryMib }
        let tres = memory > 0 ? ["mem=\(Memory.short(memory))"] : []
        return [
            [
                "NumNodes=\(nodeCount)", "NumCPUs=\(cpuCount)", "NumTasks=\(max(1, spec.tasks))",
                "CPUs/Task=\(max(1, spec.cpusPerTask))", "ReqB:S:C:T=0:0:\(cores):\(threads)",
            ],
            [
                "TRES="
                    + (["cpu=\(cpuCount)"] + tres + ["node=\(nodeCount)", "billing=\(cpuCount)"]).joined(separator: ",")
            ],
            [
                "Socks/Node=\(JobFields.orAny(asked.socketsPerNode))",
                "NtasksPerN:B:S:C=\(spec.tasksPerNode):0:\(JobFields.orAny(asked.tasksPerSocket)):"
                    + JobFields.orAny(asked.tasksPerCore),
                "CoreSpec=\(coreSpec)",
            ],
            [
                "MinCPUsNode=\(max(max(1, asked.minCpusPerNode), max(spec.cpusPerTask, spec.tasksPerNode &* max(1, spec.cpusPerTask))))",
                spec.memoryPerCpuMib > 0 ? "MinMemoryCPU=\(self.memory)" : "MinMemoryNode=\(self.memory)",
                "MinTmpDiskNode=\(Memory.short(asked.minTmpDiskMib))",
            ],
            ["Features=\(JobFields.orNull(asked.constraint))", "DelayBoot=00:00:00"]
                + (reservation.isEmpty ? [] : ["Reservation=\(reservation)"]),
            [
                "OverSubscribe=\(sharing)", "Contiguous=\(asked.contiguous ? 1 : 0)",
                "Licenses=\(JobFields.orNull(licenses))", "Network=(null)",
            ],
        ]
    }

    /// Cores, or threads, that are left to the system.
    private var coreSpec: String {
        let count = info.spec.resources.coreSpec
        if count == 0 { return "*" }
        return count & JobOptions.threadSpec == 0 ? "\(count)" : "\(count & ~JobOptions.threadSpec) Threads"
    }

    /// What it asks for of generic resources, a line for each way of counting.
    private var gresLines: [[String]] {
        let names: [(GRESRequest.Per, String)] = [
            (.job, "TresPerJob"), (.node, "TresPerNode"), (.socket, "TresPerSocket"), (.task, "TresPerTask"),
        ]
        var lines = names.compactMap { per, name in gres(per).isEmpty ? nil : ["\(name)=\(gres(per))"] }
        let asked = info.spec.resources
        if asked.cpusPerGpu > 0 { lines.append(["CpusPerTres=gres:gpu:\(asked.cpusPerGpu)"]) }
        if asked.memoryPerGpuMib > 0 { lines.append(["MemPerTres=gres:gpu:\(asked.memoryPerGpuMib)"]) }
        return lines
    }

    private func paths() -> [[String]] {
        let spec = info.spec
        var lines = [["Command=\(JobFields.orNull(spec.command))"], ["WorkDir=\(spec.workDir)"]]
        if !spec.comment.isEmpty { lines.append(["Comment=\(spec.comment)"]) }
        if spec.hasContainer {
            lines.append(["ContainerImage=\(spec.container.image)"])
            if !spec.container.digest.isEmpty { lines.append(["ContainerDigest=\(spec.container.digest)"]) }
            if !spec.container.mounts.isEmpty {
                lines.append(["ContainerMounts=\(spec.container.mounts.joined(separator: ","))"])
            }
        }
        if isBatch {
            let output = expand(spec.stdoutPath)
            lines.append(["StdErr=\(spec.stderrPath.isEmpty ? output : expand(spec.stderrPath))"])
            lines.append(["StdIn=\(spec.stdinPath.isEmpty ? "/dev/null" : expand(spec.stdinPath))"])
            lines.append(["StdOut=\(output)"])
        }
        lines.append(["Power="])
        return lines + gresLines
    }

    /// As scontrol shows paths: absolute, with the patterns that are known without a node filled in.
    func expand(_ pattern: String) -> String {
        var text = pattern
        let values = [
            "%j": "\(info.job)", "%A": "\(info.arrayJob == 0 ? info.job : info.arrayJob)", "%a": arrayTaskNumber,
            "%u": user, "%x": info.spec.name, "%%": "%",
        ]
        var result = ""
        while let percent = text.firstIndex(of: "%") {
            let end = text.index(percent, offsetBy: 2, limitedBy: text.endIndex) ?? text.endIndex
            let code = String(text[percent..<end])
            result += text[..<percent] + (values[code] ?? code)
            text = String(text[end...])
        }
        result += text
        return result.hasPrefix("/") || result.isEmpty ? result : info.spec.workDir + "/" + result
    }

    private var arrayTaskNumber: String {
        info.arrayJob == 0 || !info.arrayPending.isEmpty ? "4294967294" : "\(info.arrayTask)"
    }
}

/// Slurm's blocks: lines after the first indented by three blanks, a blank line at the end; `-o` on one line.
func block(_ lines: [[String]], oneLine: Bool) -> String {
    let texts = lines.map { $0.joined(separator: " ") }
    return oneLine ? texts.joined(separator: " ") + "\n" : texts.joined(separator: "\n   ") + "\n\n"
}
