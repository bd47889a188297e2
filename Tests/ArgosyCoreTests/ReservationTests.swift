import ArgosyConfig
import ArgosyCore
import ArgosyDomain
import ArgosyScheduler
import Testing

@Suite struct ReservationTests {
    static let names = ReservationNames(users: ["ann": 1000, "bob": 1001], groups: ["staff": 50])

    private func act(_ cluster: inout Cluster, _ action: ReservationAction, by caller: Caller? = nil) -> Answer? {
        let who = caller ?? cluster.root
        return cluster.ask { .reservationRequested(action, names: Self.names, by: who, reply: $0) }
    }

    private func create(
        _ cluster: inout Cluster, _ name: String = "", in seconds: Int64 = 0, minutes: UInt32 = 60,
        _ adjust: (inout ReservationRequest) -> Void = { _ in }
    ) -> Answer? {
        var request = ReservationRequest(name: name)
        request.start = cluster.now.adding(.seconds(seconds))
        request.duration = TimeLimit(minutes: minutes)
        request.users = .set("ann")
        adjust(&request)
        return act(&cluster, .create(request))
    }

    private func refusal(_ answer: Answer?) -> String? {
        if case .refused(let refusal)? = answer { refusal.message } else { nil }
    }

    private func only(_ cluster: Cluster) throws -> Reservation { try #require(cluster.core.view.reservations.first) }

    private func nodes(_ cluster: Cluster, _ place: Int = 0) -> [String] {
        let all = cluster.core.view.reservations
        return place < all.count ? all[place].nodes.map(\.name) : []
    }

    @Test func `names are made from users and accounts and a number`() {
        var cluster = Cluster(nodes: 4)
        #expect(create(&cluster) { $0.nodeCounts = [1] } == .reservationCreated("ann_1"))
        #expect(create(&cluster, "maint") { $0.nodes = .set("n4") } == .reservationCreated("maint"))
        let third = create(&cluster) {
            $0.users = nil
            $0.accounts = .set("physics")
            $0.nodeCounts = [1]
        }
        #expect(third == .reservationCreated("physics_3"))
        #expect(nodes(cluster) == ["n1"] && nodes(cluster, 2) == ["n2"])
        #expect(cluster.core.view.reservations[1].flags == .specNodes)
    }

    @Test func `chosen nodes are free of jobs and of other reservations`() {
        var cluster = Cluster(nodes: 3)
        let job = cluster.submit { $0.timeLimit = TimeLimit(minutes: 30) }
        #expect(cluster.nodeIndex(of: job) == 0)
        #expect(create(&cluster, "a", in: 600) { $0.nodeCounts = [2] } == .reservationCreated("a"))
        #expect(nodes(cluster) == ["n2", "n3"])
        #expect(refusal(create(&cluster, in: 1200) { $0.nodeCounts = [1] }) == "Requested nodes are busy")
        // After the job's limit, and after the other one.
        #expect(create(&cluster, "b", in: 1800) { $0.nodeCounts = [1] } == .reservationCreated("b"))
        #expect(nodes(cluster, 1) == ["n1"])
        #expect(create(&cluster, "c", in: 600 + 3600) { $0.nodeCounts = [2] } == .reservationCreated("c"))
        let missing = refusal(create(&cluster, in: 600) { $0.nodeCounts = [4] })
        #expect(missing == "Requested node configuration is not available")
    }

    @Test func `named nodes are refused when they are taken, unless it may overlap`() {
        var cluster = Cluster(nodes: 2)
        _ = cluster.submit()
        #expect(refusal(create(&cluster) { $0.nodes = .set("n1") }) == "Requested nodes are busy")
        let ignoring = create(&cluster, "a") {
            $0.nodes = .set("ALL")
            $0.flags = [.ignoreJobs, .maintenance]
        }
        #expect(ignoring == .reservationCreated("a") && nodes(cluster) == ["n1", "n2"])
        #expect(
            refusal(create(&cluster) { $0.nodes = .set("n2") })
                == "Requested reservation overlaps with another reservation")
        let overlapping = create(&cluster, "b") {
            $0.nodes = .set("n2")
            $0.flags = .overlap
        }
        #expect(overlapping == .reservationCreated("b"))
        #expect(refusal(create(&cluster, in: 7200) { $0.nodes = .set("zz") }) == "Invalid node name specified")
    }

