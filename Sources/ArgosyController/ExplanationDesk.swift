// `argosy why` and `--test-only`: answers made by the planner itself, from what it planned last or would plan now.
internal import ArgosyCore
internal import ArgosyDomain
internal import ArgosyScheduler
internal import ArgosyWire

struct ExplanationDesk: Sendable {
    let planner: PlannerThread
    let listing: Listing
    /// Plans for those who only ask.
    let plans: any Planner

    /// Everything the last plan knows of a waiting job. Throws `Refusal` for one that is not known or does not wait.
    func report(_ id: JobID, in view: CoreView) throws(Refusal) -> WireWhyReport {
        guard let info = listing.job(id, in: view) else {
            throw Refusal(
                .invalidJobID, "Invalid job id specified",
                detail: "job \(id) is not queued and did not end lately; sacct knows older ones")
        }
        var report = WireWhyReport()
        report.job = info
        guard let last = planner.last else { return report }
        report.plannedUs = last.snapshot.now.microseconds
        report.queueLength = UInt32(last.snapshot.queue.count)
        guard info.state == JobState.pending.name, let found = Explainer(last.snapshot, last.plan).report(id) else {
            return report
        }
        report.wish = found.wish
        report.queuePlace = UInt32(found.ahead + 1)
        report.expectedStartUs = found.expectedStart.microseconds
        report.expectedNodes = found.expectedNodes
        report.isReserved = info.startIsReserved
        report.reasons = found.reasons.map { reason in
            var wire = WireWhyReason()
            wire.word = reason.reason.word
            wire.detail = reason.sentence
            return wire
        }
        report.nodes = found.rows.map { row in
            var wire = WireWhyNodes()
            wire.what = row.rule
            wire.count = UInt32(row.nodes)
            return wire
        }
        report.sooner = found.suggestions.map { suggestion in
            var wire = WireWhySooner()
            wire.change = suggestion.change
            wire.startUs = suggestion.start.microseconds
            return wire
        }
        return report
    }

    /// When and where a job would start that was only asked about.
    func answer(_ tested: TestedJob) -> WireReply {
        let plan = plans.plan(tested.snapshot)
        var answer = WireTestedStart()
        answer.job = tested.id.rawValue
        guard let job = tested.snapshot.queue.first(where: { $0.id == tested.id }) else {
            return WireReply(refusal: Self.never(""))
        }
        let shape = tested.snapshot.shapes[Int(job.shape)]
        answer.processors = UInt32(clamping: max(shape.tasks, shape.minNodes) * shape.cpusPerTask)
        if let placement = plan.placements.first(where: { $0.job == tested.id }) {
            answer.startUs = tested.snapshot.now.microseconds
            answer.processors = UInt32(placement.allocation.cpuCount)
            answer.nodeList = Hostlist.compress(placement.allocation.nodes.map(\.name))
            answer.partition = tested.snapshot.partitions[placement.partition].name
            return WireReply(.tested(answer))
        }
        let explanation = plan.explanations.first { $0.job == tested.id }
        guard let explanation, explanation.expectedStart.isSet else {
            let why = explanation.map { "\($0.reason.word): \(plan.detail(of: $0))" } ?? ""
            return WireReply(refusal: Self.never(why, isTooBig: explanation?.reason == .partitionNodeLimit))
        }
        answer.startUs = explanation.expectedStart.microseconds
        answer.nodeList = plan.nodeList(of: explanation)
        answer.partition = tested.snapshot.partitions[shape.partitions[0]].name
        return WireReply(.tested(answer))
    }

    /// - Parameter isTooBig: not only now.
    private static func never(_ why: String, isTooBig: Bool = false) -> Refusal {
        Refusal(
            .nodesNotAvailable,
            isTooBig ? "Requested node configuration is not available" : "Requested nodes are busy",
            detail: "no start can be planned for it; \(why)")
    }
}
