import Testing

@testable import ArgosyCommands

/// The command line of `argosy sim`; what it simulates is tested where it is simulated.
@Suite struct SimTests {
    private func parse(_ arguments: [String]) throws -> (SimOptions, [String]) {
        var options = SimOptions()
        let operands = try OptionParser(Sim.options).parse(arguments, into: &options)
        return (options, operands)
    }

    @Test func `every option reaches the run`() throws {
        let (options, operands) = try parse([
            "--policy", "sjbf-easy", "--procs=64", "--limit", "100", "--estimate", "actual", "--config", "a",
            "--config=b", "--format=json", "--schedule", "s.csv", "--seed", "18446744073709551615", "-",
        ])
        #expect(options.policy?.name == "sjbf-easy")
        #expect(options.processors == 64)
        #expect(options.limit == 100)
        #expect(options.estimate == .actual)
        #expect(options.configurations == ["a", "b"])
        #expect(options.format == .json)
        #expect(options.schedule == "s.csv")
        #expect(options.seed == .max)
        #expect(operands == ["-"])
    }

    @Test(arguments: [
        (["--procs", "0"], "--procs=0: must be a number from 1 to 2147483647"),
        (["--limit=-1"], "--limit=-1: must be a number from 1 to 2147483647"),
        (["--estimate", "guess"], "--estimate=guess: must be request or actual"),
        (["--format", "xml"], "--format=xml: must be table or json"),
        (["--seed", "x"], "--seed=x: must be a number from 0 to 18446744073709551615"),
        (
            ["--config=a", "--config=b", "--config=c"],
            "--config=c: one configuration, or two to compare, not more"
        ),
        (
            ["--policy", "best"],
            "--policy=best: there is no such policy; say one of fcfs, sjf, saf, wfp3, unicep, f1, easy, sjbf-easy,"
                + " sjf-easy, saf-easy, wfp3-easy, unicep-easy, f1-easy, cons, argosy"
        ),
    ])
    func `a wrong value is refused with what may be said`(arguments: [String], message: String) {
        #expect(throws: OptionError(message)) { _ = try parse(arguments) }
    }

    @Test(arguments: [
        [], ["a.swf", "b.swf"], ["--policy", "easy", "/nowhere/a.swf"], ["--policy", "easy", "--config", "c", "a.swf"],
        ["--policy", "no", "a.swf"],
    ])
    func `what cannot be run ends with 1`(arguments: [String]) {
        #expect(Sim.run(arguments) == 1)
    }
}
