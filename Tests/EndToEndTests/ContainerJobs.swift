import Foundation
import Testing

/// One line of the images' allreduce program: `rank=0 size=4 ... node=node1 ... cgroup=/...`.
struct RankLine {
    var values: [String: String] = [:]

    init?(_ line: Substring) {
        guard line.hasPrefix("rank=") else { return nil }
        for word in line.split(separator: " ") {
            let parts = word.split(separator: "=", maxSplits: 1).map(String.init)
            if parts.count == 2 { values[parts[0]] = parts[1] }
        }
    }

    subscript(_ key: String) -> String { values[key] ?? "" }
    static func all(in text: String) -> [RankLine] { text.split(separator: "\n").compactMap(RankLine.init) }
}

extension EndToEnd {
    @Suite(.needsImages) struct ContainerJobs {
        static func image(_ name: String) -> String { "--container-image=oci:\(Cluster.images)/\(name):latest" }

        @Test func `a two-node MPI job has two ranks on each node, in containers of their own`() async throws {
            let cluster = try await Cluster.shared()
            let job = try await cluster.submit(
                "-N2 -n4 --ntasks-per-node=2 --mem=300 -o mpi-%j.txt \(Self.image("ompi-tiny"))",
                "#!/bin/sh\nmpirun allreduce")
            let state = await cluster.ended(job, within: 120)
            let text = await cluster.text(of: "\(Cluster.home)/mpi-\(job).txt")
            #expect(state == "COMPLETED", "\(text)")
            let ranks = RankLine.all(in: text)
            #expect(ranks.count == 4, "\(text)")
            #expect(Set(ranks.map { $0["rank"] }) == ["0", "1", "2", "3"])
            let byNode = Dictionary(grouping: ranks) { $0["node"] }
            #expect(byNode.count == 2, "ranks ran on \(byNode.keys.sorted())")
            for (node, ranks) in byNode {
                #expect(ranks.count == 2, "\(node) has \(ranks.count) ranks")
                #expect(ranks.allSatisfy { $0["host"] == node }, "the host name in a container is the node's name")
                // The ranks of a node share one container, whose cgroup says job and node.
                #expect(Set(ranks.map { $0["mnt"] }).count == 1)
            }
            for namespace in ["mnt", "pid", "uts"] {
                #expect(Set(ranks.map { $0[namespace] }).count == 2, "two nodes, two \(namespace) namespaces: \(text)")
            }
            let first = byNode.values.compactMap { $0.first }
            #expect(Set(first.map { $0["cgroup"] }).count == 2, "\(first.map { $0["cgroup"] })")
        }

        @Test func `a job in a container sees its image, its user and no capability`() async throws {
            let cluster = try await Cluster.shared()
            let job = try await cluster.submit(
                "-o inside-%j.txt \(Self.image("busybox"))",
                "#!/bin/sh\nid -un\ntest -e /usr/bin/bash && echo host\ngrep -E '^(CapEff|NoNewPrivs)' /proc/self/status\npwd"
            )
            #expect(await cluster.ended(job) == "COMPLETED")
            let text = await cluster.text(of: "\(Cluster.home)/inside-\(job).txt")
            #expect(text.hasPrefix(Cluster.user + "\n"), "\(text)")
            #expect(!text.contains("host\n"), "\(text)")
            #expect(text.contains("CapEff:\t0000000000000000"), "\(text)")
            #expect(text.contains("NoNewPrivs:\t1"), "\(text)")
            #expect(text.hasSuffix(Cluster.home + "\n"), "\(text)")
        }

        @Test func `srun works in an image without glibc`() async throws {
            let cluster = try await Cluster.shared()
            let job = try await cluster.submit(
                "-N2 -n2 -o busybox-%j.txt \(Self.image("busybox"))", "#!/bin/sh\nsrun -l sh -c 'echo $SLURMD_NODENAME'"
            )
            #expect(await cluster.ended(job) == "COMPLETED")
            let text = await cluster.text(of: "\(Cluster.home)/busybox-\(job).txt")
            #expect(text.contains("0: n") && text.contains("1: n"), "\(text)")
        }

        @Test func `two steps at once share the job's container`() async throws {
            let cluster = try await Cluster.shared()
            let job = try await cluster.submit(
                "-n2 -o shared-%j.txt \(Self.image("busybox"))",
                """
                #!/bin/sh
                srun -n1 --overlap sh -c 'echo mnt $(readlink /proc/self/ns/mnt); sleep 2' &
                srun -n1 --overlap sh -c 'echo mnt $(readlink /proc/self/ns/mnt); sleep 2' &
                wait
                echo mnt $(readlink /proc/self/ns/mnt)
                """)
            #expect(await cluster.ended(job) == "COMPLETED")
            let text = await cluster.text(of: "\(Cluster.home)/shared-\(job).txt")
            let lines = text.split(separator: "\n").filter { $0.hasPrefix("mnt mnt:[") }
            #expect(lines.count == 3, "\(text)")
            #expect(Set(lines).count == 1, "\(text)")
        }

        @Test func `SIGTERM ends a task without a handler`() async throws {
            let cluster = try await Cluster.shared()
            // Were the task pid 1 of its namespace, the kernel would ignore the signal for it.
            let job = try await cluster.submit(
                "-n1 -o term-%j.txt \(Self.image("busybox"))", "#!/bin/sh\nsrun sleep 100\necho srun said $?")
            #expect(await cluster.running(job))
            let started = await waitFor(20) {
                await cluster.run("squeue -h -s -j \(job) -o %i").lines.contains("\(job).0")
            }
            #expect(started, "the step did not appear in squeue -s")
            _ = await cluster.run("sleep 1; scancel --signal=TERM \(job).0")
            #expect(await cluster.ended(job, within: 20) == "COMPLETED")
            let text = await cluster.text(of: "\(Cluster.home)/term-\(job).txt")
            #expect(text.contains("srun said 143"), "\(text)")
        }
    }
}
