import ArgosyDomain

/// `JobArrayTaskLimit`: as many tasks of the array run as its `%` lets.
enum ArrayLimitRule: JobRule {
    static func finding(_ job: PlanningSnapshot.Job, _ context: RuleContext) -> RuleFinding? {
        guard job.waits.contains(.arrayLimit) else { return nil }
        return RuleFinding(
            reason: .jobArrayTaskLimit,
            sentence: "as many tasks of the array run as its % allows (scontrol update ArrayTaskThrottle)")
    }
}
