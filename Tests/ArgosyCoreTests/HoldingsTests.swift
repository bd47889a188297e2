// Licenses, devices, several partitions, deadlines: what a placement takes, and what keeps it from holding.
import ArgosyConfig
import ArgosyCore
import ArgosyDomain
import ArgosyScheduler
import Testing

extension Cluster {
    /// A plan of our own: the job on CPUs `cpus` of one node, with devices.
    mutating func place(
        _ job: JobID, on node: Int = 0, cpus: [Int] = [0], gres: [GRESGrant] = [], partition: Int = 0,
        _ adjust: (inout Placement) -> Void = { _ in }
    ) {
        let share = Allocation.Node(
            index: NodeIndex(node), name: configuration.nodes[node].name, cpus: CPUSet(cpus), memoryMiB: 0, tasks: 1,
            gres: gres)
        var placement = Placement(
            job: job, allocation: Allocation(nodes: [share], cpusPerTask: 1), partition: partition)
        adjust(&placement)
        var plan = Plan(version: 0)
        plan.placements = [placement]
        apply(.planned(plan))
    }

    static func gpus(_ devices: [Int]) -> GRESGrant {
        GRESGrant(name: "gpu", type: "a100", count: UInt64(devices.count), devices: CPUSet(devices))
    }

    /// Planned by hand only.
    static func byHand(nodes: Int = 1, cpus: Int = 4, _ adjust: (inout ClusterConfiguration) -> Void = { _ in }) -> Self
    {
        var cluster = Cluster(nodes: nodes, cpus: cpus, adjust)
        cluster.plansAutomatically = false
        return cluster
    }

    var snapshot: PlanningSnapshot { core.planningSnapshot(at: now) }
}

@Suite struct LicenseTests {
    static func cluster() -> Cluster {
        Cluster { $0.licenses = [LicenseRequest(name: "solver", count: 3), LicenseRequest(name: "mesher", count: 1)] }
    }

    @Test func `licenses are taken at the start and come back when the nodes let go`() {
        var cluster = Self.cluster()
        let job = cluster.submit { $0.resources.licenses = [LicenseRequest(name: "solver", count: 2)] }
        #expect(cluster.state(job) == .running)
        #expect(cluster.snapshot.licenses.map(\.free) == [1, 1])
        let second = cluster.submit { $0.resources.licenses = [LicenseRequest(name: "solver", count: 2)] }
        #expect(cluster.state(second) == .pending)
        cluster.report(0, job, .stepEnded(.batch, StepEnd(exit: .success)))
        #expect(cluster.state(second) == .pending)
        cluster.report(0, job, .gone(Usage()))
        #expect(cluster.state(second) == .running)
        #expect(cluster.snapshot.licenses.map(\.free) == [1, 1])
    }

    @Test func `licenses in use are known again after a restart`() {
        var cluster = Self.cluster()
        let job = cluster.submit { $0.resources.licenses = [LicenseRequest(name: "solver", count: 2)] }
        cluster.restart()
        #expect(cluster.snapshot.licenses.map(\.free) == [1, 1])
        #expect(cluster.core.checkInvariants() == [])
        #expect(cluster.state(job) == .running)
    }

    @Test func `one of several licenses is enough when the job says so`() throws {
        var cluster = Self.cluster()
        cluster.plansAutomatically = false
        let any = (1...2).map { _ in
            cluster.submit { fields in
                fields.resources.licenses = [
                    LicenseRequest(name: "mesher", count: 1), LicenseRequest(name: "solver", count: 1),
                ]
                fields.resources.anyLicense = true
            }
        }
        cluster.place(any[0], cpus: [0])
        cluster.place(any[1], cpus: [1])
        #expect(any.map { cluster.state($0) } == [.running, .running])
        #expect(try cluster.row(any[0]).licenses == [LicenseRequest(name: "mesher", count: 1)])
        #expect(try cluster.row(any[1]).licenses == [LicenseRequest(name: "solver", count: 1)])
    }

    @Test(arguments: ["tokens", "solver"]) func `a license that can never be had is refused`(_ name: String) {
        var cluster = Self.cluster()
        let answer = cluster.trySubmit { $0.resources.licenses = [LicenseRequest(name: name, count: 4)] }
        guard case .refused(let refusal) = answer else {
            Issue.record("not refused")
            return
        }
        #expect(refusal.message == "Invalid license specification" && refusal.detail.contains(name))
    }
}

