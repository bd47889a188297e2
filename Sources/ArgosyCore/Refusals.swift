// What the core answers instead of doing what was asked: Slurm's words, then what, why and what to do.
import ArgosyDomain

enum Refusals {
    static func accessDenied(_ why: String) -> Refusal {
        Refusal(.accessDenied, "Access/permission denied", detail: "\(why); ask the owner or an administrator")
    }

    static func invalidJob(_ id: JobID) -> Refusal {
        Refusal(
            .invalidJobID, "Invalid job id specified",
            detail: "job \(id) is not known (any more); squeue lists jobs, sacct those that ended long ago")
    }

    static func alreadyEnded(_ id: JobID) -> Refusal {
        Refusal(
            .jobAlreadyComplete, "Job/step already completing or completed",
            detail: "job \(id) has ended or is ending; nothing is left to do")
    }

    static func invalidNode(_ name: String) -> Refusal {
        Refusal(
            .invalidNodeName, "Invalid node name specified",
            detail: "node \(name) is not configured (or not in the partition); sinfo -N lists the nodes")
    }

    static func pending(_ id: JobID) -> Refusal {
        Refusal(
            .jobNotRunning, "Job is pending execution",
            detail: "job \(id) has not started; try again when squeue shows it running")
    }

    static func stepBusy(_ id: JobID) -> Refusal {
        Refusal(
            .stepNodesBusy, "Requested nodes are busy",
            detail: "other steps of job \(id) hold what this one asks for; it can wait, share (--overlap) or ask for less")
    }

    static func notAvailable(_ why: String) -> Refusal {
        Refusal(.nodesNotAvailable, "Requested node configuration is not available", detail: why)
    }

    static func noIDs(_ last: UInt32) -> Refusal {
        Refusal(
            .busy, "Unable to assign a job id",
            detail: "all ids up to MaxJobId=\(last) were given out; raise MaxJobId")
    }

    static func invalidLicense(_ why: String) -> Refusal {
        Refusal(.nodesNotAvailable, "Invalid license specification", detail: why)
    }

    static func invalidTime(_ why: String) -> Refusal {
        Refusal(
            .invalidTimeLimit, "Requested time limit is invalid (missing or exceeds some limit)", detail: why)
    }

    static func notSupported(_ what: String) -> Refusal {
        Refusal(.notSupported, "Requested operation not supported on this system", detail: what)
    }
}
