// The rule tables applied to the records once: for each association the list of all limits on its way up, for each QOS the
// list of its own, in the order in which they are asked. A planning pass asks them for every waiting job, so asking must
// cost no more than the comparison itself.

import ArgosyDomain

/// One limit of one record.
struct CompiledLimit: Sendable {
    var name: LimitName
    var measure: LimitMeasure
    var share: LimitShare
    var reason: PendingReason
    var limit: UInt64
    var tres: TRESID?
    /// Of the TRES in the table; 0 without one.
    var place: Int
    /// The association or QOS whose limit it is.
    var record: Int
    var isOfQOS: Bool
    /// The same for limits that ask the same question about the same resource.
    var key: Int
    /// Of the limit of associations that this one takes the place of.
    var replacedKey: Int
}

/// Limits asked at one occasion, in phases: each phase is asked of all records before the next.
struct CompiledLimits: Sendable {
    struct Phase: Sendable {
        /// By association and by QOS.
        var associations: [[CompiledLimit]]
        var qos: [[CompiledLimit]]
    }
    var phases: [Phase]

    init(
        _ qosPhases: [[QOSRules.Rule]], _ associationPhases: [[AssociationRules.Rule]], associations: [Association],
        inherited: [AssociationLimits], chains: [[Int]], qos: [QOS], table: TRESTable
    ) {
        phases = zip(qosPhases, associationPhases).map { qosRules, associationRules in
            let own = chains.indices.map { position in
                Self.limits(
                    associationRules.filter { $0.share == .own }, inherited[position], record: position, isOfQOS: false,
                    table)
            }
            let group = associations.indices.map { position in
                Self.limits(
                    associationRules.filter { $0.share == .group }, associations[position].limits, record: position,
                    isOfQOS: false, table)
            }
            // What the job's own association sets for its group comes before what it sets or inherits for each job.
            let all = chains.map { chain in
                group[chain[0]] + own[chain[0]] + chain.dropFirst().flatMap { group[$0] }
            }
            return Phase(
                associations: all,
                qos: qos.indices.map { Self.limits(qosRules, qos[$0].limits, record: $0, isOfQOS: true, table) })
        }
    }

    private static func limits<Limits>(
        _ rules: [LimitRule<Limits>], _ limits: Limits, record: Int, isOfQOS: Bool,
        _ table: TRESTable
    ) -> [CompiledLimit] {
        rules.flatMap { rule in
            numbers(rule.number, limits).map { tres, limit in
                let place = tres.flatMap { table.position(of: $0) }
                let column = place.map { $0 + 1 } ?? 0
                let width = table.all.count + 1
                return CompiledLimit(
                    name: rule.name, measure: rule.measure, share: rule.share,
                    reason: rule.reason(tres.flatMap { table[$0] }), limit: limit, tres: tres, place: place ?? 0,
                    record: record, isOfQOS: isOfQOS, key: rule.name.number * width + column,
                    replacedKey: rule.name.replaces.number * width + column)
            }
        }
    }

    /// Limits of resources that are not tracked are left out: nothing counts against them.
    private static func numbers<Limits>(_ number: LimitNumber<Limits>, _ limits: Limits) -> [(TRESID?, UInt64)] {
        switch number {
        case .count(let get): get(limits).map { [(nil, UInt64($0))] } ?? []
        case .tres(let get): get(limits).entries.map { ($0.id, $0.count) }
        case .time(let get):
            get(limits).flatMap { $0 == .unlimited || $0 == .notGiven ? nil : [(nil, UInt64($0.rawValue))] } ?? []
        }
    }
}

extension LimitName {
    fileprivate var number: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}
