// What queries are answered from: an immutable snapshot that shares the core's pages until they change.
public import ArgosyDomain
public import ArgosyScheduler
public import ArgosyScheduler

/// A snapshot of the core. Making and copying one costs a few reference counts.
public struct CoreView: Sendable {
    public var term: Term
    /// The id that the next job gets.
    public var nextJobID: UInt32
    let tables: Tables

    init(term: Term, nextJobID: UInt32, tables: Tables) {
        self.term = term
        self.nextJobID = nextJobID
        self.tables = tables
    }

    public func job(_ id: JobID) -> JobRow? { tables.row(id) }

    /// Ascending id; live and recently ended jobs (MinJobAge).
    public func forEachJob(_ body: (JobRow) -> Void) {
        tables.jobs.forEach { key, _ in
            if let row = tables.row(JobID(key)) { body(row) }
        }
    }

    /// Steps of the job's current or last attempt, in order of creation; the batch step is first.
    public func steps(of job: JobID) -> [StepRow] { tables.steps[job.rawValue] ?? [] }

    /// In configuration order.
    public var nodes: [NodeView] { tables.nodeViews() }

    /// In configuration order.
    public var partitions: [PartitionView] {
        Array(tables.partitions.prefix(tables.configuration.partitions.count))
    }

    /// In the order they were made.
    public var reservations: [Reservation] { tables.reservations }

    /// What is left of what the job waits for; empty: nothing.
    public func dependency(_ id: JobID) -> JobDependency { tables.dependencies[id.rawValue] ?? JobDependency() }

    /// Cores of what a reservation takes of a node.
    public func cores(of node: Reservation.Node, in reservation: Reservation) -> Int {
        let configured = tables.configuration.nodes[node.index.int]
        let threads = max(1, configured.threadsPerCore)
        return node.cpus.isEmpty
            ? configured.cpus / threads : Set(node.cpus.members.map { $0 / threads }).count
    }

    /// Accounts, users, associations and QOS.
    public var accounting: AccountingState { tables.accounting }

    /// What is counted against their limits, and what they used.
    public var book: AccountingBook { tables.book }

    /// Number of the association the job is charged to; nil: none.
    public func association(of job: JobID) -> AssociationID? {
        guard let record = tables.jobs[job.rawValue], record.association >= 0 else { return nil }
        return tables.book.records.associations[Int(record.association)].id
    }

    /// What the last plan that looked at the job said of it; nil: nothing yet.
    public func outlook(_ id: JobID) -> JobOutlook? {
        guard let record = tables.jobs[id.rawValue], record.state == .pending, let note = tables.notes[id.rawValue]
        else { return nil }
        return JobOutlook(
            start: note.expectedStart, isReserved: note.isReserved, nodes: note.nodes, reasons: note.reasons,
            planned: tables.lastPlan)
    }

    /// When the planner expects the job to start; unset when it does not know.
    public func expectedStart(_ id: JobID) -> Timestamp { tables.notes[id.rawValue]?.expectedStart ?? .unset }
}

/// When and where a waiting job is planned, and what keeps it.
public struct JobOutlook: Sendable {
    /// Unset: not known.
    public var start: Timestamp
    /// Later jobs may not delay it.
    public var isReserved: Bool
    /// A hostlist.
    public var nodes: String
    public var reasons: ReasonSet
    /// When the plan was made.
    public var planned: Timestamp
}

extension CoreView {
    /// What was copied between `earlier` and this view because `earlier` was held, in bytes. For measurements.
    public func bytesCopied(since earlier: CoreView) -> Int {
        let (new, old) = (tables, earlier.tables)
        return new.jobs.bytesNotShared(with: old.jobs) + new.specs.bytesNotShared(with: old.specs)
            + new.pendingIndices.bytesNotShared(with: old.pendingIndices)
            + new.runningElements.bytesNotShared(with: old.runningElements)
            + new.runs.bytesNotShared(with: old.runs) + new.notes.bytesNotShared(with: old.notes)
            + new.tokens.bytesNotShared(with: old.tokens) + new.steps.bytesNotShared(with: old.steps)
            + new.nodes.bytesNotShared(with: old.nodes) + new.facts.bytesNotShared(with: old.facts)
    }
}

/// A node as listings show it.
public struct NodeView: Sendable {
    public var index: NodeIndex
    public var name: String
    public var address: String
    /// IDLE MIXED ALLOCATED DOWN UNKNOWN
    public var state: String
    /// DRAIN COMPLETING NOT_RESPONDING
    public var flags: [String]
    public var reason: String
    public var reasonTime: Timestamp
    public var reasonUID: UInt32
    public var cpus: Int
    public var cpusAllocated: Int
    public var memoryMiB: UInt64
    public var memoryAllocatedMiB: UInt64
    /// Nil until it registered in this life of the controller.
    public var registration: Registration?
    public var isConnected: Bool
    public var ioPort: UInt16
    public var weight: UInt32
    /// When it last stopped being busy; unset: never was, or is busy.
    public var lastBusy: Timestamp
    public var partitions: [String]
}

/// A partition as listings show it.
public struct PartitionView: Sendable, Equatable {
    public var name: String
    public var isDefault: Bool
    /// UP DOWN DRAIN INACTIVE
    public var state: String
    public var nodes: [NodeIndex]
    public var maxTime: TimeLimit
    public var defaultTime: TimeLimit
    public var minNodes: UInt32
    public var maxNodes: UInt32
    public var cpus: Int
}