@Suite struct DeviceTests {
    static func cluster() -> Cluster { .byHand { $0.nodes[0].gres = "gpu:a100:4,scratch:10" } }

    @Test func `no device is given twice, and each comes back`() {
        var cluster = Self.cluster()
        let jobs = (1...3).map { _ in cluster.submit() }
        cluster.place(jobs[0], cpus: [0], gres: [Cluster.gpus([0, 1])])
        cluster.place(jobs[1], cpus: [1], gres: [Cluster.gpus([1, 2])])
        #expect(jobs.map { cluster.state($0) } == [.running, .pending, .pending])
        cluster.place(
            jobs[2], cpus: [1], gres: [Cluster.gpus([2, 3]), GRESGrant(name: "scratch", type: "", count: 8)])
        #expect(cluster.state(jobs[2]) == .running)
        #expect(cluster.snapshot.nodes[0].freeGRES.map(\.count) == [0, 2])
        cluster.place(jobs[1], cpus: [2], gres: [GRESGrant(name: "scratch", type: "", count: 3)])
        #expect(cluster.state(jobs[1]) == .pending)
        cluster.finish(jobs[0])
        #expect(cluster.snapshot.nodes[0].freeGRES[0] == .init(count: 2, devices: CPUSet([0, 1])))
    }

    @Test func `devices in use are known again after a restart, and after the node told what it has`() {
        var cluster = Self.cluster()
        let job = cluster.submit()
        cluster.place(job, cpus: [0], gres: [Cluster.gpus([3])])
        cluster.restart()
        #expect(cluster.snapshot.nodes[0].freeGRES[0].devices == CPUSet([0, 1, 2]))
        let devices = (0..<4).map { NodeHardware.GRES.Device(numa: $0 / 2, file: "/dev/nvidia\($0)") }
        let hardware = NodeHardware(
            sockets: 1, coresPerSocket: 4, threadsPerCore: 1, memoryMiB: 5000,
            gres: [NodeHardware.GRES(name: "gpu", type: "a100", count: 4, devices: devices)])
        cluster.registrations[0] += 1
        var registration = Registration(incarnation: cluster.incarnation(0), cpus: 4, memoryMiB: 1000)
        registration.hardware = hardware
        registration.held = [.init(key: AttemptKey(job, Attempt(0)), prepared: true, steps: [], terminating: false)]
        cluster.apply(.nodeRegistered(NodeIndex(0), registration))
        let node = cluster.snapshot.nodes[0]
        let kind = cluster.snapshot.kinds[node.kind]
        #expect(kind.hardware.gres.map(\.name) == ["gpu", "scratch"] && kind.hardware.gres[0].devices == devices)
        #expect(kind.hardware.memoryMiB == 1000)
        #expect(node.freeGRES[0].devices == CPUSet([0, 1, 2]))
        #expect(cluster.node(0).flags == [])
    }

    @Test func `a node with fewer devices than configured is drained`() {
        var cluster = Self.cluster()
        cluster.registrations[0] += 1
        var registration = Registration(incarnation: cluster.incarnation(0), cpus: 4, memoryMiB: 1000)
        registration.hardware = NodeHardware(sockets: 1, coresPerSocket: 4, threadsPerCore: 1, memoryMiB: 1000)
        cluster.apply(.nodeRegistered(NodeIndex(0), registration))
        #expect(cluster.node(0).reason == "gres/gpu count reported lower than configured (0 < 4)")
    }
}

@Suite struct SeveralPartitionsTests {
    static func cluster() -> Cluster {
        .byHand(nodes: 2) { configuration in
            configuration.partitions[0].maxTime = TimeLimit(minutes: 60)
            var other = ClusterConfiguration.Partition(name: "long")
            other.nodes = [NodeIndex(1)]
            other.priorityTier = 5
            configuration.partitions.append(other)
        }
    }

