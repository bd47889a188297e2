import ArgosyDomain
import ArgosyWire
import Testing

@Suite struct ConversionTests {
    private var fields: JobSpec.Fields {
        var fields = JobSpec.Fields(
            identity: Identity(uid: 1000, gid: 100, groups: [7, 8], user: "ada", group: "users", home: "/home/ada"))
        fields.name = "wave"
        fields.account = "physics"
        fields.qos = "normal"
        fields.partition = "debug"
        fields.minNodes = 2
        fields.maxNodes = 3
        fields.tasks = 4
        fields.tasksPerNode = 2
        fields.cpusPerTask = 5
        fields.memoryPerNodeMiB = 1 << 40
        fields.memoryPerCPUMiB = 6
        fields.timeLimit = .unlimited
        fields.workDirectory = "/home/ada"
        fields.stdinPath = "in"
        fields.stdoutPath = "out-%j"
        fields.stderrPath = "err"
        fields.appendOutput = true
        fields.scriptDigest = "aa"
        fields.environmentDigest = "bb"
        fields.arguments = ["job.sh", "1"]
        fields.command = "/home/ada/job.sh"
        fields.submitHost = "login"
        fields.submitLine = "sbatch job.sh"
        fields.comment = "no"
        fields.requeue = false
        fields.exclusive = true
        fields.hold = true
        fields.nodeList = "n[1-2]"
        fields.exclude = "n3"
        fields.array = ArraySpec(indices: [IndexRange(first: 1, last: 9, step: 2)], maxRunning: 3, text: "1-9:2%3")
        var container = ContainerSpec(image: "docker://a/b:c")
        container.digest = "sha256:00"
        container.mounts = ["/a:/b:ro"]
        container.workdir = "/b"
        container.writable = true
        container.mountHome = false
        fields.container = container
        fields.begin = Timestamp(seconds: 5)
        fields.umask = 0o077
        fields.limits = [ResourceLimit(resource: 7, soft: 1, hard: .max)]
        fields.dependency = "afterok:1"
        fields.nice = -5
        fields.killOnClientLoss = true
        return fields
    }

    @Test func `a job specification survives the wire whole`() throws {
        let bytes: [UInt8] = try WireJobSpec(JobSpec(fields)).serializedBytes()
        #expect(try WireJobSpec(serializedBytes: bytes).domain == fields)
    }

    @Test func `an allocation survives by its nodes' names`() {
        let allocation = Allocation(
            nodes: [
                .init(index: NodeIndex(4), name: "n1", cpus: CPUSet([0, 3, 70]), memoryMiB: 5, tasks: 2),
                .init(index: NodeIndex(2), name: "n2", cpus: CPUSet([1]), memoryMiB: 0, tasks: 1),
            ], cpusPerTask: 1)
        let wire = WireAllocation(allocation)
        #expect(wire.nodeList == "n[1-2]" && wire.tasks == 3 && wire.nodes[0].cpus == 3)
        #expect(wire.domain { $0 == "n1" ? NodeIndex(4) : NodeIndex(2) } == allocation)
        #expect(wire.domain { _ in nil }.nodes[0].index.rawValue == .max)
    }

    @Test func `a refusal of a newer release keeps its text`() {
        var wire = WireRefusal(Refusal(.busy, "m", detail: "d"))
        #expect(wire.domain == Refusal(.busy, "m", detail: "d"))
        wire.code = 9999
        #expect(wire.domain == Refusal(.notSupported, "m", detail: "d"))
    }
}
