import Foundation
import Testing

extension EndToEnd {
    /// Limits, licences, reservations and preemption on a cluster of their own, by its users' commands.
    @Suite struct Scheduling {
        private static let folder = Cluster.root + "/sched"
        private static let argosy = "'\(Cluster.binaries)/argosy'"

        private var slurmConf: String {
            let port = 51_000 + Int(getpid()) % 1_500 * 4
            let host = ProcessInfo.processInfo.hostName.prefix { $0 != "." }
            return """
                ClusterName=sched
                SlurmctldHost=\(host)(127.0.0.1)
                SlurmctldPort=\(port)
                SlurmUser=root
                AuthInfo=socket=\(Self.folder)/munge.socket,cred_expire=1
                ArgosySocket=\(Self.folder)/ctld.sock
                StateSaveLocation=\(Self.folder)/state
                SlurmdSpoolDir=\(Self.folder)/spool.%n
                SlurmdParameters=config_overrides
                CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
                AccountingStorageEnforce=associations,limits,qos
                PreemptType=preempt/partition_prio
                PreemptMode=REQUEUE
                Licenses=matlab:1
                KillWait=2
                NodeName=s[1-2] NodeHostname=\(host) NodeAddr=127.0.0.1 Port=[\(port + 1)-\(port + 2)] CPUs=2 RealMemory=500
                PartitionName=low Nodes=ALL Default=YES MaxTime=INFINITE PriorityTier=1
                PartitionName=high Nodes=ALL MaxTime=INFINITE PriorityTier=10

                """
        }

        /// Runs lines as root, or as the user, with the cluster's commands.
        private func run(_ script: String, as user: String? = nil) async -> Outcome {
            await Shell.run(
                "export ARGOSY_CONF='\(Self.folder)/c/argosy.conf' PATH='\(Self.folder)/c/bin':\"$PATH\"\n" + script,
                as: user, in: "/", seconds: 60)
        }

        private func submit(_ options: String, seconds: Int = 60) async throws -> Int {
            let outcome = await run(
                "sbatch --parsable -o /dev/null -t 5 \(options) --wrap 'sleep \(seconds)'", as: Cluster.user)
            guard let id = Int(outcome.word) else { throw ClusterError("sbatch \(options): \(outcome)") }
            return id
        }

        private func squeue(_ job: Int, _ field: String) async -> String {
            await run("squeue -h -j \(job) -o '\(field)'").word
        }

        private func becomes(_ job: Int, _ field: String, _ value: String) async -> Bool {
            await waitFor(30) { await squeue(job, field) == value }
        }

        private func up() async throws {
            _ = try await Cluster.shared()
            try FileManager.default.createDirectory(atPath: Self.folder, withIntermediateDirectories: true)
            try slurmConf.write(toFile: Self.folder + "/slurm.conf", atomically: true, encoding: .utf8)
            let up = await Shell.run(
                "\(Self.argosy) dev up --config \(Self.folder)/slurm.conf --dir \(Self.folder)/c", seconds: 90)
            try #require(up.status == 0, "\(up)")
        }

        @Test func `a licence, a QOS limit, a reservation and a preemption hold, and argosy why tells`() async throws {
            try await up()
            let accounts = await run(
                """
                sacctmgr -i add account lab && sacctmgr -i add qos small MaxTRESPerUser=cpu=1 &&
                sacctmgr -i add user \(Cluster.user) account=lab && sacctmgr -i modify user \(Cluster.user) set qos+=small
                """)
            #expect(accounts.status == 0, "\(accounts)")

            let holder = try await submit("-L matlab:1")
            #expect(await becomes(holder, "%T", "RUNNING"))
            let licensed = try await submit("-L matlab:1")
            #expect(await becomes(licensed, "%r", "Licenses"))
            let first = try await submit("--qos=small")
            #expect(await becomes(first, "%T", "RUNNING"))
            let second = try await submit("--qos=small")
            #expect(await becomes(second, "%r", "QOSMaxCpuPerUserLimit"))
            let why = await run("argosy why \(second); argosy why \(licensed)")
            #expect(why.output.contains("MaxTRESPerUser cpu is 1; 1 in use and the job asks for 1"), "\(why)")
            #expect(why.output.contains("Licenses"), "\(why)")
            _ = await run("scancel \(holder) \(licensed) \(first) \(second)")

            let reserved = await run(
                "scontrol create reservation reservationname=maint starttime=now+2minutes duration=5 nodes=s2 users=root"
            )
            #expect(reserved.word == "Reservation created: maint", "\(reserved)")
            let beyond = try await submit("-w s2")
            #expect(await becomes(beyond, "%r", "ReqNodeNotAvail"))
            let start = await run("squeue -h --start -j \(beyond) -o %S").word
            #expect(start.hasPrefix("20"), "no expected start: \(start)")
            _ = await run("scancel \(beyond); scontrol delete reservationname=maint")

            let victim = try await submit("-N2 --exclusive")
            #expect(await becomes(victim, "%T", "RUNNING"))
            let urgent = try await submit("-p high -N2 --exclusive")
            #expect(await becomes(urgent, "%T", "RUNNING"))
            #expect(await becomes(victim, "%T", "PENDING"))
            _ = await run("scancel \(urgent)")
            #expect(await becomes(victim, "%T", "RUNNING"), "requeued, it runs again")
            _ = await run("scancel \(victim)")
            let down = await Shell.run("\(Self.argosy) dev down --clean --dir \(Self.folder)/c", seconds: 60)
            #expect(down.status == 0, "\(down)")
        }
    }
}
