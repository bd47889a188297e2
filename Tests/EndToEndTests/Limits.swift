import Foundation
import Testing

extension EndToEnd {
    @Suite struct Limits {
        /// Grows until something stops it; python3 where there is one would be quicker, dd is everywhere.
        static let hog = "dd if=/dev/zero of=/dev/null bs=400M count=1 2>/dev/null"

        @Test func `a job beyond its memory is OUT_OF_MEMORY`() async throws {
            let cluster = try await Cluster.shared()
            let job = try await cluster.submit("--mem=100 -o /dev/null", "#!/bin/sh\nexec \(Self.hog)")
            #expect(await cluster.ended(job) == "OUT_OF_MEMORY")
        }

        @Test func `a job whose child alone ran out of memory is OUT_OF_MEMORY although its shell ended well`()
            async throws
        {
            let cluster = try await Cluster.shared()
            let job = try await cluster.submit(
                "--mem=100 -o oom-%j.txt", "#!/bin/sh\n\(Self.hog)\necho the shell lives\nexit 0")
            #expect(await cluster.ended(job) == "OUT_OF_MEMORY")
            #expect(await cluster.text(of: "\(Cluster.home)/oom-\(job).txt").contains("the shell lives"))
        }

        @Test(.needsImages) func `a container job beyond its memory is OUT_OF_MEMORY`() async throws {
            let cluster = try await Cluster.shared()
            let job = try await cluster.submit(
                "--mem=100 -o /dev/null \(ContainerJobs.image("busybox"))", "#!/bin/sh\n\(Self.hog)\nexit 0")
            #expect(await cluster.ended(job) == "OUT_OF_MEMORY")
        }

        @Test func `a fork bomb within its limit leaves the node working`() async throws {
            let cluster = try await Cluster.shared()
            let bomb = try await cluster.submit(
                "-w n2 --mem=300 -o /dev/null", "#!/bin/bash\nbomb() { bomb | bomb & }\nsleep 3\nbomb\nsleep 60")
            #expect(await cluster.running(bomb))
            let most = await Shell.run(
                "find /sys/fs/cgroup -path '*/n2/job_\(bomb).*/pids.max' -exec cat {} + | grep -v max | sort -n | tail -n 1"
            )
            let limit = try #require(Int(most.word), "the job has no limit of processes: \(most)")
            try await Task.sleep(for: .seconds(6))
            #expect(await cluster.processes(of: bomb).count <= limit)
            let other = try await cluster.submit("-w n2 --mem=100 -o /dev/null", "#!/bin/sh\nexit 0")
            #expect(await cluster.ended(other) == "COMPLETED")
            _ = await cluster.run("scancel \(bomb)")
            #expect(await waitFor(30) { await cluster.processes(of: bomb).isEmpty })
            #expect(await waitFor(20) { await cluster.asRoot("sinfo -h -n n2 -o %T").word == "idle" })
        }

        @Test func `scancel of a two-node job leaves no process on any node`() async throws {
            let cluster = try await Cluster.shared()
            // One obeys SIGTERM, one does not, one left its session.
            let job = try await cluster.submit(
                "-N2 -n2 -o /dev/null",
                """
                #!/bin/bash
                srun bash -c 'setsid sleep 300 & (trap "" TERM; sleep 300; sleep 300) & sleep 300' &
                wait
                """)
            #expect(await cluster.running(job))
            #expect(await waitFor(20) { await cluster.processes(of: job).count >= 6 })
            let cancelled = await cluster.run("scancel \(job)")
            #expect(cancelled.status == 0, "\(cancelled)")
            #expect(await cluster.ended(job, within: 30) == "CANCELLED")
            #expect(await waitFor(20) { await cluster.processes(of: job).isEmpty })
            let groups = await Shell.run("find /sys/fs/cgroup -type d -path '*argosy*/job_\(job).*'")
            #expect(groups.word == "", "cgroups left: \(groups.word)")
        }

        @Test func `a job past its time limit is TIMEOUT`() async throws {
            let cluster = try await Cluster.shared()
            let job = try await cluster.submit("-t 1 --mem=50 -o /dev/null", "#!/bin/sh\nexec sleep 300")
            #expect(await cluster.ended(job, within: 100) == "TIMEOUT")
            #expect(await cluster.processes(of: job).isEmpty)
        }
    }
}
