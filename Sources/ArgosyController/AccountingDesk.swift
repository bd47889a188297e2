// Accounting records for sacctmgr, shares for sshare, priorities for sprio: answers from a view, and what a change needs
// before the core may see it.
internal import ArgosyConfig
internal import ArgosyCore
internal import ArgosyDomain
internal import ArgosyScheduler
internal import ArgosyStore
internal import ArgosyWire
internal import Synchronization

/// Uids of operators and administrators by the records, as of the last durable change.
final class Administrators: Sendable {
    private let uids = Mutex<Set<UInt32>>([])
    func set(_ list: [UInt32]) { uids.withLock { $0 = Set(list) } }
    func contains(_ uid: UInt32) -> Bool { uids.withLock { $0.contains(uid) } }
}

struct AccountingDesk: Sendable {
    static let maxOperations = 100_000

    let configuration: LiveConfiguration
    let store: any Store
    let users: Users
    let clock: SharedClock

    // MARK: - Changes

    /// Names the name service knows get their uid. Blocks. Throws `Refusal`.
    func operations(_ request: WireChangeAccounting) throws(Refusal) -> [AccountingOperation] {
        guard request.operations.count <= Self.maxOperations else {
            throw Refusal(
                .tooLarge, "Too many changes at once",
                detail: "\(request.operations.count) of at most \(Self.maxOperations); split the request")
        }
        var operations: [AccountingOperation] = []
        for wire in request.operations {
            guard let operation = wire.domain else {
                throw Refusal(
                    .notSupported, "Requested operation not supported",
                    detail: "this controller does not know the change; is the command of a newer release?")
            }
            operations.append(known(operation))
        }
        return operations
    }

    private func known(_ operation: AccountingOperation) -> AccountingOperation {
        switch operation {
        case .addUser(var user):
            user.uid = users.uid(named: user.name)
            return .addUser(user)
        case .modifyUsers(let names, var change):
            change.newUID = change.newName.flatMap { users.uid(named: $0) }
            return .modifyUsers(names, change)
        default: return operation
        }
    }

    // MARK: - Records

    func records(in view: CoreView) -> WireAccountingRecords {
        let state = view.accounting
        var answer = WireAccountingRecords()
        answer.cluster = configuration.clusterName
        answer.controlHost = configuration.controllers.first?.address ?? ""
        answer.controlPort = UInt32(configuration.controllerPort)
        answer.accounts = state.accounts.map(WireAccount.init)
        answer.users = state.users.map(WireUser.init)
        answer.associations = state.associations.map(WireAssociation.init)
        answer.qos = state.qos.map(WireQOS.init)
        answer.tres = state.tres.all.map(WireTRES.init)
        answer.wckeys = state.wckeys.map(WireWCKey.init)
        answer.clusterTres = clusterTRES().text(state.tres, order: .name)
        answer.clusterNodes = Hostlist.compress(configuration.nodes.map(\.name))
        answer.nowUs = clock.now.microseconds
        return answer
    }

    private func clusterTRES() -> TRESCounts {
        var tres: TRESCounts = [.node: UInt64(configuration.nodes.count)]
        for node in configuration.nodes { tres += [.cpu: UInt64(node.cpus), .mem: node.memoryMiB] }
        tres.set(.billing, tres[.cpu])
        return tres
    }

    func transactions(_ request: WireListAccountingTransactions) throws -> WireAccountingTransactions {
        var answer = WireAccountingTransactions()
        let found = try store.accountingTransactions(
            since: Timestamp(microseconds: request.sinceUs), until: Timestamp(microseconds: request.untilUs))
        answer.transactions = found.map(WireAccountingTransaction.init)
        return answer
    }

    // MARK: - Shares and priorities

    func shares(in view: CoreView, for caller: Caller) -> WireShareList {
        var answer = WireShareList()
        answer.user = users.name(of: caller.uid)
        let book = view.book
        answer.cluster = configuration.clusterName
        answer.shares = view.shares(at: clock.now).map { wire($0, book.records) }
        return answer
    }

