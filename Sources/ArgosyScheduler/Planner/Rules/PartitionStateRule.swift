import ArgosyDomain

/// `PartitionDown`.
enum PartitionStateRule: ClassRule {
    static func finding(_ planClass: PlanClass, _ context: RuleContext) -> RuleFinding? {
        PartitionLimitRules.finding(planClass, context) { finding($0) }
    }

    static func finding(_ partition: PlanningSnapshot.Partition) -> RuleFinding? {
        partition.isUp
            ? nil
            : RuleFinding(
                reason: .partitionDown, sentence: "partition \(partition.name) starts no jobs (down or inactive)")
    }
}
