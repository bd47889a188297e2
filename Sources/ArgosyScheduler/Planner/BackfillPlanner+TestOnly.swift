// `sbatch --test-only`: the pass that would be made if the job were in the queue.
public import ArgosyDomain

/// When and where a job would start.
public struct TestOnlyAnswer: Sendable, Equatable {
    /// Unset: it would not be planned; `reason` says why.
    public var start: Timestamp
    /// A hostlist.
    public var nodes: String
    /// CPUs it would get; 0 unless it would start at once.
    public var cpus: Int
    /// Position of the partition; nil where that is not known yet.
    public var partition: Int?
    public var reason: PendingReason
    /// Why it would wait, with numbers; empty when it would start at once.
    public var sentence: String
}

extension BackfillPlanner {
    /// Plans `job` of `shape` as if it waited among the others, by its priority.
    ///
    /// - Parameters:
    ///   - shape: what it asks for, by the positions of `snapshot`.
    ///   - job: its `shape` is ignored; its id must be nobody else's (the next one that will be given, say).
    ///   - counts: what it counts for in the book, if there is one.
    public func testOnly(
        _ shape: Shape, _ job: PlanningSnapshot.Job, _ counts: PlanningSnapshot.ShapeTRES? = nil,
        in snapshot: PlanningSnapshot
    ) -> TestOnlyAnswer {
        var asked = snapshot
        var job = job
        job.shape = Int32(asked.shapes.count)
        asked.shapes.append(shape)
        if asked.book != nil, asked.shapeTRES.count == asked.shapes.count - 1 {
            asked.shapeTRES.append(counts ?? PlanningSnapshot.ShapeTRES(tres: [:], tresPerNode: [:]))
        }
        asked.queue.insert(job, at: asked.queue.firstIndex { $0.priority < job.priority } ?? asked.queue.count)
        // Nobody waits for the answer's sake: all jobs before it are looked at.
        asked.settings.passBudget = 0
        asked.resumeAt = nil
        let plan = plan(asked)
        if let placement = plan.placements.first(where: { $0.job == job.id }) {
            return TestOnlyAnswer(
                start: snapshot.now, nodes: Hostlist.compress(placement.allocation.nodes.map(\.name)),
                cpus: placement.allocation.cpuCount, partition: placement.partition, reason: .none, sentence: "")
        }
        let explanation = plan.explanations.first { $0.job == job.id }
        return TestOnlyAnswer(
            start: explanation?.expectedStart ?? .unset, nodes: explanation.map { plan.nodeList(of: $0) } ?? "",
            cpus: 0,
            partition: shape.partitions.count == 1 ? shape.partitions[0] : nil, reason: explanation?.reason ?? .none,
            sentence: explanation.map { plan.detail(of: $0) } ?? "")
    }
}
