import Foundation
import Testing

extension EndToEnd {
    /// What changes while jobs wait and run.
    @Suite struct LiveChanges {
        /// Of `dev up` without --config: the file that all of its daemons read.
        private static let file = Cluster.directory + "/argosy.conf"

        @Test func `reconfigure adds a partition and changes a limit while a job runs on`() async throws {
            let cluster = try await Cluster.shared()
            let before = Shell.text(Self.file)
            try #require(before.contains("PartitionName="))
            let job = try await cluster.sleeper("-N1")
            #expect(await cluster.running(job))
            let nodes = await cluster.asRoot("sinfo -h -o %N").word
            try (before + "\nPartitionName=added Nodes=\(nodes) MaxTime=7 State=UP\n").write(
                toFile: Self.file, atomically: true, encoding: .utf8)
            let outcome = await cluster.asRoot("scontrol reconfigure && scontrol -o show partition added")
            #expect(outcome.status == 0 && outcome.output.contains("MaxTime=00:07:00"), "\(outcome)")
            try (before + "\nPartitionName=added Nodes=\(nodes) MaxTime=9 State=UP\n").write(
                toFile: Self.file, atomically: true, encoding: .utf8)
            let changed = await cluster.asRoot("scontrol reconfigure && scontrol -o show partition added")
            #expect(changed.status == 0 && changed.output.contains("MaxTime=00:09:00"), "\(changed)")
            let there = await cluster.run("srun -p added -t 5 echo there")
            #expect(there.word == "there", "\(there)")
            #expect(await cluster.asRoot("squeue -h -j \(job) -o %T").word == "RUNNING")
            try before.write(toFile: Self.file, atomically: true, encoding: .utf8)
            let back = await cluster.asRoot("scontrol reconfigure; scontrol show partition added")
            #expect(back.output.contains("Partition added not found"), "\(back)")
            #expect(await cluster.asRoot("squeue -h -j \(job) -o %T").word == "RUNNING")
            await cluster.cancel(job)
        }

        @Test func `parts of an array are held, released and cancelled by themselves`() async throws {
            let cluster = try await Cluster.shared()
            let job = try await cluster.submit("--array=0-5 -H -o /dev/null", "#!/bin/sh\ntrue")
            let held = await cluster.run("scontrol release \(job)_[0-1] && scancel \(job)_[4-5]")
            #expect(held.status == 0, "\(held)")
            for index in 0...1 { #expect(await cluster.ended("\(job)_\(index)") == "COMPLETED") }
            let left = await cluster.run("squeue -h -r -j \(job) -o '%K %T %r' | sort")
            #expect(left.lines == ["2 PENDING JobHeldUser", "3 PENDING JobHeldUser"], "\(left)")
            let records = await cluster.run("sacct -X -n -P -j \(job) -o JobID,State")
            #expect(records.lines.contains { $0.hasPrefix("\(job)_[4-5]|CANCELLED") }, "\(records)")
            let waits = try await cluster.submit("--array=0-3 --begin=now+1hour -o /dev/null", "#!/bin/sh\ntrue")
            let parts = await cluster.run("scontrol hold \(waits)_[2-3]; squeue -h -r -j \(waits) -o '%K %r' | sort")
            #expect(
                parts.lines == ["0 BeginTime", "1 BeginTime", "2 JobHeldUser", "3 JobHeldUser"], "\(parts)")
            await cluster.cancel(job, waits)
        }

        @Test func `salloc gives nodes that sbcast fills and sattach listens to`() async throws {
            let cluster = try await Cluster.shared()
            let outcome = await cluster.run(
                """
                echo contents > cast.txt
                salloc -N2 -n2 sh -c '
                    echo job $SLURM_JOB_ID
                    sbcast -f cast.txt /tmp/e2e-cast.$SLURM_JOB_ID || exit 9
                    srun cat /tmp/e2e-cast.$SLURM_JOB_ID
                    mkfifo gate.$SLURM_JOB_ID
                    srun -J gated -n1 -N1 sh -c "cat gate.$SLURM_JOB_ID; echo through" > step.txt &
                    tries=0
                    while step=$(squeue -h -s -j $SLURM_JOB_ID -o "%i %j" | sed -n "s/ gated$//p"); [ -z "$step" ]; do
                        tries=$((tries + 1)); [ $tries -lt 50 ] || exit 8; sleep 0.2
                    done
                    echo step $step; (sattach $step > attached.txt) &
                    sleep 2
                    echo opened > gate.$SLURM_JOB_ID
                    wait
                    cat step.txt; sed s/^/attached:/ attached.txt
                    rm -f /tmp/e2e-cast.$SLURM_JOB_ID
                    exit 5'
                """, seconds: 90)
            #expect(outcome.status == 5, "\(outcome)")
            #expect(outcome.lines.filter { $0 == "contents" }.count == 2, "\(outcome)")
            #expect(outcome.lines.contains("through") && outcome.lines.contains("attached:through"), "\(outcome)")
            #expect(outcome.errors.contains("Granted job allocation"), "\(outcome)")
        }
    }
}
