internal import ArgosyDomain
internal import ArgosyStep
internal import ArgosySystem
internal import ArgosyWire

/// What this node has of one start of one job.
///
/// preparing -> ready, failed, terminating
/// ready, failed -> terminating (told to, or re-read so after a restart)
/// terminating -> gone (nothing runs, cgroups removed); forgotten when the controller has acknowledged it
struct NodeAttempt {
    enum Phase: Equatable { case preparing, ready, failed, terminating, gone }

    let id: AttemptID
    let order: WirePrepare
    let paths: AttemptPaths
    var phase = Phase.preparing
    var preparation: Preparation?
    var steps: [StepID: NodeStep] = [:]
    /// Ended and acknowledged: orders for them are repeats.
    var endedSteps: Set<StepID> = []
    var queuedLaunches: [WireLaunchStep] = []
    /// Told to stand still; and the number of the last order to do so or to go on.
    var isSuspended = false
    var pause: UInt32 = 0
    var relay = NodeRelay()
    var container: WireLocalContainer?
    // While terminating.
    var grace = Duration.zero
    var killAt: Duration?
    var isKilling = false
    var why = ""
    /// Its processes do not die: the node gives up waiting for that.
    var isAbandoned = false
    var epilog = EpilogState.none
    var usage: Usage?
    /// Step daemons that have not said their last word by then are ended.
    var abandonAt: Duration?

    enum EpilogState { case none, running, done }

    /// In the words that Slurm's step daemon ends its line about an end with; empty: cancelled.
    var cause: String {
        if why.hasPrefix("ran past its time limit") { return "DUE TO TIME LIMIT" }
        if why == "requeued" { return "DUE TO JOB REQUEUE" }
        if why.hasPrefix("preempted") { return "DUE TO PREEMPTION" }
        if why.hasPrefix("node ") { return "DUE TO NODE FAILURE, SEE SLURMCTLD LOG FOR DETAILS" }
        return ""
    }

    init(id: AttemptID, order: WirePrepare, paths: AttemptPaths) {
        self.id = id
        self.order = order
        self.paths = paths
    }

    var uid: UInt32 { order.spec.identity.uid }
    var liveSteps: [StepID] { steps.filter { $0.value.phase != .ended }.keys.sorted() }
}

/// A step of it. running -> ended (exit.pb is read, reported, waits for its acknowledgement).
struct NodeStep {
    enum Phase: Equatable { case running, cleaning, ended }

    let id: StepID
    let paths: StepPaths
    var phase = Phase.running
    /// Its daemon's line; -1 before its hello.
    var socket: Int32 = -1
    var pid: Int32 = 0
    /// Its daemon must have said hello by then.
    var helloBy: Duration?
    /// Checked connections of srun that came before the daemon did.
    var waitingClients: [Descriptor] = []
    var startReported = false
}

/// The job's relay socket here.
struct NodeRelay {
    var listener: Descriptor?
    /// By the boot clock.
    var started = Duration.zero
    var process: ChildProcess?
    var upstream: Descriptor?
    var input = RelayFrames()
}
