extension CompiledConstraint {
    init(_ constraint: Constraint?, features: FeatureTable) {
        self.init()
        if let constraint { base = Self.test(constraint, features) }
    }
    private static func test(_ constraint: Constraint, _ features: FeatureTable) -> Test {
        switch constraint {
        case .feature(let name): features[name].map { .feature($0) } ?? .never
        case .all(let all): .all(all.map { test($0, features) })
        case .any(let all): .any(all.map { test($0, features) })
        case .sameOne(let all): .any(all.map { test($0, features) })
        case .counts(let all): .any(all.map { test($0.constraint, features) })
        }
    }
}
