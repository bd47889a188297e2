import ArgosyDomain

/// `Dependency` and `DependencyNeverSatisfied`; which jobs they are is the core's to tell.
enum DependencyRule: JobRule {
    static func finding(_ job: PlanningSnapshot.Job, _ context: RuleContext) -> RuleFinding? {
        if job.waits.contains(.dependencyNever) {
            return RuleFinding(
                reason: .dependencyNeverSatisfied,
                sentence: "a job it depends on ended otherwise than asked; it will never start")
        }
        guard job.waits.contains(.dependency) else { return nil }
        return RuleFinding(reason: .dependency, sentence: "waits for jobs it depends on")
    }
}
