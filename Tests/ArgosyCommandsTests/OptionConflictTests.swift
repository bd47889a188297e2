import ArgosyWire
import Testing

@testable import ArgosyCommands

@Suite struct OptionConflictTests {
    private func sbatch(
        _ words: [String], _ environment: [String: String] = [:], script: String = ""
    ) throws -> JobOptions {
        let script = try BatchScript(Array("#!/bin/sh\n\(script)\ntrue\n".utf8))
        return try Sbatch.options(words, script) { environment[$0] }
    }

    private static let memory = OptionError(
        "--mem, --mem-per-cpu, and --mem-per-gpu are mutually exclusive.", isFatal: true)

    @Test(arguments: [
        ["--mem=10", "--mem-per-cpu=20"], ["--mem-per-cpu=20", "--mem=0"], ["--mem=10", "--mem-per-gpu=20"],
    ])
    func onlyOneOptionAboutMemoryIsTaken(words: [String]) {
        #expect(throws: Self.memory) { try sbatch(words) }
        #expect(throws: Self.memory) { try Salloc.components([words]) { _ in nil } }
    }

    @Test func theScriptAndTheCommandLineContradictEachOther() {
        #expect(throws: Self.memory) { try sbatch(["--mem-per-cpu=20"], script: "#SBATCH --mem=10") }
    }

    @Test func theCommandLineGoesBeforeTheEnvironment() throws {
        let options = try sbatch(["--mem=10"], ["SBATCH_MEM_PER_CPU": "20"])
        #expect(options.memoryPerNodeMiB == 10 && options.memoryPerCPUMiB == 0)
        let variables = ["SBATCH_MEM_PER_CPU": "20", "SBATCH_MEM_PER_NODE": "10"]
        #expect(throws: JobOptions.wrongMemoryVariables) { try sbatch([], variables) }
    }

    @Test func moreNamesThanNodesAreAContradiction() throws {
        let error = OptionError("invalid number of nodes (-N 2-1)")
        #expect(throws: error) { try sbatch(["-wn[1-2]", "-N1"]) }
        #expect(throws: error) { try sbatch(["-N1-1", "-wn1,n2"]) }
        #expect(throws: error) { try Salloc.components([["-N1", "-wn1,n2"]]) { _ in nil } }
        #expect(try sbatch(["-N1-2", "-wn1,n2"]).nodeList == "n1,n2")
        #expect(try sbatch(["-N3", "-wn1,n2"]).minNodes == 3)
        #expect(try sbatch(["-wn1,n2"]).nodeList == "n1,n2")
    }

    @Test func srunLeavesTheLastNamesOut() throws {
        var options = JobOptions()
        _ = try OptionParser(JobOptionTable.srun).parse(["-wn[1-3]", "-N2"], into: &options)
        try StepDefaults.complete(&options, environmentTasks: 0) { _ in nil }
        #expect(options.nodeList == "n[1-2]")
    }

    @Test func variablesOfABatchJobReachItsSteps() throws {
        var options = JobOptions()
        let environment = ["SLURM_DISTRIBUTION": "plane", "SLURM_DIST_PLANESIZE": "2", "SLURM_MEM_PER_CPU": "100"]
        try OptionParser(JobOptionTable.srun).parse(environment: { environment[$0] }, into: &options)
        var step = options
        step.jobID = 7
        try StepDefaults.complete(&step, environmentTasks: 0) { environment[$0] }
        #expect(step.resources.distribution == "plane=2" && step.memoryPerCPUMiB == 0)
        try StepDefaults.complete(&options, environmentTasks: 0) { environment[$0] }
        #expect(options.memoryPerCPUMiB == 100)
    }

    @Test func theWaitForSwitchesHasAVariable() throws {
        #expect(try sbatch(["--switches=2"]).resources.switchWait == .max)
        let environment = ["SBATCH_WAIT4SWITCH": "5:00"]
        #expect(try sbatch(["--switches=2"], environment).resources.switchWait == 300)
        #expect(try sbatch(["--switches=2@0:30"], environment).resources.switchWait == 30)
    }

    @Test func containersOfTheEnvironmentAreRefused() {
        let error = #expect(throws: OptionError.self) { try sbatch([], ["SBATCH_CONTAINER": "/bundle"]) }
        #expect(error?.message.hasPrefix("--container is not supported") == true)
    }

    @Test func aStepTellsOneExitCodeOnceWhenAsked() {
        func lines(once: Bool) -> [String] {
            var run = StepRun(killsOnBadExit: false, waitSeconds: nil, disablesStatus: false)
            run.tellsOnce = once
            for rank in UInt32(0)..<2 {
                var task = WireTaskExited()
                task.node = "n\(rank + 1)"
                task.rank = rank
                task.exit.code = 3
                run.exited(task, at: 0)
            }
            run.finish()
            return run.lines
        }
        let first = "error: n1: task 0: Exited with exit code 3"
        #expect(lines(once: true) == [first])
        #expect(lines(once: false) == [first, "error: n2: task 1: Exited with exit code 3"])
    }

    /// 12 to 14 are one job's components, 15 is alone.
    @Test(
        arguments: [
            ("12", nil, [UInt32(12)]), ("13", nil, []), ("13", true, [12]), ("12", false, []), ("15", true, []),
        ] as [(String, Bool?, [UInt32])])
    func heterogeneousJobsAreShownWholeByTheirFirstID(named: String, whole: Bool?, leaders: [UInt32]) throws {
        var options = SacctOptions()
        options.jobs = try JobIdentifier.list(named)
        options.wholeHetJobs = whole
        var job = WireJobInfo()
        job.job = try #require(UInt32(named))
        job.hetLeader = job.job < 15 ? 12 : 0
        #expect(Sacct.leaders(of: [job], options) == Set(leaders))
    }
}
