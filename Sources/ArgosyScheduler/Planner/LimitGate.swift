// The limits of associations and QOS while a pass makes starts: each start counts against what comes after it.
import ArgosyDomain

struct LimitGate {
    private var book: AccountingBook?
    private let now: Timestamp
    /// By the engine's number of the job.
    private let jobs: [LimitedJob]
    /// Copies of an array that may still be planned ahead, by the engine's number of its first.
    private(set) var blocked: [Int32: PendingReason] = [:]

    init(book: AccountingBook?, now: Timestamp, jobs: [LimitedJob]) {
        self.book = book
        self.now = now
        self.jobs = jobs
    }

    mutating func admits(_ job: Int32) -> Bool {
        guard let book else { return true }
        return book.mayStart(jobs[Int(job)], at: now)
    }

    mutating func didStart(_ job: Int32) {
        guard book != nil else { return }
        let limited = jobs[Int(job)]
        book?.started(limited, end: AccountingBook.end(of: limited, start: now))
    }

    /// All limits that hold the job, after the starts of the pass.
    func blockers(_ job: Int32) -> [LimitBlocker] { book?.blockers(jobs[Int(job)], at: now) ?? [] }
    func sentence(for blocker: LimitBlocker) -> String { book?.sentence(for: blocker) ?? "" }
}
