import ArgosyController
import ArgosyCore
import ArgosyDomain
import ArgosyStore
import ArgosyWire
import Synchronization
import Testing

@Suite struct FailedCommitTests {
    @Test func `a failed commit closes the connections of interactive jobs`() throws {
        var options = ControllerOptions()
        options.authenticator = TestAuthenticator()
        options.host = "127.0.0.1"
        options.port = 0
        let flaky = Mutex<FlakyStore?>(nil)
        let running = try TestController(
            options: options,
            wrap: { store in
                let made = FlakyStore(store)
                flaky.withLock { $0 = made }
                return made
            })
        let node = try FakeNode("n1", port: running.controller.port, exit: nil)
        defer { node.stop() }
        let interactive = try running.client()
        let shell = try interactive.submit("shell") {
            $0.waitForAllocation = true
            $0.job.script = .init()
        }
        #expect(shell.submitted.job == 1, "\(shell)")
        let other = try running.client()
        flaky.withLock { $0 }?.failNext()
        let refused = try other.submit("lost")
        #expect(refused.refusal.code == Refusal.Code.storeFailed.rawValue, "\(refused)")
        #expect(try interactive.receive() == nil, "the client of the interactive job must see the end")
        // The connection that only asked goes on, and the job is there until its client's time is over.
        let jobs = try other.jobs()
        #expect(jobs.map(\.job) == [1] && jobs.first?.state == "RUNNING", "\(jobs)")
    }
}

/// A store whose next commit fails when it is told so, and nothing of it is kept.
final class FlakyStore: Store {
    private let store: SQLiteStore
    private let failing = Atomic<Bool>(false)
    init(_ store: SQLiteStore) { self.store = store }

    func failNext() { failing.store(true, ordering: .relaxed) }

    func commit(_ batch: CommitBatch, term: Term) throws {
        if failing.exchange(false, ordering: .relaxed) { throw StoreError(.io, "the disk has gone") }
        try store.commit(batch, term: term)
    }
    func beginTerm() throws -> Term { try store.beginTerm() }
    func load(indexOf: (String) -> NodeIndex?) throws -> StoredState { try store.load(indexOf: indexOf) }
    func blob(_ digest: String) throws -> [UInt8]? { try store.blob(digest) }
    func accounting(_ query: AccountingQuery) throws -> [AccountingRecord] { try store.accounting(query) }
    func accountingTransactions(since: Timestamp, until: Timestamp) throws -> [AccountingTransaction] {
        try store.accountingTransactions(since: since, until: until)
    }
    func nodeEvents(since: Timestamp, until: Timestamp) throws -> [NodeEvent] {
        try store.nodeEvents(since: since, until: until)
    }
    func pastReservations(since: Timestamp, until: Timestamp) throws -> [Reservation] {
        try store.pastReservations(since: since, until: until)
    }
    var hasRoom: Bool { store.hasRoom }
}
