// The core's own records. A waiting job costs one flat JobRecord, without references, and one reference to its spec;
// what only running jobs have (JobRun) and texts (JobNote) live in tables of their own.
import ArgosyDomain

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
    var partition: UInt16
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

    /// Waits on the user's, the administrator's or our wish rather than for its turn.
    var isHeld: Bool {
        state == .pending && (reason == .jobHeldUser || reason == .jobHeldAdmin || reason == .launchFailedRequeuedHeld)
    }
    var hasElementIndex: Bool { arrayIndex != JobRecord.noIndex }
    var key: AttemptKey { AttemptKey(id, attempt) }
}

/// What a job has that was placed.
struct JobRun: Sendable {
    var allocation: Allocation
    /// Positions in the allocation, ascending.
    var held: [UInt32]
    var prepared: [UInt32] = []
    var usage = Usage()

    func position(of node: NodeIndex) -> UInt32? {
        allocation.nodes.firstIndex { $0.index == node }.map(UInt32.init)
    }
}

/// What is told about a job, not needed to decide.
struct JobNote: Sendable, Equatable {
    var detail: String
    var expectedStart = Timestamp.unset
}

/// What changes at every start and end of a job.
struct NodeRecord: Sendable {
    var freeCPUs: CPUSet
    var freeMemoryMiB: UInt64
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
