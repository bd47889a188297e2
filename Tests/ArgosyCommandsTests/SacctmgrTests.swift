import ArgosyDomain
import ArgosyWire
import Testing

@testable import ArgosyCommands

/// Plans and listings of sacctmgr, held to what Slurm 22.05 printed for the same records and calls.
@Suite struct SacctmgrTests {
    private let records = Self.records()
    private var planner: SacctmgrPlanner { SacctmgrPlanner(records) }

    /// physics (10 shares, MaxJobs 7, with carol, eve and nosuchuser), bio in physics (alice), lim with limits (bob).
    private static func records() -> RecordSet {
        var wire = WireAccountingRecords()
        wire.cluster = "peer"
        wire.controlHost = "127.0.0.1"
        wire.controlPort = 26817
        let accounts = [
            ("bio", "physics"), ("geo", "foo"), ("lim", "lim"), ("physics", "science"), ("root", "root"),
        ]
        wire.accounts = accounts.map { WireAccount(Account(name: $0.0, organization: $0.1)) }
        wire.users = [
            User(name: "alice", uid: 3, defaultAccount: "bio", adminLevel: .operator),
            User(name: "bob", uid: 4, defaultAccount: "lim", coordinates: ["physics"]),
            User(name: "carol", uid: 5, defaultAccount: "physics"), User(name: "nosuchuser", defaultAccount: "physics"),
            User(name: "root", uid: 0, defaultAccount: "root", adminLevel: .administrator),
        ].map(WireUser.init)
        wire.qos = [QOS(id: .normal, name: "normal"), QOS(id: QOSID(4), name: "gold")].map(WireQOS.init)
        wire.tres = TRESTable().all.map(WireTRES.init)
        wire.associations = associations().map(WireAssociation.init)
        return RecordSet(wire)
    }

    private static func associations() -> [Association] {
        func make(
            _ id: UInt32, _ parent: UInt32, _ account: String, _ user: String = "", at: Int64,
            _ change: AssociationChange = []
        ) -> Association {
            var association = Association(
                id: AssociationID(id), parent: parent == 0 ? nil : AssociationID(parent), account: account, user: user)
            association.created = Timestamp(seconds: at)
            for setting in change { association.set(setting) }
            return association
        }
        let limits: AssociationChange = [
            .init(.shares, .number(FairShares.parentNumber)), .init(.grpJobs, .number(3)),
            .init(.grpTRES, .counts([.init(.cpu, 7)])), .init(.maxJobs, .number(2)), .init(.maxWall, .number(60)),
            .init(.qos, .list(.set, [1, 4])), .init(.defaultQOS, .number(4)), .init(.priority, .number(7)),
        ]
        return [
            make(1, 0, "root", at: 0, [.init(.qos, .list(.set, [1]))]), make(2, 1, "root", "root", at: 0),
            make(5, 1, "physics", at: 1, [.init(.shares, .number(10)), .init(.maxJobs, .number(7))]),
            make(7, 5, "bio", at: 2, [.init(.shares, .number(5))]),
            make(8, 7, "bio", "alice", at: 3, [.init(.shares, .number(7)), .init(.maxJobs, .number(2))]),
            make(9, 5, "physics", "carol", at: 4), make(13, 5, "physics", "nosuchuser", at: 5),
            make(29, 1, "lim", at: 6, limits), make(30, 29, "lim", "bob", at: 7),
        ]
    }

    private func show(_ entity: SacctmgrEntity, _ words: String..., options: SacctmgrOptions = .init()) -> String {
        do throws(SacctmgrFailure) { return try SacctmgrShow(records, options).text(entity, words) } catch {
            return error.text
        }
    }
    private var bare: SacctmgrOptions {
        var options = SacctmgrOptions()
        options.style = .parsable2
        return options
    }

    // MARK: - Adding

