import Foundation
import Testing

extension EndToEnd {
    @Suite struct StepJobs {
        @Test func `each task of a multi-prog step runs its own line`() async throws {
            let cluster = try await Cluster.shared()
            let script = """
                #!/bin/sh
                printf '0 echo first %%t\\n* echo other %%t %%o\\n' > multi-$SLURM_JOB_ID
                srun -n3 -l --multi-prog multi-$SLURM_JOB_ID
                """
            let job = try await cluster.submit("-n3 -o multi-%j.txt", script)
            #expect(await cluster.ended(job) == "COMPLETED")
            let lines = await cluster.text(of: "\(Cluster.home)/multi-\(job).txt").split(separator: "\n").sorted()
            #expect(lines == ["0: first 0", "1: other 1 0", "2: other 2 1"], "\(lines)")
        }

        @Test func `a step that waits says so and one that may not wait fails`() async throws {
            let cluster = try await Cluster.shared()
            let script = """
                #!/bin/sh
                srun -n2 sleep 6 &
                sleep 3
                srun -n1 -I true; echo immediate $?
                srun -n1 echo later
                wait
                """
            let job = try await cluster.submit("-N1 -n2 -o waits-%j.txt", script)
            #expect(await cluster.ended(job) == "COMPLETED")
            let text = await cluster.text(of: "\(Cluster.home)/waits-\(job).txt")
            #expect(text.contains("Unable to create step for job \(job): Requested nodes are busy"), "\(text)")
            #expect(text.contains("immediate 1\n") && text.contains("later\n"), "\(text)")
            #expect(text.contains("step creation temporarily disabled, retrying (Requested nodes are busy)"), "\(text)")
        }

        @Test func `srun that may not wait fails at once, with the status that was asked for`() async throws {
            let cluster = try await Cluster.shared()
            let impossible = await cluster.run("SLURM_EXIT_IMMEDIATE=7 srun -I -n 9999 true; echo $?")
            #expect(impossible.word == "1", "\(impossible)")
            #expect(impossible.errors.contains("Requested partition configuration not available now"), "\(impossible)")
            let holder = try await cluster.submit("--exclusive -N1 -w n1", "#!/bin/sh\nsleep 60\n")
            #expect(await cluster.running(holder))
            let busy = await cluster.run("SLURM_EXIT_IMMEDIATE=7 srun -I -w n1 --exclusive true; echo $?")
            #expect(busy.word == "7", "\(busy)")
            #expect(busy.errors == "srun: error: Unable to allocate resources: Requested nodes are busy\n", "\(busy)")
            await cluster.cancel(holder)
        }

        @Test func `output goes to a file for each task, or to one that srun writes`() async throws {
            let cluster = try await Cluster.shared()
            let script = """
                #!/bin/sh
                srun -n2 -o each-$SLURM_JOB_ID.%t sh -c 'echo $SLURM_PROCID'
                srun -n2 -l -o all-%j.%s hostname
                cat each-$SLURM_JOB_ID.0 each-$SLURM_JOB_ID.1; wc -l < all-$SLURM_JOB_ID.1
                """
            let job = try await cluster.submit("-n2 -o files-%j.txt", script)
            #expect(await cluster.ended(job) == "COMPLETED")
            #expect(await cluster.text(of: "\(Cluster.home)/files-\(job).txt") == "0\n1\n2\n")
        }
    }
}
