import ArgosyCore
import ArgosyDomain
import Testing

/// Records and the rules by which they change.
@Suite struct AccountingStateTests {
    private let root = AccountingActor(name: "root", isSuperUser: true)
    private var state = AccountingState()

    private mutating func change(
        _ operations: [AccountingOperation], by actor: AccountingActor? = nil, jobs: [AccountedJob] = [], at: Int64 = 1
    ) -> Refusal? {
        let actor = actor ?? root
        do throws(Refusal) {
            try state.change(operations, by: actor, at: Timestamp(seconds: at), jobs: jobs)
            return nil
        } catch { return error }
    }

    /// physics and chem under root, alice in physics, bob in both.
    private mutating func populate() {
        let refusal = change([
            .addAccount(Account(name: "physics"), parent: "root", []),
            .addAccount(Account(name: "chem"), parent: "root", []),
            .addAccount(Account(name: "optics"), parent: "physics", []), .addUser(User(name: "alice", uid: 7)),
            .addUser(User(name: "bob", uid: 8)),
            .addAssociation(user: "alice", account: "physics", partition: "", []),
            .addAssociation(user: "bob", account: "chem", partition: "", []),
            .addAssociation(user: "bob", account: "physics", partition: "", []),
        ])
        #expect(refusal == nil)
    }

    private func id(_ user: String, _ account: String) -> AssociationID {
        state.associations.first { $0.user == user && $0.account == account }?.id ?? AssociationID(0)
    }

    @Test func `a new cluster has its root, and normal`() {
        #expect(state.associations.map(\.account) == ["root", "root"])
        #expect(state.association(.root)?.qos == [.normal])
        #expect(state.user(named: "root")?.adminLevel == .administrator)
        #expect(state.qos.map(\.name) == ["normal"])
    }

    @Test mutating func `the first account of a user is the default one`() {
        populate()
        #expect(state.user(named: "bob")?.defaultAccount == "chem")
        #expect(state.associations(ofUser: "bob").filter(\.isDefault).map(\.account) == ["chem"])
    }

    @Test mutating func `all of a request is done or nothing`() {
        let refusal = change([
            .addAccount(Account(name: "physics"), parent: "root", []),
            .addAccount(Account(name: "optics"), parent: "nowhere", []),
        ])
        #expect(refusal?.message == "Parent account 'nowhere' doesn't exist")
        #expect(state.account(named: "physics") == nil && state.associations.count == 2)
    }

    @Test mutating func `a parent from below takes the account's old place`() {
        populate()
        let physics = state.association(account: "physics")?.id ?? .root
        #expect(change([.modifyAssociations([physics], [], parent: "optics")]) == nil)
        #expect(state.association(account: "optics")?.parent == .root)
        #expect(state.chain(from: id("alice", "physics")).map(\.account) == ["physics", "physics", "optics", "root"])
    }

    @Test mutating func `an account cannot stand under itself`() {
        populate()
        let physics = state.association(account: "physics")?.id ?? .root
        let refusal = change([.modifyAssociations([physics], [], parent: "physics")])
        #expect(refusal?.message == "An account cannot be its own parent")
        #expect(change([.modifyAssociations([.root], [], parent: "chem")])?.code == .accessDenied)
    }

    @Test mutating func `nothing is removed while its jobs are in the system`() {
        populate()
        let job = AccountedJob(job: JobID(12), association: id("alice", "physics"))
        for operation in [
            AccountingOperation.removeAccounts(["physics"]), .removeUsers(["alice"]),
            .removeAssociations([id("alice", "physics")]),
        ] {
            let refusal = change([operation], jobs: [job])
            #expect(refusal?.message == "Job(s) active, cancel job(s) before remove")
            #expect(refusal?.detail == "JobID = 12         A = physics    U = alice    ")
        }
        #expect(change([.removeAccounts(["chem"])], jobs: [job]) == nil)
    }

    @Test mutating func `an account goes with what stands below it, and its users stay`() {
        populate()
        #expect(change([.removeAccounts(["physics"])]) == nil)
        #expect(state.accounts.map(\.name) == ["chem", "root"])
        #expect(state.associations(ofUser: "alice").isEmpty)
        #expect(state.user(named: "alice")?.defaultAccount == "")
        #expect(state.user(named: "bob")?.defaultAccount == "chem")
    }