    @Test func `an account is added with what it got by itself`() {
        let plan = planner.add(.account, ["geo2", "chem", "parent=physics", "fairshare=5", "grpjobs=3"])
        #expect(
            plan.text == """
                 Adding Account(s)
                  geo2
                  chem
                 Settings
                  Description     = Account Name
                  Organization    = Parent/Account Name
                 Associations
                  A = geo2       C = peer      
                  A = chem       C = peer      
                 Settings
                  Fairshare     = 5
                  GrpJobs       = 3
                  Parent        = physics

                """)
        #expect(plan.operations.count == 2)
        guard case .addAccount(let account, let parent, let change)? = plan.operations.first else {
            Issue.record("no account")
            return
        }
        #expect(account == Account(name: "geo2", organization: "physics") && parent == "physics")
        #expect(change == [.init(.shares, .number(5)), .init(.grpJobs, .number(3))])
    }

    @Test func `a known account is nothing new, an unknown parent an error`() {
        let known = planner.add(.account, ["physics"])
        #expect(known.text == " Nothing new added.\n" && known.exitCode == 1)
        let orphan = planner.add(.account, ["x", "parent=nope"])
        #expect(orphan.complaint.hasPrefix(" Parent account 'nope' doesn't exist on cluster peer\n"))
        #expect(planner.add(.account, []).complaint == " Need name of account to add.\n")
    }

    @Test func `users are added to accounts that exist`() {
        let plan = planner.add(.user, ["alice,dan", "account=lim", "fairshare=parent", "adminlevel=Op"])
        #expect(
            plan.text == """
                 Adding User(s)
                  dan
                 Settings =
                  Admin Level     = Operator
                 Associations =
                  U = alice     A = lim        C = peer      
                  U = dan       A = lim        C = peer      
                 Non Default Settings
                  Fairshare     = parent

                """)
        #expect(plan.operations.count == 3)
        #expect(planner.add(.user, ["dan"]).complaint == " Need name of account to add user to.\n")
        let missing = planner.add(.user, ["dan", "account=nope"])
        #expect(missing.complaint.hasPrefix(" This account 'nope' doesn't exist.\n"))
        #expect(missing.text == " No associations or wckeys created.\n")
        #expect(planner.add(.user, ["bob", "account=lim"]).text == " Nothing new added.\n")
        #expect(planner.add(.user, ["bob", "account=lim", "partition=debug"]).text.contains("P = debug     \n"))
    }

    @Test func `a QOS tells what it was given, in Slurm's columns`() {
        let plan = planner.add(
            .qos,
            [
                "high", "priority=5", "Flags=nodecay,PartitionTimeLimit", "grptres=cpu=4", "maxwall=30", "maxjobspu=3",
                "usagefactor=2", "gracetime=60", "preemptmode=requeue", "preempt=normal", "maxtrespernode=mem=1G",
            ])
        #expect(
            plan.text == """
                 Adding QOS(s)
                  high
                 Settings
                  Description    = high
                  Flags                    = PartitionTimeLimit,NoDecay
                  GraceTime                = 60
                  GrpTRES                  = cpu=4
                  MaxJobsPerUser = 3
                  MaxTRESPerNode           = mem=1G
                  MaxWall                  = 00:30:00
                  Preempt                  = normal
                  PreemptMode              = REQUEUE
                  Priority                 = 5
                  UsageFactor              = 2.0000

                """)
    }

    @Test(arguments: [
        ("maxjobs=abc", "sacctmgr: error: Invalid value for MaxJobs (abc)\n"),
        ("maxwall=abc", " Bad MaxWall time format: maxwall=abc\n"),
        ("maxtres=foo=1", "sacctmgr: error: slurmdb_format_tres_str: no TRES known by type foo\n"),
        ("qos=nope", "sacctmgr: error: You gave a bad qos 'nope'. Valid QOS's are normal,gold\n"),
        ("fairshare=-5", "sacctmgr: error: Invalid value for FairShare (-5)\n"),
        ("maxjobs=99999999999999999999", "sacctmgr: error: Invalid value for MaxJobs (99999999999999999999)\n"),
        ("foo=1", ""), ("grptres=", ""),
    ])
    func `a bad setting is named and nothing is done`(setting: String, error: String) {
        let plan = planner.modify(.account, ["physics", "set", setting])
        #expect(
            plan.complaint == error + " Unknown option: \(setting)\n Use keyword 'where' to modify condition\n")
        #expect(plan.operations.isEmpty && plan.exitCode == 1)
    }

    // MARK: - Changing

    @Test func `who inherits a limit is listed with the account`() {
        let plan = planner.modify(.account, ["where", "name=physics", "set", "maxjobs=3"])
        #expect(
            plan.text == """
                 Modified account associations...
                  C = peer       A = physics of root
                  C = peer       A = physics              U = nosuchuser
                  C = peer       A = physics              U = carol    

                """)
        #expect(planner.modify(.account, ["physics", "set", "grpjobs=3"]).text.split(separator: "\n").count == 2)
    }

    @Test func `changes of users are those of the record and of associations`() {
        let level = planner.modify(.user, ["alice", "set", "adminlevel=none"])
        #expect(level.text == " Modified users...\n  alice\n")
        let shares = planner.modify(.user, ["where", "name=alice", "account=bio", "set", "fairshare=3"])
        #expect(
            shares.text == " Modified user associations...\n  C = peer       A = bio                  U = alice    \n")
        #expect(
            shares.operations == [.modifyAssociations([AssociationID(8)], [.init(.shares, .number(3))], parent: nil)])
        let none = planner.modify(.user, ["alice", "where", "account=lim", "set", "fairshare=3"])
        #expect(none.text == " Nothing modified\n" && none.exitCode == 1)
        let wrong = planner.modify(.user, ["alice", "set", "defaultaccount=zzz"])
        #expect(wrong.complaint.hasSuffix("new default account 'zzz'...\n  U = alice C = peer\n"))
        #expect(planner.modify(.user, ["alice", "set"]).complaint == " You didn't give me anything to set\n")
    }

    @Test func `lists are added to and taken from, limits taken away by -1`() {
        func change(_ words: String...) -> AssociationChange {
            guard
                case .modifyAssociations(_, let change, _)? = planner.modify(.user, ["bob", "set"] + words).operations
                    .first
            else { return [] }
            return change
        }
        #expect(change("qos+=gold") == [.init(.qos, .list(.add, [4]))])
        #expect(change("qos-=gold,normal") == [.init(.qos, .list(.remove, [4, 1]))])
        #expect(change("qos=+gold") == [.init(.qos, .list(.add, [4]))])
        #expect(
            change("maxjobs=-1", "maxtres=cpu=-1") == [
                .init(.maxJobs, .number(nil)), .init(.maxTRESPerJob, .counts([.init(.cpu, nil)])),
            ])
        #expect(change("maxnodes=3") == [.init(.maxTRESPerJob, .counts([.init(.node, 3)]))])
    }

    @Test func `without conditions it is asked first`() {
        #expect(!planner.modify(.qos, ["set", "priority=3"]).question.isEmpty)
        #expect(planner.modify(.qos, ["gold", "set", "priority=3"]).question.isEmpty)
        #expect(planner.delete(.user, [], asks: false).complaint == " No conditions given to remove, not executing.\n")
    }

    // MARK: - Removing

    @Test func `a user without associations left goes with the last`() {
        let plan = planner.delete(.user, ["alice", "account=bio"], asks: false)
        #expect(
            plan.text == """
                 Deleting user associations...
                  C = peer       A = bio        U = alice    
                 Deleting users (No Associations)...
                  alice

                """)
        #expect(planner.delete(.user, ["name=nobodyx"], asks: false).text == " Nothing deleted\n")
        #expect(
            planner.delete(.account, ["root"], asks: false).complaint.hasPrefix(
                " You are not allowed to remove the root"))
        let coordinator = planner.delete(.coordinator, ["account=physics", "name=bob"], asks: false)
        #expect(
            coordinator.text.hasSuffix(
                " Removed Coordinators (sub accounts not listed)...\n  U = bob       A = physics   \n"))
    }

    // MARK: - Listings

    @Test func `listings have Slurm's columns`() {
        #expect(
            show(.user) == """
                      User   Def Acct     Admin 
                ---------- ---------- --------- 
                     alice        bio  Operator 
                       bob        lim      None 
                     carol    physics      None 
                nosuchuser    physics      None 
                      root       root Administ+ 

                """)
        #expect(
            show(.association, "account=lim", options: bare).split(separator: "\n").last
                == "peer|lim|bob||1|7||||||2||||01:00:00||gold,normal|gold|")
        #expect(
            show(.tres).hasPrefix(
                "    Type            Name     ID \n-------- --------------- ------ \n     cpu                      1 \n"
            ))
        let head = "      Name   Priority  GraceTime    Preempt   PreemptExemptTime PreemptMode"
        #expect(show(.qos).hasPrefix(head))
        #expect(show(.cluster, options: bare).hasSuffix("peer|127.0.0.1|26817|9728|1||||||||normal|\n"))
    }

    @Test func `a tree is indented, and what is inherited is left out on request`() {
        #expect(
            show(.association, "tree", "format=account,user,share,maxjobs", "account=physics,bio") == """
                Account                    User     Share MaxJobs 
                -------------------- ---------- --------- ------- 
                physics                                10       7 
                 physics                  carol         1       7 
                 physics             nosuchuser         1       7 
                 bio                                    5       7 
                  bio                     alice         7       2 

                """)
        #expect(show(.association, "woplimits", "user=carol", "format=maxjobs", options: bare) == "MaxJobs\n\n")
        #expect(show(.account, "format=account%-5,org%3", "names=physics").split(separator: "\n").last == "phys+ sc+ ")
        #expect(show(.association, "format=foo") == "Unknown field 'foo'\n")
        #expect(show(.association, "foo=1") == " Unknown condition: foo=1\n")
        #expect(
            show(.user, "withcoord", "format=user,coord", "bob", options: bare)
                == "User|Coord Accounts\nbob|bio,physics\n")
    }

    @Test func `words are taken by their beginnings`() {
        for (word, entity) in [
            ("acc", SacctmgrEntity.account), ("ass", .association), ("u", .user), ("q", .qos), ("tran", .transaction),
            ("tres", .tres), ("coord", .coordinator), ("Runaway", .runawayJobs), ("cluster", .cluster),
        ] { #expect(SacctmgrEntity(word) == entity, "\(word)") }
        #expect(SacctmgrEntity("foo") == nil && SacctmgrEntity("") == nil)
        #expect(SacctmgrPlanner.find("maxj", AccountingWords.association)?.field == .maxJobs)
        #expect(SacctmgrPlanner.find("grptresm", AccountingWords.association)?.field == .grpTRESMins)
        #expect(SacctmgrPlanner.find("prio", AccountingWords.qos)?.field == .priority)
        #expect(Sacctmgr.split("add account 'a b' \"c d\"=1  x") == ["add", "account", "a b", "c d=1", "x"])
    }

    // MARK: - The flat file

    @Test func `what was dumped loads as nothing new`() throws {
        let text = SacctmgrFile.text(records)
        #expect(text.contains("Parent - 'physics'\nUser - 'carol':DefaultAccount='physics':Fairshare=1\n"))
        #expect(
            text.contains(
                "Account - 'lim':Description='lim':Organization='lim':Fairshare=parent:GrpJobs=3:GrpTRES=cpu=7:MaxJobs=2:MaxWall=60:Priority=7:QOS='gold,normal':DefaultQOS='gold'"
            ))
        let operations = try SacctmgrFile.operations(text, records)
        #expect(operations.isEmpty, "\(operations)")
    }

    @Test(arguments: ["garbage", "Account - 'x", "User - 'u':foo=1", "Parent - 'nowhere'", "Foo - 'x'"])
    func `a bad line is named by its number`(line: String) {
        let error = #expect(throws: SacctmgrFile.Malformed.self) {
            _ = try SacctmgrFile.operations("# head\n\(line)\n", records)
        }
        #expect(error?.why.hasPrefix("(2)") == true, "\(error?.why ?? "")")
    }
}
