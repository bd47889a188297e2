public import ArgosyDomain

/// Row changes of a turn, committed in one transaction before any effect of the turn. Rows are whole: writing one
/// twice is the same as writing it once.
public enum RowChange: Sendable {
    case job(JobRow)
    /// Leaves the queue's table (its accounting row stays).
    case jobRemoved(JobID)
    case step(StepRow)
    case node(NodeRow)
    case partition(PartitionRow)
    case reservation(Reservation)
    case reservationRemoved(String)
    case accounting(AccountingRow)
    case kept(KeptRow)
    /// The id high-water mark: ids up to and including it were given out.
    case lastJobID(JobID)
}

/// A job as stored: everything needed to go on after a restart. Also its accounting record while it lives and after.
public struct JobRow: Sendable {
    public var id: JobID
    public var spec: JobSpec
    public var partition: String
    public var state: JobState
    public var reason: PendingReason
    public var reasonDetail: String
    public var attempt: Attempt
    public var submit: Timestamp
    public var eligible: Timestamp
    public var start: Timestamp
    public var end: Timestamp
    public var timeLimit: TimeLimit
    public var priority: UInt64
    public var exit: ExitStatus
    public var derivedExit: ExitStatus
    /// Of an array: its id, and this element's index (nil for the array's own record).
    public var arrayJob: JobID?
    public var arrayIndex: UInt32?
    /// The array's own record: elements not started yet, and how many run.
    public var pendingIndices: [IndexRange]
    public var runningElements: UInt32
    public var allocation: Allocation?
    /// Positions in the allocation whose resources are not returned yet, and those that are ready.
    public var nodesHeld: [UInt32]
    public var nodesPrepared: [UInt32]
    public var token: String
    /// What is left of it, in JobDependency's stored text.
    public var dependency = ""
    /// The reservation it runs in; empty: none.
    public var reservation = ""
    /// Of an array that waits for another element by element: indices that need not wait any more.
    public var corresponding: [IndexRange] = []
    public var nextStep: UInt32
    public var endingState: JobState?
    public var deadline: Timestamp
    public var batchLaunched: Bool
    public var requeueAfterEnd: Bool
    public var usage: Usage
    /// While it is suspended; and for how long it was before, which its time limit does not count.
    public var suspendedAt = Timestamp.unset
    public var suspendedFor = Duration.zero
    /// Suspensions and resumptions so far: orders carry this number, so that a late one is known.
    public var pauses: UInt32 = 0
    /// For another job: it goes on by itself when that lets go of its CPUs.
    public var suspendedByPreemption = false
    /// Held, by name.
    public var licenses: [LicenseRequest] = []
    /// The leader's id, for components of a heterogeneous job, and which one this is.
    public var hetLeader: JobID?
    public var hetOffset: UInt32 = 0
    /// When it was last told to make room for another.
    public var preempted = Timestamp.unset
    /// Its warning signal was sent, and marks of its time limit that were mailed.
    public var warned = false
    public var mails = MailTypes()
    /// Why it waits again.
    public var requeueMark = RequeueMark.none
    /// PrologSlurmctld runs for it.
    public var isConfiguring = false
    /// The user who ended it; nil: it ended by itself, or by a rule.
    public var cancelledBy: UInt32?
    public init(id: JobID, spec: JobSpec, partition: String, submit: Timestamp) {
        self.id = id
        self.spec = spec
        self.partition = partition
        self.submit = submit
        state = .pending
        reason = .none
        reasonDetail = ""
        attempt = Attempt(0)
        eligible = .unset
        start = .unset
        end = .unset
        timeLimit = .unlimited
        priority = 0
        exit = .success
        derivedExit = .success
        pendingIndices = []
        runningElements = 0
        nodesHeld = []
        nodesPrepared = []
        token = ""
        nextStep = 0
        deadline = .unset
        batchLaunched = false
        requeueAfterEnd = false
        usage = Usage()
    }
}

public struct StepRow: Sendable {
    public var key: AttemptKey
    public var step: StepID
    public var name: String
    public var state: JobState
    public var layout: Allocation
    public var firstRanks: [UInt32]
    /// Positions in the layout where it has not ended.
    public var nodesRunning: [UInt32]
    public var start: Timestamp
    public var end: Timestamp
    public var exit: ExitStatus
    public var usage: Usage
    /// A node ended it for its time limit; others of its nodes may still run it.
    public var timedOut: Bool
    public var request: StepRequest
    public init(key: AttemptKey, step: StepID, layout: Allocation, request: StepRequest, start: Timestamp) {
        self.key = key
        self.step = step
        self.layout = layout
        self.request = request
        self.start = start
        name = request.name
        state = .running
        firstRanks = []
        timedOut = false
        nodesRunning = []
        end = .unset
        exit = .success
        usage = Usage()
    }
}

public struct NodeRow: Sendable {
    public var name: String
    public var incarnation: Incarnation?
    public var isDrained: Bool
    public var isDown: Bool
    public var reason: String
    public var reasonTime: Timestamp
    public var reasonUID: UInt32
    public var lastReport: UInt64
    public init(name: String) {
        self.name = name
        isDrained = false
        isDown = false
        reason = ""
        reasonTime = .unset
        reasonUID = 0
        lastReport = 0
    }
}

/// A partition whose state an operator set.
public struct PartitionRow: Sendable, Equatable {
    public var name: String
    public var state: String
    /// The configuration's State at that time: when that is another now, the configuration has the last word.
    public var configured: String
    public init(name: String, state: String, configured: String) {
        self.name = name
        self.state = state
        self.configured = configured
    }
}

/// What a start loads: the rows, nothing else.
public struct StoredState: Sendable {
    public var jobs: [JobRow] = []
    public var steps: [StepRow] = []
    public var nodes: [NodeRow] = []
    public var partitions: [PartitionRow] = []
    public var reservations: [Reservation] = []
    public var accounting = StoredAccounting()
    public var kept = StoredKept()
    /// Of each user the last jobs that ended, as many as `RuntimePrediction.remembered` at least; in no order.
    public var endedRuns: [EndedRun] = []
    public var lastJobID = JobID(0)
    /// Core time never goes back before this.
    public var lastTime = Timestamp.unset
    public init() {}
}
