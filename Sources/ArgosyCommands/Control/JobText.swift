// `scontrol show job`: Slurm's block of a job, key by key in its order.

import ArgosyDomain
import ArgosyWire

extension JobRecord {
    /// Lines of the block, without indentation; each a list of words. `details`: 1 for -d, 2 for -dd.
    /// `components`: ids of the heterogeneous job it is part of.
    func details(_ details: Int = 0, components: [UInt32] = []) -> [[String]] {
        var lines = [identityLine(components)]
        if !components.isEmpty { lines.append(["HetJobIdSet=\(ArrayIndexText.text(components.map { ($0, $0, 1) }))"]) }
        lines += ownership + stateLines(details) + times + place
        return lines + resources(details) + paths() + [[""]]
    }

    private func identityLine(_ components: [UInt32]) -> [String] {
        var words = ["JobId=\(info.job)"]
        if info.arrayJob != 0 {
            words += ["ArrayJobId=\(info.arrayJob)", "ArrayTaskId=\(info.arrayTaskText)"]
            if info.arrayMaxRunning > 0 { words.append("ArrayTaskThrottle=\(info.arrayMaxRunning)") }
        }
        if info.hetLeader != 0 { words += ["HetJobId=\(info.hetLeader)", "HetJobOffset=\(info.hetOffset)"] }
        return words + ["JobName=\(info.spec.name)"]
    }

    private var ownership: [[String]] {
        let spec = info.spec
        var rank = [
            "Priority=\(info.priority)", "Nice=\(spec.nice)", "Account=\(JobFields.orNull(spec.account))",
            "QOS=\(JobFields.orNull(spec.qos))",
        ]
        if !spec.wckey.isEmpty, Self.tracksWCKeys { rank.append("WCKey=\(spec.wckey)") }
        return [
            ["UserId=\(user)(\(spec.identity.uid))", "GroupId=\(group)(\(spec.identity.gid))", "MCS_label=N/A"], rank,
        ]
    }

    private static let tracksWCKeys: Bool = {
        let entries = (try? Session())?.configuration.entries ?? []
        return entries.last { $0.key.lowercased() == "trackwckey" }?.value.lowercased() == "yes"
    }()

    private func stateLines(_ details: Int) -> [[String]] {
        var lines = [
            ["JobState=\(info.state)", "Reason=\(reason)", "Dependency=\(JobFields.orNull(info.dependency))"]
        ]
        if details > 1, info.reasons.count > 1 { lines.append(["Reasons=\(info.reasons.joined(separator: ","))"]) }
        // Why it cannot run is told unasked; why it waits for its turn is not, so that the block is Slurm's.
        let isUnusual = state != .pending || info.reason.lowercased().contains("launch")
        if details > 1 || isUnusual, !info.reasonDetail.isEmpty { lines.append(["ReasonDetail=\(info.reasonDetail)"]) }
        lines.append([
            "Requeue=\(info.spec.requeue ? 1 : 0)", "Restarts=\(info.restarts)", "BatchFlag=\(isBatch ? 1 : 0)",
            "Reboot=\(info.spec.reboot ? 1 : 0)", "ExitCode=\(info.exit.code):\(info.exit.signal)",
        ])
        if details > 0 { lines.append(["DerivedExitCode=\(info.derivedExit.code):\(info.derivedExit.signal)"]) }
        return lines
    }

    var isBatch: Bool { info.isBatch || !info.batchHost.isEmpty }

    // MARK: Times

    private var waits: Bool { state == .pending }
    private var isHeld: Bool { ["JobHeldUser", "JobHeldAdmin"].contains(info.reason) }

    /// When it may start; unknown while it is held or waits for other jobs, unless it was told when to begin.
    private var eligible: Int64 {
        guard waits, isHeld || !info.dependency.isEmpty else { return info.eligibleUs }
        return max(0, info.spec.beginUs)
    }

    private var times: [[String]] {
        let begin = waits && startUs == 0 && info.spec.beginUs > now * 1_000_000 ? info.spec.beginUs : startUs
        var end = endUs
        if waits, end == 0, begin > 0, let duration = limit.duration { end = begin + duration.microseconds }
        var lines = [
            ["RunTime=\(Times.long(elapsed))", "TimeLimit=\(limitLong)", "TimeMin=\(timeMin)"],
            [
                "SubmitTime=\(Times.stamp(info.submitUs))",
                "EligibleTime=\(Times.stamp(eligible, unset: "Unknown"))",
            ],
            ["AccrueTime=\(Times.stamp(eligible, unset: "Unknown"))"],
            [
                "StartTime=\(Times.stamp(begin, unset: "Unknown"))", "EndTime=\(Times.stamp(end, unset: "Unknown"))",
                "Deadline=\(Times.stamp(info.spec.deadlineUs))",
            ],
        ]
        if info.preemptedUs > 0 { lines.append(["PreemptTime=\(Times.stamp(info.preemptedUs))"]) }
        let evaluated = info.lastPlanUs > 0 ? info.lastPlanUs : waits ? info.submitUs : info.startUs
        lines.append([
            "SuspendTime=\(Times.stamp(info.suspendedAtUs, unset: "None"))",
            "SecsPreSuspend=\(info.suspendedAtUs > 0 ? elapsed : 0)",
            "LastSchedEval=\(Times.stamp(evaluated, unset: "Unknown"))",
            "Scheduler=\(info.plannedByBackfill ? "Backfill" : "Main")",
        ])
        return lines
    }

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

