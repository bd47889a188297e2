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
            ["JobState=\(info.state)", "Reason=\(reason)", "Dependency=\(null(spec.dependency))"],
        ]
        if info.reasons.count > 1 { lines.append(["Reasons=\(info.reasons.joined(separator: ","))"]) }
        if !info.reasonDetail.isEmpty { lines.append(["ReasonDetail=\(info.reasonDetail)"]) }
        lines += [
            [
                "Requeue=\(spec.requeue ? 1 : 0)", "Restarts=\(info.restarts)", "BatchFlag=\(isBatch ? 1 : 0)",
                "Reboot=0",
                "ExitCode=\(info.exit.code):\(info.exit.signal)",
            ],
            ["RunTime=\(Times.long(elapsed))", "TimeLimit=\(limitLong)", "TimeMin=N/A"],
            [
                "SubmitTime=\(Times.stamp(info.submitUs))",
                "EligibleTime=\(Times.stamp(info.eligibleUs, unset: "Unknown"))",
            ],
            [
                "StartTime=\(Times.stamp(startUs, unset: "Unknown"))",
                "EndTime=\(Times.stamp(endUs, unset: "Unknown"))", "Deadline=N/A",
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
        let memory = info.allocation.nodes.reduce(0) { $0 &+ $1.memoryMib }
        let tres = memory > 0 ? ["mem=\(Memory.short(memory))"] : []
        return [
            [
                "NumNodes=\(nodeCount)", "NumCPUs=\(cpuCount)", "NumTasks=\(max(1, spec.tasks))",
                "CPUs/Task=\(max(1, spec.cpusPerTask))", "ReqB:S:C:T=0:0:*:*",
            ],
            [
                "TRES="
                    + (["cpu=\(cpuCount)"] + tres + ["node=\(nodeCount)", "billing=\(cpuCount)"]).joined(separator: ",")
            ],
            ["Socks/Node=*", "NtasksPerN:B:S:C=\(spec.tasksPerNode):0:*:*", "CoreSpec=*"],
            [
                "MinCPUsNode=\(max(1, max(spec.cpusPerTask, spec.tasksPerNode &* max(1, spec.cpusPerTask))))",
                spec.memoryPerCpuMib > 0 ? "MinMemoryCPU=\(self.memory)" : "MinMemoryNode=\(self.memory)",
                "MinTmpDiskNode=0",
            ],
            ["Features=(null)", "DelayBoot=00:00:00"],
            ["OverSubscribe=\(spec.exclusive ? "NO" : "OK")", "Contiguous=0", "Licenses=(null)", "Network=(null)"],
        ]
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
        return lines
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
