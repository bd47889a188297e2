// The core's own records. A waiting job costs one flat JobRecord, without references, and one reference to its spec;
// what only running jobs have (JobRun) and texts (JobNote) live in tables of their own.
import ArgosyDomain
import ArgosyScheduler

/// The hot part of a job. Flat: copying a page of these touches no reference count.
struct JobRecord: Sendable {
    static let noIndex = UInt32.max

    var submit: Timestamp
    var eligible: Timestamp
    var start = Timestamp.unset
    var end = Timestamp.unset
    var deadline = Timestamp.unset
    var priority: UInt64 = 0
    let id: JobID
    var attempt = Attempt(0)
    var timeLimit: TimeLimit
    var exit = ExitStatus.success
    var derivedExit = ExitStatus.success
    /// 0: not of an array.
    var arrayJob: UInt32 = 0
    /// `noIndex` for the array's own record and jobs that are of no array.
    var arrayIndex = JobRecord.noIndex
    var nextStep: UInt32 = 0
    /// The one it runs in; while it waits, the first of those it may run in.
    var partition: UInt16
    var uid: UInt32
    /// Number of its demand among the core's shapes, while it waits; -1: none.
    var shape: Int32 = -1
    /// Positions in the accounting book; -1: none.
    var association: Int32 = -1
    var qos: Int32 = -1
    /// What it waits for of other jobs.
    var dependency = DependencyWait.none
    /// The highest of its partitions' tiers.
    var tier: UInt16 = 1
    var allowsPreemptRequeue: Bool { isBatch && allowsRequeue }
    /// `--deadline`: must have ended by then; unset: none.
    var endBy = Timestamp.unset
    /// `--time-min`; not given: the limit stands.
    var timeMin = TimeLimit.notGiven
    /// While it is suspended, and for how long it was before.
    var suspendedAt = Timestamp.unset
    var suspendedFor = Duration.zero
    var suspendedByPreemption = false
    /// Suspensions and resumptions of this attempt so far.
    var pauses: UInt32 = 0
    var preempted = Timestamp.unset
    /// `.max`: nobody.
    var cancelledBy = UInt32.max
    /// 0: not of a heterogeneous job.
    var hetLeader: UInt32 = 0
    var hetOffset: UInt32 = 0
    var state = JobState.pending
    var reason = PendingReason.none
    var endingState: JobState?
    var batchLaunched = false
    var requeueAfterEnd = false
    /// What the requeued job will wait for; `.none`: nothing but its turn.
    var holdAfterRequeue = PendingReason.none
    var isBatch: Bool
    var killOnClientLoss: Bool
    var allowsRequeue: Bool
    /// Its warning signal was sent.
    var warned = false
    /// Marks of its time limit that were mailed.
    var mails = MailTypes()
    var requeueMark = RequeueMark.none
    /// PrologSlurmctld runs: nothing is ordered of its nodes yet.
    var isConfiguring = false

    /// Waits on the user's, the administrator's or our wish rather than for its turn.
    var isHeld: Bool {
        state == .pending
            && (reason == .jobHeldUser || reason == .jobHeldAdmin || reason == .launchFailedRequeuedHeld
                || reason == .reservationDeleted || reason == .jobRequeuedHeld)
    }
    var hasElementIndex: Bool { arrayIndex != JobRecord.noIndex }
    var key: AttemptKey { AttemptKey(id, attempt) }
}

extension JobRecord {
    /// A part of a waiting array under an id of its own: one element, or (`noIndex`) some that were cancelled.
    init(_ id: JobID, elementOf array: JobRecord, index: UInt32) {
        self.init(
            submit: array.submit, eligible: array.eligible, id: id, timeLimit: array.timeLimit,
            partition: array.partition, uid: array.uid, isBatch: array.isBatch, killOnClientLoss: false,
            allowsRequeue: array.allowsRequeue)
        priority = array.priority
        arrayJob = array.id.rawValue
        arrayIndex = index
        shape = array.shape
        association = array.association
        qos = array.qos
        tier = array.tier
        endBy = array.endBy
        timeMin = array.timeMin
    }
}

/// Whether other jobs let it start: not yet, or never.
enum DependencyWait: UInt8, Sendable { case none, waits, never }

/// What a job has that was placed.
struct JobRun: Sendable {
    var allocation: Allocation
    /// Positions in the allocation, ascending.
    var held: [UInt32]
    var prepared: [UInt32] = []
    var usage = Usage()
    var licenses: [Shape.LicenseDemand] = []
    /// How long it was thought to run when it started, seconds; 0: not known.
    var predicted: Int64 = 0
    /// Suspended: others may have its CPUs, nothing else of it.
    var hasLentCPUs = false
    /// The job it stands still for; 0: none.
    var beneficiary: UInt32 = 0

    func position(of node: NodeIndex) -> UInt32? {
        allocation.nodes.firstIndex { $0.index == node }.map(UInt32.init)
    }
}

/// What is told about a job, not needed to decide.
struct JobNote: Sendable, Equatable {
    var detail: String
    var expectedStart = Timestamp.unset
    /// Later jobs may not delay that start.
    var isReserved = false
    /// Where it is planned: a hostlist.
    var nodes = ""
    /// All that keep it from starting.
    var reasons = ReasonSet()
}

/// What changes at every start and end of a job.
struct NodeRecord: Sendable {
    var freeCPUs: CPUSet
    var freeMemoryMiB: UInt64
    /// By position in the hardware's list.
    var freeGRES: [PlanningSnapshot.FreeGRES] = []
    /// Attempts the books say hold something here, ascending.
    var holds: [AttemptKey] = []
    /// Attempts the node still has that nobody knows any more: nothing new starts before they are gone. Ascending.
    var strays: [AttemptKey] = []
    var isConnected = false
    var isDrained = false
    var isDown = false
    /// DOWN for want of an answer, not by an administrator: ReturnToService=1 brings it back.
    var isLost = false
    var isRegistered = false
    var lastBusy = Timestamp.unset
    /// When it is given up, while it is not connected.
    var downAt = Timestamp.never

    var takesWork: Bool { isConnected && isRegistered && !isDrained && !isDown && strays.isEmpty }
}

/// What seldom changes.
struct NodeFacts: Sendable {
    var incarnation: Incarnation?
    var registration: Registration?
    var reason = ""
    var reasonTime = Timestamp.unset
    var reasonUID: UInt32 = 0
}
