import ArgosyCore
import ArgosyDomain
import Testing

/// strigger: what is set fires when it happens, once or each time, and outlives a restart.
@Suite struct TriggerTests {
    private func trigger(
        _ resource: TriggerResource, _ kind: TriggerKind, _ name: String, offset: Int32 = 0, permanent: Bool = false
    ) -> Trigger {
        Trigger(
            resource: resource, kind: kind, name: name, offset: offset, uid: 0, gid: 0, user: "root",
            isPermanent: permanent, program: "/p")
    }

    private func set(_ cluster: inout Cluster, _ trigger: Trigger) -> Answer? {
        let root = cluster.root
        return cluster.ask { .triggerSet(trigger, by: root, reply: $0) }
    }

    private func update(_ cluster: inout Cluster, _ action: NodeAction) {
        let root = cluster.root
        _ = cluster.ask { .nodeUpdateRequested([NodeIndex(0)], action, by: root, reply: $0) }
        cluster.pass(.seconds(1))
    }

    @Test func `a trigger on a job's end fires once and is gone`() throws {
        var cluster = Cluster()
        let job = cluster.submit()
        #expect(set(&cluster, trigger(.job, .fini, "\(job)")) == .triggerSet(1))
        let root = cluster.root
        _ = cluster.ask {
            .cancelRequested(
                JobSelection(items: [.init(job: job)]), signal: 0, batchOnly: false, full: false, by: root, reply: $0)
        }
        cluster.report(0, job, .gone(Usage()))
        cluster.pass(.seconds(1))
        #expect(cluster.fired == ["/p \(job)"])
        #expect(cluster.core.view.triggers.isEmpty && cluster.stored.kept.triggers.isEmpty)
    }

    @Test func `a permanent trigger fires each time a node goes down`() {
        var cluster = Cluster()
        #expect(set(&cluster, trigger(.node, .down, "*", permanent: true)) == .triggerSet(1))
        #expect(set(&cluster, trigger(.node, .up, "n1")) == .triggerSet(2))
        update(&cluster, .down(reason: "x"))
        update(&cluster, .resume)
        update(&cluster, .down(reason: "y"))
        #expect(cluster.fired == ["/p n1", "/p n1", "/p n1"])
        #expect(cluster.core.view.triggers.map(\.id) == [1])
    }

    @Test func `a drained node is told of when its last job has gone`() {
        var cluster = Cluster(nodes: 1)
        let job = cluster.submit()
        _ = set(&cluster, trigger(.node, .drained, "*"))
        update(&cluster, .drain(reason: "x"))
        cluster.pass(.seconds(20))
        #expect(cluster.fired == [])
        let root = cluster.root
        _ = cluster.ask {
            .cancelRequested(
                JobSelection(items: [.init(job: job)]), signal: 0, batchOnly: false, full: false, by: root, reply: $0)
        }
        cluster.report(0, job, .gone(Usage()))
        cluster.pass(.seconds(10))
        #expect(cluster.fired == ["/p n1"])
    }

    @Test func `triggers outlive a restart and numbers are not given again`() {
        var cluster = Cluster()
        _ = set(&cluster, trigger(.node, .down, "*"))
        #expect(set(&cluster, trigger(.node, .down, "*")).isRefused)
        cluster.restart()
        #expect(cluster.core.view.triggers.count == 1)
        let root = cluster.root
        #expect(cluster.ask { .triggersCleared(id: 1, job: 0, uid: nil, by: root, reply: $0) } == .done)
        #expect(set(&cluster, trigger(.node, .down, "*")) == .triggerSet(2))
    }

    @Test func `another user's trigger stays`() {
        var cluster = Cluster()
        _ = set(&cluster, trigger(.node, .down, "*"))
        let caller = cluster.caller
        #expect(cluster.ask { .triggersCleared(id: 1, job: 0, uid: nil, by: caller, reply: $0) }.isRefused)
        #expect(cluster.core.view.triggers.count == 1)
    }

    @Test func `times a node is not at work are kept with their reason`() {
        var cluster = Cluster()
        update(&cluster, .down(reason: "broken"))
        #expect(cluster.stored.kept.openEvents.filter { !$0.node.isEmpty }.map(\.reason) == ["broken"])
        cluster.restart()
        cluster.register(0)
        update(&cluster, .resume)
        #expect(cluster.stored.kept.openEvents.map(\.node) == [""])
    }
}