    @Test mutating func `a user taken out of its last account is forgotten`() {
        populate()
        #expect(change([.removeAssociations([id("alice", "physics")])]) == nil)
        #expect(state.user(named: "alice") == nil)
    }

    @Test mutating func `root and normal cannot be removed`() {
        #expect(change([.removeAccounts(["root"])])?.code == .accessDenied)
        #expect(change([.removeUsers(["root"])])?.code == .accessDenied)
        #expect(change([.removeQOS([.normal])])?.code == .accessDenied)
        #expect(change([.removeAssociations([.root])])?.code == .accessDenied)
    }

    @Test mutating func `numbers are never given twice`() {
        populate()
        let old = id("alice", "physics")
        #expect(change([.removeUsers(["alice"])]) == nil)
        #expect(
            change([
                .addUser(User(name: "alice")), .addAssociation(user: "alice", account: "physics", partition: "", []),
            ]) == nil)
        #expect(id("alice", "physics") > old)
        var stored = StoredAccounting()
        for row in state.takeRows() { stored.apply(row) }
        var again = AccountingState(stored)
        #expect(again.marks.association == state.marks.association)
        #expect(again.takeRows().isEmpty, "what was loaded needs no writing")
    }

    @Test mutating func `a QOS that is somebody's default is not removed`() {
        populate()
        #expect(change([.addQOS(name: "high", [.init(.priority, .number(9))])]) == nil)
        let high = state.qos(named: "high")?.id ?? .normal
        let alice = id("alice", "physics")
        let wish: AssociationChange = [
            .init(.qos, .list(.add, [high.rawValue])), .init(.defaultQOS, .number(high.rawValue)),
        ]
        #expect(change([.modifyAssociations([alice], wish, parent: nil)]) == nil)
        #expect(state.allowedQOS(of: alice) == [.normal, high])
        #expect(change([.removeQOS([high])])?.message == "Associations listed below have these as their Default QOS.")
        #expect(change([.modifyAssociations([alice], [.init(.defaultQOS, .number(nil))], parent: nil)]) == nil)
        #expect(change([.removeQOS([high])]) == nil)
        #expect(state.association(alice)?.qos == [.normal])
    }

    @Test mutating func `a default QOS must be among those allowed`() {
        populate()
        #expect(change([.addQOS(name: "high", [])]) == nil)
        let high = state.qos(named: "high")?.id.rawValue ?? 0
        let refusal = change([
            .modifyAssociations([id("alice", "physics")], [.init(.defaultQOS, .number(high))], parent: nil)
        ])
        #expect(refusal?.message == "These associations don't have access to their default qos.")
        let unknown = change([
            .modifyAssociations([id("alice", "physics")], [.init(.qos, .list(.set, [99]))], parent: nil)
        ])
        #expect(unknown?.message == "Invalid qos specification")
    }

    @Test mutating func `names with quotes, control characters or separators are refused`() {
        for name in ["", "a'b", "a\"b", "a|b", "a\nb", "a=b", "-x", "a,b", String(repeating: "x", count: 256)] {
            #expect(change([.addAccount(Account(name: name), parent: "root", [])])?.code == .malformed, "\(name)")
            #expect(change([.addUser(User(name: name))])?.code == .malformed)
            #expect(change([.addQOS(name: name, [])])?.code == .malformed)
        }
        #expect(
            change([.addAccount(Account(name: "chem lab"), parent: "root", [])]) == nil, "blanks are fine, as in Slurm")
    }

    @Test mutating func `who is neither operator nor coordinator changes nothing but the own default account`() {
        populate()
        let alice = AccountingActor(name: "alice", isSuperUser: false)
        let physics = id("", "physics")
        let tries: [AccountingOperation] = [
            .addAccount(Account(name: "x"), parent: "root", []), .addUser(User(name: "carol")),
            .addAssociation(user: "alice", account: "chem", partition: "", []), .addQOS(name: "q", []),
            .addCoordinators(users: ["alice"], accounts: ["physics"]),
            .modifyAccounts(["physics"], description: "mine", organization: nil),
            .modifyUsers(["bob"], UserChange(defaultAccount: "physics")),
            .modifyUsers(["alice"], UserChange(adminLevel: .administrator)),
            .modifyAssociations([physics, id("alice", "physics")], [.init(.shares, .number(100))], parent: nil),
            .modifyQOS([.normal], [.init(.priority, .number(100))]), .removeAccounts(["chem"]), .removeUsers(["bob"]),
            .removeAssociations([id("bob", "chem")]), .removeQOS([.normal]),
            .removeCoordinators(users: [], accounts: ["physics"]), .resetUsage(associations: [.root], qos: []),
        ]
        for operation in tries { #expect(change([operation], by: alice)?.code == .accessDenied, "\(operation)") }
        #expect(change([.modifyUsers(["alice"], UserChange(defaultAccount: "physics"))], by: alice) == nil)
    }

    @Test mutating func `operators change all but admin levels`() {
        populate()
        #expect(change([.modifyUsers(["alice"], UserChange(adminLevel: .operator))]) == nil)
        let alice = AccountingActor(name: "alice", isSuperUser: false)
        #expect(change([.addQOS(name: "q", []), .removeAccounts(["chem"])], by: alice) == nil)
        let refusal = change([.modifyUsers(["alice"], UserChange(adminLevel: .administrator))], by: alice)
        #expect(refusal?.detail == "You must be a super user to modify a users admin level")
        #expect(change([.addUser(User(name: "eve", adminLevel: .administrator))], by: alice)?.code == .accessDenied)
    }

    @Test mutating func `coordinators act below their accounts, not on them`() {
        populate()
        #expect(change([.addCoordinators(users: ["bob"], accounts: ["physics"])]) == nil)
        let bob = AccountingActor(name: "bob", isSuperUser: false)
        let optics = id("", "optics")
        #expect(change([.addAccount(Account(name: "lasers"), parent: "optics", [])], by: bob) == nil)
        #expect(
            change(
                [
                    .addUser(User(name: "carol")), .addAssociation(user: "carol", account: "lasers", partition: "", []),
                ], by: bob) == nil)
        #expect(change([.modifyAssociations([optics], [.init(.maxJobs, .number(3))], parent: nil)], by: bob) == nil)
        let physics = id("", "physics")
        let own = change([.modifyAssociations([physics], [.init(.maxJobs, .number(3))], parent: nil)], by: bob)
        #expect(own?.code == .accessDenied)
        #expect(
            change([.addAssociation(user: "carol", account: "chem", partition: "", [])], by: bob)?.code == .accessDenied
        )
        #expect(change([.modifyAssociations([optics], [], parent: "chem")], by: bob)?.code == .accessDenied)
    }

    @Test mutating func `every change is logged with its actor`() {
        populate()
        let log = state.takeRows().compactMap { row -> AccountingTransaction? in
            if case .transaction(let transaction) = row { transaction } else { nil }
        }
        #expect(log.map(\.id) == Array(1...8))
        #expect(log.map(\.action).prefix(4) == ["Add Accounts", "Add Accounts", "Add Accounts", "Add Users"])
        #expect(log.allSatisfy { $0.actor == "root" })
    }

    @Test mutating func `a renamed user keeps its associations`() {
        populate()
        #expect(change([.modifyUsers(["bob"], UserChange(newName: "robert"))]) == nil)
        #expect(state.user(named: "bob") == nil)
        #expect(state.associations(ofUser: "robert").map(\.account) == ["chem", "physics"])
        #expect(change([.modifyUsers(["alice"], UserChange(newName: "robert"))])?.code == .malformed)
        #expect(change([.modifyUsers(["root"], UserChange(newName: "toor"))])?.code == .accessDenied)
    }

    @Test func `settings come back as they were set`() {
        var association = Association(id: AssociationID(5), parent: .root, account: "a", user: "u")
        let change: AssociationChange = [
            .init(.grpJobs, .number(3)), .init(.grpTRES, .counts([.init(.cpu, 4), .init(.mem, 2048)])),
            .init(.maxWall, .number(60)), .init(.shares, .number(FairShares.parentNumber)),
            .init(.priority, .number(7)),
            .init(.qos, .list(.set, [1, 2])), .init(.comment, .text("c")),
        ]
        for setting in change { association.set(setting) }
        #expect(association.settings.count == change.count)
        for setting in change { #expect(association.value(of: setting.field) == setting.value) }
        association.set(.init(.grpTRES, .counts([.init(.cpu, nil)])))
        #expect(association.limits.grpTRES == [.mem: 2048])
        #expect(association.shares == .parent)
    }
}
