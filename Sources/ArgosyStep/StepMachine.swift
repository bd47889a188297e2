public import ArgosyDomain

/// One step on one node, from its order to its end: decides, leaves acting to `StepSupervisor`.
///
/// waiting -> running (srun is connected, or nobody is waited for), ended (told to end, or could not start)
/// running -> ending (told to end, time limit, a task failed and the step wants to die of it, srun is gone)
/// running, ending -> killed (the grace is over, or the last task ended: whatever it left behind goes)
/// killed -> ended (every task was reaped)
/// ended is final.
public struct StepMachine: Sendable, Equatable {
    public enum Phase: Equatable, Sendable { case waiting, running, ending, killed, ended }

    /// Facts.
    public enum Input: Equatable, Sendable {
        case clientConnected
        /// The start was tried: tasks that run. A step of which none could start ends.
        case tasksStarted(Int)
        case taskExited(rank: UInt32, ExitStatus)
        case terminateOrdered(grace: Duration)
        case signalOrdered(UInt32)
        case clientLost
        case timeLimitReached
        case graceOver
    }

    /// Orders.
    public enum Action: Equatable, Sendable {
        case startTasks
        case signal(UInt32)
        /// Replaces an earlier grace.
        case startGrace(Duration)
        /// SIGKILL to everything in the step's cgroup but what only serves it.
        case kill
        /// All tasks are reaped: write it down.
        case finish
    }

    public private(set) var phase = Phase.waiting
    public private(set) var timedOut = false
    /// Not yet reaped.
    public private(set) var live = 0
    public private(set) var worst = ExitStatus.success
    private let killOnBadExit: Bool
    private let killWait: Duration
    private static let term: UInt32 = 15
    private static let cont: UInt32 = 18

    public init(killOnBadExit: Bool, killWait: Duration) {
        self.killOnBadExit = killOnBadExit
        self.killWait = killWait
    }

    public mutating func apply(_ input: Input) -> [Action] {
        switch (phase, input) {
        case (.waiting, .clientConnected):
            phase = .running
            return [.startTasks]
        case (.running, .tasksStarted(let count)), (.ending, .tasksStarted(let count)):
            live += count
            return live == 0 ? lastTaskEnded() : []
        case (.running, .taskExited(_, let exit)), (.ending, .taskExited(_, let exit)),
            (.killed, .taskExited(_, let exit)):
            return reaped(exit)
        case (.waiting, .terminateOrdered), (.waiting, .clientLost), (.waiting, .timeLimitReached):
            timedOut = input == .timeLimitReached
            worst = ExitStatus(code: 0, signal: Self.term)
            phase = .ended
            return [.finish]
        case (.running, .timeLimitReached):
            timedOut = true
            return end(after: killWait)
        case (.running, .terminateOrdered(let grace)), (.ending, .terminateOrdered(let grace)):
            return end(after: grace)
        case (.running, .clientLost):
            return end(after: killWait)
        case (.running, .graceOver), (.ending, .graceOver):
            phase = .killed
            return live == 0 ? lastTaskEnded() : [.kill]
        // Something in the cgroup escaped the first kill (it forked meanwhile).
        case (.killed, .graceOver):
            return [.kill]
        case (.running, .signalOrdered(let number)), (.ending, .signalOrdered(let number)):
            return number == 9 ? [.kill] : [.signal(number)]
        case (.ending, .timeLimitReached), (.ending, .clientLost), (.ending, .clientConnected),
            (.running, .clientConnected), (.waiting, .signalOrdered), (.waiting, .graceOver), (.waiting, .tasksStarted),
            (.waiting, .taskExited), (.killed, _), (.ended, _):
            return []
        }
    }

    private mutating func reaped(_ exit: ExitStatus) -> [Action] {
        live -= 1
        worst = worst.worse(of: exit)
        if live == 0 { return lastTaskEnded() }
        return phase == .running && killOnBadExit && !exit.isSuccess ? end(after: killWait) : []
    }

    private mutating func end(after grace: Duration) -> [Action] {
        phase = .ending
        return [.signal(Self.cont), .signal(Self.term), .startGrace(grace)]
    }

    private mutating func lastTaskEnded() -> [Action] {
        phase = .ended
        return [.kill, .finish]
    }
}
