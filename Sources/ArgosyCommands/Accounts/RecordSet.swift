// The controller's accounting records on the side of sacctmgr: looked through here, changed there.

import ArgosyDomain
import ArgosyWire

struct RecordSet: Sendable {
    var cluster: String
    var controlHost: String
    var controlPort: UInt32
    var clusterTRES: String
    var clusterNodes: String
    /// Ascending by name.
    var accounts: [Account]
    var users: [User]
    /// Ascending by number.
    var associations: [Association]
    var qos: [QOS]
    var tres: TRESTable
    /// Ascending by number.
    var wckeys: [WCKey]
    private var places: [AssociationID: Int]

    init(_ wire: WireAccountingRecords) {
        cluster = wire.cluster
        controlHost = wire.controlHost
        controlPort = wire.controlPort
        clusterTRES = wire.clusterTres
        clusterNodes = wire.clusterNodes
        accounts = wire.accounts.map(\.domain)
        users = wire.users.map(\.domain)
        associations = wire.associations.map(\.domain)
        qos = wire.qos.map(\.domain)
        wckeys = wire.wckeys.map(\.domain)
        tres = TRESTable(stored: wire.tres.map(\.domain))
        places = Dictionary(
            zip(associations.map(\.id), associations.indices), uniquingKeysWith: { first, _ in first })
    }

    func association(_ id: AssociationID) -> Association? { places[id].map { associations[$0] } }
    func account(_ name: String) -> Account? { accounts.first { $0.name == name } }
    func user(_ name: String) -> User? { users.first { $0.name == name } }
    func qos(_ name: String) -> QOS? { qos.first { $0.name == name } }
    func associations(of user: String) -> [Association] { inTreeOrder(associations.filter { $0.user == user }) }
    func association(account: String) -> Association? {
        associations.first { $0.account == account && $0.user.isEmpty }
    }
    func parentName(_ association: Association) -> String {
        association.parent.flatMap { self.association($0) }?.account ?? ""
    }
    func name(_ id: QOSID) -> String { qos.first { $0.id == id }?.name ?? "\(id)" }

    /// From the association up to the root's, itself first.
    func chain(_ association: Association) -> [Association] {
        var chain = [association]
        while let parent = chain[chain.count - 1].parent, let next = self.association(parent), chain.count < 1000 {
            chain.append(next)
        }
        return chain
    }

    /// With what it inherits filled in: everything but shares and the limits of groups.
    func inheriting(_ association: Association) -> Association {
        var filled = association
        for level in chain(association).dropFirst() {
            for field in AssociationField.allCases where field.isInherited {
                guard let value = level.value(of: field) else { continue }
                if case .counts(let changes) = value {
                    fill(&filled, field, changes)
                } else if filled.value(of: field) == nil {
                    filled.set(FieldSetting(field, value))
                }
            }
        }
        return filled
    }

    private func fill(_ association: inout Association, _ field: AssociationField, _ more: [FieldValue.TRESChange]) {
        var known: Set<TRESID> = []
        if case .counts(let own)? = association.value(of: field) { known = Set(own.map(\.id)) }
        let missing = more.filter { !known.contains($0.id) }
        if !missing.isEmpty { association.set(FieldSetting(field, .counts(missing))) }
    }

    /// Each account with its users, then the accounts below it, by name; with the steps below the first ones listed.
    func hierarchy(_ list: [Association]) -> [(association: Association, depth: Int)] {
        walk(list) { a, b in
            (a.isUser ? 0 : 1, a.isUser ? a.user : a.account, a.partition, a.id)
                < (b.isUser ? 0 : 1, b.isUser ? b.user : b.account, b.partition, b.id)
        }
    }

    /// As Slurm numbers its tree: what was added last comes first, of what was added together the first.
    func inTreeOrder(_ list: [Association]) -> [Association] {
        let wanted = Set(list.map(\.id))
        return walk(associations) { ($1.created, $0.id) < ($0.created, $1.id) }
            .map(\.association).filter { wanted.contains($0.id) }
    }

    /// Parents before children. Who has no parent in the list stands at the top.
    private func walk(
        _ list: [Association], by isBefore: (Association, Association) -> Bool
    ) -> [(association: Association, depth: Int)] {
        let known = Set(list.map(\.id))
        let children = Dictionary(grouping: list) { $0.parent.flatMap { known.contains($0) ? $0 : nil } }
        var found: [(association: Association, depth: Int)] = []
        var stack = (children[nil] ?? []).sorted { isBefore($1, $0) }.map { ($0, 0) }
        while let (association, depth) = stack.popLast() {
            found.append((association, depth))
            stack += (children[association.id] ?? []).sorted { isBefore($1, $0) }.map { ($0, depth + 1) }
        }
        return found
    }

    /// The association and all below it.
    func subtree(_ association: Association) -> [Association] {
        associations.filter { candidate in chain(candidate).contains { $0.id == association.id } }
    }
}

extension AssociationField {
    /// Counts for those below that have none of their own.
    var isInherited: Bool {
        switch self {
        case .maxJobs, .maxJobsAccrue, .maxSubmitJobs, .maxTRESPerJob, .maxTRESPerNode, .maxTRESMinsPerJob, .maxWall,
            .minPrioThresh, .priority, .defaultQOS, .qos:
            true
        case .grpJobs, .grpJobsAccrue, .grpSubmitJobs, .grpTRES, .grpTRESMins, .grpTRESRunMins, .grpWall, .shares,
            .comment:
            false
        }
    }
}
