import ArgosyDomain
import ArgosyWire
import Testing

@testable import ArgosyCommands

@Suite struct ReservationCommandTests {
    private static let now: Int64 = 1_700_000_000

    private func request(_ words: [String], creates: Bool = true) throws(Failure) -> ReservationRequest {
        try ReservationCommand.request(words, creates: creates, now: Self.now)
    }

    @Test func keysAreReadShortAndLongInAnyCase() throws {
        let read = try request([
            "ReservationName=r", "start=now+60", "Duration=1:00:00", "NodeCnt=1k", "corecnt=2,3",
            "Flags=maint,purge_comp=5:00",
            "part=main", "Feat=fast", "licenses=matlab:2", "user=ann,bob", "acc=physics", "maxstartdelay=2",
        ])
        #expect(read.name == "r" && read.start == Timestamp(seconds: Self.now + 60))
        #expect(read.duration == TimeLimit(minutes: 60) && read.nodeCounts == [1024] && read.coreCounts == [2, 3])
        #expect(read.flags == [.maintenance, .purgeWhenIdle] && read.purgeAfter == 300)
        #expect(read.partition == "main" && read.features == "fast")
        #expect(read.licenses == [LicenseRequest(name: "matlab", count: 2)])
        #expect(read.users == .set("ann,bob") && read.accounts == .set("physics") && read.maxStartDelay == 120)
        try ReservationCommand.check(read)
    }

    @Test func listsAreReplacedAddedToAndTakenFrom() throws {
        let read = try request(
            ["reservationname=r", "users+=ann", "accounts-=art", "flags-=daily", "nodes=n[1-2]", "skip"], creates: false
        )
        #expect(read.users == .add("ann") && read.accounts == .remove("art") && read.nodes == .set("n[1-2]"))
        #expect(read.removedFlags == .daily && read.flags == [] && read.skip)
    }

    @Test func tresStandsForCountsAndLicenses() throws {
        let read = try request(["reservation", "tres=cpu=2,4,node=3,license/matlab=2"])
        #expect(read.coreCounts == [2, 4] && read.nodeCounts == [3])
        #expect(read.licenses == [LicenseRequest(name: "matlab", count: 2)])
    }

    @Test(arguments: [
        (["starttime=foo"], "Invalid start time starttime=foo.  No reservation created."),
        (["flags=foo"], "Error parsing flags foo.  No reservation created."),
        (["flags=maint=5"], "Error parsing flags maint=5.  No reservation created."),
        (["bogus=3"], "Unknown parameter bogus=3.  No reservation created."),
        (["duration=x"], "Invalid duration duration=x.  No reservation created."),
        (["nodecnt=x"], "Invalid node count nodecnt=x.  No reservation created."),
        (["licenses=a:x"], "Invalid license licenses=a:x.  No reservation created."),
        (["duration=5"], "A start time must be given.  No reservation created."),
        (["starttime=now"], "An end time or duration must be given.  No reservation created."),
        (
            ["starttime=now", "duration=5", "users=ann"],
            "CoreCnt, Nodes, NodeCnt, BurstBuffer, Licenses or Watts must be specified.  No reservation created."
        ),
        (
            ["starttime=now", "duration=5", "nodecnt=1"],
            "Either Users/Groups and/or Accounts must be specified.  No reservation created."
        ),
    ])
    func whatIsWrongIsToldInSlurmsWords(words: [String], message: String) {
        let failure = #expect(throws: Failure.self) {
            try ReservationCommand.check(try ReservationCommand.request(words, creates: true, now: Self.now))
        }
        #expect(failure?.message == message)
    }

    private var info: WireReservationInfo {
        var reservation = Reservation(
            name: "maint", start: Timestamp(seconds: Self.now), end: Timestamp(seconds: Self.now + 3600),
            flags: [.maintenance, .ignoreJobs, .specNodes, .purgeWhenIdle])
        reservation.nodes = ["n1", "n2"].enumerated().map { .init(index: NodeIndex($0.offset), name: $0.element) }
        reservation.users = ReservationMembers(["root", "ann"])
        reservation.accounts = ReservationMembers(["art"], areDenied: true)
        reservation.licenses = [LicenseRequest(name: "matlab", count: 2)]
        var info = WireReservationInfo()
        info.reservation = WireReservation(reservation)
        info.cores = 16
        info.cpus = 32
        info.coreLists = ["", "0-3"]
        return info
    }

    @Test func reservationsAreShownInSlurmsLayout() {
        let (start, end) = (Times.stamp(Self.now * 1_000_000), Times.stamp((Self.now + 3600) * 1_000_000))
        let text = block(ReservationText(info: info, now: Self.now * 1_000_000).details(), oneLine: false)
        #expect(
            text == """
                ReservationName=maint StartTime=\(start) EndTime=\(end) Duration=01:00:00
                   Nodes=n[1-2] NodeCnt=2 CoreCnt=16 Features=(null) PartitionName=(null) Flags=MAINT,IGNORE_JOBS,SPEC_NODES,PURGE_COMP=00:05:00
                     NodeName=n2 CoreIDs=0-3
                   TRES=cpu=32
                   Users=root,ann Groups=(null) Accounts=-art Licenses=matlab:2 State=ACTIVE BurstBuffer=(null) Watts=n/a
                   MaxStartDelay=(null)


                """)
        #expect(ReservationText(info: info, now: (Self.now - 1) * 1_000_000).state == "INACTIVE")
    }

    @Test func sinfoShowsATable() {
        var list = WireReservationList()
        #expect(ReservationText.table(list, header: true) == "No reservations in the system\n")
        list.nowUs = (Self.now - 1) * 1_000_000
        list.reservations = [info]
        let (start, end) = (Times.stamp(Self.now * 1_000_000), Times.stamp((Self.now + 3600) * 1_000_000))
        #expect(
            ReservationText.table(list, header: true) == """
                RESV_NAME     STATE           START_TIME             END_TIME     DURATION  NODELIST
                maint      INACTIVE  \(start)  \(end)     01:00:00  n[1-2]

                """)
        #expect(ReservationText.table(list, header: false).hasPrefix("maint      INACTIVE"))
    }
}

