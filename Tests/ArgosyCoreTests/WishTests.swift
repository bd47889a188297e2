import ArgosyConfig
import ArgosyCore
import ArgosyDomain
import Testing

@Suite struct WishTests {
    private func cluster() -> Cluster {
        Cluster(nodes: 2) {
            $0.nodes[1].features = ["fast", "ib"]
            $0.nodes[1].gres = "gpu:tesla:2"
            var other = ClusterConfiguration.Partition(name: "other")
            other.nodes = [NodeIndex(1)]
            $0.partitions.append(other)
        }
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var message: String
        var adjust: @Sendable (inout JobSpec.Fields) -> Void
    }
    static let cases: [Case] = [
        Case(testDescription: "gres", message: "Invalid generic resource (gres) specification") {
            $0.resources.gres = [.init(name: "fpga", count: 1)]
        },
        Case(testDescription: "gres type", message: "Requested node configuration is not available") {
            $0.resources.gres = [.init(name: "gpu", type: "kepler", count: 1)]
        },
        Case(testDescription: "gres count", message: "Requested node configuration is not available") {
            $0.resources.gres = [.init(name: "gpu", count: 3)]
        },
        Case(testDescription: "feature", message: "Invalid feature specification") {
            $0.resources.constraint = "nosuch"
        },
        Case(testDescription: "grammar", message: "Invalid feature specification") {
            $0.resources.constraint = "(fast"
        },
        Case(testDescription: "prefer", message: "Invalid preferred feature specification") {
            $0.resources.prefer = "nosuch"
        },
        Case(testDescription: "nodes of a feature", message: "Requested node configuration is not available") {
            $0.resources.constraint = "fast"
            $0.minNodes = 2
        },
        Case(testDescription: "mincpus", message: "Requested node configuration is not available") {
            $0.resources.minCPUsPerNode = 99
        },
        Case(testDescription: "sockets", message: "Requested node configuration is not available") {
            $0.resources.socketsPerNode = 4
        },
        Case(testDescription: "partition", message: "Invalid partition name specified") { $0.partition = "main,zz" },
        Case(testDescription: "nice", message: "Invalid --nice value") { $0.nice = -5 },
        Case(
            testDescription: "time-min", message: "Invalid time-min specification (exceeds job's time or other limits)"
        ) {
            $0.timeMin = TimeLimit(minutes: 11)
        },
        Case(testDescription: "deadline", message: "Requested time limit is invalid (missing or exceeds some limit)") {
            $0.deadline = Timestamp(seconds: 1_000_000 + 599)
        },
        Case(
            testDescription: "past deadline", message: "Requested time limit is invalid (missing or exceeds some limit)"
        ) {
            $0.deadline = Timestamp(seconds: 1000)
            $0.timeLimit = .unlimited
        },
    ]
    @Test(arguments: cases) func `what can never run is refused in Slurm's words`(wrong: Case) {
        var cluster = cluster()
        guard case .refused(let refusal)? = cluster.trySubmit(token: "", wrong.adjust) else {
            Issue.record("taken")
            return
        }
        #expect(refusal.message == wrong.message && !refusal.detail.isEmpty)
    }

    @Test func `names become a shape`() throws {
        var cluster = cluster()
        cluster.plansAutomatically = false
        let job = cluster.submit {
            $0.partition = "main,other,main"
            $0.resources.constraint = "fast&ib"
            $0.resources.prefer = "ib"
            $0.resources.gres = [.init(name: "gpu", count: 2, per: .job)]
            $0.timeMin = TimeLimit(minutes: 2)
            $0.deadline = Timestamp(seconds: 1_000_000 + 600)
        }
        let snapshot = cluster.core.planningSnapshot(at: cluster.now)
        let waiting = try #require(snapshot.queue.first { $0.id == job })
        let shape = snapshot.shapes[Int(waiting.shape)]
        #expect(shape.partitions == [0, 1])
        #expect(shape.constraint == .all([.feature("fast"), .feature("ib")]) && shape.prefer == .feature("ib"))
        #expect(shape.gres == [.init(name: "gpu", count: 2, per: .job)])
        #expect(try cluster.row(job).spec.fields.partition == "main,other")
    }

    @Test func `a user's wish for a higher priority is passed over, an operator's stands, zero holds`() throws {
        var cluster = cluster()
        cluster.plansAutomatically = false
        let user = cluster.submit { $0.priority = 77 }
        #expect(try cluster.row(user).priority != 77)
        let held = cluster.submit { $0.priority = 0 }
        #expect(try cluster.row(held).reason == .jobHeldUser)
        let fields = Cluster.batch { $0.priority = 77 }
        let root = cluster.root
        guard
            case .submitted(let job)? = cluster.ask({
                .jobSubmitted(fields, token: "", waitForAllocation: false, by: root, reply: $0)
            })
        else {
            Issue.record("refused")
            return
        }
        #expect(try cluster.row(job).priority == 77)
    }
}
