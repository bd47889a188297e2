import ArgosyWire
import Testing

@testable import ArgosyCommands

private func job(_ id: UInt32, _ state: String, _ change: (inout WireJobInfo) -> Void = { _ in }) -> WireJobInfo {
    var info = WireJobInfo()
    info.job = id
    info.state = state
    info.partition = "main"
    info.spec.name = "longjobname"
    info.spec.identity.user = "alice"
    info.timeLimitMinutes = 60
    info.eligibleUs = 1_000_000
    info.nodesWanted = 2
    info.reason = "Resources"
    change(&info)
    return info
}

private func running(_ info: inout WireJobInfo) {
    info.startUs = 1_000_000_000
    info.allocation.nodeList = "n[1-2]"
    for name in ["n1", "n2"] {
        var node = WireAllocatedNode()
        node.name = name
        node.cpus = 4
        info.allocation.nodes.append(node)
    }
}

@Suite struct SqueueTests {
    private let records = [
        JobRecord(info: job(12, "RUNNING", running), now: 1065),
        JobRecord(
            info: job(13, "PENDING") { info in
                info.arrayJob = 13
                var range = WireIndexRange()
                (range.first, range.last, range.step) = (3, 5, 1)
                info.arrayPending = [range]
                info.arrayMaxRunning = 3
            }, now: 1065),
        JobRecord(info: job(11, "COMPLETED", running), now: 1065),
    ]

    @Test func theDefaultFormatIsSlurms() throws {
        let text = try Squeue.render(records, SqueueOptions())
        #expect(
            text == """
                             JOBID PARTITION     NAME     USER ST       TIME  NODES NODELIST(REASON)
                        13_[3-5%3]      main longjobn    alice PD       0:00      2 (Resources)
                                12      main longjobn    alice  R       1:05      2 n[1-2]

                """)
    }

    @Test func formatsChooseFieldsByLetterAndByName() throws {
        var options = SqueueOptions()
        options.header = false
        options.array = true
        options.format = "%i|%T|%.5D|%l"
        #expect(
            try Squeue.render(records, options)
                == "13_3|PENDING|    2|1:00:00\n13_4|PENDING|    2|1:00:00\n13_5|PENDING|    2|1:00:00\n"
                + "12|RUNNING|    2|1:00:00\n")
        options.array = false
        options.longFormat = "JobID:6,NumCPUs:.4"
        #expect(try Squeue.render(records, options) == "13       1\n12       8\n")
        options.longFormat = nil
        options.format = "%é"
        // What is no field is shown as it is written.
        #expect(try Squeue.render([records[0]], options) == "%é\n")
        options.format = "%i %5 |%j"
        #expect(try Squeue.render([records[0]], options) == "12 %5 |longjobname\n")
    }

    @Test func durationsAreCutOnTheLeftSideOnly() throws {
        var options = SqueueOptions()
        options.header = false
        options.format = "%.2l|%2l|%.2T"
        #expect(try Squeue.render([records[0]], options) == "1:00:00|1:|RU\n")
    }

    @Test func elementsOfAnArrayAreShownAsTheyWereNamed() throws {
        func text(_ first: UInt32, _ last: UInt32) throws -> String {
            var options = SqueueOptions()
            options.header = false
            options.format = "%i"
            guard let job = JobIdentifier(first == last ? "13_\(first)" : "13_[\(first)-\(last)]") else { return "" }
            options.jobs = [job]
            return try Squeue.render([records[1]], options)
        }
        #expect(try text(4, 4) == "13_4\n")
        #expect(try text(3, 4) == "13_[3-4%3]\n")
        #expect(try text(9, 9) == "")
    }

    @Test func sortsByWhatIsAsked() throws {
        var options = SqueueOptions()
        options.format = "%A"
        options.header = false
        options.states = try Squeue.states("all")
        options.sort = "-i"
        #expect(try Squeue.render(records, options) == "13\n12\n11\n")
    }

    @Test func tasksStandInTheOrderOfTheirIndices() throws {
        var options = SqueueOptions()
        options.format = "%i"
        options.header = false
        let records = tasks.map { JobRecord(info: $0, now: 1065) }
        #expect(try Squeue.render(records, options) == "13_0\n13_1\n13_2\n14\n")
        options.sort = "-i"
        #expect(try Squeue.render(records, options) == "14\n13_2\n13_1\n13_0\n")
    }
}

/// Tasks 0, 1 and 2 of array 13, of which the last one has the array's id, and another job.
private let tasks = [(13, 2), (14, nil), (15, 0), (16, 1)].map { (id: UInt32, index: UInt32?) in
    job(id, "RUNNING") { info in
        running(&info)
        guard let index else { return }
        (info.arrayJob, info.arrayTask) = (13, index)
    }
}

@Suite struct SinfoTests {
    private func node(_ name: String, _ state: String, _ flags: [String] = []) -> WireNodeInfo {
        var node = WireNodeInfo()
        (node.name, node.state, node.flags, node.partitions) = (name, state, flags, ["main"])
        node.cpus = 8
        return node
    }

