import ArgosyDomain

/// `Licenses`: too few are free now.
enum LicensesRule: ClassRule {
    static func finding(_ planClass: PlanClass, _ context: RuleContext) -> RuleFinding? {
        let shape = context.shape(planClass)
        let short = shape.licenses.filter { free($0, context) < Int($0.count) }
        guard let first = short.first, !shape.anyLicense || short.count == shape.licenses.count else { return nil }
        let license = context.snapshot.licenses[first.license]
        return RuleFinding(
            reason: .licenses,
            sentence:
                "wants \(first.count) of license \(license.name), \(max(free(first, context), 0)) of \(license.total) are free"
        )
    }

    private static func free(_ demand: Shape.LicenseDemand, _ context: RuleContext) -> Int {
        Int(context.cluster.licensesFreeNow[demand.license])
    }
}
