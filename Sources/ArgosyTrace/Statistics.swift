// What is told of a schedule. Bounded slowdown is max(1, (wait + run) / max(run, 10)).

/// Numbers of one schedule; times in seconds.
public struct Statistics: Sendable, Equatable {
    public var jobs = 0
    public var totalWait: Int64 = 0
    public var averageWait = 0.0
    /// The middle one of the sorted waits, the upper of two.
    public var medianWait: Int64 = 0
    /// The wait at 99 % of the sorted waits.
    public var p99Wait: Int64 = 0
    public var maxWait: Int64 = 0
    public var averageBoundedSlowdown = 0.0
    /// Work done by processors and makespan.
    public var utilization = 0.0
    /// From the first submission to the last end.
    public var makespan: Int64 = 0

    public init(of schedule: Schedule, _ workload: Workload) {
        jobs = workload.jobs.count
        guard jobs > 0 else { return }
        var waits = [Int64](repeating: 0, count: jobs)
        var slowdown = 0.0
        var work = 0.0
        var lastEnd = Int64.min
        for (index, job) in workload.jobs.enumerated() {
            let start = schedule.starts[index]
            let wait = start - job.submit
            waits[index] = wait
            totalWait = wait > .max - totalWait ? .max : totalWait + wait
            slowdown += max(1, Double(wait + job.run) / Double(max(job.run, 10)))
            work += Double(job.run) * Double(job.processors)
            lastEnd = max(lastEnd, start + job.run)
        }
        averageWait = Double(totalWait) / Double(jobs)
        averageBoundedSlowdown = slowdown / Double(jobs)
        makespan = lastEnd - workload.firstSubmit
        utilization = work / (Double(workload.processors) * Double(makespan))
        maxWait = waits.max() ?? 0
        medianWait = Self.select(&waits, jobs / 2)
        p99Wait = Self.select(&waits, jobs * 99 / 100)
    }

    /// The value that would stand at `index` of the sorted values, which are moved about (Hoare's selection).
    static func select(_ values: inout [Int64], _ index: Int) -> Int64 {
        var low = 0
        var high = values.count - 1
        while low < high {
            let pivot = values[(low + high) / 2]
            var (left, right) = (low, high)
            while left <= right {
                while values[left] < pivot { left += 1 }
                while values[right] > pivot { right -= 1 }
                if left <= right {
                    values.swapAt(left, right)
                    left += 1
                    right -= 1
                }
            }
            if index <= right { high = right } else if index >= left { low = left } else { break }
        }
        return values[index]
    }
}
