// `argosy why JOB`: everything the planner knows of one job, and what would make it start sooner.
//
// The queue up to the job is planned once more, then the job is searched a place on what that leaves: as it is, and with
// one thing changed at a time. Only changes that the planner finds an earlier start for are told.
public import ArgosyDomain

public struct JobReport: Sendable, Equatable {
    public struct Reason: Sendable, Equatable {
        public var reason: PendingReason
        public var sentence: String
    }
    public struct Row: Sendable, Equatable {
        /// "with too few free CPUs", "down", ...; the last row may be "free for it".
        public var rule: String
        public var nodes: Int
    }
    public struct Suggestion: Sendable, Equatable {
        /// "--time=60", "--nodes=2", ...
        public var change: String
        public var start: Timestamp
    }
    public var job: JobID
    /// The main one first.
    public var reasons: [Reason]
    /// What it wants, in words.
    public var wish: String
    /// Nodes of its partitions by the first rule each fails.
    public var rows: [Row]
    /// Unset: not known.
    public var expectedStart: Timestamp
    /// A hostlist.
    public var expectedNodes: String
    /// Jobs of the queue before it.
    public var ahead: Int
    public var suggestions: [Suggestion]
}

public struct Explainer: Sendable {
    public let snapshot: PlanningSnapshot
    public let plan: Plan

    /// - Parameter plan: made from `snapshot`.
    public init(_ snapshot: PlanningSnapshot, _ plan: Plan) {
        var ordered = snapshot
        if snapshot.settings.usesDefaultPolicy { _ = ordered.orderByPolicy() }
        self.snapshot = ordered
        self.plan = plan
    }

    /// The report of a waiting job; nil: it does not wait in this snapshot, or the plan starts it.
    public func report(_ id: JobID) -> JobReport? {
        guard let position = snapshot.queue.firstIndex(where: { $0.id == id }),
            let explanation = plan.explanations.first(where: { $0.job == id })
        else { return nil }
        let job = snapshot.queue[position]
        let changes = Variation.all(of: job, snapshot)
        var replanned = Replanned(snapshot, before: position, job, changes)
        var report = JobReport(
            job: id, reasons: replanned.reasons(explanation, plan), wish: replanned.tally.wish,
            rows: replanned.tally.rows.map { JobReport.Row(rule: $0.rule.words, nodes: $0.nodes) },
            expectedStart: explanation.expectedStart, expectedNodes: plan.nodeList(of: explanation), ahead: position,
            suggestions: [])
        guard job.waits.isEmpty else { return report }
        report.suggestions = replanned.suggestions(explanation.expectedStart)
        return report
    }
}

/// The queue before a job, planned, with the job and its variations at hand.
private struct Replanned {
    private var pass: PlanningPass
    private let changes: [Variation]
    private let planClass: Int32
    private let variants: [Int32]
    private let context: RuleContext
    let tally: NodeTally

    init(_ snapshot: PlanningSnapshot, before position: Int, _ job: PlanningSnapshot.Job, _ changes: [Variation]) {
        var asked = snapshot
        asked.settings.passBudget = 0
        asked.resumeAt = nil
        asked.queue = Array(snapshot.queue[..<position])
        var extra = [job]
        for change in changes {
            var changed = change.job
            changed.shape = Int32(asked.shapes.count)
            asked.shapes.append(change.shape)
            if asked.book != nil, let counts = asked.shapeTRES.first { asked.shapeTRES.append(counts) }
            extra.append(changed)
        }
        pass = PlanningPass(asked, extra: extra)
        pass.run()
        self.changes = changes
        self.job = job
        planClass = pass.extraClasses[0]
        variants = Array(pass.extraClasses.dropFirst())
        let tallies = NodeTallies(pass.cluster)
        context = RuleContext(cluster: pass.cluster, tallies: tallies)
        let own = pass.machine.classes[Int(planClass)]
        let start = own.options.isEmpty ? nil : pass.start(of: planClass)
        if start == nil { own.isNever = true }
        tally = tallies.of(own)
    }
    private let job: PlanningSnapshot.Job

    func reasons(_ explanation: Explanation, _ plan: Plan) -> [JobReport.Reason] {
        var found: [RuleFinding] = Rules.ofJobs.compactMap { $0.finding(job, context) }
        let own = pass.machine.classes[Int(planClass)]
        found += pass.blockers(job)
        found += Rules.ofClasses.compactMap { $0.finding(own, context) }
        if explanation.reasons.contains(.resources) || explanation.reasons.contains(.priority) {
            found.append(
                ResourcesRule.finding(own, isFirst: explanation.reasons.contains(.resources), context))
        }
        // What the pass itself found and this cannot see again.
        for reason in explanation.reasons.members where !found.contains(where: { $0.reason == reason }) {
            found.append(RuleFinding(reason: reason, sentence: plan.detail(of: explanation)))
        }
        return found.map { JobReport.Reason(reason: $0.reason, sentence: $0.sentence) }
    }

    /// Changes with an earlier start than both the plan and the job as it is, best first.
    mutating func suggestions(_ expected: Timestamp) -> [JobReport.Suggestion] {
        let asItIs = pass.start(of: planClass)
        var found: [JobReport.Suggestion] = []
        var topics = Set<Variation.Topic>()
        for (index, change) in changes.enumerated() where !topics.contains(change.topic) {
            guard let start = pass.start(of: variants[index]), start < asItIs ?? .max,
                !expected.isSet || Timestamp(seconds: start) < expected
            else { continue }
            // Of one topic the smallest change comes first and is enough.
            topics.insert(change.topic)
            found.append(JobReport.Suggestion(change: change.words, start: Timestamp(seconds: start)))
        }
        return found.sorted { ($0.start, $0.change) < ($1.start, $1.change) }
    }
}

extension PlanningPass {
    /// Where a class that is not in the queue would start, seconds.
    mutating func start(of number: Int32) -> Int64? {
        let planClass = machine.classes[Int(number)]
        if planClass.options.isEmpty { return nil }
        planClass.restart()
        return machine.search(planClass, from: max(machine.now, planClass.begin), duration: planClass.duration)?.time
    }

    func blockers(_ job: PlanningSnapshot.Job) -> [RuleFinding] {
        guard let book = snapshot.book else { return [] }
        return book.blockers(JobSelection.limited(job, snapshot), at: snapshot.now).map {
            RuleFinding(reason: $0.reason, sentence: book.sentence(for: $0))
        }
    }
}