    private var partition: WirePartitionInfo {
        var partition = WirePartitionInfo()
        (partition.name, partition.isDefault, partition.state) = ("main", true, "UP")
        partition.maxTimeMinutes = .max
        return partition
    }

    @Test func nodesThatLookAlikeShareALine() throws {
        let nodes = [
            node("n1", "IDLE"), node("n2", "ALLOCATED", ["DRAIN"]), node("n3", "IDLE"),
            node("n4", "DOWN", ["NOT_RESPONDING"]),
        ]
        #expect(
            try Sinfo.render([partition], nodes, SinfoOptions()) == """
                PARTITION AVAIL  TIMELIMIT  NODES  STATE NODELIST
                main*        up   infinite      1   drng n2
                main*        up   infinite      2   idle n[1,3]
                main*        up   infinite      1  down* n4

                """)
        var options = SinfoOptions()
        options.format = "%F %C"
        options.header = false
        #expect(try Sinfo.render([partition], nodes, options) == "0/2/2/4 0/16/16/32\n")
        options.format = "%n"
        options.states = [["drain"]]
        #expect(try Sinfo.render([partition], nodes, options) == "n2\n")
    }
}

/// What sacct prints of these rows.
private func sacct(
    _ jobs: [WireJobInfo], now: Int64, cluster: String, _ options: SacctOptions
) throws(OptionError) -> String {
    try Sacct.render(try Sacct.jobs(jobs, now: now, cluster: cluster, options), options)
}

@Suite struct DocumentTests {
    private let document: Document = [
        "a": "x/\"y\"", "none": .unset, "null": .null, "list": [], "map": ["n": 1, "d": 2.0, "t": true],
        "special": "a: b", "number #": .list(["1", 2]),
    ]

    @Test func jsonHasSlurmsLayout() {
        #expect(
            DocumentFormat.json.text(document) == """
                {
                  "a": "x\\/\\"y\\"",
                  "none": "",
                  "null": null,
                  "list": [
                  ],
                  "map": {
                    "n": 1,
                    "d": 2.0,
                    "t": true
                  },
                  "special": "a: b",
                  "number #": [
                    "1",
                    2
                  ]
                }
                """)
    }

    @Test func yamlTagsEveryNodeAndQuotesWhatMustBe() {
        #expect(
            DocumentFormat.yaml.text(document) == """
                %YAML 1.1
                --- !!map
                !!str a: !!str x/"y"
                !!str none: !!null null
                !!str null: !!null null
                !!str list: !!seq []
                !!str map: !!map
                  !!str n: !!int 1
                  !!str d: !!float 2.000000
                  !!str t: !!bool true
                !!str special: !!str 'a: b'
                !!str 'number #': !!seq
                - !!str 1
                - !!int 2
                ...

                """)
    }
}

@Suite struct SacctTests {
    private var done: WireJobInfo {
        job(12, "OUT_OF_MEMORY") { info in
            running(&info)
            info.endUs = 1_065_000_000
            info.exit.signal = 9
            var step = WireStepInfo()
            (step.step, step.name, step.state, step.nodeList) = (0xffff_fffb, "batch", "OUT_OF_MEMORY", "n1")
            (step.startUs, step.endUs) = (info.startUs, info.endUs)
            step.usage.userCpuUs = 1_500_000
            step.usage.peakMemoryBytes = 10_485_760
            info.steps = [step]
        }
    }

    @Test func theDefaultFormatIsSlurms() throws {
        #expect(
            try sacct([done], now: 2000, cluster: "c", SacctOptions()) == """
                JobID           JobName  Partition    Account  AllocCPUS      State ExitCode \n\
                ------------ ---------- ---------- ---------- ---------- ---------- -------- \n\
                12           longjobna+       main                     8 OUT_OF_ME+      0:9 \n\
                12.batch          batch                                8 OUT_OF_ME+      0:0 \n
                """)
    }

    @Test func fieldsHaveWidthsAndDelimiters() throws {
        var options = SacctOptions()
        options.format = "jobid,maxrss,totalcpu,elapsed"
        options.table.style = .parsable2
        options.table.header = false
        #expect(
            try sacct([done], now: 2000, cluster: "c", options)
                == "12||00:01.500|00:01:05\n12.batch|10240K|00:01.500|00:01:05\n")
        options.format = "jobid"
        #expect(
            try sacct(tasks, now: 2000, cluster: "c", options) == "13_0\n13_1\n13_2\n14\n")
        options.format = "state%-15,foo"
        #expect(throws: OptionError.self) { try sacct([done], now: 0, cluster: "", options) }
    }
}

