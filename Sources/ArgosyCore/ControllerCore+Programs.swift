// What the controller's own machine does for a job: PrologSlurmctld and EpilogSlurmctld, and mail to its user.
import ArgosyDomain

extension ControllerCore {
    // MARK: Programs

    mutating func runProgram(_ kind: JobProgram.Kind, _ id: JobID) {
        guard let row = tables.row(id) else { return }
        turn.effects.append(.runProgram(JobProgram(kind: kind, key: AttemptKey(id, row.attempt), row: row)))
    }

    /// A prolog that failed sends a batch job back to the queue and ends any other.
    mutating func prologEnded(_ key: AttemptKey, _ failure: String) {
        guard let record = record(key.job), record.key == key, record.isConfiguring else { return }
        change(key.job) { $0.isConfiguring = false }
        guard record.state.isActive else { return }
        if failure.isEmpty { return orderPreparation(key.job) }
        complete(
            key.job, as: record.isBatch ? .failed : .cancelled, .prolog, "PrologSlurmctld: \(failure)", grace: .zero,
            requeue: record.isBatch)
    }

    // MARK: Mail

    /// BEGIN, REQUEUE and marks of the time limit. An array as a whole begins with its first element.
    mutating func mail(_ type: MailTypes, _ record: JobRecord) {
        guard let fields = tables.specs[record.id.rawValue]?.fields, fields.mailTypes.contains(type) else { return }
        if record.arrayJob != 0, !fields.mailTypes.contains(.arrayTasks) {
            guard type == .begin, !hasBegun(record) else { return }
            return post("Slurm Array Summary \(arrayName(record))", "Began", "", record, fields, isSummary: true)
        }
        let verb: String
        switch type {
        case .begin: verb = "Began"
        case .requeue: verb = "Requeued"
        case .timeLimit: verb = "Reached time limit"
        case .timeLimit90: verb = "Reached 90% of time limit"
        case .timeLimit80: verb = "Reached 80% of time limit"
        case .timeLimit50: verb = "Reached 50% of time limit"
        case .invalidDependency: verb = "Invalid dependency"
        default: return
        }
        let time = type == .begin
            ? "Queued time \(Self.clock(now - max(record.submit, record.eligible)))" : "Run time \(Self.clock(runTime(record)))"
        post(subjectStart(record), verb, type == .invalidDependency ? "" : ", \(time)", record, fields)
    }

    /// END and FAIL. An array as a whole ends with its last element.
    mutating func mailEnd(_ record: JobRecord, as state: JobState) {
        guard let fields = tables.specs[record.id.rawValue]?.fields, !fields.mailTypes.isEmpty,
            let ended = self.record(record.id)
        else { return }
        let failed = Self.failures.contains(state)
        if record.arrayJob != 0, !fields.mailTypes.contains(.arrayTasks) { return mailArrayEnd(ended, fields) }
        let verb = failed && fields.mailTypes.contains(.fail) ? "Failed" : "Ended"
        guard failed && fields.mailTypes.contains(.fail) || fields.mailTypes.contains(.end) else { return }
        let run = ", Run time \(Self.clock(ended.start.isSet ? runTime(ended) : .zero))"
        post(subjectStart(record), verb, "\(run), \(state.name), ExitCode \(ended.exit.shown)", ended, fields)
    }

    private static let failures: [JobState] = [
        .failed, .timeout, .nodeFail, .outOfMemory, .deadline, .bootFail, .preempted,
    ]

    private mutating func mailArrayEnd(_ record: JobRecord, _ fields: JobSpec.Fields) {
        guard liveElements(of: JobID(record.arrayJob)).isEmpty else { return }
        var (low, high, failed, states) = (UInt32.max, UInt32(0), false, Set<JobState>())
        tables.jobs.forEach { _, other in
            guard other.arrayJob == record.arrayJob else { return }
            let code = other.exit.shown
            (low, high) = (min(low, code), max(high, code))
            states.insert(other.state)
            failed = failed || Self.failures.contains(other.state)
        }
        let wants = failed ? fields.mailTypes.intersection([.fail, .end]) : fields.mailTypes.intersection(.end)
        guard !wants.isEmpty else { return }
        let verb = failed && fields.mailTypes.contains(.fail) ? "Failed" : "Ended"
        let codes = low == high ? "\(low)" : "[\(low)-\(high)]"
        let state = states.count == 1 ? states.first?.name ?? "" : "Mixed"
        post(
            "Slurm Array Summary \(arrayName(record))", verb, ", \(state), ExitCode \(codes)", record, fields,
            isSummary: true)
    }

    private func hasBegun(_ record: JobRecord) -> Bool {
        var begun = false
        tables.jobs.forEach { _, other in
            if other.arrayJob == record.arrayJob, other.id != record.id, other.start.isSet { begun = true }
        }
        return begun
    }

