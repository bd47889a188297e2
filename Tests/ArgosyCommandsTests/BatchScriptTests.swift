import Testing

@testable import ArgosyCommands

private func script(_ text: String) throws(OptionError) -> BatchScript { try BatchScript(Array(text.utf8)) }

@Suite struct BatchScriptTests {
    @Test func directivesEndAtTheFirstCommand() throws {
        let script = try script(
            """
            #!/bin/bash
            # a comment
            #SBATCH -N 2 --job-name="two words"   # trailing

              # indented
            #SBATCH\t--comment='it is' -o a\\ b
            echo
            #SBATCH -N 9
            """)
        #expect(script.directives == ["-N", "2", "--job-name=two words", "--comment=it is", "-o", "a b"])
    }

    @Test(arguments: [
        ("", "Batch script is empty!"), (" \n\t\n", "only whitespace"),
        ("echo hi\n", "does not look like a batch script"),
        ("#!/bin/sh\r\necho\r\n", "DOS line breaks"), ("#!/bin/sh\n\0", "NULL"),
        ("#!/bin/sh\n#SBATCH -J \"open\n", "line 2: Unmatched `\"` in [ \"open]"),
    ])
    func whatIsNoScriptIsRefused(text: String, message: String) {
        let error = #expect(throws: OptionError.self) { try script(text) }
        #expect(error?.message.contains(message) == true, "\(String(describing: error))")
    }

    @Test func theCommandLineWinsOverVariablesAndTheseOverTheScript() throws {
        let script = try script("#!/bin/sh\n#SBATCH -p script -J script -A script --container-image=a\n")
        let options = try Sbatch.options(["-A", "line"], script) {
            ["SBATCH_JOB_NAME": "env", "SBATCH_ACCOUNT": "env"][$0]
        }
        #expect(options.partition == "script" && options.name == "env" && options.account == "line")
    }

    @Test func wrongDirectivesAreNamed() throws {
        let script = try script("#!/bin/sh\n#SBATCH --nodes=x\n")
        let error = #expect(throws: OptionError.self) { try Sbatch.options([], script) { _ in nil } }
        #expect(error?.message.contains("\"x\" is not a valid node count") == true)
    }

    @Test func containerOptionsNeedAnImage() throws {
        let script = try script("#!/bin/sh\n")
        let error = #expect(throws: OptionError.self) {
            try Sbatch.options(["--container-writable", "x"], script) { _ in nil }
        }
        #expect(error?.message.contains("need --container-image") == true)
    }

    @Test func componentsAreToldByColonsAndHetjobLines() throws {
        let script = try script("#!/bin/sh\n#SBATCH -N1 -J a\n#SBATCH hetjob\n#SBATCH -N2\n")
        let groups = try OptionGroups(["-n1", ":", "-n4", ":", "-n5", "run.sh", ":"], JobOptionTable.sbatch)
        #expect(groups.operands == ["run.sh", ":"])
        let components = try Sbatch.components(groups.groups, script) { _ in nil }
        #expect(components.map(\.tasks) == [1, 4, 5])
        #expect(components.map(\.minNodes) == [1, 2, 0])
    }

    @Test func linesOfOtherBatchSystemsCountWhereNothingElseSpeaks() throws {
        let script = try script(
            "#!/bin/sh\n#PBS -N name -l nodes=2:ppn=4,walltime=1:30:00,mem=4gb\n#BSUB -q queue\n#SBATCH -N 3\n")
        let options = try Sbatch.options([], script) { _ in nil }
        #expect(options.name == "name" && options.partition == "queue" && options.minNodes == 3)
        #expect(options.tasksPerNode == 4 && options.memoryPerNodeMiB == 4096 && options.timeLimit.rawValue == 90)
        let ignored = try Sbatch.options(["--ignore-pbs"], script) { _ in nil }
        #expect(ignored.name.isEmpty && ignored.tasksPerNode == 0)
    }

    @Test func anOuterJobsVariablesStayBehind() {
        let outer = ["SLURM_JOB_ID=1", "SLURM_NTASKS=9", "SLURM_CONF=/c", "HOME=/h", "SLURM_CPUS_PER_TASK=3"]
        #expect(OuterJob.without(outer) == ["SLURM_CONF=/c", "HOME=/h"])
        #expect(OuterJob.without(["SLURM_NTASKS=9"]) == ["SLURM_NTASKS=9"])
    }

    @Test func exportChoosesTheEnvironment() {
        let environment = ["A=1", "B=2", "SLURM_X=3", "ARGOSY_RELAY=/r"]
        #expect(exported(environment, nil) == ["A=1", "B=2", "SLURM_X=3"])
        #expect(exported(environment, "NONE") == ["SLURM_X=3"])
        #expect(exported(environment, "A,C=4") == ["SLURM_X=3", "A=1", "C=4"])
        #expect(exported(environment, "ALL,B=9") == ["A=1", "SLURM_X=3", "B=9"])
        #expect(exported(environment, "C='x,y'") == ["SLURM_X=3", "C=x,y"])
    }
}

