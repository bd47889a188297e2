/// Numbers for feature names, so that a set of features is a bit set.
public struct FeatureTable: Sendable {
    private var numbers: [String: Int] = [:]

    /// Of all nodes' features.
    public init(_ features: some Sequence<String> = []) { for feature in features { _ = number(feature) } }

    public init(kinds: [PlanningSnapshot.NodeKind]) { self.init(kinds.lazy.flatMap(\.features)) }

    public subscript(_ feature: String) -> Int? { numbers[feature] }

    /// The bits of a node's features; those not in the table are left out.
    public func set(_ features: [String]) -> FeatureSet {
        var set = FeatureSet()
        for feature in features { if let number = numbers[feature] { set.insert(number) } }
        return set
    }

    private mutating func number(_ feature: String) -> Int {
        if let known = numbers[feature] { return known }
        numbers[feature] = numbers.count
        return numbers.count - 1
    }
}

/// Features by their numbers.
public struct FeatureSet: Hashable, Sendable {
    private var low: UInt64 = 0
    private var rest: [UInt64] = []
    public init() {}
    public mutating func insert(_ number: Int) {
        if number < 64 {
            low |= 1 << UInt64(number)
            return
        }
        while rest.count < number >> 6 { rest.append(0) }
        rest[(number >> 6) - 1] |= 1 << UInt64(number & 63)
    }
    public func contains(_ number: Int) -> Bool {
        if number < 64 { return low & 1 << UInt64(number) != 0 }
        return number >> 6 <= rest.count && rest[(number >> 6) - 1] & 1 << UInt64(number & 63) != 0
    }
}
