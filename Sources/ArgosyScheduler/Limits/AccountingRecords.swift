// The accounting records as the scheduler wants them: positions instead of names and ids, the way up from every
// association worked out once, limits and QOS lists that are inherited filled in. Immutable and shared: a book that is
// copied for a what-if copies counters only. A change by sacctmgr makes a new value.

public import ArgosyConfig
public import ArgosyDomain

/// Associations, QOS, users and accounts, indexed. Positions are those in `associations` and `qos`, ascending by id, and
/// hold for this value only.
public final class AccountingRecords: Sendable {
    public let enforce: AccountingSettings.Enforce
    public let tres: TRESTable
    public let accounts: [Account]
    public let users: [User]
    public let associations: [Association]
    public let qos: [QOS]
    /// From each association up to the root's, itself first.
    public let chains: [[Int]]
    /// Limits with those of the next ones up where an association sets none: for the Max... limits of its jobs.
    public let inheritedLimits: [AssociationLimits]
    /// Positions of the QOS each association may use, ascending.
    public let allowedQOS: [[Int]]
    /// Position of each association's default QOS; nil: `normal` or none.
    public let defaultQOS: [Int?]
    let startLimits: CompiledLimits
    /// Whether any limit on jobs together counts nodes.
    let limitsNodes: Bool
    let submissionLimits: CompiledLimits
    let accrualLimits: CompiledLimits
    private let associationByID: [AssociationID: Int]
    private let qosByID: [QOSID: Int]
    private let qosByName: [String: Int]
    private let associationByKey: [Key: Int]
    private let userByName: [String: Int]
    let accountPositions: [String: Int]

    private struct Key: Hashable {
        var user: String
        var account: String
        var partition: String
    }

    /// Records in any order: the same set gives the same positions. An association whose parent is not there counts as
    /// one of the root's.
    public init(
        associations: [Association], qos: [QOS], users: [User] = [], accounts: [Account] = [],
        tres: TRESTable = TRESTable(), enforce: AccountingSettings.Enforce = []
    ) {
        self.enforce = enforce
        self.tres = tres
        self.accounts = accounts.sorted { $0.name < $1.name }
        self.users = users.sorted { $0.name < $1.name }
        let associations = associations.sorted { $0.id < $1.id }
        let qos = qos.sorted { $0.id < $1.id }
        self.associations = associations
        self.qos = qos
        let byID = Self.positions(associations.map(\.id))
        associationByID = byID
        qosByID = Self.positions(qos.map(\.id))
        qosByName = Self.positions(qos.map(\.name))
        associationByKey = Self.positions(
            associations.map { Key(user: $0.user, account: $0.account, partition: $0.partition) })
        userByName = Self.positions(self.users.map(\.name))
        accountPositions = Self.positions(Set(associations.map(\.account)).sorted())
        let chains = associations.indices.map { Self.chain(from: $0, associations, byID) }
        self.chains = chains
        inheritedLimits = chains.map { Self.inherit($0.map { associations[$0].limits }) }
        let known = qosByID
        allowedQOS = chains.map { chain in
            let list = chain.lazy.compactMap { associations[$0].qos }.first ?? [.normal]
            return list.compactMap { known[$0] }.sorted()
        }
        defaultQOS = chains.map { chain in
            chain.lazy.compactMap { associations[$0].defaultQOS }.first.flatMap { known[$0] }
        }
        let inherited = inheritedLimits
        func compile(_ qosRules: [[QOSRules.Rule]], _ rules: [[AssociationRules.Rule]]) -> CompiledLimits {
            CompiledLimits(
                qosRules, rules, associations: associations, inherited: inherited, chains: chains, qos: qos,
                table: tres)
        }
        startLimits = compile(QOSRules.start, AssociationRules.start)
        limitsNodes =
            associations.contains { $0.limits.grpTRES.value(.node) != nil }
            || qos.contains { record in
                let limits = record.limits
                return [limits.grpTRES, limits.maxTRESPerUser, limits.maxTRESPerAccount].contains {
                    $0.value(.node) != nil
                }
            }
        submissionLimits = compile(QOSRules.submission, AssociationRules.submission)
        accrualLimits = compile(QOSRules.accrual, AssociationRules.accrual)
    }

