import ArgosyScheduler
import Testing

/// What the default policy predicts and whom it puts first.
@Suite struct DefaultPolicyTests {
    static func waiting(_ submit: Int64, _ request: Int64, _ processors: Int32, user: Int64 = -1)
        -> DefaultPolicy.Waiting
    {
        .init(submit: submit, request: request, processors: processors, user: user)
    }

    static func running(_ start: Int64, _ request: Int64, _ processors: Int32) -> DefaultPolicy.Running {
        .init(start: start, request: request, prediction: request, processors: processors)
    }

    @Test func `a job of an unknown user is thought to run as long as it asked for`() {
        var prediction = RuntimePrediction()
        prediction.observe(user: -1, request: 100, run: 10)
        prediction.observe(user: 7, request: 100, run: 10)
        #expect(prediction.predict(user: -1, request: 100) == 100)
        #expect(prediction.predict(user: 8, request: 100) == 100)
        #expect(prediction.predict(user: 8, request: .max) == .max)
    }

    @Test func `a prediction is the request by the mean share of the user's last jobs`() {
        var prediction = RuntimePrediction()
        prediction.observe(user: 1, request: 100, run: 50)
        #expect(prediction.predict(user: 1, request: 1000) == 500)
        prediction.observe(user: 1, request: 200, run: 200)
        #expect(prediction.predict(user: 1, request: 1000) == 750)
        for _ in 0..<RuntimePrediction.remembered { prediction.observe(user: 1, request: 80, run: 20) }
        #expect(prediction.predict(user: 1, request: 1000) == 250, "older jobs are forgotten")
        #expect(prediction.predict(user: 1, request: 1) == 1, "a second at least")
    }

    @Test func `a prediction never exceeds the request`() {
        var prediction = RuntimePrediction()
        prediction.observe(user: 1, request: 100, run: 500)
        #expect(prediction.predict(user: 1, request: 60) == 60)
        #expect(prediction.predict(user: 1, request: .max) == .max)
    }

    @Test func `a history that was kept predicts as before`() {
        var prediction = RuntimePrediction()
        for run in 1...12 { prediction.observe(user: 1, request: 100, run: Int64(run)) }
        var restored = RuntimePrediction()
        restored.restore(prediction.history(of: 1), of: 1)
        #expect(restored == prediction)
        #expect(restored.history(of: 1).count == RuntimePrediction.remembered)
    }

    @Test func `a job that runs past its prediction has it doubled until it lies ahead`() {
        #expect(RuntimePrediction.correct(100, elapsed: 99, request: 1000) == 100)
        #expect(RuntimePrediction.correct(100, elapsed: 100, request: 1000) == 200)
        #expect(RuntimePrediction.correct(100, elapsed: 450, request: 1000) == 800)
        #expect(RuntimePrediction.correct(1, elapsed: 1, request: 1000) == 61, "by a minute at least")
        #expect(RuntimePrediction.correct(100, elapsed: 900, request: 1000) == 1000, "the request at most")
    }

    @Test func `the record knows the largest backlog since any time`() {
        var record = BacklogRecord()
        for (time, backlog) in [(0, 9.0), (10, 3), (20, 5), (30, 1)] { record.note(backlog, at: Int64(time)) }
        #expect([0, 1, 10, 20, 21, 30, 31].map { record.largest(since: $0) } == [9, 5, 5, 5, 1, 1, 0])
        record.forget(before: 15)
        #expect(record.largest(since: 0) == 5)
        record.forget(before: 31)
        #expect(record == BacklogRecord())
    }

    @Test func `the drain lasts until enough jobs have ended by their predictions`() {
        let releases = ReleaseTimes([Self.running(0, 100, 2), Self.running(0, 50, 1)], free: 1, at: 20)
        #expect((1...4).map { releases.drain(for: Int32($0)) } == [0, 30, 80, 80])
    }

    @Test func `who asks for less goes first among those that came together`() {
        var policy = DefaultPolicy()
        let jobs = [Self.waiting(0, 1000, 1), Self.waiting(0, 10, 1), Self.waiting(0, 100, 1)]
        policy.note(waiting: jobs, running: [], processors: 1, at: 0)
        #expect(policy.order(jobs, running: [], free: 1, at: 0) == [1, 2, 0])
    }

    @Test func `a short job passes a longer one only within the stretch of their lengths`() {
        // The long one is due 4,500 s later, and its bonus is a second for each that it has waited.
        for (submit, order) in [(Int64(2249), [1, 0]), (2251, [0, 1])] {
            var policy = DefaultPolicy()
            let jobs = [Self.waiting(0, 1000, 1), Self.waiting(submit, 100, 1)]
            policy.backlog.note(1_000_000, at: 0)
            policy.backlog.note(1_000_000, at: submit)
            #expect(policy.order(jobs, running: [], free: 1, at: submit) == order)
        }
    }

    @Test func `a job for which the machine must be drained goes behind one that fits`() {
        var policy = DefaultPolicy()
        let jobs = [Self.waiting(0, 60, 4), Self.waiting(0, 600, 1)]
        let running = [Self.running(0, 3600, 3)]
        policy.note(waiting: jobs, running: running, processors: 4, at: 0)
        #expect(policy.order(jobs, running: running, free: 1, at: 0) == [1, 0])
        #expect(policy.order(jobs, running: [], free: 4, at: 0) == [0, 1], "nothing to drain")
    }

    @Test func `the guard puts a job in front once its wait exceeds the bound and not before`() {
        var policy = DefaultPolicy()
        policy.backlog.note(500, at: 0)
        let bound = Int64(DefaultPolicy.guardFactor * 500)
        for (now, order) in [(bound, [1, 0]), (bound + 1, [0, 1])] {
            let jobs = [Self.waiting(0, 100_000, 1), Self.waiting(now, 10, 1)]
            policy.backlog.note(400, at: now)
            #expect(policy.order(jobs, running: [], free: 1, at: now) == order)
        }
    }

    @Test func `those under the guard go in the order in which they came`() {
        var policy = DefaultPolicy()
        policy.backlog.note(100, at: 0)
        let jobs = [Self.waiting(0, 9000, 1), Self.waiting(1, 10, 1), Self.waiting(400, 20, 1)]
        #expect(policy.order(jobs, running: [], free: 1, at: 400).first == 0)
        policy.backlog.note(90, at: 1)
        #expect(policy.order(jobs, running: [], free: 1, at: 400).prefix(2) == [0, 1])
    }

    @Test func `the backlog is the predicted work that waits and runs`() {
        var policy = DefaultPolicy()
        policy.prediction.observe(user: 3, request: 10, run: 5)
        policy.note(
            waiting: [Self.waiting(5, 100, 2, user: 3)], running: [Self.running(0, 50, 1)], processors: 4, at: 10)
        #expect(policy.backlog.largest(since: 10) == (2 * 50 + 40) / 4)
    }
}
