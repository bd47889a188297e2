// The fair share factor of Slurm before Fair Tree: 2^-(usage / shares / dampening).
//
// Usage is "effective": of what its account used, an association bears its part by shares, as if siblings shared the
// blame: U + (U of parent - U) x shares / shares of the level. With DEPTH_OBLIVIOUS the ratio of usage to shares is made
// from the parent's instead, R = R(parent) x r^k, where r compares the association with its level; k is 1 when level and
// parent err to the same side, and falls with the parent's distance from its share otherwise (Slurm's page on the
// depth-oblivious factor). Slurm 22.05 itself is off there: siblings it visits later enter with a usage not yet set.

enum ClassicFairShare {
    static func rows(_ tree: ShareTree, dampening: Double, depthOblivious: Bool) -> [FairShare.Row] {
        var rows = tree.associations.indices.map { position in
            FairShare.Row(
                rawShares: tree.associations[position].shares, normShares: 1, normUsage: tree.normUsage(position),
                effectiveUsage: 1, factor: 0, levelFS: nil)
        }
        for position in tree.downward {
            if let parent = tree.parents[position] {
                rows[position].normShares = rows[parent].normShares * (tree.levelShare(position) ?? 1)
                rows[position].effectiveUsage =
                    depthOblivious ? oblivious(tree, rows, position, parent) : effective(tree, rows, position, parent)
            }
            rows[position].factor = factor(rows[position], dampening)
        }
        return rows
    }

    private static func factor(_ row: FairShare.Row, _ dampening: Double) -> Double {
        guard row.normShares > 0 else { return 0 }
        return ExactMath.exp2(-(row.effectiveUsage / row.normShares) / dampening)
    }

    private static func effective(_ tree: ShareTree, _ rows: [FairShare.Row], _ position: Int, _ parent: Int) -> Double
    {
        let own = rows[position].normUsage
        if tree.parents[parent] == nil { return own }
        guard let share = tree.levelShare(position) else { return rows[parent].effectiveUsage }
        return own + (rows[parent].effectiveUsage - own) * share
    }

    private static func oblivious(_ tree: ShareTree, _ rows: [FairShare.Row], _ position: Int, _ parent: Int) -> Double
    {
        let row = rows[position]
        if tree.parents[parent] == nil { return row.normUsage }
        if tree.levelShare(position) == nil { return rows[parent].effectiveUsage }
        let above = rows[parent]
        guard row.normShares > 0, above.normShares > 0, above.effectiveUsage > 0, row.normUsage > 0 else {
            return row.normUsage
        }
        let parentRatio = above.effectiveUsage / above.normShares
        let level = tree.children[parent].reduce(0.0) { sum, sibling in
            tree.levelShare(sibling) == nil ? sum : sum + rows[sibling].normUsage
        }
        let localRatio = (row.normUsage / row.normShares) / (level / above.normShares)
        return parentRatio * ExactMath.pow(localRatio, exponent(parentRatio, localRatio)) * row.normShares
    }

    private static func exponent(_ parentRatio: Double, _ localRatio: Double) -> Double {
        let distance = ExactMath.ln(parentRatio)
        if distance * ExactMath.ln(localRatio) >= 0 { return 1 }
        return 1 / (1 + 25 * distance * distance)
    }
}