    /// Of two with one key the first counts.
    private static func positions<Value: Hashable>(_ values: [Value]) -> [Value: Int] {
        Dictionary(zip(values, values.indices), uniquingKeysWith: { first, _ in first })
    }

    private static func chain(
        from start: Int, _ associations: [Association], _ byID: [AssociationID: Int]
    ) -> [Int] {
        var chain = [start]
        while let parent = associations[chain[chain.count - 1]].parent ?? rootless(associations, chain),
            let position = byID[parent], !chain.contains(position)
        {
            chain.append(position)
        }
        return chain
    }

    private static func rootless(_ associations: [Association], _ chain: [Int]) -> AssociationID? {
        associations[chain[chain.count - 1]].id == .root ? nil : .root
    }

    /// What the nearest sets counts, TRES by TRES; group limits are not inherited, each level has its own.
    private static func inherit(_ levels: [AssociationLimits]) -> AssociationLimits {
        var limits = levels[0]
        for level in levels.dropFirst() {
            limits.maxJobs = limits.maxJobs ?? level.maxJobs
            limits.maxJobsAccrue = limits.maxJobsAccrue ?? level.maxJobsAccrue
            limits.maxSubmitJobs = limits.maxSubmitJobs ?? level.maxSubmitJobs
            limits.maxWallDurationPerJob = limits.maxWallDurationPerJob ?? level.maxWallDurationPerJob
            limits.minPrioThresh = limits.minPrioThresh ?? level.minPrioThresh
            limits.maxTRESPerJob.fill(from: level.maxTRESPerJob)
            limits.maxTRESPerNode.fill(from: level.maxTRESPerNode)
            limits.maxTRESMinsPerJob.fill(from: level.maxTRESMinsPerJob)
        }
        return limits
    }
}

extension TRESCounts {
    fileprivate mutating func fill(from other: TRESCounts) {
        for entry in other.entries where value(entry.id) == nil { set(entry.id, entry.count) }
    }
}

extension AccountingRecords {
    public func position(of id: AssociationID) -> Int? { associationByID[id] }
    public func position(of id: QOSID) -> Int? { qosByID[id] }
    public func qosPosition(named name: String) -> Int? { qosByName[name] }
    public func user(named name: String) -> User? { userByName[name].map { users[$0] } }

    /// The association a job of `user` is charged to: that of the partition if there is one, else the one without.
    /// An empty account is the user's default one. Nil: no such association.
    public func association(user: String, account: String, partition: String = "") -> Int? {
        let account = account.isEmpty ? defaultAccount(of: user) : account
        return associationByKey[Key(user: user, account: account, partition: partition)]
            ?? associationByKey[Key(user: user, account: account, partition: "")]
    }

    /// That of an account itself.
    public func association(account: String) -> Int? {
        associationByKey[Key(user: "", account: account, partition: "")]
    }

    /// Where jobs of `user` without --account go; empty: nowhere.
    public func defaultAccount(of user: String) -> String {
        if let found = associations.first(where: { $0.user == user && $0.isDefault }) { return found.account }
        return self.user(named: user)?.defaultAccount ?? ""
    }

    /// The QOS of a job: the one it names, else the association's default, else `normal` where that may be used (the
    /// only one that may, when there is just one). Nil: none.
    public func effectiveQOS(named name: String, association: Int?) -> Int? {
        if !name.isEmpty { return qosByName[name] }
        guard let association else { return qosByID[.normal] }
        if let chosen = defaultQOS[association] { return chosen }
        let allowed = allowedQOS[association]
        if let normal = qosByID[.normal], allowed.contains(normal) { return normal }
        return allowed.count == 1 ? allowed[0] : nil
    }

    /// Whether `user` may act as coordinator of `account`: of it, or of one above it.
    public func coordinates(_ user: String, account: String) -> Bool {
        guard let record = self.user(named: user), let position = association(account: account) else { return false }
        return chains[position].contains { record.coordinates.contains(associations[$0].account) }
    }
}
