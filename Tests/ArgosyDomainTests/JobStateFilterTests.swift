import ArgosyDomain
import Testing

@Suite struct JobStateFilterTests {
    @Test func `names and codes in any case are found`() {
        #expect(JobState.matching(["pd", "Running", "OOM"]) == [.pending, .running, .outOfMemory])
    }

    @Test func `a state of Slurm's that no job here is in matches nothing`() {
        #expect(JobState.matching(["CF", "configuring"]) == [])
        #expect(JobState.matching(["PD", "R", "CG", "CF"]) == [.pending, .running, .completing])
    }

    @Test func `what is no state is no filter`() {
        #expect(JobState.matching(["PD", "XX"]) == nil)
    }
}
