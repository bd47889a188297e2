// Keys of cgroup.conf, gres.conf and topology.conf, and those that are ours.

extension ConfigurationTable {
    private static let kernelMemory = "the kernel no longer bounds its memory by itself"

    /// In the order `scontrol show config` shows them, below those of slurm.conf.
    static let cgroupKeys: [ConfigurationKey] = [
        .init("AllowedKmemSpace", .text, "(null)", .noEffect(kernelMemory)),
        .init("AllowedRAMSpace", .percent, "100.0%", .noEffect("jobs are held to the memory that they asked for")),
        .init("AllowedSwapSpace", .percent, "0.0%", .noEffect("jobs get no swap")),
        .init("CgroupAutomount", .flag, "no", .noEffect("systemd has mounted it")),
        .init("CgroupMountpoint", .path, "/sys/fs/cgroup", .noEffect("it is where the kernel says")),
        .init("CgroupPlugin", .text, "(null)", .noEffect("what the kernel offers is used, v2 where it can be")),
        .init("ConstrainCores", .flag, "yes", .noEffect("jobs are always held to their cores")),
        .init("ConstrainDevices", .flag, "no"),
        .init("ConstrainKmemSpace", .flag, "no", .noEffect(kernelMemory)),
        .init("ConstrainRAMSpace", .flag, "yes", .noEffect("jobs are always held to their memory")),
        .init("ConstrainSwapSpace", .flag, "no", .noEffect("jobs get no swap")),
        .init("IgnoreSystemd", .flag, "no", .noEffect("daemons use the cgroup that they are started in")),
        .init("IgnoreSystemdOnFailure", .flag, "no", .noEffect("daemons use the cgroup that they are started in")),
        .init("MaxKmemPercent", .percent, "100.0%", .noEffect(kernelMemory)),
        .init("MaxRAMPercent", .percent, "100.0%", .noEffect("jobs are held to the memory that they asked for")),
        .init("MaxSwapPercent", .percent, "100.0%", .noEffect("jobs get no swap")),
        .init("MemorySwappiness", .number(0...100), "(null)", .noEffect("cgroup v2 has no such setting")),
        .init("MinKmemSpace", .measure("MB"), "30 MB", .noEffect(kernelMemory)),
        .init("MinRAMSpace", .measure("MB"), "30 MB", .noEffect("jobs are held to the memory that they asked for")),
    ]

    static let gresKeys: [ConfigurationKey] = [
        .init("AutoDetect", .text, nil, .noEffect("hwloc always looks for GPUs")),
        .init("Count", .text, nil),
        .init("Cores", .text, nil),
        .init("CPUs", .text, nil),
        .init("File", .text, nil),
        .init("Flags", .text, nil),
        .init("Links", .text, nil, .noEffect("links between devices are hwloc's to find")),
        .init("MultipleFiles", .text, nil),
        .init("Name", .text, nil),
        .init("NodeName", .text, nil),
        .init("Type", .text, nil),
    ]

    static let topologyKeys: [ConfigurationKey] = [
        .init("SwitchName", .text, nil),
        .init("Switches", .text, nil),
        .init("Nodes", .text, nil),
        .init("LinkSpeed", .text, nil, .noEffect("switches are told apart by their place in the tree only")),
    ]

    static let argosyKeys: [ConfigurationKey] = [
        .init("ArgosySocket", .path, nil)
    ]
}
