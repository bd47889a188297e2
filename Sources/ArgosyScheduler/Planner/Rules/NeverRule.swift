import ArgosyDomain

/// `PartitionConfig`: no nodes of its partitions do, whatever state they are in.
enum NeverRule: ClassRule {
    static func finding(_ planClass: PlanClass, _ context: RuleContext) -> RuleFinding? {
        guard planClass.isNever, context.tallies.partitionsAllow(planClass) else { return nil }
        let tally = context.tallies.of(planClass)
        guard !tally.wouldDoWithAll else { return nil }
        return RuleFinding(reason: .partitionConfig, sentence: "can never start: \(tally.sentence)")
    }
}
