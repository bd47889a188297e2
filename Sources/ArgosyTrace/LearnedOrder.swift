internal import ArgosyScheduler

/// The default policy's order over a workload: tells it who runs, who waits and who has ended.
struct LearnedOrder {
    private var policy = DefaultPolicy()
    private let jobs: [TraceJob]
    private let processors: Int32
    private var free: Int32
    private var running: [DefaultPolicy.Running] = []
    /// Of `running`.
    private var numbers: [Int32] = []

    init(_ workload: Workload) {
        jobs = workload.jobs
        processors = workload.processors
        free = processors
    }

    /// Jobs have arrived; `queue` is all that wait.
    mutating func arrived(_ queue: [Int32], at now: Int64) {
        policy.note(waiting: queue.map(waiting), running: running, processors: processors, at: now)
    }

    /// The waiting jobs, who goes first first.
    func order(_ queue: [Int32], at now: Int64) -> [Int32] {
        policy.order(queue.map(waiting), running: running, free: free, at: now).map { queue[$0] }
    }

    mutating func began(_ job: Int32, at now: Int64) {
        let one = jobs[Int(job)]
        let prediction = policy.prediction.predict(user: Int64(one.user), request: one.request)
        running.append(.init(start: now, request: one.request, prediction: prediction, processors: one.processors))
        numbers.append(job)
        free -= one.processors
    }

    mutating func ended(_ job: Int32, at now: Int64) {
        guard let place = numbers.firstIndex(of: job) else { return }
        let one = jobs[Int(job)]
        policy.prediction.observe(user: Int64(one.user), request: one.request, run: now - running[place].start)
        free += one.processors
        running.remove(at: place)
        numbers.remove(at: place)
    }

    private func waiting(_ job: Int32) -> DefaultPolicy.Waiting {
        let one = jobs[Int(job)]
        return .init(submit: one.submit, request: one.request, processors: one.processors, user: Int64(one.user))
    }
}
