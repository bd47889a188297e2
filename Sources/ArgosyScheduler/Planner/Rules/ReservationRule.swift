import ArgosyDomain

/// `Reservation`: the one it asks for has not begun.
enum ReservationRule: ClassRule {
    static func finding(_ planClass: PlanClass, _ context: RuleContext) -> RuleFinding? {
        let asked = context.shape(planClass).reservations
        guard !asked.isEmpty else { return nil }
        let reservations = asked.map { context.snapshot.reservations[$0] }
        let now = context.snapshot.now
        guard reservations.allSatisfy({ ($0.start > now && !$0.flex) || $0.end <= now }) else { return nil }
        guard let next = reservations.filter({ $0.start > now }).min(by: { $0.start < $1.start }) else {
            return RuleFinding(reason: .reservation, sentence: "its reservation is over")
        }
        let minutes = (next.start - now).microseconds / 60_000_000
        return RuleFinding(reason: .reservation, sentence: "its reservation \(next.name) begins in \(minutes) minutes")
    }
}
