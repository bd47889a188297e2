public import ArgosyScheduler
public import ArgosyDomain
extension ControllerCore {
    mutating func load(_ stored: StoredState) {}
    mutating func settleAfterLoad() {}
    mutating func settleFinishedJobs() {}
    mutating func passDeadlines() {}
    mutating func submit(_ fields: JobSpec.Fields, token: String, waitForAllocation: Bool, by: Caller, reply: ReplyHandle) {}
    mutating func cancel(_ selection: JobSelection, signal: UInt32, batchOnly: Bool, full: Bool, by: Caller, reply: ReplyHandle) {}
    mutating func update(_ selection: JobSelection, _ action: JobAction, by: Caller, reply: ReplyHandle) {}
    mutating func update(_ nodes: [NodeIndex], _ action: NodeAction, by: Caller, reply: ReplyHandle) {}
    mutating func requestStep(_ request: StepRequest, by: Caller, reply: ReplyHandle) {}
    mutating func signalStep(_ job: JobID, _ step: StepID, _ signal: UInt32, by: Caller, reply: ReplyHandle) {}
    mutating func wait(for job: JobID, reply: ReplyHandle) {}
    mutating func loseClient(_ reply: ReplyHandle) {}
    mutating func register(_ node: NodeIndex, _ registration: Registration) {}
    mutating func disconnect(_ node: NodeIndex, _ incarnation: Incarnation) {}
    mutating func take(_ report: Report, from node: NodeIndex) {}
    mutating func apply(_ plan: Plan) {}
    /// What a planner needs: eligible jobs in order, nodes, running work. Costs time in proportion to waiting jobs.
    public func planningSnapshot(at now: Timestamp) -> PlanningSnapshot { PlanningSnapshot(version: version, now: now) }
    /// Equal states have equal digests, in every process. For tests and the simulator; costs a walk over everything.
    public var digest: UInt64 { 0 }
    /// What is wrong with the state; empty when it is sound. For tests and the simulator.
    public func checkInvariants() -> [String] { [] }
}
