import ArgosyDomain

/// The limits of a QOS.
enum QOSRules {
    typealias Rule = LimitRule<QOSLimits>

    static let submission: [[Rule]] = [
        [
            Rule(.grpSubmitJobs, .submitted, .group, [.qosGrpSubmitJobsLimit], .count { $0.grpSubmitJobs }),
            Rule(
                .maxSubmitJobsPerAccount, .submitted, .account, [.maxSubmitJobsPerAccount],
                .count { $0.maxSubmitJobsPerAccount }),
            Rule(
                .maxSubmitJobsPerUser, .submitted, .user, [.qosMaxSubmitJobPerUserLimit],
                .count { $0.maxSubmitJobsPerUser }),
        ]
    ]

    static let start: [[Rule]] = [countsAndTimes, resources]

    private static let countsAndTimes: [Rule] = [
        Rule(.grpJobs, .jobs, .group, [.qosGrpJobsLimit], .count { $0.grpJobs }),
        Rule(.grpWall, .wall, .group, [.qosGrpWallLimit], .count { $0.grpWall }),
        Rule(.maxJobsPerAccount, .jobs, .account, [.maxJobsPerAccount], .count { $0.maxJobsPerAccount }),
        Rule(.maxJobsPerUser, .jobs, .user, [.qosMaxJobsPerUserLimit], .count { $0.maxJobsPerUser }),
        Rule(.maxWall, .jobWall, .group, [.qosMaxWallDurationPerJobLimit], .time { $0.maxWallDurationPerJob }),
    ]

    private static let resources: [Rule] = [
        Rule(.grpTRESMins, .tresMinutes, .group, LimitReasons.qosGrpMinutes, .tres { $0.grpTRESMins }),
        Rule(.grpTRES, .tres, .group, LimitReasons.qosGrp, .tres { $0.grpTRES }),
        Rule(.grpTRESRunMins, .tresRunMinutes, .group, LimitReasons.qosGrpRunMinutes, .tres { $0.grpTRESRunMins }),
        Rule(
            .maxTRESMinsPerJob, .jobTRESMinutes, .group, LimitReasons.qosMaxMinutesPerJob,
            .tres { $0.maxTRESMinsPerJob }),
        Rule(.maxTRESPerJob, .jobTRES, .group, LimitReasons.qosMaxPerJob, .tres { $0.maxTRESPerJob }),
        Rule(.maxTRESPerNode, .jobTRESPerNode, .group, LimitReasons.qosMaxPerNode, .tres { $0.maxTRESPerNode }),
        Rule(.minTRESPerJob, .jobMinimumTRES, .group, LimitReasons.qosMin, .tres { $0.minTRESPerJob }),
        Rule(.maxTRESPerAccount, .tres, .account, LimitReasons.qosMaxPerAccount, .tres { $0.maxTRESPerAccount }),
        Rule(.maxTRESPerUser, .tres, .user, LimitReasons.qosMaxPerUser, .tres { $0.maxTRESPerUser }),
        // Slurm has no words of their own for these two.
        Rule(
            .maxTRESRunMinsPerAccount, .tresRunMinutes, .account, LimitReasons.qosGrpRunMinutes,
            .tres { $0.maxTRESRunMinsPerAccount }),
        Rule(
            .maxTRESRunMinsPerUser, .tresRunMinutes, .user, LimitReasons.qosGrpRunMinutes,
            .tres { $0.maxTRESRunMinsPerUser }),
    ]

    static let accrual: [[Rule]] = [
        [
            Rule(.grpJobsAccrue, .accruing, .group, [.qosJobLimit], .count { $0.grpJobsAccrue }),
            Rule(
                .maxJobsAccruePerAccount, .accruing, .account, [.qosJobLimit], .count { $0.maxJobsAccruePerAccount }),
            Rule(.maxJobsAccruePerUser, .accruing, .user, [.qosJobLimit], .count { $0.maxJobsAccruePerUser }),
        ]
    ]
}