    @Test func `a job runs in the partition it was placed in`() throws {
        var cluster = Self.cluster()
        let job = cluster.submit { $0.partition = "main,long" }
        #expect(try cluster.row(job).partition == "main,long")
        #expect(cluster.snapshot.shapes[Int(cluster.snapshot.queue[0].shape)].partitions == [0, 1])
        cluster.place(job, on: 0, partition: 1)
        #expect(cluster.state(job) == .pending, "n1 is not of partition long")
        cluster.place(job, on: 1, partition: 1)
        #expect(try cluster.row(job).partition == "long")
        cluster.restart()
        #expect(try cluster.row(job).partition == "long")
    }

    @Test func `partitions that refuse the job are left out, and one is enough`() throws {
        var cluster = Self.cluster()
        let job = cluster.submit { fields in
            fields.partition = "main,long"
            fields.timeLimit = TimeLimit(minutes: 90)
        }
        #expect(try cluster.row(job).spec.fields.partition == "long")
        guard case .refused(let refusal) = cluster.trySubmit({ $0.partition = "main,nowhere" }) else {
            Issue.record("not refused")
            return
        }
        #expect(refusal.code == .invalidPartition)
    }

    @Test func `the queue is in the order of tier, priority and id, held jobs last of their tier`() {
        var cluster = Self.cluster()
        let low = cluster.submit()
        let held = cluster.submit {
            $0.partition = "long"
            $0.hold = true
        }
        let nice = cluster.submit {
            $0.partition = "main,long"
            $0.nice = 100
        }
        let high = cluster.submit { $0.partition = "long" }
        #expect(cluster.snapshot.queue.map(\.id) == [high, nice, held, low])
        #expect(cluster.snapshot.queue.map(\.waits) == [[], [], .heldByUser, []])
    }
}

@Suite struct DeadlineTests {
    @Test func `a job that cannot end by its deadline any more ends as DEADLINE`() throws {
        var cluster = Cluster.byHand()
        let end = cluster.now.adding(.seconds(1200))
        let job = cluster.submit { $0.deadline = end }
        cluster.pass(.seconds(599))
        #expect(cluster.state(job) == .pending)
        cluster.pass(.seconds(2))
        #expect(cluster.state(job) == .deadline)
        #expect(try cluster.row(job).reason == .deadLine)
    }

    @Test func `the limit shrinks to the deadline as far as the job allows`() throws {
        var cluster = Cluster.byHand()
        let end = cluster.now.adding(.seconds(1200))
        let job = cluster.submit { fields in
            fields.timeLimit = TimeLimit(minutes: 15)
            fields.timeMin = TimeLimit(minutes: 5)
            fields.deadline = end
        }
        cluster.pass(.seconds(480))
        cluster.place(job)
        #expect(try cluster.row(job).timeLimit == TimeLimit(minutes: 12))
    }

    @Test func `a job still running at its deadline is ended`() {
        var cluster = Cluster()
        let end = cluster.now.adding(.seconds(1200))
        let job = cluster.submit { $0.deadline = end }
        #expect(cluster.state(job) == .running)
        cluster.pass(.seconds(1201))
        #expect(cluster.state(job) == .completing)
        cluster.report(0, job, .gone(Usage()))
        #expect(cluster.state(job) == .deadline)
    }

    @Test func `a deadline that is too near is refused`() {
        var cluster = Cluster()
        let soon = cluster.now.adding(.seconds(300))
        guard case .refused(let refusal) = cluster.trySubmit({ $0.deadline = soon }) else {
            Issue.record("not refused")
            return
        }
        #expect(refusal.code == .invalidTimeLimit && refusal.detail.contains("5 minutes are left"))
    }

    @Test func `a placement may shorten the limit down to time-min and no further`() throws {
        var cluster = Cluster.byHand()
        let job = cluster.submit { $0.timeMin = TimeLimit(minutes: 4) }
        cluster.place(job) { $0.timeLimit = TimeLimit(minutes: 3) }
        #expect(cluster.state(job) == .pending)
        cluster.place(job) { $0.timeLimit = TimeLimit(minutes: 4) }
        #expect(try cluster.row(job).timeLimit == TimeLimit(minutes: 4))
        let root = cluster.root
        _ = cluster.ask {
            .jobUpdateRequested(JobSelection(items: [.init(job: job)]), .requeue, by: root, reply: $0)
        }
        cluster.report(0, job, .gone(Usage()))
        #expect(try cluster.row(job).timeLimit == TimeLimit(minutes: 10), "asked for in full again")
    }
}
