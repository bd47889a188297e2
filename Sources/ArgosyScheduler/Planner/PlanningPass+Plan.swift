// From what the pass decided to the plan: placements, and for each job that waits its reasons and expected start.
import ArgosyDomain

extension PlanningPass {
    func plan() -> Plan {
        var plan = Plan(version: snapshot.version)
        plan.placements = placements()
        plan.preemptions = preemptions
        var writer = ExplanationWriter(self)
        writer.write(into: &plan)
        plan.statistics.jobs = engine.looked
        plan.statistics.shapes = Set(classOfJob).count
        plan.statistics.reservations = engine.reserved.count
        plan.statistics.hitBudget = resumeAt != nil
        plan.resumeAt = resumeAt
        return plan
    }

    private func placements() -> [Placement] {
        engine.started.flatMap { one in
            let position = Int(queuePosition[Int(one.job)])
            guard let members = together[position] else {
                return [placement(of: position, one.hold, table.durations[Int(one.job)])].compactMap { $0 }
            }
            return zip(members, one.hold.components).compactMap { placement(of: $0, $1, $1.end - machine.now) }
        }
    }

    private func placement(of position: Int, _ hold: NodeHold, _ planned: Int64) -> Placement? {
        guard hold.started >= 0 else { return nil }
        let start = machine.starts[Int(hold.started)]
        let job = snapshot.queue[position]
        let shape = snapshot.shapes[Int(job.shape)]
        var placement = Placement(
            job: job.id,
            allocation: Allocation(nodes: start.grants.map(\.node), cpusPerTask: UInt32(clamping: shape.cpusPerTask)),
            partition: start.partition)
        placement.licenses = start.licenses
        placement.reservation = start.reservation
        let length = start.end - machine.now
        if length < planned { placement.timeLimit = TimeLimit(minutes: UInt32(clamping: length / 60)) }
        return placement
    }
}

/// Writes the explanations of a pass, texts shared.
struct ExplanationWriter {
    private let pass: PlanningPass
    private let context: RuleContext
    private var nodes: PlannedNodes
    private var details: [String] = []
    private var known: [DetailKey: Int32] = [:]
    private var findingsOfClass: [[RuleFinding]?]
    /// Details of jobs that only their class's findings hold, by class: of the first in line, and of the others.
    private var plainDetails: [(first: Int32, other: Int32)]
    /// Where the holds of a heterogeneous job's components are, by position of its hold.
    private let slots: [Int: Int]
    /// Partitions whose first waiting job was met.
    private var hasFirst: [Bool]

    private struct DetailKey: Hashable {
        var planClass: Int32
        var isFirst: Bool
        var isBlocked: Bool
        var others: [RuleFinding]
    }

    init(_ pass: PlanningPass) {
        self.pass = pass
        context = RuleContext(cluster: pass.cluster, tallies: NodeTallies(pass.cluster))
        let all = pass.allHolds
        slots = all.ofComponents
        nodes = PlannedNodes(pass.cluster, all.holds)
        findingsOfClass = Array(repeating: nil, count: pass.machine.classes.count)
        plainDetails = Array(repeating: (-1, -1), count: pass.machine.classes.count)
        hasFirst = Array(repeating: false, count: pass.snapshot.partitions.count)
    }

    mutating func write(into plan: inout Plan) {
        plan.explanations.reserveCapacity(pass.snapshot.queue.count)
        for position in pass.snapshot.queue.indices {
            if let explanation = explain(position) { plan.explanations.append(explanation) }
        }
        plan.details = details
        plan.nodeLists = nodes.texts
    }

    private mutating func explain(_ position: Int) -> Explanation? {
        let job = pass.snapshot.queue[position]
        let waiting = pass.waitingNumber(pass.together[position]?[0] ?? position)
        guard let outcome = waiting.outcome else { return nil }
        let number = pass.classOfJob[position]
        var findings: [RuleFinding] = []
        if job.waits.rawValue != 0 || job.begin.isSet || job.deadline.isSet {
            for rule in Rules.ofJobs { if let found = rule.finding(job, context) { findings.append(found) } }
        }
        let isHeldAnyway = !findings.isEmpty
        if case .notAdmitted = outcome, let engineNumber = waiting.number {
            for blocker in pass.machine.limits.blockers(engineNumber) {
                findings.append(
                    RuleFinding(reason: blocker.reason, sentence: pass.machine.limits.sentence(for: blocker)))
            }
        }
        let own = classFindings(number)
        // What stands in the way beside these is for resources; a job that is held is not first in line.
        let isFirst = !isHeldAnyway && own.isEmpty && findings.isEmpty && takesLead(number)
        return assemble(job, number, outcome, waiting.number, findings, own, isFirst)
    }

