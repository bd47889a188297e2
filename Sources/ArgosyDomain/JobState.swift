/// Slurm's job states. Raw values are stored: never renumber.
///
/// pending -> running (placed), cancelled, failed (refused on the nodes, held)
/// running -> completing (its script ended, it was cancelled, timed out, lost a node)
/// completing -> an ended state when every node has let go, or pending again when it is requeued
/// The ended states are final.
public enum JobState: UInt32, CaseIterable, Sendable {
    case pending = 0, running = 1, suspended = 2, completed = 3, cancelled = 4, failed = 5, timeout = 6
    case nodeFail = 7, preempted = 8, bootFail = 9, deadline = 10, outOfMemory = 11, completing = 12

    /// As `squeue -o %T` shows it.
    public var name: String {
        switch self {
        case .pending: "PENDING"
        case .running: "RUNNING"
        case .suspended: "SUSPENDED"
        case .completed: "COMPLETED"
        case .cancelled: "CANCELLED"
        case .failed: "FAILED"
        case .timeout: "TIMEOUT"
        case .nodeFail: "NODE_FAIL"
        case .preempted: "PREEMPTED"
        case .bootFail: "BOOT_FAIL"
        case .deadline: "DEADLINE"
        case .outOfMemory: "OUT_OF_MEMORY"
        case .completing: "COMPLETING"
        }
    }

    /// As `squeue -o %t` shows it.
    public var code: String {
        switch self {
        case .pending: "PD"
        case .running: "R"
        case .suspended: "S"
        case .completed: "CD"
        case .cancelled: "CA"
        case .failed: "F"
        case .timeout: "TO"
        case .nodeFail: "NF"
        case .preempted: "PR"
        case .bootFail: "BF"
        case .deadline: "DL"
        case .outOfMemory: "OOM"
        case .completing: "CG"
        }
    }

    /// Holds nothing and never changes again.
    public var isEnded: Bool {
        switch self {
        case .pending, .running, .suspended, .completing: false
        case .completed, .cancelled, .failed, .timeout, .nodeFail, .preempted, .bootFail, .deadline, .outOfMemory: true
        }
    }

    /// By long name or short code, in any case.
    public init?(text: String) {
        let wanted = text.uppercased()
        guard let found = JobState.allCases.first(where: { $0.name == wanted || $0.code == wanted }) else { return nil }
        self = found
    }

    /// Slurm's names and codes of states that no job here is ever in: filters take them and match nothing.
    private static let unused = [
        ("CONFIGURING", "CF"), ("RESIZING", "RS"), ("REQUEUED", "RQ"), ("REQUEUE_HOLD", "RH"), ("REQUEUE_FED", "RF"),
        ("RESV_DEL_HOLD", "RD"), ("REVOKED", "RV"), ("SIGNALING", "SI"), ("SPECIAL_EXIT", "SE"), ("STAGE_OUT", "SO"),
        ("STOPPED", "ST"),
    ]

    /// All names that jobs are shown with.
    public static let shownNames = allCases.map(\.name) + ["CONFIGURING", "SPECIAL_EXIT"]

    /// The code of a state's name, of those too that jobs are shown in and never are in.
    public static func code(ofName name: String) -> String? {
        JobState(text: name)?.code ?? unused.first { $0.0 == name }?.1
    }

    /// The states a filter of names and codes, in any case, lets through; nil when one of them is no state of Slurm's.
    /// Empty when it names only states that no job here is ever in.
    public static func matching(_ words: [String]) -> [JobState]? {
        var states: [JobState] = []
        for word in words.map({ $0.uppercased() }) {
            if let state = JobState(text: word) {
                states.append(state)
            } else if !unused.contains(where: { $0.0 == word || $0.1 == word }) {
                return nil
            }
        }
        return states
    }
}

/// How a process, step or job ended. `code` counts only when `signal` is 0.
public struct ExitStatus: Hashable, Sendable {
    public var code: UInt32
    public var signal: UInt32
    public init(code: UInt32, signal: UInt32 = 0) {
        self.code = code
        self.signal = signal
    }
    /// From waitpid(2)'s status word.
    public init(waitStatus: Int32) {
        let signal = UInt32(waitStatus & 0x7f)
        self.init(code: signal == 0 ? UInt32((waitStatus >> 8) & 0xff) : 0, signal: signal)
    }
    public static let success = ExitStatus(code: 0)
    /// Slurm's "0:125" of what the kernel killed for want of memory, however the rest of it ended.
    public static let outOfMemory = ExitStatus(code: 0, signal: 125)
    public var isSuccess: Bool { code == 0 && signal == 0 }
    /// "code:signal", as `sacct` shows it.
    public var text: String { "\(code):\(signal)" }
    /// The one that tells more of the two: signals over codes, then the larger.
    public func worse(of other: ExitStatus) -> ExitStatus {
        (other.signal, other.code) > (signal, code) ? other : self
    }
}

/// What was used, from cgroups. CPU times in microseconds, memory in bytes.
public struct Usage: Hashable, Sendable {
    public var userCPU: UInt64 = 0
    public var systemCPU: UInt64 = 0
    public var peakMemory: UInt64 = 0
    public var oomKills: UInt64 = 0
    public init() {}
    /// Adds another node's share: times and kills add up, the peak is the larger one.
    public mutating func add(_ other: Usage) {
        userCPU &+= other.userCPU
        systemCPU &+= other.systemCPU
        peakMemory = max(peakMemory, other.peakMemory)
        oomKills &+= other.oomKills
    }
}
