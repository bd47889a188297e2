// A small model of argosyd: takes orders down before acting on them, runs attempts for their drawn time, and repeats
// reports until they are acknowledged. What is here survives a restart of the daemon, not a reboot.
import ArgosyCore
import ArgosyDomain

struct VirtualNode {
    struct Running {
        var share: Allocation.Node
        var isPrepared = false
        var isTerminating = false
        var isSuspended = false
        /// Of the last order to stand still or go on.
        var pause: UInt32 = 0
        /// Steps ever launched; true while they run.
        var steps: [StepID: Bool] = [:]
    }
    let index: NodeIndex
    let cpus: Int
    let memoryMiB: UInt64
    var boot = 1
    var registration: UInt64 = 0
    var isUp = true
    /// 0: no link.
    var link = 0
    var highestTerm: UInt64 = 0
    var attempts: [AttemptKey: Running] = [:]
    /// Attempts it was told to end: they never start again under this boot.
    var ended: Set<AttemptKey> = []
    var reports: [(sequence: UInt64, key: AttemptKey, body: Report.Body)] = []
    var sequence: UInt64 = 0

    init(index: NodeIndex, cpus: Int, memoryMiB: UInt64) {
        self.index = index
        self.cpus = cpus
        self.memoryMiB = memoryMiB
    }

    var incarnation: Incarnation {
        Incarnation(bootID: "\(index.rawValue)/\(boot)", registration: registration)
    }

    /// All attempts with a cgroup or an unacknowledged report, ascending.
    var held: [Registration.Held] {
        let keys = Set(attempts.keys).union(reports.map(\.key)).sorted()
        return keys.map { key in
            let running = attempts[key]
            return Registration.Held(
                key: key, prepared: running?.isPrepared ?? true, steps: (running?.steps.keys).map { $0.sorted() } ?? [],
                terminating: running?.isTerminating ?? true)
        }
    }

    mutating func reboot() {
        boot += 1
        registration = 0
        attempts = [:]
        ended = []
        reports = []
        sequence = 0
        highestTerm = 0
    }
}
