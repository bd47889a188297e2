import Foundation
import Testing

extension EndToEnd {
    @Suite struct OwnConfiguration {
        /// Several nodes on one host, told apart by their ports, as for `slurmd -N`.
        private func slurmConf(in folder: String) -> String {
            let port = 34_000 + Int(getpid()) % 2_000 * 8
            let host = ProcessInfo.processInfo.hostName.prefix { $0 != "." }
            return """
                ClusterName=own
                SlurmctldHost=\(host)(127.0.0.1)
                SlurmctldPort=\(port)
                SlurmUser=root
                AuthInfo=socket=\(folder)/munge.socket,cred_expire=1
                ArgosySocket=\(folder)/ctld.sock
                StateSaveLocation=\(folder)/state
                SlurmdSpoolDir=\(folder)/spool.%n
                SlurmdParameters=config_overrides
                KillOnBadExit=1
                MpiDefault=pmi2
                CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
                NodeName=own[1-2] NodeHostname=\(host) NodeAddr=127.0.0.1 Port=[\(port + 1)-\(port + 2)] CPUs=4 RealMemory=500
                NodeName=far NodeAddr=192.0.2.1 CPUs=4
                PartitionName=debug Nodes=ALL Default=YES MaxTime=INFINITE State=UP

                """
        }

        @Test func `argosy dev up brings up what an existing slurm conf describes for this machine`() async throws {
            _ = try await Cluster.shared()
            let folder = Cluster.root + "/own"
            let file = folder + "/slurm.conf"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try slurmConf(in: folder).write(toFile: file, atomically: true, encoding: .utf8)
            let argosy = "'\(Cluster.binaries)/argosy'"
            let up = await Shell.run("\(argosy) dev up --config \(file) --dir \(folder)/c", seconds: 90)
            #expect(up.status == 0, "\(up)")
            // Who knows only the file finds the cluster too.
            let outcome = await Shell.run(
                "export SLURM_CONF=\(file); \(argosy) sinfo -h -N -o '%N %t' && \(argosy) srun -N2 -n2 echo here",
                seconds: 40)
            #expect(outcome.lines.filter { $0 == "here" }.count == 2, "\(outcome)")
            #expect(outcome.lines.contains("own1 idle") && outcome.lines.contains("own2 idle"), "\(outcome)")
            #expect(outcome.lines.contains { $0.hasPrefix("far ") && !$0.hasSuffix("idle") }, "\(outcome)")
            // What it says of steps holds for those of jobs as well as for those of their own.
            let job =
                "srun env | grep -c ^PMI_RANK; srun -n2 sh -c '[ $SLURM_PROCID = 1 ] && exec sleep 300; exit 3'; echo $?"
            let steps = await Shell.run(
                """
                export SLURM_CONF=\(file); \(argosy) srun -n2 sh -c '[ $SLURM_PROCID = 1 ] && exec sleep 300; exit 3'
                export PATH='\(folder)/c/bin':$PATH
                \(argosy) sbatch -W -n2 -o \(folder)/steps.txt --wrap "\(job.replacingOccurrences(of: "$", with: "\\$"))"
                """,
                seconds: 60)
            #expect(steps.errors.contains("Terminating StepId="), "\(steps)")
            #expect(Shell.text("\(folder)/steps.txt").contains("Terminating StepId="), "\(steps)")
            #expect(Shell.text("\(folder)/steps.txt").hasPrefix("2\n"), "\(steps)")
            let down = await Shell.run("\(argosy) dev down --clean --dir \(folder)/c", seconds: 60)
            #expect(down.status == 0, "\(down)")
        }

        @Test func `a slurm conf without a node of this machine is refused with what to write`() async throws {
            _ = try await Cluster.shared()
            let folder = Cluster.root + "/other"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try "NodeName=far NodeAddr=192.0.2.1\nPartitionName=p Nodes=ALL\n".write(
                toFile: folder + "/slurm.conf", atomically: true, encoding: .utf8)
            let up = await Shell.run(
                "'\(Cluster.binaries)/argosy' dev up --config \(folder)/slurm.conf --dir \(folder)/c", seconds: 30)
            #expect(up.status == 1 && up.errors.contains("has no node on this machine"), "\(up)")
            #expect(up.errors.contains("NodeHostname="), "\(up)")
            _ = await Shell.run("'\(Cluster.binaries)/argosy' dev down --clean --dir \(folder)/c", seconds: 30)
        }
    }
}
