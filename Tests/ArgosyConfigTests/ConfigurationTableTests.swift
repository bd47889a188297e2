import ArgosyDomain
import Glibc
import Testing

@testable import ArgosyConfig

private func parse(_ text: String) -> ClusterConfiguration {
    ConfigurationParser.parse(.init(file: "test.conf", text: "SlurmctldHost=vm(127.0.0.1)\n" + text)).configuration
}

private func shown(_ text: String) -> [String: String] {
    let facts = ConfigurationTable.Facts(
        bootTime: "now", nextJobID: 7, file: "test.conf", uid: { $0 == "root" ? 0 : nil })
    let pairs = ConfigurationTable.showConfig(parse(text), facts)
    return Dictionary(pairs.map { ($0.key, $0.value) }, uniquingKeysWith: { first, _ in first })
}

/// Tests/Documented: names that Slurm documents or shows.
private enum Documented {
    static func lines(_ name: String) -> [String] {
        let root = #filePath.split(separator: "/").dropLast(3).map { "/" + $0 }.joined()
        guard let file = fopen("\(root)/Tests/Documented/\(name)", "r") else { return [] }
        defer { fclose(file) }
        var lines: [String] = []
        var buffer = [CChar](repeating: 0, count: 4096)
        while fgets(&buffer, Int32(buffer.count), file) != nil {
            lines.append(
                String(decoding: buffer.prefix { $0 != 0 && $0 != 10 }.map(UInt8.init(bitPattern:)), as: UTF8.self))
        }
        return lines
    }
}

@Suite("the table of keys") struct ConfigurationTableTests {
    @Test func `each key is there once, and each reader has a key that is honoured`() {
        for place in ConfigurationTable.Place.allCases {
            let names = ConfigurationTable.keys(place).map { $0.name.lowercased() }
            #expect(names.count == Set(names).count, "\(place)")
        }
        let readers =
            Array(ConfigurationParser.readers.keys) + Array(ConfigurationParser.priorityReaders.keys)
            + Array(ConfigurationParser.schedulingReaders.keys)
        for name in readers where !name.hasPrefix("argosy") {
            #expect(ConfigurationTable.key(name)?.state == .honoured, "\(name)")
        }
    }

