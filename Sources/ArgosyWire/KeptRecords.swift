// Triggers, crontabs and events of nodes, to the wire and back.
public import ArgosyDomain

extension WireTrigger {
    public init(_ trigger: Trigger) {
        self.init()
        id = trigger.id
        resource = trigger.resource.rawValue
        kind = trigger.kind.rawValue
        name = trigger.name
        offsetS = trigger.offset
        uid = trigger.uid
        gid = trigger.gid
        user = trigger.user
        permanent = trigger.isPermanent
        program = trigger.program
        fired = trigger.fired
    }

    /// Nil: of a newer release.
    public var domain: Trigger? {
        guard let resource = TriggerResource(rawValue: resource), let kind = TriggerKind(rawValue: kind) else {
            return nil
        }
        var trigger = Trigger(
            id: id, resource: resource, kind: kind, name: name, offset: offsetS, uid: uid, gid: gid, user: user,
            isPermanent: permanent, program: program)
        trigger.fired = fired
        return trigger
    }
}

extension WireNodeEvent {
    public init(_ event: NodeEvent) {
        self.init()
        node = event.node
        startUs = event.start.microseconds
        endUs = event.end.microseconds
        state = event.state
        reason = event.reason
        uid = event.uid
        tres = event.tres
    }
    public var domain: NodeEvent {
        var event = NodeEvent(
            node: node, start: Timestamp(microseconds: startUs), state: state, reason: reason, uid: uid, tres: tres)
        event.end = Timestamp(microseconds: endUs)
        return event
    }
}

extension WireCrontab {
    public init(_ crontab: Crontab) {
        self.init()
        uid = crontab.uid
        text = crontab.text
        jobs = crontab.entries.map(\.job.rawValue)
        lines = crontab.entries.map(\.line)
    }
    public var domain: Crontab {
        var crontab = Crontab(uid: uid, text: text)
        crontab.entries = zip(jobs, lines).map { .init(job: JobID($0), line: $1) }
        return crontab
    }
}
