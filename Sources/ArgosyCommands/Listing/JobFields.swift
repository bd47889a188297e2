// What squeue can show of a job.

import ArgosyDomain

enum JobFields {
    typealias Row = Field<JobRecord>

    /// `*` for a count that was not asked for.
    static func orAny(_ count: UInt32) -> String { count == 0 ? "*" : "\(count)" }

    static func orNull(_ text: String) -> String { text.isEmpty ? "(null)" : text }

    static let all: [Row] = [
        Row("a", "Account", "ACCOUNT") { orNull($0.info.spec.account) },
        Row("A", "JobID", "JOBID") { "\($0.info.job)" },
        Row("B", "BatchHost", "EXEC_HOST") { $0.info.batchHost.isEmpty ? "n/a" : $0.info.batchHost },
        Row("c", "MinCpus", "MIN_CPUS") { "\(max(1, $0.info.spec.cpusPerTask))" },
        Row("C", "NumCPUs", "CPUS") { "\($0.cpuCount)" },
        Row("d", "MinTmpDisk", "MIN_TMP_DISK") { Memory.short($0.info.spec.resources.minTmpDiskMib) },
        Row("D", "NumNodes", "NODES") { "\($0.nodeCount)" },
        Row("e", "EndTime", "END_TIME") { Times.stamp($0.info.endUs) },
        Row("E", "Dependency", "DEPENDENCY") { orNull($0.info.dependency) },
        Row("f", "Feature", "FEATURES") { orNull($0.info.spec.resources.constraint) },
        Row("F", "ArrayJobID", "ARRAY_JOB_ID") { "\($0.info.arrayJob == 0 ? $0.info.job : $0.info.arrayJob)" },
        Row("g", "GroupName", "GROUP") { $0.group },
        Row("G", "GroupID", "GROUP") { "\($0.info.spec.identity.gid)" },
        Row("h", "OverSubscribe", "OVER_SUBSCRIBE") { $0.sharing },
        Row("H", "Sockets", "SOCKETS_PER_NODE") { orAny($0.info.spec.resources.socketsPerNode) },
        Row("i", "JobArrayID", "JOBID") { $0.id },
        Row("I", "Cores", "CORES_PER_SOCKET") { orAny($0.info.spec.resources.coresPerSocket) },
        Row("j", "Name", "NAME") { $0.info.spec.name },
        Row("J", "Threads", "THREADS_PER_CORE") { orAny($0.info.spec.resources.threadsPerCore) },
        Row("k", "Comment", "COMMENT") { orNull($0.info.spec.comment) },
        Row("K", "ArrayTaskID", "ARRAY_TASK_ID") { $0.arrayIndex },
        Row("l", "TimeLimit", "TIME_LIMIT") { $0.limitText },
        Row("L", "TimeLeft", "TIME_LEFT") { $0.timeLeft },
        Row("m", "MinMemory", "MIN_MEMORY") { $0.memory },
        Row("M", "TimeUsed", "TIME") { Times.short($0.elapsed) },
        Row("n", "ReqNodes", "REQ_NODES") { $0.info.spec.nodeList },
        Row("N", "NodeList", "NODELIST") { $0.nodeList },
        Row("o", "Command", "COMMAND") { orNull($0.info.spec.command) },
        Row("O", "Contiguous", "CONTIGUOUS") { $0.info.spec.resources.contiguous ? "1" : "0" },
        Row("p", "Priority", "PRIORITY") { fraction($0.info.priority) },
        Row("P", "Partition", "PARTITION") { $0.partition },
        Row("q", "QOS", "QOS") { orNull($0.info.spec.qos) },
        Row("Q", "PriorityLong", "PRIORITY") { "\($0.info.priority)" },
        Row("r", "Reason", "REASON") { $0.reason },
        Row("R", "ReasonList", "NODELIST(REASON)") { $0.nodesOrReason },
        Row("s", "SelectJobInfo", "SELECT_JOBINFO") { _ in "" },
        Row("S", "StartTime", "START_TIME") { Times.stamp($0.startUs) },
        Row("t", "StateCompact", "ST") { $0.code },
        Row("T", "State", "STATE") { $0.info.state },
        Row("u", "UserName", "USER") { $0.user },
        Row("U", "UserID", "UID") { "\($0.info.spec.identity.uid)" },
        Row("v", "Reservation", "RESERVATION") { orNull($0.reservation) },
        Row("V", "SubmitTime", "SUBMIT_TIME") { Times.stamp($0.info.submitUs) },
        Row("w", "WCKey", "WCKEY") { orNull($0.info.spec.wckey) },
        Row("W", "Licenses", "LICENSES") { orNull($0.licenses) },
        Row("x", "ExcNodes", "EXC_NODES") { $0.info.spec.exclude },
        Row("X", "CoreSpec", "CORE_SPEC") { _ in "N/A" },
        Row("Y", "SchedNodes", "SCHEDNODES") { orNull($0.info.plannedNodes) },
        Row("z", "STCT", "S:C:T") { $0.layout },
        Row("Z", "WorkDir", "WORK_DIR") { $0.info.spec.workDir },
        Row(nil, "NumTasks", "TASKS") { "\(max(1, $0.info.spec.tasks))" },
        Row(nil, "STDOUT", "STDOUT") { $0.info.spec.stdoutPath },
        Row(nil, "STDERR", "STDERR") { $0.info.spec.stderrPath },
        Row(nil, "STDIN", "STDIN") { $0.info.spec.stdinPath },
        Row(nil, "EligibleTime", "ELIGIBLE_TIME") { Times.stamp($0.info.eligibleUs) },
        Row(nil, "RestartCnt", "RESTART_COUNT") { "\($0.info.restarts)" },
        Row(nil, "Exit_Code", "EXIT_CODE") { "\($0.info.exit.code)" },
        Row(nil, "tres-per-node", "TRES_PER_NODE") { orNull($0.gres(.node)).replacing("(null)", "N/A") },
        Row(nil, "tres-per-job", "TRES_PER_JOB") { orNull($0.gres(.job)).replacing("(null)", "N/A") },
        Row(nil, "Deadline", "DEADLINE") { Times.stamp($0.info.spec.deadlineUs) },
        Row(nil, "Nice", "NICE") { "\($0.info.spec.nice)" },
        Row(nil, "Container", "CONTAINER") { $0.info.spec.container.image },
        Row(nil, "ReasonDetail", "REASON_DETAIL") { $0.info.reasonDetail },
        Row(nil, "Reasons", "REASONS") { $0.info.reasons.joined(separator: ",") },
        Row(nil, "LastSchedEval", "LAST_SCHED_EVAL") { Times.stamp($0.info.lastPlanUs) },
        Row(nil, "PreemptTime", "PREEMPT_TIME") { Times.stamp($0.info.preemptedUs) },
    ]

    /// Slurm shows the priority as a fraction of 2^32, in fourteen places.
    private static func fraction(_ priority: UInt64) -> String {
        let scaled = UInt64(priority.multipliedFullWidth(by: 100_000_000_000_000).low >> 32)
        let digits = String(min(scaled, 99_999_999_999_999))
        return "0." + String(repeating: "0", count: 14 - digits.count) + digits
    }
}

extension JobRecord {
    /// Of a waiting job, when it is expected to start.
    var startUs: Int64 { state == .pending ? info.expectedStartUs : info.startUs }
}
