import ArgosyDomain

/// `PartitionNodeLimit`.
enum PartitionNodesRule: ClassRule {
    static func finding(_ planClass: PlanClass, _ context: RuleContext) -> RuleFinding? {
        let shape = context.shape(planClass)
        return PartitionLimitRules.finding(planClass, context) { finding($0, shape) }
    }

    static func finding(_ partition: PlanningSnapshot.Partition, _ shape: Shape) -> RuleFinding? {
        if shape.minNodes > partition.maxNodes {
            return RuleFinding(
                reason: .partitionNodeLimit,
                sentence:
                    "asks for \(shape.minNodes.counted("node")), partition \(partition.name) allows \(partition.maxNodes)"
            )
        }
        if shape.minNodes > partition.nodes.count {
            return RuleFinding(
                reason: .partitionNodeLimit,
                sentence:
                    "asks for \(shape.minNodes.counted("node")), partition \(partition.name) has \(partition.nodes.count)"
            )
        }
        guard shape.maxNodes < partition.minNodes else { return nil }
        return RuleFinding(
            reason: .partitionNodeLimit,
            sentence:
                "takes at most \(shape.maxNodes.counted("node")), partition \(partition.name) wants at least \(partition.minNodes)"
        )
    }
}
