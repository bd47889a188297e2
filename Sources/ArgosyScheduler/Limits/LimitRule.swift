// One row per limit: what it measures, whose count that is, where its number stands, which word it shows, and which limit
// of an association a QOS's takes the place of. The tables are in AssociationRules.swift and QOSRules.swift, in the order
// in which Slurm looks, so that the first reason found is the one it would show.

import ArgosyDomain

/// What a limit is a limit of.
enum LimitMeasure: Sendable {
    /// Jobs that run; jobs submitted and not ended; waiting jobs whose age counts.
    case jobs, submitted, accruing
    /// TRES held by running jobs.
    case tres
    /// TRES-minutes used (decayed); with `safe` also those that running jobs and this one may still use.
    case tresMinutes
    /// TRES-minutes that running jobs and this one may still use.
    case tresRunMinutes
    /// Wall minutes used (decayed).
    case wall
    /// Of the job alone: TRES, the most on a node, TRES times the time limit, the time limit, at least so many TRES.
    case jobTRES, jobTRESPerNode, jobTRESMinutes, jobWall, jobMinimumTRES

    /// No other job's end helps.
    var isOfTheJobAlone: Bool {
        switch self {
        case .jobTRES, .jobTRESPerNode, .jobTRESMinutes, .jobWall, .jobMinimumTRES: true
        case .jobs, .submitted, .accruing, .tres, .tresMinutes, .tresRunMinutes, .wall: false
        }
    }
}

/// Whose counters a limit looks at.
enum LimitShare: Sendable {
    /// The record's own: of the association and all below it, of the QOS.
    case group
    /// The job's own association: what it inherits is counted for it alone.
    case own
    /// One user's or one account's jobs in the QOS.
    case user, account
}

/// What a limit is called in sacctmgr, and which limits are the same question asked of different records: the first
/// record that answers it (the partition's QOS, the job's QOS, then associations) is the one that counts.
enum LimitName: String, Sendable, CaseIterable {
    case grpJobs = "GrpJobs"
    case grpSubmitJobs = "GrpSubmitJobs"
    case grpJobsAccrue = "GrpJobsAccrue"
    case grpTRES = "GrpTRES"
    case grpTRESMins = "GrpTRESMins"
    case grpTRESRunMins = "GrpTRESRunMins"
    case grpWall = "GrpWall"
    case maxJobs = "MaxJobs"
    case maxSubmitJobs = "MaxSubmitJobs"
    case maxJobsAccrue = "MaxJobsAccrue"
    case maxTRESPerJob = "MaxTRESPerJob"
    case maxTRESPerNode = "MaxTRESPerNode"
    case maxTRESMinsPerJob = "MaxTRESMinsPerJob"
    case maxWall = "MaxWallDurationPerJob"
    case minTRESPerJob = "MinTRESPerJob"
    case maxJobsPerUser = "MaxJobsPerUser"
    case maxJobsPerAccount = "MaxJobsPerAccount"
    case maxSubmitJobsPerUser = "MaxSubmitJobsPerUser"
    case maxSubmitJobsPerAccount = "MaxSubmitJobsPerAccount"
    case maxJobsAccruePerUser = "MaxJobsAccruePerUser"
    case maxJobsAccruePerAccount = "MaxJobsAccruePerAccount"
    case maxTRESPerUser = "MaxTRESPerUser"
    case maxTRESPerAccount = "MaxTRESPerAccount"
    case maxTRESRunMinsPerUser = "MaxTRESRunMinsPerUser"
    case maxTRESRunMinsPerAccount = "MaxTRESRunMinsPerAccount"

    /// The limit of associations that this one of a QOS takes the place of.
    var replaces: LimitName {
        switch self {
        case .maxJobsPerUser, .maxJobsPerAccount: .maxJobs
        case .maxSubmitJobsPerUser, .maxSubmitJobsPerAccount: .maxSubmitJobs
        case .maxJobsAccruePerUser, .maxJobsAccruePerAccount: .maxJobsAccrue
        default: self
        }
    }
}

/// Where the number of a limit stands in a record.
enum LimitNumber<Limits>: Sendable {
    case count(@Sendable (Limits) -> UInt32?)
    case tres(@Sendable (Limits) -> TRESCounts)
    case time(@Sendable (Limits) -> TimeLimit?)
}

struct LimitRule<Limits>: Sendable {
    var name: LimitName
    var measure: LimitMeasure
    var share: LimitShare
    var number: LimitNumber<Limits>
    /// One word, or a row of LimitReasons.
    var reasons: [PendingReason]

    init(
        _ name: LimitName, _ measure: LimitMeasure, _ share: LimitShare, _ reasons: [PendingReason],
        _ number: LimitNumber<Limits>
    ) {
        self.name = name
        self.measure = measure
        self.share = share
        self.number = number
        self.reasons = reasons
    }

    func reason(_ tres: TRES?) -> PendingReason {
        reasons.count == 1 ? reasons[0] : LimitReasons.reason(reasons, tres)
    }
}
