import Foundation
import Testing

extension EndToEnd {
    @Suite struct Faults {
        /// A job on two nodes that runs for some seconds and says so at its end.
        private func longJob(_ cluster: Cluster) async throws -> Int {
            let job = try await cluster.submit(
                "-N2 -n2 -o long-%j.txt", "#!/bin/sh\nsrun sh -c 'sleep 6; echo done $SLURM_PROCID'\necho end")
            #expect(await cluster.running(job))
            #expect(await waitFor(20) { await cluster.processes(of: job).count >= 4 })
            return job
        }

        private func expectWhole(_ job: Int, _ cluster: Cluster) async {
            #expect(await cluster.ended(job, within: 60) == "COMPLETED")
            let text = await cluster.text(of: "\(Cluster.home)/long-\(job).txt")
            for line in ["done 0", "done 1", "end"] { #expect(text.contains(line), "no \"\(line)\" in \(text)") }
        }

        @Test func `jobs finish and are accounted when argosyctld is killed under them`() async throws {
            let cluster = try await Cluster.shared()
            let job = try await longJob(cluster)
            let short = try await cluster.submit("-o /dev/null", "#!/bin/sh\nsleep 3")
            #expect(await cluster.running(short))
            for pid in await cluster.daemons("argosyctld") { kill(pid_t(pid), SIGKILL) }
            // The short one ends while nobody listens.
            try await Task.sleep(for: .seconds(4))
            await cluster.mend()
            #expect(await cluster.ended(short) == "COMPLETED")
            await expectWhole(job, cluster)
        }

        @Test func `jobs finish and are accounted when an argosyd is killed under them`() async throws {
            let cluster = try await Cluster.shared()
            let job = try await longJob(cluster)
            let list = await cluster.asRoot("squeue -h -j \(job) -o %N").word
            let nodes = await cluster.asRoot("scontrol show hostnames '\(list)'").lines
            for node in nodes {
                for pid in await cluster.daemons("argosyd", having: " -N \(node) -f \(Cluster.directory)") {
                    kill(pid_t(pid), SIGKILL)
                }
            }
            try await Task.sleep(for: .seconds(1))
            await cluster.mend()
            await expectWhole(job, cluster)
        }

        @Test func `the death of one step daemon leaves the other step running`() async throws {
            let cluster = try await Cluster.shared()
            let job = try await cluster.submit(
                "-n2 -o two-%j.txt",
                """
                #!/bin/sh
                srun -n1 --overlap sh -c 'sleep 30; echo first' & first=$!
                sleep 1
                srun -n1 --overlap sh -c 'sleep 6; echo second' & second=$!
                wait $second; echo second ended $?
                wait $first; echo first ended $?
                """)
            #expect(await cluster.running(job))
            #expect(await waitFor(20) { await cluster.daemons("argosystepd", having: "job_\(job).").count >= 3 })
            let first = await cluster.daemons("argosystepd", having: "job_\(job).0/step_0")
            let byName = await stepDaemons(of: job, step: "0")
            let victims = first.isEmpty ? byName : first
            #expect(!victims.isEmpty, "no step daemon of \(job).0 found")
            for pid in victims { kill(pid_t(pid), SIGKILL) }
            let text = "\(Cluster.home)/two-\(job).txt"
            #expect(await waitFor(20) { Shell.text(text).contains("second ended 0") }, "\(Shell.text(text))")
            #expect(Shell.text(text).contains("second\n"))
            _ = await cluster.ended(job)
            #expect(await waitFor(10) { await cluster.processes(of: job).isEmpty })
        }

        /// The supervising process of one step: what has the step's directory on its command line.
        private func stepDaemons(of job: Int, step: String) async -> [Int] {
            await Shell.run("pgrep -f 'argosystepd step .*/job_\(job)[.][0-9]+/step_\(step)$'").lines.compactMap {
                Int($0)
            }
        }

        @Test func `no submission is lost and no id given twice when argosyctld is killed among them`() async throws {
            let cluster = try await Cluster.shared()
            let place = "\(Cluster.home)/stream"
            _ = await cluster.run("mkdir -p \(place)")
            let stream = Task {
                await cluster.run(
                    """
                    for lane in 1 2 3 4; do
                        (end=$(($(date +%s) + 12))
                        while [ $(date +%s) -lt $end ]; do
                            timeout 10 sbatch --parsable -H -J stream -o /dev/null --wrap true \
                                >>\(place)/$lane 2>>\(place)/errors || sleep 0.2
                        done) &
                    done
                    wait
                    """, seconds: 60)
            }
            for _ in 0..<3 {
                try await Task.sleep(for: .seconds(3))
                for pid in await cluster.daemons("argosyctld") { kill(pid_t(pid), SIGKILL) }
                await cluster.mend()
            }
            _ = await stream.value
            let acknowledged = await Shell.run("cat \(place)/[1-4]").lines.compactMap { Int($0) }
            #expect(acknowledged.count > 20, "only \(acknowledged.count): \(Shell.text("\(place)/errors").prefix(500))")
            #expect(Set(acknowledged).count == acknowledged.count, "an id was given twice")
            let known = Set(await cluster.run("squeue -h -r -n stream -o %i").lines.compactMap { Int($0) })
            let lost = Set(acknowledged).subtracting(known).sorted()
            #expect(lost.isEmpty, "\(lost.count) of \(acknowledged.count) lost: \(lost.prefix(10))")
            _ = await cluster.run("scancel -n stream")
            #expect(await waitFor(30) { await cluster.run("squeue -h -n stream").word == "" })
        }
    }
}
