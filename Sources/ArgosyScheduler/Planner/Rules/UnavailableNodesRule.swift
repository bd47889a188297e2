import ArgosyDomain

/// `ReqNodeNotAvail`: nodes it cannot do without are down, drained, or reserved for others now.
enum UnavailableNodesRule: ClassRule {
    static func finding(_ planClass: PlanClass, _ context: RuleContext) -> RuleFinding? {
        guard context.tallies.partitionsAllow(planClass) else { return nil }
        let tally = context.tallies.of(planClass)
        if planClass.isNever || planClass.options.isEmpty {
            guard tally.wouldDoWithAll else { return nil }
            return RuleFinding(
                reason: .reqNodeNotAvail, sentence: "needs nodes that are not available: \(tally.sentence)")
        }
        let named = context.shape(planClass).requiredNodes
        let missing = named.filter { context.tallies.isUnavailable($0) }
        if !missing.isEmpty {
            return RuleFinding(
                reason: .reqNodeNotAvail,
                sentence: "\(missing.count) of the \(named.count) nodes it names are not available")
        }
        // What its own reservation keeps until it begins is that rule's to tell.
        guard context.shape(planClass).reservations.isEmpty else { return nil }
        guard tally[.reserved] > 0, tally[.free] < tally.wanted, tally[.free] + tally[.reserved] >= tally.wanted else {
            return nil
        }
        return RuleFinding(
            reason: .reqNodeNotAvail,
            sentence: "\(tally[.reserved].counted("node")) that would do are reserved for others")
    }
}
