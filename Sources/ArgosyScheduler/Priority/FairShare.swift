// Fair share: what each association has a right to against what it used. Two ways to say it as one number from 0 to 1:
// Fair Tree (FairTree.swift, Slurm's default) and the classic formula (ClassicFairShare.swift, NO_FAIR_TREE), with its
// variant for deep trees (DEPTH_OBLIVIOUS). All usage fades alike, so none of this depends on the present time; only sums
// of the ledger go in, and only additions, multiplications and divisions are made of them.

public import ArgosyConfig
public import ArgosyDomain

/// The fair share of every association, by position: what sshare shows and priorities are made of.
public struct FairShare: Sendable {
    public struct Row: Hashable, Sendable {
        public var rawShares: FairShares
        /// Of its level (Fair Tree) or of the cluster.
        public var normShares: Double
        /// Part of the cluster's usage.
        public var normUsage: Double
        /// Part of its parent's usage (Fair Tree), or usage that its siblings' weighs on.
        public var effectiveUsage: Double
        /// From 0 to 1. Under Fair Tree users only have one: 0 for accounts.
        public var factor: Double
        /// normShares / effectiveUsage, infinite without usage; nil where it is not used (root, shares of the parent,
        /// classic).
        public var levelFS: Double?
    }
    public let rows: [Row]
    public let isFairTree: Bool

    /// - Parameters:
    ///   - dampening: FairShareDampeningFactor, from 1; the classic formulas use it.
    public init(_ ledger: UsageLedger, flags: PrioritySettings.Flags = [], dampening: UInt16 = 1) {
        let tree = ShareTree(ledger.records, usage: ledger.undecayed)
        isFairTree = !flags.contains(.noFairTree) && !flags.contains(.depthOblivious)
        if isFairTree {
            rows = FairTree.rows(tree)
        } else {
            rows = ClassicFairShare.rows(
                tree, dampening: Double(max(dampening, 1)), depthOblivious: flags.contains(.depthOblivious))
        }
    }

    init(rows: [Row], isFairTree: Bool) {
        self.rows = rows
        self.isFairTree = isFairTree
    }

    /// The factor of a job's association; 0 without one.
    public func factor(association: Int) -> Double { rows.indices.contains(association) ? rows[association].factor : 0 }
}

/// The associations as fair share sees them: an account with `FairShare=parent` is not there, its children stand in its
/// place.
struct ShareTree {
    let associations: [Association]
    let usage: [Double]
    /// Whose level each is on; nil for the root's.
    let parents: [Int?]
    /// In order of position.
    let children: [[Int]]
    /// Sum of the shares of each one's children.
    let levelShares: [Double]
    let root: Int?

    init(_ records: AccountingRecords, usage: [Double]) {
        associations = records.associations
        self.usage = usage
        root = records.position(of: .root)
        let parents = records.chains.map { chain in
            chain.dropFirst().first { records.associations[$0].shares != .parent || $0 == chain.last }
        }
        var children = Array(repeating: [Int](), count: parents.count)
        var levelShares = Array(repeating: 0.0, count: parents.count)
        for (position, parent) in parents.enumerated() {
            guard let parent else { continue }
            children[parent].append(position)
            if case .count(let shares) = records.associations[position].shares { levelShares[parent] += Double(shares) }
        }
        self.parents = parents
        self.children = children
        self.levelShares = levelShares
    }

    /// Part of the cluster's usage.
    func normUsage(_ position: Int) -> Double {
        guard let root, usage[root] > 0 else { return 0 }
        return usage[position] / usage[root]
    }

    /// Its part of its level's shares; nil with `FairShare=parent` and for the root's.
    func levelShare(_ position: Int) -> Double? {
        guard let parent = parents[position], case .count(let shares) = associations[position].shares else {
            return nil
        }
        return levelShares[parent] > 0 ? Double(shares) / levelShares[parent] : 0
    }

    /// Parents before children.
    var downward: [Int] {
        var order = associations.indices.filter { parents[$0] == nil }
        var next = 0
        while next < order.count {
            order += children[order[next]]
            next += 1
        }
        return order
    }
}
