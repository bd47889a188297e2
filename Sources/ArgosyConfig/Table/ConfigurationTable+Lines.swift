// Keys of the lines that describe nodes and partitions.

extension ConfigurationTable {
    static let nodeKeys: [ConfigurationKey] = [
        .init("NodeName", .text, nil),
        .init("NodeHostname", .text, nil),
        .init("NodeAddr", .text, nil),
        .init("BcastAddr", .text, nil, .noEffect("files are sent over the links that nodes keep")),
        .init("Boards", .number(1...1024), nil),
        .init("CoreSpecCount", .number(0...65535), nil),
        .init("CoresPerSocket", .number(1...65535), nil),
        .init("CpuBind", .text, nil, .noEffect("tasks are bound as srun(1) says")),
        .init("CPUs", .number(1...65535), nil),
        .init("CpuSpecList", .text, nil),
        .init("Feature", .text, nil),
        .init("Features", .text, nil),
        .init("Gres", .text, nil),
        .init("MemSpecLimit", .number(0...0xffff_fffe), nil),
        .init("Port", .text, nil),
        .init("Procs", .number(1...65535), nil),
        .init("RealMemory", .memory, nil),
        .init("Reason", .text, nil),
        .init("Sockets", .number(1...65535), nil),
        .init("SocketsPerBoard", .number(1...65535), nil),
        .init("State", .choice(ConfigurationParser.nodeStates), nil),
        .init("ThreadsPerCore", .number(1...64), nil),
        .init("TmpDisk", .number(0...0xffff_fffe), nil),
        .init("TRESWeights", .text, nil, .noEffect("nodes are weighed by Weight")),
        .init("Weight", .number(0...0xffff_fffe), nil),
    ]

    static let downNodesKeys: [ConfigurationKey] = [
        .init("DownNodes", .text, nil),
        .init("Reason", .text, nil),
        .init("State", .choice(["DOWN", "DRAIN", "FAIL", "FAILING", "FUTURE", "UNKNOWN"]), nil),
    ]

    static let frontEndKeys: [ConfigurationKey] = [
        "AllowGroups", "AllowUsers", "DenyGroups", "DenyUsers", "FrontendName", "FrontendAddr", "Port", "Reason",
        "State",
    ].map { .init($0, .text, nil, .noEffect("every node has its own daemon, there are no front ends")) }

    static let nodeSetKeys: [ConfigurationKey] = [
        .init("Feature", .text, nil),
        .init("Nodes", .text, nil),
        .init("NodeSet", .text, nil),
    ]

    static let partitionKeys: [ConfigurationKey] = [
        .init("AllocNodes", .text, nil),
        .init("AllowAccounts", .text, nil),
        .init("AllowGroups", .text, nil),
        .init("AllowQos", .text, nil),
        .init("Alternate", .text, nil),
        .init("CpuBind", .text, nil, .noEffect("tasks are bound as srun(1) says")),
        .init("Default", .yesNo, nil),
        .init("DefaultTime", .time, nil),
        .init("DefCpuPerGPU", .number(0...65535), nil),
        .init("DefMemPerCPU", .memory, nil),
        .init("DefMemPerGPU", .memory, nil),
        .init("DefMemPerNode", .memory, nil),
        .init("DenyAccounts", .text, nil),
        .init("DenyQos", .text, nil),
        .init("DisableRootJobs", .yesNo, nil),
        .init("ExclusiveUser", .yesNo, nil),
        .init("GraceTime", .number(0...0xffff_fffe), nil),
        .init("Hidden", .yesNo, nil),
        .init("LLN", .yesNo, nil),
        .init("MaxCPUsPerNode", .number(0...0xffff_fffe), nil),
        .init("MaxMemPerCPU", .memory, nil),
        .init("MaxMemPerNode", .memory, nil),
        .init("MaxNodes", .number(0...0xffff_fffe), nil),
        .init("MaxTime", .time, nil),
        .init("MinNodes", .number(0...0xffff_fffe), nil),
        .init("Nodes", .text, nil),
        .init("OverSubscribe", .text, nil),
        .init("OverTimeLimit", .number(0...65533), nil, .notYet),
        .init("PartitionName", .text, nil),
        .init("PreemptMode", .text, nil),
        .init("Priority", .number(0...65533), nil),
        .init("PriorityJobFactor", .number(0...65533), nil),
        .init("PriorityTier", .number(0...65533), nil),
        .init("QOS", .text, nil),
        .init("ReqResv", .yesNo, nil),
        .init("ResumeTimeout", .measure("sec"), nil, .noEffect(noPower)),
        .init("RootOnly", .yesNo, nil),
        .init("SelectTypeParameters", .text, nil, .noEffect("what is given out is the same in all partitions")),
        .init("Shared", .text, nil),
        .init("State", .choice(ConfigurationParser.partitionStates), nil),
        .init("SuspendTime", .measure("sec"), nil, .noEffect(noPower)),
        .init("SuspendTimeout", .measure("sec"), nil, .noEffect(noPower)),
        .init("TRESBillingWeights", .text, nil),
    ]
}
