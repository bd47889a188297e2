public import ArgosyDomain
public import ArgosyScheduler

/// Orders to the world. Performed only once the commit of the turn that gave them is durable, and safe to repeat.
public enum Effect: Sendable {
    case reply(ReplyHandle, Answer)
    case order(NodeIndex, Incarnation, Order)
    /// Reports of this node up to the sequence are durable: it may forget them.
    case acknowledge(NodeIndex, Incarnation, sequence: UInt64)
    /// Uids of operators and administrators by the accounting records, ascending: at the start, and when they change.
    case administratorsChanged([UInt32])
    /// Send it, if mail can be sent; nobody waits for it.
    case mail(MailNote)
    /// Run PrologSlurmctld or EpilogSlurmctld for an attempt; what came of a prolog comes back as `programEnded`.
    case runProgram(JobProgram)
    /// A program of a trigger, as the user whose it is.
    case triggerFired(Trigger, argument: String)
    /// Something a planner should look at changed.
    case planWanted
    /// A node that must not go on: wrong hardware and the like. The shell closes its link and logs.
    case nodeRefused(NodeIndex, why: String)
}

public enum Answer: Sendable, Equatable {
    case refused(Refusal)
    case submitted(JobID)
    case reservationCreated(String)
    case triggerSet(UInt32)
    /// The jobs made of its entries.
    case crontabSet([JobID])
    /// The line (the first is 0) that was refused, and why.
    case crontabRefused(line: UInt32, Refusal)
    case tested(TestedJob)
    case allocated(JobID, Attempt, Allocation)
    case done
    case cancelled([CancelOutcome])
    case stepCreated(JobID, Attempt, StepID, layout: Allocation, firstRanks: [UInt32])
    /// Answer to waitRequested: the job has ended.
    case ended(JobID)
}

/// The cluster with a job in its queue that was only asked about.
public struct TestedJob: Sendable, Equatable {
    /// The id it would have.
    public var id: JobID
    public var snapshot: PlanningSnapshot
    public init(id: JobID, snapshot: PlanningSnapshot) {
        self.id = id
        self.snapshot = snapshot
    }
    public static func == (a: Self, b: Self) -> Bool { a.id == b.id && a.snapshot.version == b.snapshot.version }
}

public struct CancelOutcome: Sendable, Equatable {
    public var job: JobID
    public var text: String
    public var refusal: Refusal?
    public init(job: JobID, text: String, refusal: Refusal?) {
        self.job = job
        self.text = text
        self.refusal = refusal
    }
}

/// What a node is told to do with an attempt. The shell adds scripts, environments and addresses.
public struct Order: Sendable, Equatable {
    public enum Body: Sendable, Equatable {
        /// With `launchBatch` (one-node batch jobs) the batch step starts as soon as the node is ready.
        case prepare(launchBatch: Bool)
        /// The batch step, or a step of srun's.
        case launch(StepID)
        case signal(StepID?, number: UInt32, batchOnly: Bool)
        /// SIGCONT, SIGTERM, grace, SIGKILL, until the cgroup is empty; answered with `gone`.
        case terminate(grace: Duration, why: String)
        /// Everything of it stands still, its time limit too. Numbers ascend: an order without a higher one is a repeat.
        case suspend(number: UInt32)
        case resume(number: UInt32)
        /// The job's time limit is another now; the shell adds what is left of it.
        case setLimit
    }
    public var key: AttemptKey
    public var body: Body
    public init(key: AttemptKey, body: Body) {
        self.key = key
        self.body = body
    }
}
