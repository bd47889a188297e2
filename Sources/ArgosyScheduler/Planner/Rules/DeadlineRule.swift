import ArgosyDomain

/// `DeadLine`: it cannot end in time any more, even if it started now. The core ends such jobs.
enum DeadlineRule: JobRule {
    static func finding(_ job: PlanningSnapshot.Job, _ context: RuleContext) -> RuleFinding? {
        guard job.deadline.isSet, let shortest = shortest(job) else { return nil }
        let start = max(context.snapshot.now, job.begin)
        guard start.adding(shortest) > job.deadline else { return nil }
        return RuleFinding(
            reason: .deadLine,
            sentence:
                "needs \(shortest.microseconds / 60_000_000) minutes and its --deadline comes before these are over")
    }

    /// The least time it may be given.
    static func shortest(_ job: PlanningSnapshot.Job) -> Duration? {
        (job.timeMin == .notGiven ? job.timeLimit : job.timeMin).duration
    }
}
