import ArgosyDomain

/// `BeginTime`: `--begin` lies ahead.
enum BeginTimeRule: JobRule {
    static func finding(_ job: PlanningSnapshot.Job, _ context: RuleContext) -> RuleFinding? {
        guard job.begin.isSet, job.begin > context.snapshot.now else { return nil }
        return RuleFinding(reason: .beginTime, sentence: "is not to begin before its --begin time")
    }
}
