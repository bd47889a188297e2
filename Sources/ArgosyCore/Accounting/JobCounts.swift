// What of each job stands in the accounting book now. The book is brought in line with the jobs' records at the end of a
// turn by taking out what stood in it and putting in what should: whatever changed a job, nothing is counted twice or
// forgotten.
import ArgosyDomain
import ArgosyScheduler

/// Flat; one for each job that counts.
struct JobCount: Sendable, Equatable {
    /// Number among the limited jobs.
    var job: Int32
    /// Jobs, or waiting elements of an array.
    var submitted: Int32 = 0
    /// When it ends for the book; unset: it does not run.
    var end = Timestamp.unset
}

/// Jobs as limits see them, each distinct one kept once: most waiting jobs of a user are equal.
struct LimitedJobs: Sendable {
    private(set) var jobs: [LimitedJob] = []
    private var counts: [UInt32] = []
    /// For finding only: never walked.
    private var numbers: [LimitedJob: Int32] = [:]
    private var unused: [Int32] = []

    mutating func intern(_ job: LimitedJob) -> Int32 {
        if let number = numbers[job] {
            counts[Int(number)] += 1
            return number
        }
        let number: Int32
        if let free = unused.popLast() {
            number = free
            jobs[Int(number)] = job
            counts[Int(number)] = 1
        } else {
            number = Int32(jobs.count)
            jobs.append(job)
            counts.append(1)
        }
        numbers[job] = number
        return number
    }

    mutating func release(_ number: Int32) {
        counts[Int(number)] -= 1
        guard counts[Int(number)] == 0 else { return }
        numbers[jobs[Int(number)]] = nil
        unused.append(number)
    }
}

/// Usage that is accrued and not yet written.
struct UsageKeeping: Sendable {
    /// Until when all running jobs are charged.
    var accruedTo = Timestamp.unset
    /// Positions of associations and QOS whose usage changed since it was written.
    var associations: Set<Int> = []
    var qos: Set<Int> = []
    var isTimed = false
}
