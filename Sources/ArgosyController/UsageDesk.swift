// What running steps use now: their nodes are asked, answers are put together, and after a while given as they are.
internal import ArgosyCore
internal import ArgosyDomain
internal import ArgosyLink
internal import ArgosySystem
internal import ArgosyWire
internal import Glibc
internal import Synchronization

final class UsageDesk: Sendable {
    static let maxGatherings = 64
    /// Seconds a node has to answer.
    static let patience: UInt32 = 5

    private struct Gathering {
        var slot: ReplySlot
        var commit: CommitNumber
        var list: WireStepUsageList
        /// Positions in `list.steps` that each node was asked about.
        var waiting: [String: [Int]]
    }
    private struct State {
        var last: UInt64 = 0
        var gatherings: [UInt64: Gathering] = [:]
    }
    private let state = Mutex(State())
    private let desk: NodeDesk

    init(desk: NodeDesk) { self.desk = desk }

    /// Asks the nodes of `steps`; the slot is answered when all have said what they know, or after `patience`.
    func gather(_ steps: [(StepRow, WireStepUsageInfo)], _ slot: ReplySlot, commit: CommitNumber) throws(Refusal) {
        var questions: [NodeIndex: (name: String, steps: [WireStepName], places: [Int])] = [:]
        for (place, (step, _)) in steps.enumerated() {
            var name = WireStepName()
            name.job = step.key.job.rawValue
            name.attempt = step.key.attempt.rawValue
            name.step = step.step.rawValue
            for node in step.layout.nodes {
                questions[node.index, default: (node.name, [], [])].steps.append(name)
                questions[node.index]?.places.append(place)
            }
        }
        var list = WireStepUsageList()
        list.steps = steps.map(\.1)
        let waiting = Dictionary(questions.values.map { ($0.name, $0.places) }, uniquingKeysWith: { first, _ in first })
        let gathering = Gathering(slot: slot, commit: commit, list: list, waiting: waiting)
        guard !waiting.isEmpty else { return slot.reply(WireReply(.stepUsage(list), commit: commit)) }
        let number = state.withLock { state -> UInt64? in
            guard state.gatherings.count < Self.maxGatherings else { return nil }
            state.last += 1
            state.gatherings[state.last] = gathering
            return state.last
        }
        guard let number else { throw RequestRouter.busy }
        for (node, question) in questions.sorted(by: { $0.key.int < $1.key.int }) {
            var frame = WireControllerToNode()
            frame.usage.number = number
            frame.usage.steps = question.steps
            if !desk.ask(frame, node) { missing(number, question.name) }
        }
        detachThread { [self] in
            sleep(Self.patience)
            finish(number)
        }
    }

    func answered(_ answer: WireUsageAnswer, by node: String) {
        state.withLock { state in
            guard let places = state.gatherings[answer.number]?.waiting.removeValue(forKey: node) else { return }
            for (place, var usage) in zip(places, answer.steps) {
                usage.node = node
                state.gatherings[answer.number]?.list.steps[place].nodes.append(usage)
            }
        }
        finishIfComplete(answer.number)
    }

    private func missing(_ number: UInt64, _ node: String) {
        state.withLock { state in
            state.gatherings[number]?.waiting[node] = nil
            state.gatherings[number]?.list.silentNodes.append(node)
        }
        finishIfComplete(number)
    }

    private func finishIfComplete(_ number: UInt64) {
        if state.withLock({ $0.gatherings[number]?.waiting.isEmpty ?? false }) { finish(number) }
    }

    private func finish(_ number: UInt64) {
        guard var gathering = state.withLock({ $0.gatherings.removeValue(forKey: number) }) else { return }
        gathering.list.silentNodes = (gathering.list.silentNodes + gathering.waiting.keys).sorted()
        for place in gathering.list.steps.indices { gathering.list.steps[place].nodes.sort { $0.node < $1.node } }
        gathering.slot.reply(WireReply(.stepUsage(gathering.list), commit: gathering.commit))
    }
}

extension RequestRouter {
    /// sstat: of own jobs; operators, of all.
    func stepUsage(_ request: WireListStepUsage, _ caller: Caller, _ slot: ReplySlot) {
        parts.views.read { [self] published in
            let selection = Selection(request.jobs)
            var steps: [(StepRow, WireStepUsageInfo)] = []
            published.view.forEachJob { row in
                guard selection.contains(row), !row.state.isEnded,
                    caller.isOperator || row.spec.fields.identity.uid == caller.uid
                else { return }
                for step in published.view.steps(of: row.id) where !step.end.isSet {
                    steps.append((step, WireStepUsageInfo(step, of: row)))
                }
            }
            do throws(Refusal) { try parts.usage.gather(steps, slot, commit: published.commit) } catch {
                refuse(slot, error)
            }
        }
    }
}

extension WireStepUsageInfo {
    init(_ step: StepRow, of row: JobRow) {
        self.init()
        job = row.id.rawValue
        self.step = step.step.rawValue
        if let index = row.arrayIndex {
            arrayJob = row.arrayJob?.rawValue ?? row.id.rawValue
            arrayTask = index
        }
        nodeList = Hostlist.compress(step.layout.nodes.map(\.name))
        tasks = step.layout.tasks
    }
}