    @Test func `cores of nodes are set aside`() throws {
        var cluster = Cluster(nodes: 2, cpus: 4)
        _ = cluster.submit { $0.cpusPerTask = 2 }
        #expect(
            create(&cluster, "a") {
                $0.nodes = .set("n1")
                $0.coreCounts = [2]
            } == .reservationCreated("a"))
        let reservation = try only(cluster)
        #expect(reservation.nodes[0].cpus == CPUSet([2, 3]) && reservation.coreCount == 2)
        #expect(
            refusal(
                create(&cluster) {
                    $0.nodes = .set("n1")
                    $0.coreCounts = [1]
                }) == "Requested nodes are busy")
        #expect(create(&cluster, "b") { $0.coreCounts = [3] } == .reservationCreated("b"))
        #expect(cluster.core.view.reservations[1].nodes.map(\.name) == ["n2"])
        let snapshot = cluster.core.planningSnapshot(at: cluster.now)
        #expect(snapshot.reservations.map(\.cpus) == [[CPUSet([2, 3])], [CPUSet([0, 1, 2])]])
    }

    @Test func `features choose nodes`() {
        var cluster = Cluster(nodes: 3) { $0.nodes[2].features = ["fast"] }
        #expect(
            create(&cluster) {
                $0.nodeCounts = [1]
                $0.features = "fast"
            } == .reservationCreated("ann_1"))
        #expect(nodes(cluster) == ["n3"])
        #expect(
            refusal(
                create(&cluster, in: 7200) {
                    $0.nodeCounts = [2]
                    $0.features = "fast"
                }) == "Requested node configuration is not available")
    }

    @Test func `only operators make, change and delete reservations`() {
        var cluster = Cluster()
        var request = ReservationRequest(name: "a")
        request.start = cluster.now
        request.duration = TimeLimit(minutes: 5)
        request.users = .set("ann")
        request.nodeCounts = [1]
        for action in [ReservationAction.create(request), .update(request), .delete("a")] {
            #expect(refusal(act(&cluster, action, by: cluster.caller)) == "Invalid user id")
        }
        #expect(cluster.core.view.reservations.isEmpty)
    }

    struct Wrong: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var message: String
        var adjust: @Sendable (inout ReservationRequest) -> Void
    }
    static let wrong: [Wrong] = [
        Wrong(testDescription: "past", message: "Invalid time specified") { $0.start = Timestamp(seconds: 1000) },
        Wrong(testDescription: "end", message: "Invalid time specified") {
            $0.duration = nil
            $0.end = $0.start
        },
        Wrong(testDescription: "nobody", message: "Either Users/Groups and/or Accounts must be specified.") {
            $0.users = nil
        },
        Wrong(testDescription: "user", message: "Invalid user id") { $0.users = .set("eve") },
        Wrong(testDescription: "mixed", message: "Invalid user id") { $0.users = .set("ann,-bob") },
        Wrong(testDescription: "partition", message: "Invalid partition name specified") { $0.partition = "zz" },
        Wrong(testDescription: "feature", message: "Invalid feature specification") { $0.features = "(a" },
        Wrong(testDescription: "license", message: "Invalid license specification") {
            $0.licenses = [LicenseRequest(name: "zz", count: 1)]
        },
        Wrong(testDescription: "twice", message: "Requested operation not supported on this system") {
            $0.flags = [.daily, .weekly]
        },
        Wrong(testDescription: "float", message: "Requested operation not supported on this system") {
            $0.flags = [.daily, .timeFloat]
        },
        Wrong(testDescription: "nothing", message: "Requested node configuration is not available") {
            $0.nodeCounts = []
        },
    ]
    @Test(arguments: wrong) func `what cannot be is refused in Slurm's words`(wrong: Wrong) {
        var cluster = Cluster()
        let answer = create(&cluster) {
            $0.nodeCounts = [1]
            wrong.adjust(&$0)
        }
        #expect(refusal(answer) == wrong.message)
        #expect(cluster.core.view.reservations.isEmpty)
    }

    // MARK: Jobs

    @Test func `only those it is for may name it`() {
        var cluster = Cluster()
        _ = create(&cluster, "mine") { $0.nodeCounts = [1] }
        _ = create(&cluster, "theirs") {
            $0.users = .set("-ann")
            $0.nodeCounts = [1]
        }
        #expect(refusal(cluster.trySubmit { $0.resources.reservation = "zz" }) == "Requested reservation is invalid")
        #expect(
            refusal(cluster.trySubmit { $0.resources.reservation = "theirs" })
                == "Access denied to requested reservation")
        let job = cluster.submit { $0.resources.reservation = "mine" }
        #expect(cluster.core.planningSnapshot(at: cluster.now).running.first?.job == job)
        #expect(cluster.nodeIndex(of: job) == 0)
        #expect(cluster.core.view.job(job)?.reservation == "mine")
    }

    @Test func `groups and accounts let in those who are in both`() {
        var cluster = Cluster()
        _ = create(&cluster, "a") {
            $0.users = nil
            $0.groups = .set("staff")
            $0.accounts = .set("physics")
            $0.nodeCounts = [1]
        }
        func ask(_ account: String, _ groups: [UInt32]) -> String? {
            refusal(
                cluster.trySubmit {
                    $0.account = account
                    $0.identity.groups = groups
                    $0.resources.reservation = "a"
                })
        }
        #expect(ask("physics", []) == "Access denied to requested reservation")
        #expect(ask("art", [50]) == "Access denied to requested reservation")
        #expect(ask("physics", [50]) == nil)
    }

    @Test func `plans that would run into a reservation are dropped`() {
        var cluster = Cluster(nodes: 1)
        _ = create(&cluster, "a", in: 1200) { $0.nodeCounts = [1] }
        let short = cluster.submit { $0.timeLimit = TimeLimit(minutes: 20) }
        let long = cluster.submit { $0.timeLimit = TimeLimit(minutes: 21) }
        #expect(cluster.state(short) == .running && cluster.state(long) == .pending)
    }

    @Test func `a planner sees the times of a recurring reservation`() throws {
        var cluster = Cluster()
        _ = create(&cluster, "hourly", in: 60, minutes: 10) {
            $0.nodes = .set("n2")
            $0.flags = .hourly
        }
        cluster.plansAutomatically = false
        let job = cluster.submit { $0.resources.reservation = "hourly" }
        let snapshot = cluster.core.planningSnapshot(at: cluster.now)
        #expect(snapshot.reservations.count == 24)
        #expect(snapshot.reservations.map(\.start.seconds).prefix(2) == [1_000_060, 1_003_660])
        let waiting = try #require(snapshot.queue.first { $0.id == job })
        #expect(snapshot.shapes[Int(waiting.shape)].reservations == Array(0..<24))
    }

    @Test func `a magnetic one draws in those it is for`() {
        var cluster = Cluster(nodes: 1)
        _ = create(&cluster, "a") {
            $0.nodeCounts = [1]
            $0.flags = .magnetic
        }
        cluster.plansAutomatically = false
        let job = cluster.submit()
        #expect(cluster.core.planningSnapshot(at: cluster.now).reservations[0].allowedUsers == [1000])
        cluster.plan()
        #expect(cluster.core.view.job(job)?.reservation == "a")
    }

    // MARK: The end

    @Test func `its end ends its jobs and holds those that wait for it`() {
        var cluster = Cluster(nodes: 1, cpus: 1)
        _ = create(&cluster, "a", minutes: 10) { $0.nodeCounts = [1] }
        let inside = cluster.submit {
            $0.resources.reservation = "a"
            $0.timeLimit = TimeLimit(minutes: 10)
        }
        let waiting = cluster.submit { $0.resources.reservation = "a" }
        #expect(cluster.state(inside) == .running && cluster.state(waiting) == .pending)
        #expect(refusal(act(&cluster, .delete("a"))) == "Requested reservation is in use")
        var shorter = ReservationRequest(name: "a")
        shorter.duration = TimeLimit(minutes: 5)
        #expect(act(&cluster, .update(shorter)) == .done)
        cluster.pass(.seconds(300))
        #expect(cluster.core.view.reservations.isEmpty && cluster.stored.reservations.isEmpty)
        #expect(cluster.state(inside) == .completing)
        #expect(cluster.core.view.job(waiting)?.reason == .reservationDeleted)
        #expect(cluster.core.view.job(waiting)?.spec.fields.resources.reservation == "")
        cluster.report(0, inside, .gone(Usage()))
        #expect(cluster.state(inside) == .timeout && cluster.state(waiting) == .pending)
    }

    @Test func `with NO_HOLD_JOBS_AFTER waiting jobs run elsewhere, and a flexible one ends nobody`() {
        var cluster = Cluster(nodes: 1, cpus: 1)
        _ = create(&cluster, "a", minutes: 10) {
            $0.nodeCounts = [1]
            $0.flags = [.flex, .noHoldJobsAfter]
        }
        let inside = cluster.submit {
            $0.resources.reservation = "a"
            $0.timeLimit = TimeLimit(minutes: 60)
        }
        let waiting = cluster.submit { $0.resources.reservation = "a" }
        cluster.pass(.seconds(600))
        #expect(cluster.state(inside) == .running)
        cluster.finish(inside)
        #expect(cluster.state(waiting) == .running)
    }

    @Test(
        arguments: [
            (ReservationFlags.hourly, 3600), (.daily, 86_400), (.weekly, 604_800),
            // 1,000,000 s is a Monday.
            (.weekday, 86_400), (.weekend, 5 * 86_400),
        ] as [(ReservationFlags, Int64)])
    func `recurring ones come again`(flag: ReservationFlags, step: Int64) throws {
        var cluster = Cluster()
        _ = create(&cluster, "a", in: 60, minutes: 10) {
            $0.nodes = .set("n1")
            $0.flags = flag
        }
        cluster.pass(.seconds(660))
        #expect(try only(cluster).start.seconds == 1_000_060 + step)
        #expect(try only(cluster).end.seconds == 1_000_660 + step)
        // After a long sleep it stands at its next time, not at a past one.
        cluster.pass(.seconds(30 * 86_400))
        #expect(try only(cluster).end > cluster.now)
        cluster.restart()
        #expect(try only(cluster).end > cluster.now && only(cluster).nodes.map(\.name) == ["n1"])
    }

    @Test func `an idle one is purged`() {
        var cluster = Cluster(nodes: 1)
        _ = create(&cluster, "a") {
            $0.nodeCounts = [1]
            $0.flags = .purgeWhenIdle
            $0.purgeAfter = 120
        }
        let job = cluster.submit { $0.resources.reservation = "a" }
        cluster.pass(.seconds(300))
        #expect(cluster.core.view.reservations.count == 1)
        cluster.finish(job)
        cluster.pass(.seconds(119))
        #expect(cluster.core.view.reservations.count == 1)
        cluster.pass(.seconds(1))
        #expect(cluster.core.view.reservations.isEmpty)
    }

    @Test func `a floating one stays ahead`() {
        var cluster = Cluster(nodes: 1)
        _ = create(&cluster, "a", in: 600) {
            $0.nodes = .set("n1")
            $0.flags = .timeFloat
        }
        cluster.pass(.seconds(5000))
        let planned = cluster.core.planningSnapshot(at: cluster.now).reservations
        #expect(planned.map(\.start.seconds) == [1_005_600])
        let job = cluster.submit { $0.timeLimit = TimeLimit(minutes: 11) }
        #expect(cluster.state(job) == .pending)
    }

    @Test func `nodes show what they are set aside for`() {
        var cluster = Cluster(nodes: 2)
        _ = create(&cluster, "a", minutes: 10) { $0.nodes = .set("n1") }
        _ = create(&cluster, "b", in: 60, minutes: 5) {
            $0.nodes = .set("n2")
            $0.flags = .maintenance
        }
        #expect(cluster.node(0).flags == ["RESERVED"] && cluster.node(1).flags == [])
        cluster.pass(.seconds(60))
        #expect(cluster.node(1).flags == ["MAINTENANCE", "RESERVED"])
        cluster.pass(.seconds(600))
        #expect(cluster.node(0).flags == [] && cluster.node(1).flags == [])
    }

    @Test func `a node that goes down is replaced, a named one is not`() {
        var cluster = Cluster(nodes: 4)
        _ = create(&cluster, "chosen") { $0.nodeCounts = [1] }
        _ = create(&cluster, "named") { $0.nodes = .set("n2") }
        let root = cluster.root
        for node in 0..<2 {
            _ = cluster.ask {
                .nodeUpdateRequested([NodeIndex(node)], .down(reason: "test"), by: root, reply: $0)
            }
        }
        #expect(nodes(cluster, 0) == ["n3"] && nodes(cluster, 1) == ["n2"])
    }

    // MARK: Updates

    @Test func `parts of it change`() throws {
        var cluster = Cluster(nodes: 4)
        _ = create(&cluster, "a", in: 600) { $0.nodeCounts = [1] }
        func update(_ adjust: (inout ReservationRequest) -> Void) -> Answer? {
            var request = ReservationRequest(name: "a")
            adjust(&request)
            return act(&cluster, .update(request))
        }
        #expect(update { $0.nodeCounts = [3] } == .done)
        #expect(try only(cluster).nodes.map(\.name) == ["n1", "n2", "n3"])
        #expect(update { $0.nodes = .remove("n2") } == .done)
        #expect(try only(cluster).nodes.map(\.name) == ["n1", "n3"])
        #expect(update { $0.users = .add("bob") } == .done)
        #expect(try only(cluster).uids == [1000, 1001])
        #expect(update { $0.users = .remove("ann") } == .done)
        #expect(try only(cluster).users.names == ["bob"] && only(cluster).uids == [1001])
        #expect(refusal(update { $0.users = .set("") }) == "Either Users/Groups and/or Accounts must be specified.")
        let start = cluster.now.adding(.seconds(1200))
        #expect(update { $0.start = start } == .done)
        #expect(try only(cluster).start == start && only(cluster).end == start.adding(.seconds(3600)))
        #expect(update { $0.flags = .daily } == .done)
        #expect(update { $0.skip = true } == .done)
        #expect(try only(cluster).start == start.adding(.seconds(86_400)))
        #expect(update { $0.removedFlags = .daily } == .done)
        #expect(refusal(update { $0.skip = true }) == "Requested operation not supported on this system")
        #expect(cluster.stored.reservations == cluster.core.view.reservations)
        #expect(refusal(act(&cluster, .update(ReservationRequest(name: "zz")))) == "Requested reservation is invalid")
        #expect(act(&cluster, .delete("a")) == .done && cluster.stored.reservations.isEmpty)
        #expect(refusal(act(&cluster, .delete("a"))) == "Requested reservation is invalid")
    }

    @Test func `an active one cannot begin at another time`() {
        var cluster = Cluster()
        _ = create(&cluster, "a") { $0.nodeCounts = [1] }
        var request = ReservationRequest(name: "a")
        request.start = cluster.now.adding(.seconds(100))
        #expect(refusal(act(&cluster, .update(request))) == "Reservation already started")
    }
}
