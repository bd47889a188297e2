// scrontab: jobs that run again and again.
//
// A line of a user's crontab is one job. When it ends, however it ended, it waits for its next time under the same id;
// only its owner's word (a new crontab, or scancel --cron) ends it. A line whose job was cancelled is switched off in
// the text.
import ArgosyDomain

extension ControllerCore {
    func isCronJob(_ id: JobID) -> Bool {
        guard let record = record(id), record.endingState != .cancelled else { return false }
        return schedule(of: id) != nil
    }

    private func schedule(of id: JobID) -> CronSchedule? {
        guard let cron = tables.specs[id.rawValue]?.fields.cron, !cron.isEmpty else { return nil }
        return try? CronSchedule(cron)
    }

    /// Completing to pending, until its next time.
    mutating func runLater(_ record: JobRecord) {
        guard let next = schedule(of: record.id)?.next(after: now, timeZone) else {
            return end(record.id, as: record.endingState ?? .completed)
        }
        change(record.id) { $0.eligible = next }
        // To its user this run has ended.
        mailEnd(record, as: record.endingState ?? .completed)
        requeue(record, tellsUser: false)
        // Not as a requeue, which waits a while: at its own time.
        change(record.id) { job in
            job.eligible = next
            if job.reason == .none { job.reason = .beginTime }
        }
        deadlines.add(next, .jobEligible, record.id.rawValue)
    }

    /// Old jobs go, new ones come; or nothing changes and the first line that cannot be is named.
    mutating func set(
        _ crontab: Crontab, lines: [UInt32], _ entries: [JobSpec.Fields], by caller: Caller, reply handle: ReplyHandle
    ) {
        var crontab = crontab
        var parts: [[Admitted]] = []
        for (line, fields) in zip(lines, entries) {
            do throws(Refusal) {
                var fields = fields
                guard let next = try? CronSchedule(fields.cron).next(after: now, timeZone) else {
                    throw Refusal(.malformed, "Invalid time specification", detail: "\(fields.cron) never comes")
                }
                fields.begin = next
                parts.append(try accepted(fields, by: caller))
            } catch { return reply(handle, .crontabRefused(line: line, error)) }
        }
        removeCronJobs(of: crontab.uid)
        for (line, part) in zip(lines, parts) {
            guard let id = try? admit(part, token: "") else { continue }
            crontab.entries.append(.init(job: id, line: line))
        }
        keep(crontab)
        reply(handle, .crontabSet(crontab.entries.map(\.job)))
        wantPlan()
    }

    private mutating func keep(_ crontab: Crontab) {
        tables.crontabs.removeAll { $0.uid == crontab.uid }
        if !crontab.text.isEmpty {
            tables.crontabs.append(crontab)
            tables.crontabs.sort { $0.uid < $1.uid }
        }
        turn.changes.append(.kept(.crontab(crontab)))
    }

    /// Those that run go on to their end, and do not come back.
    private mutating func removeCronJobs(of uid: UInt32) {
        let old = tables.crontabs.first { $0.uid == uid }?.entries ?? []
        for id in old.map(\.job) {
            guard let record = record(id), !record.state.isEnded else { continue }
            if record.state == .pending {
                cancelPending(record, "")
            } else if let spec = tables.specs[id.rawValue] {
                var fields = spec.fields
                fields.cron = ""
                tables.specs[id.rawValue] = JobSpec(fields)
                change(id) { _ in }
            }
        }
    }

    /// `scancel` of a line's job: refused without --cron; with it the line is switched off.
    func cronRefusal(_ id: JobID) -> Refusal? {
        guard !cancelsCron, !(tables.specs[id.rawValue]?.fields.cron.isEmpty ?? true) else { return nil }
        return Refusal(.accessDenied, "Cannot cancel scrontab jobs without --cron flag.")
    }

    mutating func switchOffCron(_ id: JobID) {
        guard let spec = tables.specs[id.rawValue], !spec.fields.cron.isEmpty,
            var crontab = tables.crontabs.first(where: { $0.uid == spec.fields.identity.uid }),
            let entry = crontab.entries.first(where: { $0.job == id })
        else { return }
        var lines = crontab.text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        if lines.indices.contains(Int(entry.line)) { lines[Int(entry.line)] = "#DISABLED: " + lines[Int(entry.line)] }
        crontab.text = lines.joined(separator: "\n")
        crontab.entries.removeAll { $0.job == id }
        keep(crontab)
    }

    /// After loading: a job that is gone leaves its line alone.
    mutating func settleCrontabs() {
        for var crontab in tables.crontabs {
            let left = crontab.entries.filter { record($0.job).map { !$0.state.isEnded } ?? false }
            guard left != crontab.entries else { continue }
            crontab.entries = left
            keep(crontab)
        }
    }
}
