import ArgosyConfig
import ArgosyCore
import ArgosyDomain
import ArgosyScheduler
import Testing

/// What the core remembers for the default policy.
@Suite struct PolicyTests {
    private static func identity(_ uid: UInt32) -> Identity {
        Identity(uid: uid, gid: 1000, user: "u\(uid)", group: "g")
    }

    /// A job of the user's that ran `minutes` of its 100.
    private static func run(_ minutes: Int64, in cluster: inout Cluster) -> JobID {
        let job = cluster.submit { $0.timeLimit = TimeLimit(minutes: 100) }
        cluster.report(0, job, .prepared)
        cluster.now = cluster.now.adding(.seconds(minutes * 60))
        cluster.report(0, job, .stepEnded(.batch, StepEnd(exit: .success)))
        cluster.report(0, job, .gone(Usage()))
        return job
    }

    /// Of a waiting job of 100 minutes.
    private static func prediction(_ cluster: inout Cluster) throws -> Int64 {
        cluster.plansAutomatically = false
        let job = cluster.submit { $0.timeLimit = TimeLimit(minutes: 100) }
        let waiting = cluster.core.planningSnapshot(at: cluster.now).queue.first { $0.id == job }
        _ = cluster.cancel(job)
        cluster.plansAutomatically = true
        return try #require(waiting).predictedRun
    }

    @Test func `a job is thought to use what its user's last ones did`() throws {
        var cluster = Cluster(nodes: 1)
        #expect(try Self.prediction(&cluster) == 6000)
        _ = Self.run(10, in: &cluster)
        #expect(try Self.prediction(&cluster) == 600)
        _ = Self.run(30, in: &cluster)
        #expect(try Self.prediction(&cluster) == 1200)
        for _ in 0..<RuntimePrediction.remembered { _ = Self.run(50, in: &cluster) }
        #expect(try Self.prediction(&cluster) == 3000)
    }

    @Test func `histories survive a restart, and the end of ended jobs' stay`() throws {
        var cluster = Cluster(nodes: 1) { $0.minJobAge = .seconds(60) }
        for minutes in [80, 10, 20, 30, 40, 50, 60, 70, 75] as [Int64] { _ = Self.run(minutes, in: &cluster) }
        cluster.pass(.seconds(3600))
        #expect(cluster.stored.jobs.isEmpty)
        let before = try Self.prediction(&cluster)
        cluster.restart()
        #expect(try Self.prediction(&cluster) == before)
        #expect(before == 100 * 60 * (10 + 20 + 30 + 40 + 50 + 60 + 70 + 75) / 8 / 100)
    }

    @Test func `only ends that tell of the job count`() throws {
        var cluster = Cluster(nodes: 1)
        let job = cluster.submit { $0.timeLimit = TimeLimit(minutes: 100) }
        cluster.report(0, job, .prepared)
        cluster.now = cluster.now.adding(.seconds(60))
        let root = cluster.root
        _ = cluster.ask { .nodeUpdateRequested([NodeIndex(0)], .down(reason: "broken"), by: root, reply: $0) }
        #expect(try Self.prediction(&cluster) == 6000)
    }

    @Test func `a running job keeps the prediction it started with`() throws {
        var cluster = Cluster(nodes: 1)
        let first = cluster.submit { $0.timeLimit = TimeLimit(minutes: 100) }
        cluster.report(0, first, .prepared)
        let start = cluster.now
        _ = Self.run(10, in: &cluster)
        let running = try #require(cluster.core.planningSnapshot(at: cluster.now).running.first { $0.job == first })
        #expect(running.predictedEnd == start.adding(.seconds(6000)))
        let next = cluster.submit { $0.timeLimit = TimeLimit(minutes: 100) }
        let snapshot = cluster.core.planningSnapshot(at: cluster.now)
        #expect(snapshot.running.first { $0.job == next }?.predictedEnd == cluster.now.adding(.seconds(600)))
        // It ran past that: doubled.
        let later = cluster.core.planningSnapshot(at: cluster.now.adding(.seconds(700)))
        #expect(later.running.first { $0.job == next }?.predictedEnd == cluster.now.adding(.seconds(1200)))
    }

    @Test func `priorities that somebody gave put a job before or behind all others`() throws {
        var cluster = Cluster(nodes: 1)
        cluster.plansAutomatically = false
        let root = cluster.root
        let plain = cluster.submit()
        let (high, low) = (cluster.submit(), cluster.submit { $0.nice = 10 })
        let selection = ArgosyCore.JobSelection(items: [.init(job: high, indices: [])])
        var changes = JobChanges()
        changes.priority = 4_294_901_765
        _ = cluster.ask { .jobChangeRequested(selection, changes, by: root, reply: $0) }
        let queue = cluster.core.planningSnapshot(at: cluster.now).queue
        #expect(queue.first { $0.id == high }?.standing == 1)
        #expect(queue.first { $0.id == plain }?.standing == 0)
        #expect(queue.first { $0.id == low }?.standing == -1)
    }

    @Test func `a released job has not waited while it was held`() throws {
        var cluster = Cluster(nodes: 1)
        cluster.plansAutomatically = false
        let caller = cluster.caller
        let job = cluster.submit()
        let selection = ArgosyCore.JobSelection(items: [.init(job: job, indices: [])])
        _ = cluster.ask { .jobUpdateRequested(selection, .hold, by: caller, reply: $0) }
        cluster.now = cluster.now.adding(.seconds(86_400))
        _ = cluster.ask { .jobUpdateRequested(selection, .release, by: caller, reply: $0) }
        #expect(try cluster.row(job).eligible == cluster.now)
    }

    @Test func `backlogs of plans come back with the next snapshot`() throws {
        var cluster = Cluster(nodes: 1, cpus: 4)
        for _ in 0..<3 { _ = cluster.submit { $0.tasks = 4 } }
        let backlogs = cluster.core.planningSnapshot(at: cluster.now).backlogs
        #expect(backlogs.notedAt == cluster.now)
        #expect(backlogs.largest(of: 0, since: cluster.now.seconds) == 1800)
    }

    @Test func `factors of priority, their plain order and conservative reservations are no policy of ours`() {
        func settings(_ adjust: (inout ClusterConfiguration) -> Void) -> SchedulerSettings {
            let cluster = Cluster(nodes: 1) { adjust(&$0) }
            return cluster.core.planningSnapshot(at: cluster.now).settings
        }
        let shipped = settings { _ in }
        #expect(shipped.usesDefaultPolicy && shipped.backfill == .reservations(1) && shipped.window == 0)
        let plain = settings { $0.scheduling.policy = .priority }
        #expect(!plain.usesDefaultPolicy && plain.backfill == .reservations(.max))
        #expect(!settings { $0.priority.kind = .multifactor }.usesDefaultPolicy)
        let kept = settings { $0.scheduling.conservative = true }
        #expect(!kept.usesDefaultPolicy && kept.backfill == .conservative)
        let several = settings { $0.scheduling.reservations = .first(5) }
        #expect(several.usesDefaultPolicy && several.backfill == .reservations(5))
    }
}
