import ArgosyConfig
import ArgosyCore
import ArgosyDomain
import Testing

@Suite struct ControlRequestTests {
    private func ask(_ cluster: inout Cluster, _ request: ControlRequest, by caller: Caller? = nil) -> String? {
        let who = caller ?? cluster.root
        let answer = cluster.ask { .controlRequested(request, by: who, reply: $0) }
        if case .refused(let refusal)? = answer { return refusal.message }
        return answer == .done ? "done" : nil
    }

    private func settings(_ pairs: [(String, String)]) -> [ControlRequest.Setting] {
        pairs.map { .init(key: $0.0, value: $0.1) }
    }

    @Test func `a partition made while the controller runs takes jobs and goes when none is left`() throws {
        var cluster = Cluster(nodes: 2)
        let name = cluster.core.configuration.nodes[1].name
        let made = ControlRequest.setPartition(
            name: "new", settings: settings([("Nodes", name), ("MaxTime", "10")]), create: true)
        #expect(ask(&cluster, made, by: cluster.caller) == "Access/permission denied")
        #expect(ask(&cluster, made) == "done")
        #expect(ask(&cluster, made) == "Invalid partition name specified")
        let job = cluster.submit { $0.partition = "new" }
        #expect(cluster.state(job) == .running && cluster.nodeIndex(of: job) == 1)
        #expect(try cluster.row(job).timeLimit == TimeLimit(minutes: 10))
        #expect(ask(&cluster, .deletePartition(name: "new")) == "Partition is in use")
        #expect(ask(&cluster, .deletePartition(name: "zz")) == "Invalid partition name specified")
    }

    @Test func `a partition that goes takes no other job along`() throws {
        var cluster = Cluster(nodes: 2) {
            var other = ClusterConfiguration.Partition(name: "other")
            other.nodes = [NodeIndex(1)]
            $0.partitions.insert(other, at: 0)
        }
        let running = cluster.submit { $0.partition = "main" }
        let held = cluster.submit {
            $0.partition = "main"
            $0.hold = true
        }
        #expect(ask(&cluster, .deletePartition(name: "other")) == "done")
        #expect(cluster.core.configuration.partitions.map(\.name) == ["main"])
        #expect(try cluster.row(running).partition == "main" && cluster.row(held).partition == "main")
    }

    @Test func `a wrong value of a partition changes nothing`() {
        var cluster = Cluster(nodes: 1)
        let wrong = ControlRequest.setPartition(
            name: "main", settings: settings([("MaxNodes", "1"), ("MaxTime", "abc")]), create: false)
        #expect(ask(&cluster, wrong) == "Invalid input: MaxTime=abc")
        #expect(cluster.core.configuration.partitions[0].maxNodes == .max)
    }

    @Test func `top puts a job before the others of its user`() throws {
        var cluster = Cluster(nodes: 1)
        let later = Timestamp(seconds: 2_000_000)
        let first = cluster.submit { $0.begin = later }
        let second = cluster.submit { $0.begin = later }
        let held = cluster.submit { $0.hold = true }
        #expect(try cluster.row(first).priority > cluster.row(second).priority)
        #expect(ask(&cluster, .moveToTop([.init(job: second)])) == "done")
        #expect(try cluster.row(second).priority > cluster.row(first).priority)
        #expect(
            ask(&cluster, .moveToTop([.init(job: held)])) == "Job is in held state, pending scheduler release")
        #expect(ask(&cluster, .moveToTop([.init(job: second)]), by: cluster.caller) == "Access/permission denied")
    }

    @Test func `features of a node that are active must be available`() {
        var cluster = Cluster(nodes: 1)
        var settings = NodeSettings()
        settings.features = ["a", "b"]
        settings.activeFeatures = ["a"]
        settings.weight = 7
        #expect(ask(&cluster, .setNodes([NodeIndex(0)], settings)) == "done")
        #expect(cluster.core.view.configuration.nodes[0].weight == 7)
        var fewer = NodeSettings()
        fewer.features = ["b"]
        #expect(
            ask(&cluster, .setNodes([NodeIndex(0)], fewer)) == "Active features not subset of available features")
    }
}

extension ControlRequestTests {
    @Test func `counts of generic resources change while no job holds of them, devices do not`() throws {
        var cluster = Cluster(nodes: 1) { configuration in
            configuration.nodes[0].gres = "lic:4"
            configuration.set("GresTypes", "lic,gpu")
        }
        var gres = NodeSettings()
        gres.gres = "lic:6"
        let wide = cluster.submit { $0.resources.gres = [.init(name: "lic", count: 4)] }
        #expect(cluster.state(wide) == .running)
        #expect(ask(&cluster, .setNodes([NodeIndex(0)], gres)) == "Requested operation is presently disabled")
        cluster.finish(wide)
        #expect(ask(&cluster, .setNodes([NodeIndex(0)], gres)) == "done")
        #expect(cluster.core.view.configuration.nodes[0].gres == "lic:6")
        let wider = cluster.submit { $0.resources.gres = [.init(name: "lic", count: 6)] }
        #expect(cluster.state(wider) == .running)
        for wrong in ["bogus:1", "gpu:"] {
            gres.gres = wrong
            #expect(
                ask(&cluster, .setNodes([NodeIndex(0)], gres)) == "Invalid generic resource (gres) specification")
        }
    }
}