    private func wire(_ line: ShareLine, _ records: AccountingRecords) -> WireShare {
        let association = records.associations[line.association]
        var share = WireShare()
        share.id = association.id.rawValue
        share.account = line.account
        share.user = line.user
        share.partition = line.partition
        share.depth = UInt32(line.depth)
        share.rawShares = line.rawShares
        share.normShares = line.normShares
        share.rawUsage = Double(line.rawUsage)
        share.normUsage = line.normUsage
        share.effectiveUsage = line.effectiveUsage
        if let factor = line.fairShare { share.fairshare = factor }
        if let level = line.levelFS { share.levelFs = level }
        share.grpTresMins = line.grpTRESMins.text(records.tres)
        share.grpTresRaw = line.grpTRESRaw.plainText(records.tres)
        share.tresRunMins = line.tresRunMins.plainText(records.tres)
        share.parent = records.chains[line.association].dropFirst().first.map { records.associations[$0].account } ?? ""
        return share
    }

    func priorities(in view: CoreView, _ request: WireListPriorities) -> WirePriorityList {
        var answer = WirePriorityList()
        let settings = configuration.priority
        answer.multifactor = settings.kind == .multifactor
        answer.weights.age = settings.weights.age
        answer.weights.assoc = settings.weights.assoc
        answer.weights.fairshare = settings.weights.fairshare
        answer.weights.jobSize = settings.weights.jobSize
        answer.weights.partition = settings.weights.partition
        answer.weights.qos = settings.weights.qos
        answer.weights.tres = settings.weights.tres.map { "\(Self.shown($0.tres))=\(Self.number($0.weight))" }
            .joined(separator: ",")
        guard answer.multifactor else { return answer }
        answer.jobs = view.priorities(at: clock.now).map(wire)
        return answer
    }

    /// `cpu` as the weights are written: `CPU`, `Mem`, `gres/gpu`.
    private static func shown(_ tres: String) -> String { tres == "cpu" ? "CPU" : tres == "mem" ? "Mem" : tres }

    private static func number(_ value: Double) -> String {
        value == value.rounded() && value < 1e15 ? "\(Int64(value))" : "\(value)"
    }

    private func wire(_ job: JobPriority) -> WireJobPriority {
        var priority = WireJobPriority()
        let fields = job.row.spec.fields
        let terms = job.terms
        priority.job = job.row.id.rawValue
        priority.partition = job.row.partition
        priority.user = fields.identity.user
        priority.account = fields.account
        priority.qos = fields.qos
        priority.priority = UInt64(terms.priority)
        priority.site = Int64(terms.site)
        priority.nice = terms.nice
        (priority.age, priority.ageTerm) = (terms.age.factor, terms.age.weighted)
        (priority.assoc, priority.assocTerm) = (terms.assoc.factor, terms.assoc.weighted)
        (priority.fairshare, priority.fairshareTerm) = (terms.fairshare.factor, terms.fairshare.weighted)
        (priority.jobSize, priority.jobSizeTerm) = (terms.jobSize.factor, terms.jobSize.weighted)
        (priority.partitionFactor, priority.partitionTerm) = (terms.partition.factor, terms.partition.weighted)
        (priority.qosFactor, priority.qosTerm) = (terms.qos.factor, terms.qos.weighted)
        priority.tres = terms.tres.map { entry in
            var term = WireTRESTerm()
            term.name = Self.shown(entry.tres)
            term.factor = entry.term.factor
            term.term = entry.term.weighted
            return term
        }
        return priority
    }
}

extension TRESCounts {
    /// Memory as a bare number of MiB, as sshare shows minutes.
    fileprivate func plainText(_ table: TRESTable) -> String {
        entries.map { "\(table.text($0.id))=\($0.count)" }.joined(separator: ",")
    }
}
