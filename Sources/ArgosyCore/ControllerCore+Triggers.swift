// strigger: programs that run when something happens.
//
// What happens in a turn is noted at once, with when it is due; states that have to last (idle, drained) and ends of
// time limits are looked at every `triggerPeriod`, as Slurm does. A trigger that is not permanent is gone when its
// program was ordered to run.
import ArgosyDomain

/// How often states are looked at, while a trigger wants that.
let triggerPeriod = Duration.seconds(5)

extension ControllerCore {
    // MARK: - Requests

    mutating func set(_ trigger: Trigger, by caller: Caller, reply handle: ReplyHandle) {
        var trigger = trigger
        if trigger.resource == .job {
            guard let id = UInt32(trigger.name), let record = record(JobID(id)) else {
                return refuse(handle, Refusal(.invalidJobID, "Invalid job id specified", detail: "job \(trigger.name)"))
            }
            guard !record.state.isEnded else {
                return refuse(handle, Refusal(.jobAlreadyComplete, "Job/step already completing or completed"))
            }
        }
        if trigger.resource == .node, trigger.name != "*" {
            for name in (try? Hostlist.expand(trigger.name)) ?? [] where configuration.node(named: name) == nil {
                return refuse(handle, Refusals.invalidNode(name))
            }
        }
        if tables.triggers.contains(where: { $0.isSame(as: trigger) }) {
            return refuse(handle, Refusal(.malformed, "Duplicate event trigger"))
        }
        guard tables.triggers.count < Self.triggerLimit else {
            return refuse(handle, Refusal(.busy, "Too many event triggers", detail: "at most \(Self.triggerLimit)"))
        }
        trigger.id = takeTriggerID()
        tables.triggers.append(trigger)
        keep(trigger)
        reply(handle, .triggerSet(trigger.id))
        lookAtTriggers()
        watchTriggers()
    }

    static var triggerLimit: Int { 10_000 }

    mutating func clearTriggers(id: UInt32, job: UInt32, uid: UInt32?, by caller: Caller, reply handle: ReplyHandle) {
        let wanted = tables.triggers.filter { trigger in
            (id == 0 || trigger.id == id) && (job == 0 || trigger.resource == .job && trigger.name == "\(job)")
                && (uid == nil || trigger.uid == uid)
        }
        let own = wanted.filter { caller.isOperator || $0.uid == caller.uid }
        if !wanted.isEmpty, own.isEmpty {
            return refuse(handle, Refusals.accessDenied("the trigger is another user's"))
        }
        guard !own.isEmpty else { return refuse(handle, Refusal(.malformed, "No such process")) }
        for trigger in own { remove(trigger.id) }
        reply(handle, .done)
    }

    /// The high-water mark lives with the other ones.
    private mutating func takeTriggerID() -> UInt32 {
        let id = tables.accounting.takeTriggerID()
        writeAccounting()
        return id
    }

    private mutating func keep(_ trigger: Trigger) { turn.changes.append(.kept(.trigger(trigger))) }

    private mutating func remove(_ id: UInt32) {
        tables.triggers.removeAll { $0.id == id }
        turn.changes.append(.kept(.triggerRemoved(id)))
    }

    // MARK: - What happens

    mutating func noteTriggers(ended id: JobID) {
        guard !tables.triggers.isEmpty else { return }
        happened("\(id)") { $0.kind == .fini && $0.resource == .job && $0.name == "\(id)" }
    }

    mutating func noteTriggers(node: NodeIndex, _ kind: TriggerKind) {
        guard !tables.triggers.isEmpty else { return }
        let name = nodeName(node)
        happened(name) { $0.kind == kind && $0.resource == .node && $0.covers(node: name) }
    }

    /// The configuration was read again, or the controller went to work.
    mutating func noteTriggers(controller kind: TriggerKind) {
        happened("*") { $0.kind == kind && $0.resource == .slurmctld }
    }

