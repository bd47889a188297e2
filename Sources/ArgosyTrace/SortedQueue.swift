internal import ArgosyScheduler

/// Waiting jobs in a queue order; ties go by number, as jobs are numbered in the order (submission, id).
struct SortedQueue {
    private(set) var jobs: [Int32] = []
    private let order: QueueOrder
    /// By job, where keys stay; by place, where they change. Empty for first come, first served.
    private var keys: [Double] = []
    private let workload: Workload
    /// By job: the part of a changing key that stays.
    private var constants: [Double] = []

    init(_ order: QueueOrder, _ workload: Workload) {
        self.order = order
        self.workload = workload
        guard order != .fcfs else { return }
        constants = workload.jobs.map {
            order.constant(
                submit: $0.submit, request: $0.request, processors: $0.processors, origin: workload.firstSubmit)
        }
        if !order.changesWithTime { (keys, constants) = (constants, []) }
    }

    /// Adds an arrival; returns its place.
    mutating func insert(_ job: Int32) -> Int {
        let place = order == .fcfs || order.changesWithTime ? jobs.count : self.place(job)
        jobs.insert(job, at: place)
        return place
    }

    /// Behind all of its key: it arrived later.
    private func place(_ job: Int32) -> Int {
        var low = 0
        var high = jobs.count
        while low < high {
            let middle = (low + high) >> 1
            if isBefore(job, jobs[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }

    func isBefore(_ one: Int32, _ other: Int32) -> Bool {
        if keys.isEmpty { return one < other }
        let (a, b) = (keys[Int(one)], keys[Int(other)])
        return a != b ? a < b : one < other
    }

    /// Brings the queue into the order of `now`. From pass to pass little moves, so insertion is what suits.
    mutating func refresh(at now: Int64) {
        guard order.changesWithTime else { return }
        keys = jobs.map {
            let job = workload.jobs[Int($0)]
            return order.key(constants[Int($0)], wait: now - job.submit, request: job.request)
        }
        for index in jobs.indices.dropFirst() {
            let (job, key) = (jobs[index], keys[index])
            var place = index
            while place > 0, key < keys[place - 1] || (key == keys[place - 1] && job < jobs[place - 1]) {
                jobs[place] = jobs[place - 1]
                keys[place] = keys[place - 1]
                place -= 1
            }
            jobs[place] = job
            keys[place] = key
        }
    }

    /// Takes out jobs that have started, each of which is in the queue.
    mutating func remove(_ started: some Collection<Int32>, isGone: (Int32) -> Bool) {
        // In an order that stays, each stands just ahead of the place a job of its key would get.
        var first = order.changesWithTime ? 0 : jobs.count
        if !order.changesWithTime { for job in started { first = min(first, place(job) - 1) } }
        jobs.withUnsafeMutableBufferPointer { jobs in
            var kept = first
            var at = first
            while at - kept < started.count, at < jobs.count {
                if !isGone(jobs[at]) {
                    jobs[kept] = jobs[at]
                    kept += 1
                }
                at += 1
            }
            guard at < jobs.count, let base = jobs.baseAddress else { return }
            (base + kept).update(from: base + at, count: jobs.count - at)
        }
        jobs.removeLast(started.count)
    }
}
