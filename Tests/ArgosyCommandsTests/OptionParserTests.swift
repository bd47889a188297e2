import Testing

@testable import ArgosyCommands

@Suite struct OptionParserTests {
    private func parse(_ words: [String]) throws(OptionError) -> (JobOptions, [String]) {
        var options = JobOptions()
        let operands = try OptionParser(JobOptionTable.srun, stopsAtOperand: true).parse(words, into: &options)
        return (options, operands)
    }

    @Test(arguments: [
        ["-N2", "-n", "4", "-l", "a"], ["--nodes=2", "--ntasks=4", "--label", "a"], ["--nodes", "2", "-ln4", "a"],
        ["--nodes=2", "--ntasks", "4", "--lab", "--", "a"], ["-N", "2-2", "-n4", "-l", "a"],
    ])
    func gnuSpellingsMeanTheSame(words: [String]) throws {
        let (options, operands) = try parse(words)
        #expect(options.minNodes == 2 && options.maxNodes == 2 && options.tasks == 4 && options.label)
        #expect(operands == ["a"])
    }

    @Test func whatFollowsTheCommandBelongsToIt() throws {
        let (options, operands) = try parse(["-n1", "sh", "-c", "exit 3", "-N2", "--foo"])
        #expect(operands == ["sh", "-c", "exit 3", "-N2", "--foo"])
        #expect(options.minNodes == 0)
    }

    @Test(arguments: [
        (["--foo"], "unrecognized option '--foo'"), (["-y"], "invalid option -- 'y'"),
        (["--nodes"], "option '--nodes' requires an argument"), (["-N"], "option requires an argument -- 'N'"),
        (["--label=3"], "option '--label' doesn't allow an argument"),
        (["--cont=x"], "option '--cont=x' is ambiguous"), (["--mpi=x"], "Invalid MPI type 'x'"),
        (["-N", "x"], "\"x\" is not a valid node count"),
        (["-N4-2"], "Maximum node count 2 is less than minimum"), (["-n0"], "Invalid numeric value \"0\""),
        (["--mem=lots"], "Invalid --mem specification"), (["-t", "soon"], "Invalid --time specification"),
        (["--mpi=pmix"], "--mpi=pmix is not supported"),
        (["--x11"], "--x11 is not supported"), (["--container-mounts=etc:/etc"], "is not /source:/target"),
        (["--container-name=x"], "name an image instead"),
    ])
    func wrongWordsAreRefusedWithTheirReason(words: [String], message: String) {
        let error = #expect(throws: OptionError.self) { try parse(words) }
        #expect(error?.message.contains(message) == true, "\(String(describing: error))")
    }

    /// The exact lines that Open MPI 4.1.4 and MPICH call srun with; quotes in values are part of them.
    @Test func linesOfMPIStartersAreUnderstood() throws {
        let orted = try parse([
            "--ntasks-per-node=1", "--kill-on-bad-exit", "--mpi=none", "--nodes=1", "--nodelist=node2", "--ntasks=1",
            "orted", "-mca", "ess", "\"slurm\"", "-mca", "orte_node_regex", "\"head,node[1:1-2]@0(3)\"",
        ])
        #expect(orted.0.tasksPerNode == 1 && orted.0.tasks == 1 && orted.0.killOnBadExit == true)
        #expect(orted.0.nodeList == "node2" && orted.0.mpi == "none")
        #expect(
            orted.1 == ["orted", "-mca", "ess", "\"slurm\"", "-mca", "orte_node_regex", "\"head,node[1:1-2]@0(3)\""])
        let hydra = try parse([
            "-N", "2", "-n", "2", "--input", "none", "/usr/bin/hydra_pmi_proxy", "--control-port", "head:37071",
            "--proxy-id", "-1",
        ])
        #expect(hydra.0.minNodes == 2 && hydra.0.tasks == 2 && hydra.0.input == "none")
        #expect(hydra.1.count == 5 && hydra.1.last == "-1")
    }

    @Test func stepsTakeTheJobsTasksAndNodesUnlessTold() throws {
        let job = ["SLURM_JOB_NUM_NODES": "2", "SLURM_NNODES": "2"]
        var (options, _) = try parse(["hostname"])
        try StepDefaults.complete(&options, environmentTasks: 4) { job[$0] }
        #expect(options.tasks == 4 && options.minNodes == 2)
        (options, _) = try parse(["-n1", "hostname"])
        try StepDefaults.complete(&options, environmentTasks: 4) { job[$0] }
        #expect(options.tasks == 1 && options.minNodes == 1)
        (options, _) = try parse(["-w", "n2", "hostname"])
        try StepDefaults.complete(&options, environmentTasks: 4) { job[$0] }
        #expect(options.minNodes == 0)
    }

    @Test func everyOptionHasOneMeaning() {
        func check<Settings>(_ options: [Option<Settings>], _ name: String) {
            let names = options.map(\.long).filter { !$0.isEmpty }
            #expect(Set(names).count == names.count, "\(name): \(names.sorted())")
            let letters = options.compactMap(\.short)
            #expect(Set(letters).count == letters.count, "\(name): \(letters.sorted())")
            for option in options where option.standing == .acted { #expect(!option.help.isEmpty, "\(option.long)") }
        }
        check(JobOptionTable.sbatch, "sbatch")
        check(JobOptionTable.srun, "srun")
        check(Squeue.options, "squeue")
        check(Scancel.options, "scancel")
        check(Sinfo.options, "sinfo")
        check(Sacct.options, "sacct")
        check(Scontrol.options, "scontrol")
    }

    @Test func anyWordsGiveOptionsOrAnErrorAndNoCrash() {
        var state: UInt64 = 7
        let pieces = [
            "-", "--", "N", "n", "=", "1", "[", "container-", "mounts", "x", ":", "/", "é", "", " ", "t", "%",
        ]
        for _ in 0..<3000 {
            var words: [String] = []
            for _ in 0..<4 {
                var word = ""
                for _ in 0..<4 {
                    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                    word += pieces[Int(state >> 33) % pieces.count]
                }
                words.append(word)
            }
            _ = try? parse(words)
        }
    }
}
