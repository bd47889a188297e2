import ArgosyDomain

/// `PartitionTimeLimit`.
enum PartitionTimeRule: ClassRule {
    static func finding(_ planClass: PlanClass, _ context: RuleContext) -> RuleFinding? {
        PartitionLimitRules.finding(planClass, context) { finding($0, planClass) }
    }

    static func finding(_ partition: PlanningSnapshot.Partition, _ planClass: PlanClass) -> RuleFinding? {
        let asked = planClass.leastLimit
        guard asked != .notGiven, asked > partition.maxTime, partition.maxTime != .notGiven else { return nil }
        let wanted = asked == .unlimited ? "no limit" : "\(asked.rawValue) minutes"
        return RuleFinding(
            reason: .partitionTimeLimit,
            sentence:
                "asks for \(wanted) of time, partition \(partition.name) allows \(partition.maxTime.rawValue) minutes")
    }
}
