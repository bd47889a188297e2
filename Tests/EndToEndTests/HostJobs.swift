import Foundation
import Testing

extension EndToEnd {
    @Suite struct HostJobs {
        @Test func `a batch job runs and its output file is the user's`() async throws {
            let cluster = try await Cluster.shared()
            let job = try await cluster.submit(
                "-J hello -o out-%j.txt",
                "#!/bin/bash\necho \"hello from $SLURM_JOB_ID on $SLURMD_NODENAME as $(id -un)\"")
            #expect(await cluster.ended(job) == "COMPLETED")
            let file = "\(Cluster.home)/out-\(job).txt"
            let text = await cluster.text(of: file)
            #expect(text.hasPrefix("hello from \(job) on n"))
            #expect(text.hasSuffix("as \(Cluster.user)\n"))
            #expect(await Shell.run("stat -c '%U %G' \(file)").word == "\(Cluster.user) \(Cluster.user)")
        }

        @Test func `a failing script is FAILED with its exit code`() async throws {
            let cluster = try await Cluster.shared()
            let job = try await cluster.submit("-o /dev/null", "#!/bin/sh\nexit 7")
            #expect(await cluster.ended(job) == "FAILED")
            #expect(await cluster.run("sacct -X -n -P -j \(job) -o ExitCode").word == "7:0")
        }

        @Test func `srun in an allocation labels lines with their rank`() async throws {
            let cluster = try await Cluster.shared()
            let job = try await cluster.submit(
                "-N2 -n4 -o labels-%j.txt", "#!/bin/sh\nsrun -N2 -n4 -l sh -c 'echo $SLURM_PROCID $SLURMD_NODENAME'")
            #expect(await cluster.ended(job) == "COMPLETED")
            let lines = await cluster.text(of: "\(Cluster.home)/labels-\(job).txt").split(separator: "\n").map(
                String.init)
            #expect(lines.count == 4, "\(lines)")
            for rank in 0..<4 {
                #expect(lines.contains { $0.hasPrefix("\(rank): \(rank) n") }, "rank \(rank) in \(lines)")
            }
            #expect(Set(lines.compactMap { $0.split(separator: " ").last }).count == 2, "\(lines)")
        }

        @Test func `srun outside an allocation runs a job of its own and returns its exit status`() async throws {
            let cluster = try await Cluster.shared()
            let outcome = await cluster.run("srun -n2 sh -c 'echo here $SLURM_NTASKS; exit 3'", seconds: 40)
            #expect(outcome.status == 3, "\(outcome)")
            #expect(outcome.lines.filter { $0 == "here 2" }.count == 2, "\(outcome)")
        }

        @Test func `an array of eight with three at a time never has more than three running, and all finish`()
            async throws
        {
            let cluster = try await Cluster.shared()
            let marks = "\(Cluster.home)/array"
            _ = await cluster.run("mkdir -p \(marks)")
            let job = try await cluster.submit(
                "--array=0-7%3 -o \(marks)/%A_%a.txt",
                """
                #!/bin/sh
                date +%s.%N >\(marks)/start.$SLURM_ARRAY_TASK_ID
                sleep 1
                date +%s.%N >\(marks)/end.$SLURM_ARRAY_TASK_ID
                """)
            var most = 0
            let done = await waitFor(60) {
                let states = await cluster.asRoot("squeue -h -r -j \(job) -o %T 2>/dev/null").lines
                most = max(most, states.filter { $0 == "RUNNING" }.count)
                return states.isEmpty
            }
            #expect(done)
            #expect((1...3).contains(most), "squeue showed \(most) running at once")
            let states = await cluster.run("sacct -X -n -P -j \(job) -o JobID,State").lines.sorted()
            #expect(states == (0..<8).map { "\(job)_\($0)|COMPLETED" })
            #expect(overlap(marks) <= 3, "the tasks' own clocks say \(overlap(marks)) ran at once")
        }

        /// The most tasks that were between their start and end mark at one time.
        private func overlap(_ marks: String) -> Int {
            let spans = (0..<8).map { index in
                ["start", "end"].map { kind in
                    let text = Shell.text("\(marks)/\(kind).\(index)").trimmingCharacters(in: .newlines)
                    return Double(text) ?? .infinity
                }
            }
            return spans.map { span in spans.filter { $0[0] <= span[0] && span[0] < $0[1] }.count }.max() ?? 99
        }

        @Test func `a job that cannot start shows its reason in squeue`() async throws {
            let cluster = try await Cluster.shared()
            let holder = try await cluster.sleeper("-N4 --exclusive")
            #expect(await cluster.running(holder))
            let waiting = try await cluster.sleeper("-n1")
            let held = try await cluster.sleeper("-n1 --hold")
            let reason = await waitFor(15) {
                ["(Resources)", "(Priority)"].contains(await cluster.run("squeue -h -j \(waiting) -o %R").word)
            }
            let shown = await cluster.run("squeue -j \(waiting),\(held)")
            #expect(reason, "\(shown)")
            #expect(await cluster.run("squeue -h -j \(held) -o %R").word == "(JobHeldUser)")
            await cluster.cancel(waiting, held, holder)
        }
    }
}