@Suite struct JobUpdateTests {
    private func changes(_ pairs: [(String, String)]) throws(Failure) -> JobChanges {
        try JobUpdate.changes(pairs.map { ScontrolShell.Pair("\($0.0)=\($0.1)") })
    }

    @Test func keysOfShowJobAreRead() throws {
        let read = try changes([
            ("timelimit", "+10"), ("timemin", "5"), ("priority", "70"), ("nice", "3"), ("partition", "a,b"),
            ("qos", "q"),
            ("account", "art"), ("features", "fast"), ("gres", "gpu:2"), ("numnodes", "1-2"), ("numtasks", "4"),
            ("dependency", "singleton"), ("licenses", "matlab|ansys"), ("reservationname", "r"), ("jobname", "n"),
            ("comment", "c"), ("wckey", "w"), ("reqnodelist", "n1"), ("excnodelist", "n2"), ("requeue", "0"),
            ("arraytaskthrottle", "7"), ("minmemorynode", "2G"),
        ])
        #expect(read.timeLimit == .longer(10) && read.timeMin == TimeLimit(minutes: 5) && read.priority == 70)
        #expect(read.nice == 3 && read.partition == "a,b" && read.qos == "q" && read.account == "art")
        #expect(read.constraint == "fast" && read.gres == [GRESRequest(name: "gpu", count: 2)])
        #expect(read.minNodes == 1 && read.maxNodes == 2 && read.tasks == 4 && read.dependency == "singleton")
        #expect(read.licenses?.map(\.name) == ["matlab", "ansys"] && read.anyLicense && read.reservation == "r")
        #expect(read.name == "n" && read.comment == "c" && read.wckey == "w" && read.nodeList == "n1")
        #expect(
            read.exclude == "n2" && read.requeue == false && read.arrayThrottle == 7 && read.memoryPerNodeMiB == 2048)
        #expect(try changes([("timelimit", "-5")]).timeLimit == .shorter(5))
        #expect(try changes([("timelimit", "-1")]).timeLimit == .set(.unlimited))
        #expect(try changes([("features", "")]).constraint == "")
    }

    @Test(arguments: [
        ("bogus", "3", "Update of this parameter is not supported: bogus=3\nRequest aborted"),
        ("gres", "gpu:", "Invalid generic resource (gres) specification"),
        ("licenses", "a:x", "Invalid license specification"), ("numnodes", "x", "\"x\" is not a valid node count"),
        ("priority", "-1", "scontrol: error: Invalid Priority value: -1"),
    ])
    func wrongOnesAreRefused(key: String, value: String, message: String) {
        let failure = #expect(throws: Failure.self) { try changes([(key, value)]) }
        #expect(failure?.message == message)
        #expect(throws: Failure.self) { try changes([]) }
    }
}
