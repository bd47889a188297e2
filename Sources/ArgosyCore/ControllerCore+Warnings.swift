// What happens before the end of a time limit: --signal, mails at parts of it; and limits that move under running jobs.
import ArgosyDomain

extension ControllerCore {
    // MARK: Limits that move

    /// The job's limit counts from its start, wherever it is now; its nodes hear of it.
    mutating func moveLimit(_ record: JobRecord, to limit: TimeLimit) {
        guard limit != record.timeLimit else { return }
        change(record.id) { $0.timeLimit = limit }
        guard let changed = self.record(record.id) else { return }
        if changed.state == .running { setLimit(changed) }
        guard let run = tables.runs[record.id.rawValue] else { return }
        for position in run.held { order(run.allocation.nodes[Int(position)].index, record.key, .setLimit) }
    }

    // MARK: Deadlines

    private static let marks: [(MailTypes, Int64)] = [
        (.timeLimit50, 50), (.timeLimit80, 80), (.timeLimit90, 90), (.timeLimit, 100),
    ]

    /// After a start, a change of the limit or of the time that it stood still.
    mutating func watchWarnings(_ id: JobID) {
        guard let record = record(id), record.state == .running, let fields = tables.specs[id.rawValue]?.fields
        else { return }
        if let warning = fields.warning, !record.warned {
            deadlines.add(time(of: warning, record), .warning, id.rawValue)
        }
        for (type, percent) in Self.marks where fields.mailTypes.contains(type) && !record.mails.contains(type) {
            deadlines.add(mark(percent, record), .mailMark, id.rawValue)
        }
    }

    /// When so much of the limit is over; never without a limit.
    private func mark(_ percent: Int64, _ record: JobRecord) -> Timestamp {
        let end = limitEnd(of: record, at: now)
        guard end != .never, let limit = record.timeLimit.duration else { return .never }
        return end.adding(.zero - limit * (100 - percent) / 100)
    }

    private func time(of warning: WarningSignal, _ record: JobRecord) -> Timestamp {
        let end = limitEnd(of: record, at: now)
        if end == .never { return .never }
        return max(record.start.adding(.microseconds(1)), end.adding(.zero - .seconds(Int64(warning.seconds))))
    }

    mutating func warn(_ id: JobID) {
        guard let record = record(id), record.state == .running, !record.warned,
            let warning = tables.specs[id.rawValue]?.fields.warning
        else { return }
        let due = time(of: warning, record)
        guard due <= now else { return deadlines.add(due, .warning, id.rawValue) }
        // Who is to hear it must be there.
        guard tables.steps[id.rawValue]?.isEmpty == false else {
            return deadlines.add(now.adding(.seconds(1)), .warning, id.rawValue)
        }
        change(id) { $0.warned = true }
        send(warning.number, to: record, batchOnly: warning.batchOnly, full: false)
    }

    mutating func mailMarks(_ id: JobID) {
        guard let record = record(id), record.state == .running, let fields = tables.specs[id.rawValue]?.fields
        else { return }
        for (type, percent) in Self.marks where fields.mailTypes.contains(type) && !record.mails.contains(type) {
            guard mark(percent, record) <= now else { continue }
            change(id) { $0.mails.insert(type) }
            mail(type, record)
        }
        watchWarnings(id)
    }

    // MARK: Exit codes that bring a job back

    /// RequeueExit and RequeueExitHold; true: the job goes round again.
    mutating func requeuesAfterExit(_ record: JobRecord, _ exit: ExitStatus) -> Bool {
        guard record.isBatch, exit.signal == 0 else { return false }
        let holds = life.requeueExitHold.has(exit.code)
        guard holds || life.requeueExit.has(exit.code) else { return false }
        change(record.id) { job in
            job.holdAfterRequeue = holds ? .jobHeldUser : .none
            job.requeueMark = holds ? .specialExit : .requeued
        }
        complete(record.id, as: .failed, .nonZeroExitCode, "", grace: .zero, requeue: true)
        return true
    }
}
