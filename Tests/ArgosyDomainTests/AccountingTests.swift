import ArgosyDomain
import Testing

@Suite struct TRESTests {
    private func table() -> TRESTable {
        var table = TRESTable()
        table.add("gres/gpu")
        table.add("license/matlab")
        return table
    }

    @Test func countsAreWrittenAsScontrolAndSacctWriteThem() {
        let counts: TRESCounts = [.cpu: 4, .mem: 2048, .node: 1, .billing: 4, TRESID(1001): 2]
        #expect(counts.text(table()) == "cpu=4,mem=2G,node=1,billing=4,gres/gpu=2")
        #expect(counts.text(table(), order: .name) == "billing=4,cpu=4,gres/gpu=2,mem=2G,node=1")
        #expect(counts.idText == "1=4,2=2048,4=1,5=4,1001=2")
        #expect(TRESCounts.memoryText(2500) == "2500M" && TRESCounts.memoryText(1 << 20) == "1T")
        #expect(TRESCounts.memoryText(0) == "0M")
    }

    @Test(arguments: [
        ("cpu=4,mem=2G,gres/gpu=2", "1=4,2=2048,1001=2"), ("1=4,2=2048", "1=4,2=2048"), ("", ""),
        ("Mem=1T,CPU=0", "1=0,2=1048576"), ("mem=1000K", "2=1"), ("gres/gpu=1K", "1001=1024"),
        ("cpu=1,cpu=2", "1=2"), ("cpu=5,mem=-1", "1=5"),
    ])
    func textIsReadAsSlurmReadsIt(text: String, ids: String) throws {
        #expect(try TRESCounts(parsing: text, table()).idText == ids)
    }

    @Test(arguments: [
        ("cpu", "has no equals sign"), ("cpux=1", "is no TRES of this cluster"), ("cpu=x", "is not a count of cpu"),
        ("cpu=1X", "is not a count"), ("99=1", "is no TRES"), ("mem=99999999999999999999", "is not a count"),
        ("mem=999999999999999999P", "is not a count"), ("cpu=-2", "is not a count"),
    ])
    func whatIsNoTRESIsRefused(text: String, why: String) {
        let error = #expect(throws: MalformedTRES.self) { try TRESCounts(parsing: text, table()) }
        #expect(error?.description.contains(why) == true)
    }

    @Test func limitsAreChangedOneByOne() throws {
        var limits: TRESCounts = [.cpu: 10, .mem: 100]
        limits.apply(try TRESCounts.changes(parsing: "mem=-1,node=2", table()))
        #expect(limits == [.cpu: 10, .node: 2])
    }

    @Test func arithmeticHasItsOpposite() {
        let a: TRESCounts = [.cpu: 4, .mem: 100]
        let b: TRESCounts = [.cpu: 1, .node: 3]
        var sum = a + b
        #expect(sum == [.cpu: 5, .mem: 100, .node: 3])
        sum -= a
        sum -= b
        #expect(sum.isEmpty)
        sum -= a
        #expect(sum.isEmpty && (a * 3)[.mem] == 300 && (a * .max)[.cpu] == .max)
        #expect(a.value(.node) == nil && a[.node] == 0)
    }

    @Test func numbersOfResourcesStay() {
        var table = table()
        #expect(table.id(of: "GRES/gpu") == TRESID(1001) && table.id(of: "gres/GPU") == nil)
        #expect(table.add("license/matlab") == TRESID(1002) && table.add("gres/gpu:a100") == TRESID(1003))
        let again = TRESTable(stored: table.all.reversed())
        #expect(again == table && again[.mem]?.isMemory == true && again.position(of: TRESID(1003)) == 10)
        #expect(again.text(TRESID(4711)) == "4711")
    }
}

@Suite struct AccountingWordTests {
    @Test func reasonsHaveTheWordsOfSlurmOnceEach() {
        let words = PendingReason.allCases.map(\.word)
        #expect(Set(words).count == words.count)
        #expect(PendingReason.allCases.map(\.rawValue) == Array(0..<UInt32(words.count)))
        for word in [
            "QOSMaxCpuPerUserLimit", "AssocGrpCPUMinutesLimit", "Licenses", "InvalidQOS", "ReservationDeleted",
        ] {
            #expect(PendingReason(word: word)?.word == word)
        }
        #expect(PendingReason(word: "qosgrpcpulimit") == .qosGrpCpuLimit && PendingReason(word: "Bored") == nil)
        // Stored numbers of the first landing.
        #expect(PendingReason.dependencyNeverSatisfied.rawValue == 22 && PendingReason.resources.rawValue == 2)
    }

    @Test func flagsAreWrittenInSlurmsOrder() {
        var flags: QOSFlags = []
        for (flag, name) in QOSFlags.names {
            #expect(QOSFlags(name: name.uppercased()) == flag)
            flags.insert(flag)
        }
        #expect(
            flags.text
                == "DenyOnLimit,EnforceUsageThreshold,NoReserve,PartitionMaxNodes,PartitionMinNodes,OverPartQOS,"
                + "PartitionTimeLimit,RequiresReservation,NoDecay,UsageFactorSafe")
    }

    @Test func levelsAndSharesAreRead() {
        #expect(AdminLevel(text: "Op") == .operator && AdminLevel(text: "admin") == .administrator)
        #expect(AdminLevel(text: "x") == nil && AdminLevel.none < .operator)
        #expect(FairShares(text: "PARENT") == .parent && FairShares(text: "12") == .count(12))
        #expect(FairShares(text: "-1") == nil && FairShares.parent.text == "parent")
        #expect(PreemptMode(text: "requeue") == .requeue && PreemptMode(text: "x") == nil)
    }
}
