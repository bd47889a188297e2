import ArgosyDomain

/// What of a partition keeps a class out, however free it is.
enum PartitionLimitRules {
    static func findings(
        _ planClass: PlanClass, _ partition: Int, _ shape: Shape, _ snapshot: PlanningSnapshot
    ) -> [RuleFinding] {
        let there = snapshot.partitions[partition]
        return [
            PartitionStateRule.finding(there), PartitionTimeRule.finding(there, planClass),
            PartitionNodesRule.finding(there, shape),
        ].compactMap { $0 }
    }

    /// Of the first partition, if none of those the job may use lets it in.
    static func finding(
        _ planClass: PlanClass, _ context: RuleContext, _ find: (PlanningSnapshot.Partition) -> RuleFinding?
    ) -> RuleFinding? {
        guard planClass.options.isEmpty else { return nil }
        for partition in context.shape(planClass).partitions {
            if let found = find(context.snapshot.partitions[partition]) { return found }
        }
        return nil
    }
}
