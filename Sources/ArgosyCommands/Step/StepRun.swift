// A step as srun sees it while it runs: what each task did, what to say of it, which exit code it comes to. Pure: frames
// and times go in, lines to print and signals to send come out.

import ArgosyWire

struct StepRun {
    var stepName: String { "StepId=\(created.map { "\($0.job).\($0.step)" } ?? "?")" }

    private(set) var created: WireStepCreated?
    private(set) var exitCode: Int32 = 0
    /// Lines for standard error, without the command's name; taken by the caller.
    var lines: [String] = []
    /// To send to all tasks; taken by the caller.
    var signals: [UInt32] = []
    /// Step to be killed at that time (milliseconds).
    private(set) var killAt: Int64?

    let killsOnBadExit: Bool
    let waitMS: Int64?
    let disablesStatus: Bool
    private var ended: [UInt32: Bool] = [:]
    private var unsaid: [(node: String, text: String, ranks: [UInt32])] = []
    private var finished: Set<String> = []
    private var lastInterrupt: Int64?
    private var interrupts = 0
    private var terminating = false

    /// Seconds between a step's first and last signal, as told to the user.
    private let killWait: Int64
    private var isAborted = false
    private var wasForced = false

    init(killsOnBadExit: Bool, waitSeconds: UInt32?, disablesStatus: Bool, killWait: Int64 = 30) {
        self.killsOnBadExit = killsOnBadExit
        self.killWait = killWait
        waitMS = waitSeconds.flatMap { $0 > 0 ? Int64($0) * 1000 : nil }
        self.disablesStatus = disablesStatus
    }

    var tasks: UInt32 { created?.layout.tasks ?? created.map { $0.layout.nodes.reduce(0) { $0 &+ $1.tasks } } ?? 1 }

    /// All nodes have said their last word.
    var isFinished: Bool { created.map { finished.count >= $0.layout.nodes.count } ?? false }

    /// SLURM_SRUN_REDUCE_TASK_EXIT_MSG: ends with a text that was told are passed over.
    var tellsOnce = false
    private var told: Set<String> = []

    /// --verbose: what happens is told as it does.
    var isVerbose = false

    mutating func start(_ step: WireStepCreated) {
        created = step
        guard isVerbose else { return }
        for (index, node) in step.layout.nodes.enumerated() {
            let first = index < step.firstRank.count ? step.firstRank[index] : 0
            let ranks = Self.ranges(Array(first..<first + node.tasks))
            lines.append("launching \(stepName) on host \(node.name), \(node.tasks) tasks: \(ranks)")
            lines.append("launch/slurm: _task_start: Node \(node.name), \(node.tasks) tasks started")
        }
    }

    mutating func exited(_ task: WireTaskExited, at now: Int64) {
        guard ended.updateValue(true, forKey: task.rank) == nil else { return }
        let (code, text) = Self.describe(task)
        if isVerbose {
            let status = String(task.exit.code << 8 | task.exit.signal, radix: 16)
            lines.append(
                "launch/slurm: _task_finish: Received task exit notification for 1 task of \(stepName) (status=0x"
                    + String(repeating: "0", count: max(0, 4 - status.count)) + status + ").")
            if text == nil { lines.append("launch/slurm: _task_finish: \(task.node): task \(task.rank): Completed") }
        }
        exitCode = max(exitCode, code)
        if let text { say(text, of: task.rank, on: task.node) }
        if task.exit.signal == 9 || task.exit.signal == 15 { wasForced = true }
        if code != 0, killsOnBadExit, !terminating {
            tellEnds()
            lines.append("launch/slurm: _step_signal: Terminating \(stepName)")
            terminating = true
            signals += [18, 15]
            killAt = now + killWait * 1000
        }
        if let waitMS, killAt == nil, ended.count < Int(tasks) { killAt = now + waitMS }
    }

    /// What a task's end adds to srun's exit code, and what to say of it; nil: nothing.
    static func describe(_ task: WireTaskExited) -> (Int32, String?) {
        if task.oom {
            return (
                Int32(clamping: task.exit.signal == 0 ? max(1, task.exit.code) : 128 + task.exit.signal),
                "Out Of Memory"
            )
        }
        if task.exit.signal != 0 {
            return (Int32(clamping: 128 + task.exit.signal), SignalName.text(task.exit.signal))
        }
        if task.exit.code != 0 { return (Int32(clamping: task.exit.code), "Exited with exit code \(task.exit.code)") }
        return (0, nil)
    }