@Suite struct SacctAttemptTests {
    @Test func onlyTheLastStartOfARequeuedJobIsShown() throws {
        let requeued = job(12, "COMPLETED") { info in
            running(&info)
            info.restarts = 1
            info.steps = [(0, "CANCELLED", 9), (1, "COMPLETED", 0)].map { attempt, state, signal in
                var step = WireStepInfo()
                (step.step, step.attempt, step.state) = (0xffff_fffb, UInt32(attempt), state)
                step.exit.signal = UInt32(signal)
                step.usage.userCpuUs = 1_000_000
                return step
            }
        }
        var options = SacctOptions()
        options.format = "jobid,state,exitcode,totalcpu"
        options.table.style = .parsable2
        options.table.header = false
        #expect(
            try sacct([requeued], now: 2000, cluster: "c", options)
                == "12|COMPLETED|0:0|00:01.000\n12.batch|COMPLETED|0:0|00:01.000\n")
        options.duplicates = true
        #expect(
            try sacct([requeued], now: 2000, cluster: "c", options)
                == "12|COMPLETED|0:0|00:02.000\n12.batch|CANCELLED|0:9|00:01.000\n12.batch|COMPLETED|0:0|00:01.000\n")
    }
}

@Suite struct ScontrolTests {
    private func partition(_ words: [String]) throws -> WireUpdatePartition {
        try ScontrolShell.partitionUpdate((["PartitionName=main"] + words).map(ScontrolShell.Pair.init))
    }

    @Test func keysOfAPartitionGoOutUnderTheirFullNames() throws {
        let request = try partition(["state=down", "MaxT=5", "nodes+=n3", "JobDefaults=DefCpuPerGPU=2,DefMemPerGPU=9"])
        #expect(request.name == "main" && !request.create)
        let said = request.settings.map { "\($0.key)=\($0.value)" }
        #expect(said == ["State=DOWN", "MaxTime=5", "Nodes+=n3", "DefCpuPerGPU=2", "DefMemPerGPU=9"])
        for wrong in [["state=closed"], ["nosuch=5"], []] {
            #expect(throws: Failure.self) { try partition(wrong) }
        }
    }

    @Test func nodesAreDrainedForAReasonOnly() throws {
        func update(_ words: [String]) throws -> WireUpdateNode {
            try ScontrolShell.nodeUpdate((["NodeName=n[1-2]"] + words).map(ScontrolShell.Pair.init))
        }
        let drained = try update(["state=drain", "reason=new disks", "weight=3"])
        #expect(drained.state == "DRAIN" && drained.reason == "new disks" && drained.weight == 3)
        #expect(throws: Failure.self) { try update(["state=down"]) }
        let refused = #expect(throws: Failure.self) { try update(["foo=1"]) }
        #expect(refused?.message == "Update of this parameter is not supported: foo=1\nRequest aborted")
    }

    @Test func commandsMayBeShortened() {
        #expect(ScontrolShell.command("sho")?.name == "show")
        #expect(ScontrolShell.command("sh") == nil)
        #expect(ScontrolShell.command("requeuehold")?.name == "requeuehold")
        #expect(ScontrolShell.command("REQ")?.name == "requeue")
        #expect(ScontrolShell.command("pi") == nil)
    }

    @Test func quotesKeepBlanksAtThePrompt() {
        #expect(
            ScontrolShell.words("update jobid=1 comment=\"a b\"  'c d'") == ["update", "jobid=1", "comment=a b", "c d"])
    }

    @Test(
        arguments: [
            ([(1, 13, 2)], "1-13:2"), ([(1, 11, 2)], "1,3,5,7,9,11"), ([(1, 4, 1), (6, 6, 1)], "1-4,6"),
            ([(0, 0, 1), (1, 3, 1)], "0-3"),
        ] as [([(UInt32, UInt32, UInt32)], String)])
    func arrayIndicesReadAsSlurms(ranges: [(UInt32, UInt32, UInt32)], text: String) {
        #expect(ArrayIndexText.text(ranges.map { ($0.0, $0.1, $0.2) }) == text)
    }

    @Test func longArrayTextsAreCutAfterAWholeIndex() {
        let all = ArrayIndexText.text([(0, 9, 1), (20, 90, 2)])
        #expect(ArrayIndexText.short(all) == "0-9,20,22,24,26,28,30,32,34,36,38,40,42,44,46,48,50,52,54,56...")
    }

    @Test func aJobsBlockHasSlurmsLines() {
        let record = JobRecord(info: job(12, "RUNNING", running), now: 1065)
        let text = block(record.details(), oneLine: false)
        #expect(text.hasPrefix("JobId=12 JobName=longjobname\n   UserId=alice(0) GroupId=0(0) MCS_label=N/A\n"))
        #expect(text.contains("\n   RunTime=00:01:05 TimeLimit=01:00:00 TimeMin=N/A\n"))
        #expect(text.contains("\n   NumNodes=2 NumCPUs=8 NumTasks=1 CPUs/Task=1 ReqB:S:C:T=0:0:*:*\n"))
        #expect(block(record.details(), oneLine: true).split(separator: "\n").count == 1)
    }
}