    /// What real `scontrol show config` printed for the same lines.
    @Test(arguments: [
        ("AccountingStorageEnforce=limits", "AccountingStorageEnforce", "associations,limits"),
        ("AllowSpecResourcesUsage=yes", "AllowSpecResourcesUsage", "Yes"),
        ("BatchStartTimeout=20", "BatchStartTimeout", "20 sec"),
        ("CpuFreqGovernors=ondemand,performance", "CpuFreqGovernors", "OnDemand,Performance"),
        ("DefMemPerCPU=10", "DefMemPerCPU", "10"), ("", "DefMemPerNode", "UNLIMITED"),
        ("MaxMemPerCPU=400", "MaxMemPerCPU", "400"),
        ("DefCpuPerGPU=2\nDefMemPerGPU=100", "JobDefaults", "DefCpuPerGPU=2,DefMemPerGPU=100"),
        ("EnforcePartLimits=all", "EnforcePartLimits", "ALL"), ("EpilogMsgTime=100", "EpilogMsgTime", "100 usec"),
        ("GroupUpdateForce=0", "GroupUpdateForce", "0"), ("JobRequeue=YES", "JobRequeue", "1"),
        ("HealthCheckNodeState=IDLE,CYCLE", "HealthCheckNodeState", "CYCLE,IDLE"),
        ("OverTimeLimit=5", "OverTimeLimit", "5 min"), ("ResvOverRun=UNLIMITED", "ResvOverRun", "UNLIMITED"),
        ("PreemptMode=REQUEUE,GANG", "PreemptMode", "GANG,REQUEUE"),
        ("PreemptExemptTime=00:10:00", "PreemptExemptTime", "00:10:00"),
        ("PrivateData=nodes,jobs", "PrivateData", "jobs,nodes"),
        ("PrologFlags=X11", "PrologFlags", "Alloc,Contain,X11"),
        ("PropagateResourceLimitsExcept=NOFILE", "PropagateResourceLimits", "(null)"),
        ("ResumeRate=10", "ResumeRate", "10 nodes/min"), ("", "SuspendTime", "INFINITE"),
        ("SuspendTime=300", "SuspendTime", "300 sec"),
        ("SelectTypeParameters=CR_Core_Memory,CR_LLN", "SelectTypeParameters", "CR_CORE_MEMORY,CR_LLN"),
        ("SelectType=select/linear", "SelectTypeParameters", "NONE"),
        ("SlurmdDebug=5", "SlurmdDebug", "debug"), ("SlurmUser=root", "SlurmUser", "root(0)"),
        ("TaskPluginParam=Verbose,Cores", "TaskPluginParam", "verbose,cores"), ("UsePAM=1", "UsePam", "Yes"),
        ("VSizeFactor=101", "VSizeFactor", "101 percent"), ("", "SlurmctldHost[0]", "vm(127.0.0.1)"),
        ("SlurmctldHost=b", "SlurmctldHost[1]", "b"), ("Prolog=NONE", "Prolog", "(null)"),
        (
            "AccountingStorageTRES=gres/gpu", "AccountingStorageTRES",
            "cpu,mem,energy,node,billing,fs/disk,vmem,pages,gres/gpu"
        ),
        ("AllowedRAMSpace=95.5", "AllowedRAMSpace", "95.5%"), ("", "NEXT_JOB_ID", "7"),
    ])
    func `a value is shown as Slurm shows it`(lines: String, key: String, value: String) {
        if key == "AllowedRAMSpace" { return #expect(cgroup(lines)[key] == value) }
        #expect(shown(lines)[key] == value)
    }

    private func cgroup(_ lines: String) -> [String: String] {
        var parsed = ParsedConfiguration(configuration: parse(""))
        parsed.readCgroup(.init(file: "cgroup.conf", text: lines))
        let facts = ConfigurationTable.Facts(bootTime: "", nextJobID: 1, file: "", uid: { _ in nil })
        let pairs = ConfigurationTable.showConfig(parsed.configuration, facts)
        return Dictionary(pairs.map { ($0.key, $0.value) }, uniquingKeysWith: { first, _ in first })
    }

    @Test func `factors are shown when they count`() {
        #expect(shown("PriorityType=priority/multifactor")["PriorityMaxAge"] == "7-00:00:00")
        #expect(shown("PriorityType=priority/basic")["PriorityMaxAge"] == nil)
    }

    @Test func `keys are shown in Slurm's order`() {
        let facts = ConfigurationTable.Facts(bootTime: "", nextJobID: 1, file: "", uid: { _ in nil })
        let keys = ConfigurationTable.showConfig(parse(""), facts).map(\.key).prefix { !$0.isEmpty }
        #expect(Array(keys) == Documented.lines("show-config.names"))
    }

    @Test func `keys are asked for by name`() {
        let configuration = parse("Prolog=/etc/p\nLaunchParameters=use_interactive_step,mpir\nWaitTime=3\nEpilog=none")
        #expect(configuration.text("prolog") == "/etc/p" && configuration.text("Epilog").isEmpty)
        #expect(configuration.has("MPIR", in: "LaunchParameters") && !configuration.has("x", in: "LaunchParameters"))
        #expect(configuration.seconds("WaitTime") == .seconds(3) && configuration.seconds("SuspendTime") == nil)
        #expect(
            configuration.seconds("UnkillableStepTimeout") == .seconds(60) && configuration.flag("TrackWCKey") == false)
    }
}

@Suite("a configuration that follows another") struct FollowingTests {
    private func configuration(_ text: String) -> ClusterConfiguration { parse("ClusterName=c\n" + text) }

    @Test func `nodes keep their numbers, new ones come last, and those that are gone are marked`() throws {
        let old = configuration("NodeName=a,b,c CPUs=2\nPartitionName=p Nodes=ALL")
        let new = configuration("NodeName=x,c,a CPUs=4\nPartitionName=p Nodes=c,x\nPartitionName=q Nodes=a")
        let next = new.following(old).configuration
        #expect(next.nodes.map(\.name) == ["a", "b", "c", "x"])
        #expect(next.nodes.map(\.isRemoved) == [false, true, false, false])
        #expect(next.nodes.map(\.cpus) == [4, 2, 4, 4])
        #expect(next.partitions.map { $0.nodes.map(\.int) } == [[2, 3], [0]])
        let again = configuration("NodeName=b CPUs=8\nPartitionName=p Nodes=ALL").following(next).configuration
        #expect(again.nodes.map(\.isRemoved) == [true, false, true, true] && again.nodes[1].cpus == 8)
    }

    @Test func `what a restart is needed for stays and is told`() {
        let old = configuration("SlurmctldPort=7000\nKillWait=3")
        let (next, notes) = configuration("SlurmctldPort=7001\nKillWait=4").following(old)
        #expect(next.controllerPort == 7000 && next.text("SlurmctldPort") == "7000" && next.killWait == .seconds(4))
        #expect(notes == ["SlurmctldPort stays as it is until argosyctld is restarted"])
    }
}
