// `--constraint` over feature numbers, in the form placement needs: what every node must have, and groups of nodes.
//
// A constraint with `[a|b]` has one group for each alternative, of which all nodes must be in one; a constraint with
// counts has one group for each count. A kind of node is matched once and the result kept.

/// A constraint compiled for a feature table.
public struct CompiledConstraint: Sendable {
    indirect enum Test: Sendable {
        case always
        case feature(Int)
        /// A feature that no node has.
        case never
        case all([Test])
        case any([Test])

        func holds(_ features: FeatureSet) -> Bool {
            switch self {
            case .always: true
            case .never: false
            case .feature(let number): features.contains(number)
            case .all(let tests): tests.allSatisfy { $0.holds(features) }
            case .any(let tests): tests.contains { $0.holds(features) }
            }
        }
    }
    /// What groups mean.
    enum Groups: Sendable, Equatable {
        /// One group, of all nodes that match.
        case one
        /// All nodes of the job are of one of them.
        case sameOne
        /// So many nodes of each.
        case counts([Int])
    }

    public struct Match: Hashable, Sendable {
        /// Whether such a node may be part of the job at all.
        public var isCandidate: Bool
        /// Bit i: it is of group i.
        public var groups: UInt64
    }

    var base = Test.always
    var tests: [Test] = []
    var groups = Groups.one

    /// No constraint: every node matches.
    public init() {}

    /// - Parameter constraint: nil: none.
    public init(_ constraint: Constraint?, _ table: FeatureTable) {
        guard let constraint else { return }
        var plain: [Constraint] = []
        for member in Self.members(constraint) {
            switch member {
            case .sameOne(let alternatives):
                groups = .sameOne
                tests = alternatives.map { Self.test($0, table) }
            case .counts(let counts):
                groups = .counts(counts.map(\.nodes))
                tests = counts.map { Self.test($0.constraint, table) }
            case .feature, .all, .any: plain.append(member)
            }
        }
        if !plain.isEmpty { base = Self.test(.all(plain), table) }
    }

    /// What is joined with & at the top.
    private static func members(_ constraint: Constraint) -> [Constraint] {
        guard case .all(let members) = constraint else { return [constraint] }
        return members.flatMap(members(_:))
    }

    private static func test(_ constraint: Constraint, _ table: FeatureTable) -> Test {
        switch constraint {
        case .feature(let name): table[name].map(Test.feature) ?? .never
        case .all(let members): .all(members.map { test($0, table) })
        case .any(let members), .sameOne(let members): .any(members.map { test($0, table) })
        case .counts(let counts): .any(counts.map { test($0.constraint, table) })
        }
    }

    public func match(_ features: FeatureSet) -> Match {
        guard base.holds(features) else { return Match(isCandidate: false, groups: 0) }
        if groups == .one { return Match(isCandidate: true, groups: 1) }
        var bits: UInt64 = 0
        for (index, test) in tests.enumerated() where test.holds(features) { bits |= 1 << UInt64(index) }
        if case .counts = groups { return Match(isCandidate: true, groups: bits) }
        return Match(isCandidate: bits != 0, groups: bits)
    }

    /// Nodes the counts ask for together; 0: none asked.
    public var nodesCounted: Int {
        if case .counts(let counts) = groups { return counts.reduce(0, +) }
        return 0
    }
}
