// --test-only: when and where a job would start, as Slurm says it; no job is made.

import ArgosyWire
import Glibc

enum TestOnly {
    /// Prints `Job 12 to start at ... using 4 processors on nodes n[1-2] in partition main` on stderr.
    static func ask(_ submission: WireSubmitJob, as command: String, _ session: Session) throws(Failure) {
        var submission = submission
        submission.testOnly = true
        submission.token = ""
        let reply = try session.ask(.submit(submission))
        guard case .tested(let tested)? = reply.body else {
            throw Failure("Invalid reply of the controller", detail: "it answered --test-only with something else")
        }
        if !tested.warning.isEmpty { Console.info(command, tested.warning) }
        Console.info(command, text(tested))
    }

    /// Says why not, and ends the command.
    static func report(_ failure: Failure) -> Never {
        Console.complain("allocation failure: \(failure.message)\n")
        if !failure.detail.isEmpty { Console.complain("\(failure.detail)\n") }
        exit(Process.errorStatus)
    }

    static func text(_ tested: WireTestedStart) -> String {
        "Job \(tested.job) to start at \(Times.stamp(tested.startUs)) using \(tested.processors) processors on nodes"
            + " \(tested.nodeList) in partition \(tested.partition)"
    }
}
