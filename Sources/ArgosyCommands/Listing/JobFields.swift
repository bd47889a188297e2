// What squeue can show of a job.

import ArgosyDomain
import ArgosyWire

enum JobFields {
    typealias Row = Field<JobRecord>

    /// `*` for a count that was not asked for.
    static func orAny(_ count: UInt32) -> String { count == 0 ? "*" : "\(count)" }

    static func orNull(_ text: String) -> String { text.isEmpty ? "(null)" : text }

    static func orNA(_ text: String) -> String { text.isEmpty ? "N/A" : text }

    private static func orNA(_ count: UInt32) -> String { count == 0 ? "N/A" : "\(count)" }

    static let all: [Row] = lettered + named

    /// In the order of `%all`.
    static let letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

    private static let lettered: [Row] = [
        Row("a", "Account", "ACCOUNT") { orNull($0.info.spec.account) },
        Row("A", "JobID", "JOBID") { "\($0.info.job)" },
        Row("b", "tres-per-node", "TRES_PER_NODE") { orNA($0.gres(.node)) },
        Row("B", "BatchHost", "EXEC_HOST") { $0.executingHost },
        Row("c", "MinCpus", "MIN_CPUS") { "\($0.minCPUs)" },
        Row("C", "NumCPUs", "CPUS") { "\($0.cpuCount)" },
        Row("d", "MinTmpDisk", "MIN_TMP_DISK") { $0.memoryText($0.info.spec.resources.minTmpDiskMib) },
        Row("D", "NumNodes", "NODES") { "\($0.nodeCount)" },
        Row("e", "EndTime", "END_TIME") { Times.stamp($0.listedEndUs) },
        Row("E", "Dependency", "DEPENDENCY") { orNull($0.info.dependency) },
        Row("f", "Feature", "FEATURES") { orNull($0.info.spec.resources.constraint) },
        Row("F", "ArrayJobID", "ARRAY_JOB_ID") { "\($0.info.arrayJob == 0 ? $0.info.job : $0.info.arrayJob)" },
        Row("g", "GroupName", "GROUP") { $0.group },
        Row("G", "GroupID", "GROUP") { "\($0.info.spec.identity.gid)" },
        Row("h", "OverSubscribe", "OVER_SUBSCRIBE") { $0.sharing },
        Row("H", "Sockets", "SOCKETS_PER_NODE") { orAny($0.info.spec.resources.socketsPerNode) },
        Row("i", "JobArrayID", "JOBID") { $0.shortID },
        Row("I", "Cores", "CORES_PER_SOCKET") { orAny($0.info.spec.resources.coresPerSocket) },
        Row("j", "Name", "NAME") { $0.info.spec.name },
        Row("J", "Threads", "THREADS_PER_CORE") { orAny($0.info.spec.resources.threadsPerCore) },
        Row("k", "Comment", "COMMENT") { orNull($0.info.spec.comment) },
        Row("K", "ArrayTaskID", "ARRAY_TASK_ID") { $0.arrayIndex },
        Row("l", "TimeLimit", "TIME_LIMIT") { $0.limitText }.ofDuration,
        Row("L", "TimeLeft", "TIME_LEFT") { $0.timeLeft }.ofDuration,
        Row("m", "MinMemory", "MIN_MEMORY") { $0.memory },
        Row("M", "TimeUsed", "TIME") { Times.short($0.elapsed) }.ofDuration,
        Row("n", "ReqNodes", "REQ_NODES") { $0.info.spec.nodeList },
        Row("N", "NodeList", "NODELIST") { $0.nodeList },
        Row("o", "Command", "COMMAND") { orNull($0.info.spec.command) },
        Row("O", "Contiguous", "CONTIGUOUS") { $0.info.spec.resources.contiguous ? "1" : "0" },
        Row("p", "Priority", "PRIORITY") { fraction($0.info.priority) },
        Row("P", "Partition", "PARTITION") { $0.partition },
        Row("q", "QOS", "QOS") { $0.info.spec.qos },
        Row("Q", "PriorityLong", "PRIORITY") { "\($0.info.priority)" },
        Row("r", "Reason", "REASON") { $0.reason },
        Row("R", "ReasonList", "NODELIST(REASON)") { $0.nodesOrReason },
        Row("s", "SelectJobInfo", "") { _ in "" },
        Row("S", "StartTime", "START_TIME") { Times.stamp($0.startUs) },
        Row("t", "StateCompact", "ST") { $0.code },
        Row("T", "State", "STATE") { $0.info.state },
        Row("u", "UserName", "USER") { $0.user },
        Row("U", "UserID", "UID") { "\($0.info.spec.identity.uid)" },
        Row("v", "Reservation", "RESERVATION") { orNull($0.reservation) },
        Row("V", "SubmitTime", "SUBMIT_TIME") { Times.stamp($0.info.submitUs) },
        Row("w", "WCKey", "WCKEY") { orNull($0.info.spec.wckey) },
        Row("W", "Licenses", "LICENSES") { orNull($0.licenses) },
        Row("x", "", "EXC_NODES") { $0.info.spec.exclude },
        Row("X", "CoreSpec", "CORE_SPEC") { orNA($0.info.spec.resources.coreSpec) },
        Row("y", "Nice", "NICE") { "\($0.info.spec.nice)" },
        Row("Y", "SchedNodes", "SCHEDNODES") { orNull($0.state == .pending ? $0.info.plannedNodes : "") },
        Row("z", "SCT", "S:C:T") { $0.layout },
        Row("Z", "WorkDir", "WORK_DIR") { $0.info.spec.workDir },
    ]

