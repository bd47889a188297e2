import ArgosyDomain

/// The limits of associations. Those of a group are looked at on every level up to the root; the others are inherited.
/// What can be told without knowing the nodes comes before what needs them, on all levels, as in Slurm.
enum AssociationRules {
    typealias Rule = LimitRule<AssociationLimits>

    static let submission: [[Rule]] = [
        [
            Rule(.grpSubmitJobs, .submitted, .group, [.assocGrpSubmitJobsLimit], .count { $0.grpSubmitJobs }),
            Rule(.maxSubmitJobs, .submitted, .own, [.assocMaxSubmitJobLimit], .count { $0.maxSubmitJobs }),
        ]
    ]

    static let start: [[Rule]] = [countsAndTimes, resources]

    private static let countsAndTimes: [Rule] = [
        Rule(.grpJobs, .jobs, .group, [.assocGrpJobsLimit], .count { $0.grpJobs }),
        Rule(.grpWall, .wall, .group, [.assocGrpWallLimit], .count { $0.grpWall }),
        Rule(.maxJobs, .jobs, .own, [.assocMaxJobsLimit], .count { $0.maxJobs }),
        Rule(.maxWall, .jobWall, .own, [.assocMaxWallDurationPerJobLimit], .time { $0.maxWallDurationPerJob }),
    ]

    private static let resources: [Rule] = [
        Rule(.grpTRESMins, .tresMinutes, .group, LimitReasons.assocGrpMinutes, .tres { $0.grpTRESMins }),
        Rule(.grpTRES, .tres, .group, LimitReasons.assocGrp, .tres { $0.grpTRES }),
        Rule(.grpTRESRunMins, .tresRunMinutes, .group, LimitReasons.assocGrpRunMinutes, .tres { $0.grpTRESRunMins }),
        Rule(
            .maxTRESMinsPerJob, .jobTRESMinutes, .own, LimitReasons.assocMaxMinutesPerJob,
            .tres { $0.maxTRESMinsPerJob }),
        Rule(.maxTRESPerJob, .jobTRES, .own, LimitReasons.assocMaxPerJob, .tres { $0.maxTRESPerJob }),
        Rule(.maxTRESPerNode, .jobTRESPerNode, .own, LimitReasons.assocMaxPerNode, .tres { $0.maxTRESPerNode }),
    ]

    static let accrual: [[Rule]] = [
        [
            Rule(.grpJobsAccrue, .accruing, .group, [.associationJobLimit], .count { $0.grpJobsAccrue }),
            Rule(.maxJobsAccrue, .accruing, .own, [.associationJobLimit], .count { $0.maxJobsAccrue }),
        ]
    ]
}