    // MARK: Where

    private var place: [[String]] {
        let spec = info.spec
        var lines = [
            ["Partition=\(partition)", "AllocNode:Sid=\(spec.submitHost):\(spec.submitSid)"],
            [
                "ReqNodeList=\(JobFields.orNull(spec.nodeList))", "ExcNodeList=\(JobFields.orNull(spec.exclude))",
            ],
            ["NodeList=\(nodeList)"],
        ]
        if waits, info.startIsReserved, !info.plannedNodes.isEmpty {
            lines[2].append("SchedNodeList=\(info.plannedNodes)")
        }
        if !info.batchHost.isEmpty { lines.append(["BatchHost=\(info.batchHost)"]) }
        return lines
    }

    /// `2`, `1-3` while it waits and may get more than it needs.
    private var nodeRange: String {
        guard waits, info.spec.minNodes > 0 else { return "\(nodeCount)" }
        return "\(nodeCount)-\(max(Int(info.spec.maxNodes), nodeCount))"
    }

    private func resources(_ details: Int) -> [[String]] {
        let spec = info.spec
        let asked = spec.resources
        let (cores, threads) = (JobFields.orAny(asked.coresPerSocket), JobFields.orAny(asked.threadsPerCore))
        var lines = [
            [
                "NumNodes=\(nodeRange)", "NumCPUs=\(cpuCount)", "NumTasks=\(taskCount)",
                "CPUs/Task=\(max(1, spec.cpusPerTask))", "ReqB:S:C:T=0:0:\(cores):\(threads)",
            ],
            ["TRES=\(JobFields.orNull(info.tres))"],
            [
                "Socks/Node=\(JobFields.orAny(asked.socketsPerNode))",
                "NtasksPerN:B:S:C=\(spec.tasksPerNode):0:\(JobFields.orAny(asked.tasksPerSocket)):"
                    + JobFields.orAny(asked.tasksPerCore),
                "CoreSpec=\(coreSpec)",
            ],
        ]
        if details > 0 { lines += grants }
        lines += [
            [
                "MinCPUsNode=\(minCPUs)",
                spec.memoryPerCpuMib > 0 ? "MinMemoryCPU=\(memory)" : "MinMemoryNode=\(memory)",
                "MinTmpDiskNode=\(Memory.short(asked.minTmpDiskMib))",
            ],
            [
                "Features=\(JobFields.orNull(asked.constraint))",
                "DelayBoot=\(Times.long(Int64(spec.delayBootMinutes) * 60))",
            ],
        ]
        if !asked.prefer.isEmpty { lines[lines.count - 1].insert("Prefer=\(asked.prefer)", at: 1) }
        if !reservation.isEmpty { lines.append(["Reservation=\(reservation)"]) }
        lines.append([
            "OverSubscribe=\(sharing)", "Contiguous=\(asked.contiguous ? 1 : 0)",
            "Licenses=\(JobFields.orNull(licenses))", "Network=(null)",
        ])
        return lines
    }

    /// Cores, or threads, that are left to the system.
    private var coreSpec: String {
        let count = info.spec.resources.coreSpec
        if count == 0 { return "*" }
        return count & JobOptions.threadSpec == 0 ? "\(count)" : "\(count & ~JobOptions.threadSpec) Threads"
    }

    // MARK: What it holds of each node

    /// Nodes that hold the same share a line.
    private var grants: [[String]] {
        let nodes = info.allocation.nodes
        guard !nodes.isEmpty, !state.isEnded else { return [] }
        var groups: [(text: String, nodes: [String])] = []
        for node in nodes {
            let cpus = ArrayIndexText.text(node.cpuIds.map { ($0, $0, 1) })
            let gres = node.gres.map { grant in
                let name = grant.type.isEmpty ? grant.name : "\(grant.name):\(grant.type)"
                let devices = ArrayIndexText.text(grant.devices.map { ($0, $0, 1) })
                return "\(name):\(grant.count)" + (devices.isEmpty ? "" : "(IDX:\(devices))")
            }
            let text = "CPU_IDs=\(cpus) Mem=\(node.memoryMib) GRES=\(gres.joined(separator: ","))"
            if let last = groups.last, last.text == text {
                groups[groups.count - 1].nodes.append(node.name)
            } else {
                groups.append((text, [node.name]))
            }
        }
        return [["JOB_GRES=\(JobFields.orNull(allGRES))"]]
            + groups.map { ["  Nodes=\(Hostlist.compress($0.nodes)) \($0.text)"] }
    }