    private mutating func assemble(
        _ job: PlanningSnapshot.Job, _ number: Int32, _ outcome: PlanningPass.Outcome, _ engineNumber: Int32?,
        _ findings: [RuleFinding], _ own: [RuleFinding], _ isFirst: Bool
    ) -> Explanation {
        let main: PendingReason
        if let first = findings.first ?? own.first {
            main = first.reason
        } else {
            main = isFirst ? .resources : .priority
        }
        var explanation = Explanation(job: job.id, reason: main)
        for finding in findings { explanation.reasons.insert(finding.reason) }
        for finding in own { explanation.reasons.insert(finding.reason) }
        let planClass = pass.machine.classes[Int(number)]
        if !planClass.isNever, planClass.misfits || main == .resources || main == .priority {
            explanation.reasons.insert(isFirst ? .resources : .priority)
        }
        switch outcome {
        case .reserved(let start), .planned(let start):
            explanation.expectedStart = Timestamp(seconds: start)
            if case .reserved = outcome { explanation.isReserved = true }
            if let engineNumber, let slot = pass.slot(of: job, engineNumber, slots) {
                explanation.nodes = nodes.list(slot)
            }
        case .notLooked, .started, .waits, .notAdmitted, .never: break
        }
        explanation.detail = detail(number, isFirst, findings, own)
        return explanation
    }

    /// Whether the job is the first of one of its partitions that waits for resources.
    private mutating func takesLead(_ number: Int32) -> Bool {
        let shape = pass.snapshot.shapes[pass.machine.classes[Int(number)].shape]
        var isFirst = false
        for partition in shape.partitions where !hasFirst[partition] {
            hasFirst[partition] = true
            isFirst = true
        }
        return isFirst
    }

    private mutating func classFindings(_ number: Int32) -> [RuleFinding] {
        if let found = findingsOfClass[Int(number)] { return found }
        let planClass = pass.machine.classes[Int(number)]
        let found = Rules.ofClasses.compactMap { $0.finding(planClass, context) }
        findingsOfClass[Int(number)] = found
        return found
    }

    private mutating func detail(
        _ number: Int32, _ isFirst: Bool, _ findings: [RuleFinding], _ own: [RuleFinding]
    ) -> Int32 {
        if findings.isEmpty {
            let known = isFirst ? plainDetails[Int(number)].first : plainDetails[Int(number)].other
            if known >= 0 { return known }
        }
        let key = DetailKey(planClass: number, isFirst: isFirst, isBlocked: !own.isEmpty, others: findings)
        if let index = known[key] { return index }
        var clauses = (findings + own).map(\.sentence)
        if own.isEmpty {
            let planClass = pass.machine.classes[Int(number)]
            clauses.append(ResourcesRule.finding(planClass, isFirst: isFirst, context).sentence)
        }
        let index = Int32(details.count)
        details.append(clauses.joined(separator: "; "))
        known[key] = index
        if findings.isEmpty {
            if isFirst { plainDetails[Int(number)].first = index } else { plainDetails[Int(number)].other = index }
        }
        return index
    }
}

extension PlanningPass {
    /// All that is held; behind it the holds of heterogeneous jobs' components, and where those of each begin.
    var allHolds: (holds: [NodeHold], ofComponents: [Int: Int]) {
        var holds = machine.holds.holds
        var slots: [Int: Int] = [:]
        for (index, hold) in machine.holds.holds.enumerated() where !hold.components.isEmpty {
            slots[index] = holds.count
            holds += hold.components
        }
        return (holds, slots)
    }

    /// Which of `allHolds` a waiting job is planned on: of a heterogeneous job its own component's.
    func slot(of job: PlanningSnapshot.Job, _ number: Int32, _ slots: [Int: Int]) -> Int? {
        let index = machine.holds.index(of: Int(number))
        guard index >= 0 else { return nil }
        guard let first = slots[index], let members = together[Int(queuePosition[Int(number)])],
            let component = members.firstIndex(where: { snapshot.queue[$0].id == job.id }),
            component < machine.holds.holds[index].components.count
        else { return index }
        return first + component
    }

    /// What became of the first element of a job that did not start; an outcome of nil: all were started, or the pass
    /// did not come to it.
    func waitingNumber(_ position: Int) -> (number: Int32?, outcome: Outcome?) {
        let first = Int(firstNumber[position])
        guard first >= 0 else { return (nil, isNever(position) ? .never : .waits) }
        var number = first
        while number < queuePosition.count, Int(queuePosition[number]) == position {
            switch outcomes[number] {
            case .started: number += 1
            case .notLooked: return (Int32(number), nil)
            case .reserved, .planned, .waits, .notAdmitted, .never: return (Int32(number), outcomes[number])
            }
        }
        return (nil, nil)
    }

    private func isNever(_ position: Int) -> Bool { machine.classes[Int(classOfJob[position])].isNever }
}
