import ArgosyDomain

/// `JobHeldUser`, `JobHeldAdmin`, `launch_failed_requeued_held`.
enum HeldRule: JobRule {
    static func finding(_ job: PlanningSnapshot.Job, _ context: RuleContext) -> RuleFinding? {
        if job.waits.contains(.heldByAdmin) {
            return RuleFinding(
                reason: .jobHeldAdmin, sentence: "held by an administrator; only one can release it (scontrol release)")
        }
        if job.waits.contains(.launchFailed) {
            return RuleFinding(
                reason: .launchFailedRequeuedHeld,
                sentence: "its start failed and it was put back on hold; find out why, then scontrol release")
        }
        guard job.waits.contains(.heldByUser) else { return nil }
        return RuleFinding(reason: .jobHeldUser, sentence: "held by its user; scontrol release lets it go")
    }
}