    private var allGRES: String {
        var sums: [(name: String, count: UInt64)] = []
        for grant in info.allocation.nodes.flatMap(\.gres) {
            let name = grant.type.isEmpty ? grant.name : "\(grant.name):\(grant.type)"
            if let place = sums.firstIndex(where: { $0.name == name }) {
                sums[place].count += grant.count
            } else {
                sums.append((name, grant.count))
            }
        }
        return sums.map { "\($0.name):\($0.count)" }.joined(separator: ",")
    }

    /// What it asks for of generic resources, a line for each way of counting.
    private var gresLines: [[String]] {
        let names: [(GRESRequest.Per, String)] = [
            (.job, "TresPerJob"), (.node, "TresPerNode"), (.socket, "TresPerSocket"), (.task, "TresPerTask"),
        ]
        let asked = info.spec.resources
        var lines: [[String]] = []
        if asked.cpusPerGpu > 0 { lines.append(["CpusPerTres=gres:gpu:\(asked.cpusPerGpu)"]) }
        if asked.memoryPerGpuMib > 0 { lines.append(["MemPerTres=gres:gpu:\(asked.memoryPerGpuMib)"]) }
        return lines + names.compactMap { per, name in gres(per).isEmpty ? nil : ["\(name)=\(gres(per))"] }
    }

    // MARK: Paths and the rest

    private func paths() -> [[String]] {
        let spec = info.spec
        var lines = [["Command=\(JobFields.orNull(command))"], ["WorkDir=\(spec.workDir)"]]
        if !spec.adminComment.isEmpty { lines.append(["AdminComment=\(spec.adminComment) "]) }
        if !spec.comment.isEmpty { lines.append(["Comment=\(spec.comment) "]) }
        if spec.hasContainer {
            lines.append(["ContainerImage=\(spec.container.image)"])
            if !spec.container.digest.isEmpty { lines.append(["ContainerDigest=\(spec.container.digest)"]) }
            if !spec.container.mounts.isEmpty {
                lines.append(["ContainerMounts=\(spec.container.mounts.joined(separator: ","))"])
            }
        }
        if isBatch {
            let pattern = spec.stdoutPath.isEmpty ? defaultOutput : spec.stdoutPath
            lines.append(["StdErr=\(expand(spec.stderrPath.isEmpty ? pattern : spec.stderrPath))"])
            lines.append(["StdIn=\(spec.stdinPath.isEmpty ? "/dev/null" : expand(spec.stdinPath))"])
            lines.append(["StdOut=\(expand(pattern))"])
        }
        if spec.resources.switches > 0 {
            let wait = spec.resources.switchWaitS == 0 ? 300 : Int64(spec.resources.switchWaitS)
            lines.append(["Switches=\(spec.resources.switches)@\(Times.long(wait))"])
        }
        lines.append(["Power="])
        if spec.resources.spreadJob { lines.append(["SpreadJob=Yes"]) }
        lines += gresLines
        if spec.mailTypes != 0 {
            let types = MailTypes(rawValue: spec.mailTypes).text
            lines.append(["MailUser=\(spec.mailUser.isEmpty ? user : spec.mailUser)", "MailType=\(types)"])
        }
        return lines
    }

    private var defaultOutput: String { info.arrayJob == 0 ? "slurm-%j.out" : "slurm-%A_%a.out" }

    /// With the script's arguments; the first of them is its name.
    private var command: String {
        let spec = info.spec
        guard !spec.command.isEmpty else { return "" }
        return ([spec.command] + spec.arguments.dropFirst()).joined(separator: " ")
    }

    /// As scontrol shows paths: absolute, with the patterns that are known without a node filled in.
    func expand(_ pattern: String) -> String {
        var text = pattern
        let host = info.batchHost.prefix { $0 != "." }
        var values = [
            "%j": "\(info.job)", "%A": "\(info.arrayJob == 0 ? info.job : info.arrayJob)", "%a": arrayTaskNumber,
            "%u": user, "%x": info.spec.name, "%%": "%",
        ]
        if !host.isEmpty { values["%N"] = String(host) }
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
        let range = info.arrayPending.first
        if info.arrayJob != 0, info.arrayPending.count == 1, let range, range.first == range.last {
            return "\(range.first)"
        }
        return info.arrayJob == 0 || !info.arrayPending.isEmpty ? "4294967294" : "\(info.arrayTask)"
    }
}

/// Slurm's blocks: lines after the first indented by three blanks, a blank line at the end; `-o` on one line.
func block(_ lines: [[String]], oneLine: Bool) -> String {
    let texts = lines.map { $0.joined(separator: " ") }
    return oneLine ? texts.joined(separator: " ") + "\n" : texts.joined(separator: "\n   ") + "\n\n"
}
