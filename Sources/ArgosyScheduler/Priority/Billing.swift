public import ArgosyConfig
public import ArgosyDomain

/// What a job is billed a second: its partition's TRESBillingWeights applied to what it holds.
public struct Billing: Sendable {
    private var weights: [Weight]
    private let takesMaximum: Bool

    private struct Weight: Sendable {
        var id: TRESID
        var weight: Double
        /// Held on nodes, not in the cluster as a whole: MAX_TRES takes the largest of these.
        var isOfNodes: Bool
    }

    /// Weights of resources that the cluster does not track are left out.
    public init(weights: [TRESWeight], table: TRESTable, flags: PrioritySettings.Flags = []) {
        takesMaximum = flags.contains(.maxTRES)
        self.weights = weights.compactMap { weight in
            guard let id = table.id(of: weight.tres), let tres = table[id] else { return nil }
            let isOfNodes = ["cpu", "mem", "node", "gres"].contains(tres.type)
            return Weight(id: id, weight: weight.weight, isOfNodes: isOfNodes)
        }
        self.weights.sort { $0.id < $1.id }
    }

    /// Billing units of `tres`; the count of CPUs where there are no weights. Never below 0.
    public func units(_ tres: TRESCounts) -> Double {
        if weights.isEmpty { return Double(tres[.cpu]) }
        var ofNodes = 0.0
        var rest = 0.0
        for weight in weights {
            let units = Double(tres[weight.id]) * weight.weight
            if takesMaximum && weight.isOfNodes { ofNodes = max(ofNodes, units) } else { rest += units }
        }
        return max(ofNodes + rest, 0)
    }

    /// As the TRES `billing` counts: whole units, rounded down.
    public func count(_ tres: TRESCounts) -> UInt64 { ExactMath.whole(units(tres)) }
}
