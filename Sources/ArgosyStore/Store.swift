// What the controller keeps: rows of jobs, steps and nodes, scripts and environments by digest, and three numbers (term,
// time, highest job id). The changes of one or more turns are committed in one transaction, durable when `commit`
// returns. A failed commit leaves nothing behind, or (when only the last fsync failed) all of it; whoever committed
// loads again to see which.
public import ArgosyCore
public import ArgosyDomain

/// Typed operations of a state store. `commit` is called by one thread; the rest may be called by any.
public protocol Store: Sendable {
    /// Starts a life of the controller: the stored term, plus one, is stored. Throws `StoreError`.
    func beginTerm() throws -> Term
    /// All that is live. `indexOf` gives a node's place in the configuration. Throws `StoreError`; `.unknownNode` when
    /// a live job holds a node that is not configured.
    func load(indexOf: (String) -> NodeIndex?) throws -> StoredState
    /// One transaction, all or nothing. Throws `StoreError`; `.fenced` when another term has begun.
    func commit(_ batch: CommitBatch, term: Term) throws
    /// Bytes of a script or environment; nil when there is none of that digest.
    func blob(_ digest: String) throws -> [UInt8]?
    /// Jobs, live and past, ascending by id.
    func accounting(_ query: AccountingQuery) throws -> [AccountingRecord]
    /// The log of changes of accounting records in `since ..< until`, oldest first; unset: no bound.
    func accountingTransactions(since: Timestamp, until: Timestamp) throws -> [AccountingTransaction]
    /// When nodes were not at work: what was not over at `since` and began before `until`; unset: no bound.
    func nodeEvents(since: Timestamp, until: Timestamp) throws -> [NodeEvent]
    /// Reservations that were, with the end they had.
    func pastReservations(since: Timestamp, until: Timestamp) throws -> [Reservation]
    /// False when so little space is left that only what ends work should still be taken. Cheap.
    var hasRoom: Bool { get }
}

/// What one transaction writes.
public struct CommitBatch: Sendable {
    public var changes: [RowChange] = []
    public var blobs: [Blob] = []
    /// Core time of the last turn in it.
    public var time: Timestamp
    public init(time: Timestamp = .unset) { self.time = time }

    public mutating func append(_ other: CommitBatch) {
        changes += other.changes
        blobs += other.blobs
        time = max(time, other.time)
    }
}

/// Bytes kept by their digest (64 hex digits of SHA-256).
public struct Blob: Sendable, Equatable {
    public var digest: String
    public var bytes: [UInt8]
    public init(digest: String, bytes: [UInt8]) {
        self.digest = digest
        self.bytes = bytes
    }
}

public struct AccountingQuery: Sendable {
    /// None: all.
    public var jobs: [JobSelection.Item] = []
    public var uids: [UInt32] = []
    /// Jobs that had not ended before `since` and were submitted before `until`; unset: no bound.
    public var since = Timestamp.unset
    public var until = Timestamp.unset
    public var states: [JobState] = []
    /// False: jobs alone.
    public var withSteps = true
    /// Most records returned.
    public var limit = 100_000
    public init() {}
}

public struct AccountingRecord: Sendable {
    public var job: JobRow
    public var steps: [StepRow]
}

/// Why the store could not do something. `code` is for programs, `message` says what, why and what to do.
public struct StoreError: Error, Sendable, CustomStringConvertible {
    public enum Code: Sendable { case locked, full, io, corrupt, fenced, newerSchema, unknownNode, unavailable }
    public var code: Code
    public var message: String
    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }
    public var description: String { message }
}