    private func arrayName(_ record: JobRecord) -> String { "Job_id=\(record.arrayJob)_* (\(record.arrayJob))" }

    private func subjectStart(_ record: JobRecord) -> String {
        guard record.arrayJob != 0 else { return "Slurm Job_id=\(record.id)" }
        return "Slurm Array Task Job_id=\(record.arrayJob)_\(record.arrayIndex) (\(record.id))"
    }

    private func runTime(_ record: JobRecord) -> Duration {
        let end = record.end.isSet ? record.end : now
        return max(.zero, end - record.start - record.suspendedFor)
    }

    private mutating func post(
        _ start: String, _ verb: String, _ rest: String, _ record: JobRecord, _ fields: JobSpec.Fields,
        isSummary: Bool = false
    ) {
        let user = fields.mailUser.isEmpty ? fields.identity.user : fields.mailUser
        let to = life.mailDomain.isEmpty || user.contains("@") ? user : "\(user)@\(life.mailDomain)"
        let name = String(fields.name.prefix(24))
        var environment = tables.row(record.id).map { JobProgram.environment(of: $0, configuration.clusterName) } ?? []
        environment += ["SLURM_JOB_MAIL_TYPE=\(verb)", "SLURM_JOB_STATE=\((self.record(record.id) ?? record).state.name)"]
        if verb == "Began" {
            environment.append("SLURM_JOB_QUEUED_TIME=\(Self.clock(now - max(record.submit, record.eligible)))")
        } else {
            environment.append("SLURM_JOB_RUN_TIME=\(Self.clock(record.start.isSet ? runTime(record) : .zero))")
        }
        turn.effects.append(
            .mail(MailNote(user: to, subject: "\(start) Name=\(name) \(verb)\(rest)", environment: environment)))
    }

    /// "1-02:03:04"
    static func clock(_ duration: Duration) -> String {
        let seconds = max(0, duration.components.seconds)
        func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let time = "\(two(seconds / 3600 % 24)):\(two(seconds / 60 % 60)):\(two(seconds % 60))"
        return seconds >= 86_400 ? "\(seconds / 86_400)-\(time)" : time
    }
}

extension ExitStatus {
    /// As mails show it.
    fileprivate var shown: UInt32 { signal > 0 ? signal : code }
}

extension JobProgram {
    /// What programs of the site are told about a job, in the order of their names.
    public static func environment(of row: JobRow, _ cluster: String) -> [String] {
        let fields = row.spec.fields
        var list: [(String, String)] = [
            ("SLURM_CLUSTER_NAME", cluster), ("SLURM_JOBID", "\(row.id)"), ("SLURM_JOB_ID", "\(row.id)"),
            ("SLURM_JOB_ACCOUNT", fields.account.isEmpty ? "(null)" : fields.account),
            ("SLURM_JOB_GID", "\(fields.identity.gid)"), ("SLURM_JOB_GROUP", fields.identity.group),
            ("SLURM_JOB_NAME", fields.name), ("SLURM_JOB_PARTITION", row.partition),
            ("SLURM_JOB_RESTART_COUNT", "\(row.attempt.rawValue)"), ("SLURM_JOB_UID", "\(fields.identity.uid)"),
            ("SLURM_JOB_USER", fields.identity.user), ("SLURM_JOB_WORK_DIR", fields.workDirectory),
        ]
        if !fields.comment.isEmpty { list.append(("SLURM_JOB_COMMENT", fields.comment)) }
        if !fields.resources.constraint.isEmpty { list.append(("SLURM_JOB_CONSTRAINTS", fields.resources.constraint)) }
        if !row.reservation.isEmpty { list.append(("SLURM_JOB_RESERVATION", row.reservation)) }
        if let allocation = row.allocation {
            list.append(("SLURM_JOB_NODELIST", Hostlist.compress(allocation.nodes.map(\.name))))
            list.append(("SLURM_JOB_NUM_NODES", "\(allocation.nodes.count)"))
        }
        if let array = row.arrayJob {
            list.append(("SLURM_ARRAY_JOB_ID", "\(array)"))
            if let index = row.arrayIndex { list.append(("SLURM_ARRAY_TASK_ID", "\(index)")) }
        }
        if row.endingState != nil || row.state.isEnded {
            // As wait(2) has it, and in words.
            list.append(("SLURM_JOB_EXIT_CODE", "\(row.exit.signal > 0 ? row.exit.signal : row.exit.code << 8)"))
            list.append(("SLURM_JOB_EXIT_CODE2", row.exit.text))
            list.append(("SLURM_JOB_DERIVED_EC", "\(row.derivedExit.code << 8 | row.derivedExit.signal)"))
        }
        return list.map { "\($0.0)=\($0.1)" }
    }
}
