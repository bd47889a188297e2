import Testing

@testable import ArgosyCommands

@Suite struct CoverageRowTests {
    @Test(arguments: [
        ("srun", "SLURM_TEST_EXEC", "works"), ("srun", "PMI_TIME", "accepted"), ("srun", "SRUN_CONTAINER", "refused"),
        ("sbatch", "SBATCH_WAIT4SWITCH", "works"), ("squeue", "SLURM_TIME_FORMAT", "works"),
        ("scancel", "SCANCEL_HURRY", "accepted"), ("sprio", "SPRIO_FORMAT", "works"),
    ])
    func variablesAreToldWithWhatBecomesOfThem(owner: String, name: String, state: String) {
        let rows = Coverage.rows.filter { $0.owner == owner && $0.kind == .variable && $0.name == name }
        #expect(rows.map(\.state) == [state], "\(rows)")
        #expect(rows.allSatisfy { !$0.what.isEmpty })
    }

    @Test func variablesAreNoOptionsOfTheCommandLine() {
        #expect(!Sbatch.description.help.contains("longest wait for the switches"))
        var options = JobOptions()
        #expect(throws: OptionError.self) {
            try OptionParser(JobOptionTable.sbatch).parse(["--=5"], into: &options)
        }
    }

    @Test(arguments: [("DOWN", 1), ("IDLE+DRAIN", 0x202), ("DOWN*", 0x801), ("", 0)])
    func statesOfNodesHaveSlurmsNumbers(text: String, number: Int) { #expect(NodeStateNumber.of(text) == number) }
}