    private mutating func say(_ text: String, of rank: UInt32, on node: String) {
        if tellsOnce, !told.insert(text).inserted { return }
        if let place = unsaid.firstIndex(where: { $0.node == node && $0.text == text }) {
            unsaid[place].ranks.append(rank)
        } else {
            unsaid.append((node, text, [rank]))
        }
    }

    /// Ends of tasks that came together are told together: `error: n1: tasks 0-3: Killed`.
    mutating func tellEnds() {
        for end in unsaid {
            let ranks = Self.ranges(end.ranks.sorted())
            lines.append("error: \(end.node): \(end.ranks.count == 1 ? "task" : "tasks") \(ranks): \(end.text)")
        }
        unsaid = []
    }

    var hasUntoldEnds: Bool { !unsaid.isEmpty }

    mutating func failed(_ failure: WireStepFailure) {
        lines.append("error: \(failure.node.isEmpty ? "" : failure.node + ": ")\(failure.message)")
        exitCode = max(exitCode, 1)
    }

    mutating func nodeFinished(_ node: WireNodeFinished) {
        finished.insert(node.node)
        if node.timedOut { lines.append("error: \(node.node): \(stepName) ended at its time limit") }
        if node.oom, exitCode == 0 { exitCode = 1 }
    }

    /// A node that will not answer any more counts as finished, with an error.
    mutating func lost(_ name: String, why: String) {
        guard finished.insert(name).inserted else { return }
        lines.append("error: \(why)")
        exitCode = max(exitCode, 1)
    }

    mutating func signalled(_ number: Int32, at now: Int64) {
        switch number {
        case 2: interrupted(at: now)
        case 1, 3, 15:
            lines.append("forcing job termination")
            abort()
        default: signals.append(UInt32(number))
        }
    }

    /// The first reports; a second within a second is passed on to the tasks, and ends the step.
    private mutating func interrupted(at now: Int64) {
        let again = lastInterrupt.map { now - $0 < 1000 } ?? false
        lastInterrupt = now
        interrupts = again ? interrupts + 1 : 1
        if !again, !disablesStatus {
            lines.append("interrupt (one more within 1 sec to abort)")
            report()
            return
        }
        if interrupts <= 2, !terminating {
            lines.append("sending Ctrl-C to \(stepName)")
            signals.append(2)
        }
        guard again else { return }
        lines.append("forcing job termination")
        if interrupts > 2 { return abort() }
        // What the interrupt alone does not end.
        if !isAborted { lines.append(waitingText) }
        isAborted = true
        terminating = true
        killAt = now + 1000
    }

    private var waitingText: String {
        "Job step aborted: Waiting up to \(killWait + 2) seconds for job step to finish."
    }

    private mutating func abort() {
        if !isAborted { lines.append(waitingText) }
        isAborted = true
        terminating = true
        signals.append(9)
        killAt = nil
    }

    private mutating func report() {
        let all = 0..<max(tasks, 1)
        let done = all.filter { ended[$0] != nil }
        let running = all.filter { ended[$0] == nil }
        for (ranks, state) in [(running, "running"), (done, "exited")] where !ranks.isEmpty {
            lines.append("\(stepName) \(ranks.count == 1 ? "task" : "tasks") \(Self.ranges(ranks)): \(state)")
        }
    }

    /// What is due at `now`; call when `killAt` has come.
    mutating func tick(at now: Int64) {
        guard let due = killAt, now >= due else { return }
        killAt = nil
        if !terminating, let waitMS {
            lines.append("First task exited \(waitMS / 1000)s ago")
            report()
            lines.append("launch/slurm: _step_signal: Terminating \(stepName)")
            abort()
        } else {
            signals.append(9)
        }
    }

    /// The last words.
    mutating func finish() {
        tellEnds()
        if wasForced, !isAborted { lines.append("Force Terminated \(stepName)") }
    }

    /// `0-3,5`
    static func ranges(_ ranks: [UInt32]) -> String {
        var runs: [(first: UInt32, last: UInt32)] = []
        for rank in ranks {
            if let last = runs.last, last.last + 1 == rank {
                runs[runs.count - 1].last = rank
            } else {
                runs.append((rank, rank))
            }
        }
        return runs.map { $0.first == $0.last ? "\($0.first)" : "\($0.first)-\($0.last)" }.joined(separator: ",")
    }
}
