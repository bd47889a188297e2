import ArgosyDomain

/// `Resources` for the first waiting job of a partition, `Priority` for those behind it.
enum ResourcesRule {
    static func finding(_ planClass: PlanClass, isFirst: Bool, _ context: RuleContext) -> RuleFinding {
        RuleFinding(
            reason: isFirst ? .resources : .priority,
            sentence: (isFirst ? "" : "other jobs come first; ") + context.tallies.of(planClass).sentence)
    }
}
