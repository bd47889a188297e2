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
        fields.resources = resources
        fields.deadline = Timestamp(seconds: 9)
        fields.timeMin = TimeLimit(minutes: 3)
        fields.priority = 0
        fields.killOnInvalidDependency = false
        fields.wckey = "key"
        var component = JobSpec.Fields(identity: fields.identity)
        component.tasks = 3
        component.resources.constraint = "fast"
        fields.components = [component]
        return fields
    }

    private var resources: ResourceOptions {
        var options = ResourceOptions()
        options.constraint = "fast&ib"
        options.prefer = "ib"
        options.tasksPerSocket = 1
        options.tasksPerCore = 2
        options.tasksPerGPU = 3
        options.socketsPerNode = 4
        options.coresPerSocket = 5
        options.threadsPerCore = 6
        options.minCPUsPerNode = 7
        options.minTmpDiskMiB = 1 << 33
        options.memoryPerGPUMiB = 1 << 34
        options.gres = [
            GRESRequest(name: "gpu", type: "a100", count: 1 << 40, per: .task), .init(name: "nic", count: 1),
        ]
        options.cpusPerGPU = 8
        options.sharing = .user
        options.overcommit = true
        options.contiguous = true
        options.spreadJob = true
        options.useMinNodes = true
        options.switches = 9
        options.switchWait = 10
        options.licenses = [LicenseRequest(name: "matlab", count: 2)]
        options.anyLicense = true
        options.reservation = "maint,night"
        options.distribution = "cyclic:block"
        options.coreSpec = 11
        return options
    }

    @Test func `a reservation survives by its nodes' names`() throws {
        var reservation = Reservation(
            name: "ann_1", start: Timestamp(seconds: 60), end: Timestamp(seconds: 120), flags: [.daily, .flex])
        reservation.purgeAfter = 7
        reservation.floatOffset = 8
        reservation.nodes = [.init(index: NodeIndex(3), name: "n4", cpus: CPUSet([1, 2]))]
        reservation.coreCount = 2
        reservation.partition = "main"
        reservation.features = "fast"
        reservation.licenses = [LicenseRequest(name: "matlab", count: 2)]
        reservation.users = ReservationMembers(["ann"], areDenied: true)
        reservation.accounts = ReservationMembers(["physics"])
        reservation.groups = ["staff"]
        reservation.uids = [1000]
        reservation.gids = [50]
        reservation.idleSince = Timestamp(seconds: 61)
        reservation.maxStartDelay = 9
        reservation.sequence = 10
        reservation.utcOffset = -3600
        let bytes: [UInt8] = try WireReservation(reservation).serializedBytes()
        let read = try WireReservation(serializedBytes: bytes)
        #expect(read.domain { $0 == "n4" ? NodeIndex(3) : nil } == reservation)
        #expect(read.domain { _ in nil }.nodes[0].index.rawValue == .max)
    }

    @Test func `requests about reservations survive, said and unsaid`() throws {
        var request = ReservationRequest(name: "r")
        for change in 0..<2 {
            if change == 1 {
                request.start = .unset
                request.end = Timestamp(seconds: 5)
                request.duration = .unlimited
                request.flags = .maintenance
                request.removedFlags = .daily
                request.purgeAfter = 0
                request.nodes = .set("")
                request.nodeCounts = [1, 2]
                request.coreCounts = [3]
                request.partition = ""
                request.features = ""
                request.licenses = []
                request.users = .add("ann")
                request.accounts = .remove("physics")
                request.groups = .set("staff")
                request.skip = true
                request.maxStartDelay = 4
            }
            let bytes: [UInt8] = try WireReservationRequest(request).serializedBytes()
            #expect(try WireReservationRequest(serializedBytes: bytes).domain == request)
        }
    }

    @Test func `changes of jobs survive, said and unsaid`() throws {
        var changes = JobChanges()
        let limits: [JobChanges.LimitChange] = [.set(.unlimited), .longer(5), .shorter(6)]
        for limit in limits + [limits[0]] {
            let bytes: [UInt8] = try WireJobChanges(changes).serializedBytes()
            #expect(try WireJobChanges(serializedBytes: bytes).domain == changes)
            changes = allChanges
            changes.timeLimit = limit
        }
    }

    private var allChanges: JobChanges {
        var changes = JobChanges()
        changes.timeMin = .notGiven
        changes.priority = .max
        changes.nice = -4
        changes.partition = "p"
        changes.qos = ""
        changes.account = "a"
        changes.constraint = ""
        changes.gres = []
        changes.minNodes = 1
        changes.maxNodes = 2
        changes.tasks = 3
        changes.cpusPerTask = 4
        changes.memoryPerNodeMiB = 5
        changes.memoryPerCPUMiB = 6
        changes.dependency = ""
        changes.begin = .unset
        changes.deadline = Timestamp(seconds: 1)
        changes.licenses = [LicenseRequest(name: "m", count: 1)]
        changes.anyLicense = true
        changes.reservation = ""
        changes.name = "n"
        changes.comment = ""
        changes.wckey = "w"
        changes.nodeList = "n1"
        changes.exclude = ""
        changes.requeue = false
        changes.arrayThrottle = 0
        return changes
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
