import ArgosyDomain
import ArgosyWire
import Testing

@testable import ArgosyCommands

/// Reports, held to what Slurm 22.05 printed for the same numbers.
@Suite struct ReportTests {
    private static func sum(_ tres: TRESID, _ seconds: Double) -> WireTRESSum {
        var sum = WireTRESSum()
        (sum.tres, sum.seconds) = (tres.rawValue, seconds)
        return sum
    }

    private static func line(_ account: String, cpus: UInt32, _ seconds: Double, wckey: String = "") -> WireUsageLine {
        var line = WireUsageLine()
        (line.account, line.user, line.fullName, line.cpus, line.wckey) = (account, "root", "root", cpus, wckey)
        line.jobs = cpus > 0 ? 2 : 0
        line.used = [sum(.cpu, seconds), sum(.mem, account == "root" ? 93_300 : 0)]
        return line
    }

    /// An hour of which the cluster was up 2630 seconds, 16 CPUs.
    private static let found: WireUsageReport = {
        var found = WireUsageReport()
        found.cluster = "peer"
        found.lines = [
            line("root", cpus: 1, 3434), line("root", cpus: 2, 1944), line("root", cpus: 3, 450, wckey: "wka"),
            line("root", cpus: 4, 190), line("root", cpus: 0, 1200), line("peers", cpus: 0, 1200),
        ]
        for place in found.lines.indices.dropFirst() where found.lines[place].account == "root" {
            found.lines[place].used = [found.lines[place].used[0]]
        }
        found.capacity = [sum(.cpu, 42080), sum(.mem, 4_208_000)]
        found.planned = [sum(.cpu, 75286)]
        found.total = [sum(.cpu, 16), sum(.mem, 1600)]
        return found
    }()

    private static let records: RecordSet = {
        var wire = WireAccountingRecords()
        wire.cluster = "peer"
        wire.tres = TRESTable().all.map(WireTRES.init)
        let places: [(UInt32, UInt32, String, String)] = [
            (1, 0, "root", ""), (2, 1, "root", "root"), (3, 1, "peers", ""), (4, 3, "peers", "root"),
        ]
        wire.associations = places.map { id, parent, account, user in
            WireAssociation(
                Association(
                    id: AssociationID(id), parent: parent == 0 ? nil : AssociationID(parent), account: account,
                    user: user))
        }
        return RecordSet(wire)
    }()

    private func report(
        _ kind: ReportKind, _ words: [String] = [], time: ReportTime = .minutes, tres: [String] = []
    ) throws -> [String] {
        var options = SreportOptions()
        (options.time, options.tres) = (time, tres)
        var question = try ReportQuestion(kind, words, now: 1_795_280_000)
        (question.start, question.end) = (1_795_273_200, 1_795_276_800)
        let text = try Report(question, Self.found, Self.records, options).text().text
        return text.split(separator: "\n").map(String.init)
    }

    @Test func `the cluster's time is divided`() throws {
        let lines = try report(.utilization)
        #expect(lines[1].hasPrefix("Cluster Utilization ") && lines[2] == "Usage reported in CPU Minutes")
        #expect(lines[4] == "  Cluster Allocate     Down PLND Dow     Idle  Planned Reported ")
        #expect(lines[6] == "     peer      140        0        0        0      561      701 ")
    }

    @Test func `shares stand beside times, and what was reported is a share of what could have been`() throws {
        let lines = try report(.utilization, time: .secPer, tres: ["cpu", "mem"])
        #expect(lines[6].contains("  8418(20.00%) ") && lines[6].hasSuffix(" 33662(80.00%)     42080(73.06%) "))
        #expect(lines[7].contains("93300(2.22%)") && lines[7].contains("4114700(97.78%)"))
    }

