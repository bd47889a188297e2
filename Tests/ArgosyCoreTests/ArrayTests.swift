import ArgosyCore
import ArgosyDomain
import Testing

@Suite struct ArrayTests {
    static func array(_ last: UInt32, limit: UInt32 = 0) -> ArraySpec {
        ArraySpec(indices: [IndexRange(first: 0, last: last)], maxRunning: limit)
    }

    @Test func `elements get ids of their own, the last one the array's`() throws {
        var cluster = Cluster(nodes: 1, cpus: 4)
        let array = cluster.submit { $0.array = Self.array(2) }
        #expect(array == JobID(1))
        let rows = try [2, 3, 1].map { try cluster.row(JobID($0)) }
        #expect(rows.map(\.arrayIndex) == [0, 1, 2])
        #expect(rows.allSatisfy { $0.arrayJob == array && $0.state == .running })
        #expect(cluster.stored.lastJobID == JobID(3))
    }

    @Test func `no more elements run than the limit allows`() throws {
        var cluster = Cluster(nodes: 2, cpus: 4)
        let array = cluster.submit { $0.array = Self.array(7, limit: 3) }
        let record = try cluster.row(array)
        #expect(record.runningElements == 3)
        #expect(record.pendingIndices == [IndexRange(first: 3, last: 7)])
        #expect(record.reason == .jobArrayTaskLimit)
        cluster.finish(JobID(2))
        #expect(try cluster.row(array).pendingIndices == [IndexRange(first: 4, last: 7)])
        cluster.restart()
        #expect(try cluster.row(array).runningElements == 3)
    }

    @Test func `cancelling the array ends waiting and running elements`() throws {
        var cluster = Cluster(nodes: 1, cpus: 2)
        let array = cluster.submit { $0.array = Self.array(5) }
        let handle = cluster.handle()
        cluster.apply(.waitRequested(array, reply: handle))
        #expect(cluster.cancel(array).first?.refusal == nil)
        #expect(cluster.state(array) == .cancelled)
        #expect(cluster.answer(handle) == nil)
        for id in [2, 3] { cluster.report(0, JobID(UInt32(id)), .gone(Usage())) }
        #expect(cluster.state(JobID(3)) == .cancelled)
        #expect(cluster.answer(handle) == .ended(array))
    }

    @Test func `cancelled indices leave the array and stay in the accounts`() throws {
        var cluster = Cluster(nodes: 1, cpus: 1)
        let array = cluster.submit { $0.array = Self.array(5) }
        let outcome = cluster.cancel(array, [IndexRange(first: 2, last: 3)])
        #expect(outcome.first?.text == "1_[2-3]" && outcome.first?.refusal == nil)
        #expect(
            try cluster.row(array).pendingIndices == [
                IndexRange(first: 1, last: 1), IndexRange(first: 4, last: 5),
            ])
        let cancelled = try cluster.row(JobID(3))
        #expect(cancelled.state == .cancelled && cancelled.pendingIndices == [IndexRange(first: 2, last: 3)])
        #expect(cluster.cancel(array, [IndexRange(first: 2, last: 2)]).first?.refusal != nil)
    }
}