    private mutating func happened(_ name: String, _ isMeant: (Trigger) -> Bool) {
        for place in tables.triggers.indices where isMeant(tables.triggers[place]) {
            guard !tables.triggers[place].due.contains(where: { $0.name == name }) else { continue }
            let time = now.adding(.seconds(max(0, Int64(tables.triggers[place].offset))))
            tables.triggers[place].due.append(.init(name: name, time: time))
            deadlines.add(max(time, now.adding(.milliseconds(100))), .triggers, 0)
        }
    }

    // MARK: - Time

    mutating func triggersDue() {
        lookAtTriggers()
        for trigger in tables.triggers {
            let due = trigger.due.filter { $0.time <= now }.map(\.name)
            if !due.isEmpty { fire(trigger, due) }
        }
        watchTriggers()
    }

    private mutating func fire(_ trigger: Trigger, _ names: [String]) {
        let argument = trigger.resource == .node ? Hostlist.compress(names) : names.joined(separator: ",")
        turn.effects.append(.triggerFired(trigger, argument: argument))
        guard trigger.isPermanent else { return remove(trigger.id) }
        guard let place = tables.triggers.firstIndex(where: { $0.id == trigger.id }) else { return }
        tables.triggers[place].due.removeAll { names.contains($0.name) }
        if trigger.kind.isState { tables.triggers[place].fired += names }
        keep(tables.triggers[place])
    }

    private mutating func watchTriggers() {
        guard tables.triggers.contains(where: { $0.kind.isState || $0.kind == .time }) else { return }
        deadlines.add(now.adding(triggerPeriod), .triggers, 0)
    }

    private mutating func lookAtTriggers() {
        for place in tables.triggers.indices {
            let trigger = tables.triggers[place]
            switch trigger.kind {
            case .idle, .drained: lookAtNodes(place)
            case .time:
                guard trigger.due.isEmpty, let id = UInt32(trigger.name), let record = record(JobID(id)),
                    record.state == .running
                else { continue }
                let end = limitEnd(of: record, at: now)
                guard end != .never, end.adding(.seconds(Int64(trigger.offset))) <= now else { continue }
                tables.triggers[place].due.append(.init(name: trigger.name, time: now))
            default: continue
            }
        }
        // A job that has gone cannot run out of time any more.
        for trigger in tables.triggers where trigger.kind == .time && trigger.due.isEmpty {
            guard let id = UInt32(trigger.name), record(JobID(id))?.state.isEnded ?? true else { continue }
            remove(trigger.id)
        }
    }

    private mutating func lookAtNodes(_ place: Int) {
        let trigger = tables.triggers[place]
        for index in configuration.nodes.indices {
            let name = configuration.nodes[index].name
            guard trigger.covers(node: name), let node = tables.nodes[UInt32(index)] else { continue }
            let holds = trigger.kind == .drained ? node.isDrained && node.holds.isEmpty : isIdle(node, trigger)
            let known = trigger.fired.contains(name) || trigger.due.contains { $0.name == name }
            if holds, !known {
                tables.triggers[place].due.append(.init(name: name, time: now))
            } else if !holds, known {
                tables.triggers[place].fired.removeAll { $0 == name }
            }
        }
    }

    private func isIdle(_ node: NodeRecord, _ trigger: Trigger) -> Bool {
        guard node.takesWork, node.holds.isEmpty else { return false }
        return !node.lastBusy.isSet || node.lastBusy.adding(.seconds(Int64(trigger.offset))) <= now
    }
}

extension TriggerKind {
    /// Lasts, so that a permanent trigger has to remember that it told of it.
    fileprivate var isState: Bool { self == .idle || self == .drained }
}

extension Trigger {
    fileprivate func covers(node: String) -> Bool {
        name == "*" || ((try? Hostlist.expand(name)) ?? []).contains(node)
    }

    fileprivate func isSame(as other: Trigger) -> Bool {
        resource == other.resource && kind == other.kind && name == other.name && offset == other.offset
            && program == other.program && uid == other.uid
    }
}