    @Test func `an account counts all below it`() throws {
        #expect(
            try report(.accountByUser, ["tree"], time: .secPer).dropFirst(6) == [
                "     peer root                                                8418(20.00%)          0(0.00%) ",
                "     peer  root                     root            root      7218(17.15%)          0(0.00%) ",
                "     peer  peers                                               1200(2.85%)          0(0.00%) ",
                "     peer   peers                   root            root       1200(2.85%)          0(0.00%) ",
            ])
    }

    @Test func `users come by what they used, in one line when grouped`() throws {
        #expect(
            try report(.top, time: .minPer).dropFirst(6) == [
                "     peer      root            root            root       120(17.15%)          0(0.00%) ",
                "     peer      root            root           peers         20(2.85%)          0(0.00%) ",
            ])
        #expect(
            try report(.top, ["group"], time: .minPer).last
                == "     peer      root            root     peers, root       140(20.00%)          0(0.00%) ")
    }

    @Test func `jobs are counted by size`() throws {
        #expect(
            try report(.sizesByAccount, ["grouping=2,4"], time: .seconds).dropFirst(4) == [
                "  Cluster   Account      0-1 CPUs      2-3 CPUs     >= 4 CPUs % of cluster ",
                "--------- --------- ------------- ------------- ------------- ------------ ",
                "     peer      root          3434          2394           190      100.00% ",
            ])
        #expect(
            try report(.sizesByAccountAndWCKey, ["flatview"], time: .seconds).last
                == "     peer root:wka                       450             0             0             0             0        7.48% "
        )
        #expect(throws: ReportRefusal.self) { try report(.sizesByAccount, tres: ["cpu", "mem"]) }
    }

    @Test(arguments: [
        ("s", ReportTime.seconds), ("min", .minutes), ("hourper", .hourPer), ("Percent", .percent), ("SecPer", .secPer),
    ])
    func `formats of times are read by their beginning`(text: String, time: ReportTime) {
        #expect(ReportTime(text) == time)
    }

    @Test func `times are rounded to hours and end now at the latest`() throws {
        let now: Int64 = 1_795_276_800 + 50 * 60
        let question = try ReportQuestion(.top, ["start=now-1hour", "end=now+5hours"], now: now)
        #expect(question.start == 1_795_276_800 && question.end == 1_795_280_400)
        #expect(try ReportQuestion(.top, ["nosuch=1"], now: now).isWrong)
    }
}

@Suite struct SeffTests {
    @Test func `what a job used is a share of what it held`() {
        var job = WireJobInfo()
        job.job = 8
        job.state = "COMPLETED"
        job.spec.identity.user = "ann"
        job.spec.identity.group = "users"
        job.startUs = 1_000_000_000_000
        job.endUs = 1_000_100_000_000
        var node = WireAllocatedNode()
        (node.name, node.cpus, node.memoryMib) = ("n1", 2, 1024)
        job.allocation.nodes = [node]
        job.allocation.nodeList = "n1"
        var step = WireStepInfo()
        step.usage.userCpuUs = 90_000_000
        step.usage.systemCpuUs = 10_000_000
        step.usage.peakMemoryBytes = 512 << 20
        job.steps = [step]
        let text = Seff.text(job, cluster: "dev", now: 2_000_000, SeffOptions())
        #expect(
            text == """
                Job ID: 8
                Cluster: dev
                User/Group: ann/users
                State: COMPLETED (exit code 0)
                Nodes: 1
                Cores per node: 2
                CPU Utilized: 00:01:40
                CPU Efficiency: 50.00% of 00:03:20 core-walltime
                Job Wall-clock time: 00:01:40
                Memory Utilized: 512.00 MB
                Memory Efficiency: 50.00% of 1.00 GB (1.00 GB/node)

                """)
    }
}

@Suite struct CrontabFileTests {
    private let account = CronAccount(name: "ann", home: "/h", shell: "/bin/bash")

    @Test func `an entry is a job with the options of the lines before it`() throws {
        let text = "# c\nA=1\n\n#SCRON -J tick --time=5\n*/5 * * * * echo $A\nB = \"x y\"\n@daily run  it"
        let entries = try CrontabFile.entries(text, account)
        #expect(entries.map(\.line) == [4, 6] && entries.map(\.job.cron) == ["*/5 * * * *", "@daily"])
        #expect(entries[0].job.name == "tick" && entries[0].job.timeLimitMinutes == 5)
        #expect(entries[1].job.name == "run" && entries[1].job.timeLimitMinutes == 0)
        #expect(String(decoding: entries[1].job.script, as: UTF8.self).hasSuffix("\nrun  it\n"))
        #expect(entries[0].job.environment.contains("A=1") && !entries[0].job.environment.contains("B=x y"))
        #expect(entries[1].job.environment.contains("B=x y") && entries[1].job.workDir == "/h")
    }

    @Test(arguments: ["* * * * *", "99 * * * * x", "#SCRON --nosuch\n@daily x", "@nosuch x", "#SCRON -a 1-3\n@daily x"])
    func `a line that cannot be is named`(text: String) {
        #expect(throws: Failure.self) { try CrontabFile.entries(text, account) }
    }
}