    /// Those for which letters ran out.
    private static let named: [Row] = [
        Row(nil, "AccrueTime", "ACCRUE_TIME") { Times.stamp($0.info.accrueUs) },
        Row(nil, "admin_comment", "ADMIN_COMMENT") { _ in "(null)" },
        Row(nil, "AllocNodes", "ALLOC_NODES") { orNull($0.info.spec.submitHost) },
        Row(nil, "AllocSID", "ALLOC_SID") { _ in "0" },
        Row(nil, "AssocID", "ASSOC_ID") { "\($0.info.association)" },
        Row(nil, "BatchFlag", "BATCH_FLAG") { $0.isBatchJob ? "1" : "0" },
        Row(nil, "BoardsPerNode", "BOARDS_PER_NODE") { _ in "0" },
        Row(nil, "BurstBuffer", "BURST_BUFFER") { _ in "(null)" },
        Row(nil, "BurstBufferState", "BURST_BUFFER_STATE") { _ in "(null)" },
        Row(nil, "Cluster", "CLUSTER") { $0.cluster },
        Row(nil, "ClusterFeature", "CLUSTER_FEATURES") { _ in "(null)" },
        Row(nil, "Container", "CONTAINER") { orNull($0.info.spec.container.image) },
        Row(nil, "cpus-per-task", "CPUS_PER_TASK") { "\(max(1, $0.info.spec.cpusPerTask))" },
        Row(nil, "cpus-per-tres", "CPUS_PER_TRES") { perGPU($0.info.spec.resources.cpusPerGpu) },
        Row(nil, "Deadline", "DEADLINE") { Times.stamp($0.info.spec.deadlineUs) },
        Row(nil, "DelayBoot", "DELAY_BOOT") { _ in "0:00" },
        Row(nil, "DerivedEC", "DERIVED_EC") { "\($0.info.derivedExit.code)" },
        Row(nil, "EligibleTime", "ELIGIBLE_TIME") { Times.stamp($0.info.eligibleUs) },
        Row(nil, "exit_code", "EXIT_CODE") { "\($0.info.exit.code)" },
        Row(nil, "HetJobID", "HET_JOB_ID") { orNA($0.info.hetLeader) },
        Row(nil, "HetJobIDSet", "HET_JOB_ID_SET") { orNA($0.info.hetJobs) },
        Row(nil, "HetJobOffset", "HET_JOB_OFFSET") { $0.info.hetLeader == 0 ? "N/A" : "\($0.info.hetOffset)" },
        Row(nil, "LastSchedEval", "LAST_SCHED_EVAL") { Times.stamp($0.lastEvaluationUs) },
        Row(nil, "MaxCPUs", "MAX_CPUS") { "\($0.cpuCount)" },
        Row(nil, "MaxNodes", "MAX_NODES") { "\($0.maxNodes)" },
        Row(nil, "MCSLabel", "MCSLABEL") { _ in "(null)" },
        Row(nil, "mem-per-tres", "MEM_PER_TRES") { perGPU($0.info.spec.resources.memoryPerGpuMib) },
        Row(nil, "MinTime", "TIME_MIN") { Times.short(Int64($0.info.spec.timeMinMinutes) * 60) },
        Row(nil, "Network", "NETWORK") { _ in "(null)" },
        Row(nil, "NTPerBoard", "NTASKS_PER_BOARD") { _ in "0" },
        Row(nil, "NTPerCore", "NTASKS_PER_CORE") { orNA($0.info.spec.resources.tasksPerCore) },
        Row(nil, "NTPerNode", "NTASKS_PER_NODE") { "\($0.info.spec.tasksPerNode)" },
        Row(nil, "NTPerSocket", "NTASKS_PER_SOCKET") { orNA($0.info.spec.resources.tasksPerSocket) },
        Row(nil, "NumTasks", "TASKS") { "\($0.taskCount)" },
        Row(nil, "Origin", "ORIGIN") { _ in "NA" },
        Row(nil, "OriginRaw", "ORIGIN_RAW") { _ in "NA" },
        Row(nil, "PendingTime", "PENDING_TIME") { "\($0.pendingSeconds)" },
        Row(nil, "PreemptTime", "PREEMPT_TIME") { Times.stamp($0.info.preemptedUs) },
        Row(nil, "Prefer", "PREFER") { orNull($0.info.spec.resources.prefer) },
        Row(nil, "Profile", "PROFILE") { _ in "NotSet" },
        Row(nil, "Reboot", "REBOOT") { _ in "0" },
        Row(nil, "ReqSwitch", "REQ_SWITCH") { "\($0.info.spec.resources.switches)" },
        Row(nil, "Requeue", "REQUEUE") { $0.info.spec.requeue ? "1" : "0" },
        Row(nil, "ResizeTime", "RESIZE_TIME") { _ in "N/A" },
        Row(nil, "RestartCnt", "RESTART_COUNT") { "\($0.info.restarts)" },
        Row(nil, "SiblingsActive", "ACTIVE_SIBLINGS") { _ in "NA" },
        Row(nil, "SiblingsActiveRaw", "ACTIVE_SIBLINGS_RAW") { _ in "NA" },
        Row(nil, "SiblingsViable", "VIABLE_SIBLINGS") { _ in "NA" },
        // Slurm's own spelling.
        Row(nil, "SiblingsViableRaw", "VIALBLE_SIBLINGS_RAW") { _ in "NA" },
        Row(nil, "SPerBoard", "SOCKETS_PER_BOARD") { _ in "0" },
        Row(nil, "STDERR", "STDERR") { $0.outputPath($0.info.spec.stderrPath) },
        Row(nil, "STDIN", "STDIN") { $0.inputPath },
        Row(nil, "STDOUT", "STDOUT") { $0.outputPath($0.info.spec.stdoutPath) },
        Row(nil, "system_comment", "SYSTEM_COMMENT") { _ in "(null)" },
        Row(nil, "tres-alloc", "TRES_ALLOC") { $0.tres },
        Row(nil, "tres", "TRES_ALLOC") { $0.tres },
        Row(nil, "tres-bind", "TRES_BIND") { _ in "N/A" },
        Row(nil, "tres-freq", "TRES_FREQ") { _ in "N/A" },
        Row(nil, "tres-per-job", "TRES_PER_JOB") { orNA($0.gres(.job)) },
        Row(nil, "tres-per-socket", "TRES_PER_SOCKET") { orNA($0.gres(.socket)) },
        Row(nil, "tres-per-task", "TRES_PER_TASK") { orNA($0.gres(.task)) },
        Row(nil, "Wait4Switch", "WAIT4SWITCH") { Times.short(Int64($0.info.spec.resources.switchWaitS)) },
        // Argosy's own.
        Row(nil, "ReasonDetail", "REASON_DETAIL") { $0.info.reasonDetail },
        Row(nil, "Reasons", "REASONS") { $0.info.reasons.joined(separator: ",") },
    ]

    private static func perGPU(_ count: some BinaryInteger) -> String { count == 0 ? "N/A" : "gres:gpu:\(count)" }

    /// Slurm shows the priority as a fraction of 2^32, in fourteen places.
    private static func fraction(_ priority: UInt64) -> String {
        let scaled = UInt64(priority.multipliedFullWidth(by: 100_000_000_000_000).low >> 32)
        let digits = String(min(scaled, 99_999_999_999_999))
        return "0." + String(repeating: "0", count: 14 - digits.count) + digits
    }
}