@Suite struct ArrayTextTests {
    @Test(
        arguments: [
            ("0-7", "0-7", 0), ("1,3,5-9:2", "1,3,5-9:2", 0), ("0-15%4", "0-15", 4), ("5", "5", 0),
            ("3,1,2", "1,2,3", 0),
            ("0-3,2-5", "0-5", 0), ("0-10:3", "0-9:3", 0), ("[1-3]", "1-3", 0), ("1,1", "1", 0),
            ("0-4:2,1", "0-2,4", 0),
        ] as [(String, String, UInt32)])
    func indicesAreSortedAndWithoutOverlap(text: String, indices: String, running: UInt32) throws {
        let array = try #require(ArrayText.parse(text))
        #expect(ArrayText.text(array.indices.map { ($0.first, $0.last, $0.step) }) == indices)
        #expect(array.maxRunning == running)
    }

    @Test(arguments: [
        "", "x", "1-", "-1", "3-1", "1:2", "1-9:0", "1%", "1%2%3", "4000001", "1,,2", "1-2-3", "1-99999999999",
    ])
    func whatIsNoArrayIsRefused(text: String) { #expect(ArrayText.parse(text) == nil) }

    @Test(arguments: [("12", "12"), ("12_3", "12_3"), ("12_[1-3,7]", "12_[1-3,7]"), ("12.0", "12.0"), ("12_*", "12")])
    func jobIdsAreRead(text: String, back: String) throws { #expect(try #require(JobIdentifier(text)).text == back) }

    @Test(arguments: ["", "x", "0", "12_", "12_[", "12.x", "99999999999", "12_1%2", "1 2"])
    func whatIsNoJobIdIsRefused(text: String) { #expect(JobIdentifier(text) == nil) }

    @Test func listsKeepBracketsTogether() throws {
        #expect(try JobIdentifier.list("1,2_[3-4,6],5").map(\.text) == ["1", "2_[3-4,6]", "5"])
    }
}

@Suite struct MomentTests {
    /// Noon of 2026-06-15, local time.
    private var noon: Int64 { MomentParser(now: 0, future: false).parse("2026-06-15T12:00:00") ?? 0 }

    @Test(
        arguments: [
            ("now", 0), ("now+90", 90), ("now+2hours", 7200), ("now+1day", 86400), ("now-1week", -604_800),
            ("16:00", 14400),
            ("4:00PM", 14400), ("11:00", 82800), ("midnight", 43200), ("teatime", 14400), ("tomorrow", 43200),
            ("2026-06-15T12:00:30", 30), ("0616", 43200), ("06/16/26", 43200), ("061626-12:00", 86400),
            ("06.16", 43200),
        ] as [(String, Int64)])
    func beginTimesAreRead(text: String, offset: Int64) {
        #expect(MomentParser(now: noon, future: true).parse(text) == noon + offset)
    }

    @Test(arguments: [
        "", "soon", "25:00", "12:60", "13:00PM", "2026-13-01", "now+", "now+x", "now*2", "99999", "1:2:3:4",
        "2026-06-15T",
    ])
    func whatIsNoTimeIsRefused(text: String) { #expect(MomentParser(now: noon, future: true).parse(text) == nil) }

    @Test func timesAreWrittenAsSlurmWritesThem() {
        #expect(
            [0, 21, 1800, 3600, 172_800].map { Times.short($0) } == ["0:00", "0:21", "30:00", "1:00:00", "2-00:00:00"])
        #expect([21, 90_061].map { Times.long($0) } == ["00:00:21", "1-01:01:01"])
        #expect(Times.stamp(noon * 1_000_000) == "2026-06-15T12:00:00")
    }
}