/// scrontab: a line's job comes back until its owner ends it.
@Suite struct CronTests {
    private func set(_ cluster: inout Cluster, _ text: String, _ when: [String]) -> Answer? {
        let caller = cluster.caller
        let entries = when.map { cron in Cluster.batch { $0.cron = cron } }
        let lines = when.indices.map { UInt32($0) }
        return cluster.ask {
            .crontabSet(Crontab(uid: 1000, text: text), lines: lines, entries, by: caller, reply: $0)
        }
    }

    private func end(_ cluster: inout Cluster, _ job: JobID, attempt: UInt32) {
        cluster.report(0, job, .stepEnded(.batch, StepEnd(exit: .success)), attempt: attempt)
        cluster.report(0, job, .gone(Usage()), attempt: attempt)
    }

    @Test func `the job runs again and again under one id`() throws {
        var cluster = Cluster()
        guard case .crontabSet(let jobs)? = set(&cluster, "x", ["*/5 * * * *"]), let job = jobs.first else {
            Issue.record("no job was made")
            return
        }
        #expect(try cluster.row(job).reason == .beginTime)
        for attempt: UInt32 in 0..<3 {
            let next = try cluster.row(job).eligible
            #expect(next.seconds % 300 == 0 && next > cluster.now)
            cluster.pass(next - cluster.now)
            cluster.pass(.seconds(1))
            #expect(cluster.state(job) == .running)
            end(&cluster, job, attempt: attempt)
            #expect(cluster.state(job) == .pending)
        }
    }

    @Test func `each run begins and ends for its user`() throws {
        var cluster = Cluster()
        let caller = cluster.caller
        let entry = Cluster.batch { ($0.cron, $0.mailTypes, $0.name) = ("* * * * *", [.begin, .end, .requeue], "c") }
        let answer = cluster.ask {
            .crontabSet(Crontab(uid: 1000, text: "x"), lines: [0], [entry], by: caller, reply: $0)
        }
        guard case .crontabSet(let jobs)? = answer, let job = jobs.first else {
            Issue.record("no job was made")
            return
        }
        for attempt: UInt32 in 0..<2 {
            cluster.pass(try cluster.row(job).eligible - cluster.now)
            cluster.pass(.seconds(1))
            end(&cluster, job, attempt: attempt)
        }
        let verbs = cluster.mails.map { mail in
            ["Began", "Ended", "Requeued"].first { mail.subject.contains($0) } ?? mail.subject
        }
        #expect(verbs == ["Began", "Ended", "Began", "Ended"])
    }

    @Test func `without the flag it cannot be cancelled, with it the line is switched off`() throws {
        var cluster = Cluster()
        guard case .crontabSet(let jobs)? = set(&cluster, "@hourly a\n@daily b", ["@hourly", "@daily"]) else {
            Issue.record("no jobs were made")
            return
        }
        let caller = cluster.caller
        var selection = JobSelection(items: [.init(job: jobs[0])])
        _ = cluster.ask { .cancelRequested(selection, signal: 0, batchOnly: false, full: false, by: caller, reply: $0) }
        #expect(cluster.state(jobs[0]) == .pending)
        selection.cron = true
        _ = cluster.ask { .cancelRequested(selection, signal: 0, batchOnly: false, full: false, by: caller, reply: $0) }
        #expect(cluster.state(jobs[0]) == .cancelled)
        let crontab = try #require(cluster.core.view.crontab(of: 1000))
        #expect(crontab.text == "#DISABLED: @hourly a\n@daily b" && crontab.entries.map(\.job) == [jobs[1]])
    }

    @Test func `a new crontab takes the place of the old one, or nothing changes`() throws {
        var cluster = Cluster()
        guard case .crontabSet(let old)? = set(&cluster, "a", ["@hourly"]) else {
            Issue.record("no job was made")
            return
        }
        guard case .crontabRefused(let line, _)? = set(&cluster, "b", ["@daily", "0 0 30 2 *"]) else {
            Issue.record("a time that never comes was taken")
            return
        }
        #expect(line == 1 && cluster.state(old[0]) == .pending)
        cluster.restart()
        guard case .crontabSet? = set(&cluster, "", []) else {
            Issue.record("it was not removed")
            return
        }
        #expect(cluster.state(old[0]) == .cancelled && cluster.core.view.crontab(of: 1000) == nil)
    }
}

extension Answer? {
    fileprivate var isRefused: Bool { if case .refused? = self { true } else { false } }
}
