// Where each field stands in its record, and how a setting changes it.

extension Association {
    typealias NumberPath = any WritableKeyPath<AssociationLimits, UInt32?> & Sendable
    typealias CountsPath = any WritableKeyPath<AssociationLimits, TRESCounts> & Sendable

    static let numbers: [(field: AssociationField, path: NumberPath)] = [
        (.grpJobs, \.grpJobs), (.grpJobsAccrue, \.grpJobsAccrue), (.grpSubmitJobs, \.grpSubmitJobs),
        (.grpWall, \.grpWall), (.maxJobs, \.maxJobs), (.maxJobsAccrue, \.maxJobsAccrue),
        (.maxSubmitJobs, \.maxSubmitJobs), (.minPrioThresh, \.minPrioThresh),
    ]
    static let counts: [(field: AssociationField, path: CountsPath)] = [
        (.grpTRES, \.grpTRES), (.grpTRESMins, \.grpTRESMins), (.grpTRESRunMins, \.grpTRESRunMins),
        (.maxTRESPerJob, \.maxTRESPerJob), (.maxTRESPerNode, \.maxTRESPerNode),
        (.maxTRESMinsPerJob, \.maxTRESMinsPerJob),
    ]

    /// Nil: not set here.
    public func value(of field: AssociationField) -> FieldValue? {
        if let number = Self.numbers.first(where: { $0.field == field }) {
            return limits[keyPath: number.path].map { .number($0) }
        }
        if let counts = Self.counts.first(where: { $0.field == field }) {
            return FieldValue(limits[keyPath: counts.path])
        }
        switch field {
        case .maxWall: return limits.maxWallDurationPerJob.map { .number($0.rawValue) }
        case .shares: return .number(shares.number)
        case .priority: return priority.map { .number($0) }
        case .defaultQOS: return defaultQOS.map { .number($0.rawValue) }
        case .qos: return qos.map { .list(.set, $0.map(\.rawValue)) }
        default: return comment.isEmpty ? nil : .text(comment)
        }
    }

    /// Passes over a value that does not fit the field. `inherited`: the QOS `+=` and `-=` begin with when it has none of
    /// its own.
    public mutating func set(_ setting: FieldSetting<AssociationField>, inherited: [QOSID] = []) {
        if let number = Self.numbers.first(where: { $0.field == setting.field }),
            case .number(let value) = setting.value
        {
            limits[keyPath: number.path] = value
        } else if let counts = Self.counts.first(where: { $0.field == setting.field }),
            case .counts(let changes) = setting.value
        {
            limits[keyPath: counts.path].apply(changes.map { ($0.id, $0.count) })
        } else {
            setOther(setting, inherited: inherited)
        }
    }

    private mutating func setOther(_ setting: FieldSetting<AssociationField>, inherited: [QOSID]) {
        switch (setting.field, setting.value) {
        case (.maxWall, .number(let value)): limits.maxWallDurationPerJob = value.map(TimeLimit.init(minutes:))
        case (.shares, .number(let value)): shares = FairShares(number: value ?? 1)
        case (.priority, .number(let value)): priority = value
        case (.defaultQOS, .number(let value)): defaultQOS = value.map { QOSID($0) }
        case (.qos, .list(.set, let ids)): qos = ids.isEmpty ? nil : ids.map { QOSID($0) }.sorted()
        case (.qos, .list(let mode, let ids)):
            let all = mode.combine(qos ?? inherited, ids.map { QOSID($0) })
            // The same as without a list of its own: it goes on with its parent.
            qos = all == inherited.sorted() ? nil : all
        case (.comment, .text(let text)): comment = text
        default: break
        }
    }

    /// Everything that is set, in the order of the fields' numbers: what a row holds.
    public var settings: AssociationChange {
        AssociationField.allCases.compactMap { field in value(of: field).map { FieldSetting(field, $0) } }
    }
}

extension QOS {
    typealias NumberPath = any WritableKeyPath<QOSLimits, UInt32?> & Sendable
    typealias CountsPath = any WritableKeyPath<QOSLimits, TRESCounts> & Sendable

    static let numbers: [(field: QOSField, path: NumberPath)] = [
        (.grpJobs, \.grpJobs), (.grpJobsAccrue, \.grpJobsAccrue), (.grpSubmitJobs, \.grpSubmitJobs),
        (.grpWall, \.grpWall), (.maxJobsPerUser, \.maxJobsPerUser), (.maxJobsAccruePerUser, \.maxJobsAccruePerUser),
        (.maxSubmitJobsPerUser, \.maxSubmitJobsPerUser), (.maxJobsPerAccount, \.maxJobsPerAccount),
        (.maxJobsAccruePerAccount, \.maxJobsAccruePerAccount), (.maxSubmitJobsPerAccount, \.maxSubmitJobsPerAccount),
        (.minPrioThresh, \.minPrioThresh),
    ]
    static let counts: [(field: QOSField, path: CountsPath)] = [
        (.grpTRES, \.grpTRES), (.grpTRESMins, \.grpTRESMins), (.grpTRESRunMins, \.grpTRESRunMins),
        (.maxTRESPerJob, \.maxTRESPerJob), (.maxTRESPerNode, \.maxTRESPerNode),
        (.maxTRESMinsPerJob, \.maxTRESMinsPerJob), (.maxTRESPerUser, \.maxTRESPerUser),
        (.maxTRESRunMinsPerUser, \.maxTRESRunMinsPerUser), (.maxTRESPerAccount, \.maxTRESPerAccount),
        (.maxTRESRunMinsPerAccount, \.maxTRESRunMinsPerAccount), (.minTRESPerJob, \.minTRESPerJob),
    ]

    /// Nil: not set.
    public func value(of field: QOSField) -> FieldValue? {
        if let number = Self.numbers.first(where: { $0.field == field }) {
            return limits[keyPath: number.path].map { .number($0) }
        }
        if let counts = Self.counts.first(where: { $0.field == field }) {
            return FieldValue(limits[keyPath: counts.path])
        }
        switch field {
        case .maxWall: return limits.maxWallDurationPerJob.map { .number($0.rawValue) }
        case .priority: return .number(priority)
        case .flags: return flags.isEmpty ? nil : .flags(.set, flags.rawValue)
        case .graceTime: return .number(graceTime)
        case .preempt: return preempt.isEmpty ? nil : .list(.set, preempt.map(\.rawValue))
        case .preemptMode: return preemptMode.map { .number($0.rawValue) }
        case .preemptExemptTime: return preemptExemptTime.map { .number($0) }
        case .usageFactor: return .real(usageFactor)
        case .usageThreshold: return usageThreshold.map { .real($0) }
        case .limitFactor: return limitFactor.map { .real($0) }
        default: return .text(description)
        }
    }

    /// Passes over a value that does not fit the field.
    public mutating func set(_ setting: FieldSetting<QOSField>) {
        if let number = Self.numbers.first(where: { $0.field == setting.field }),
            case .number(let value) = setting.value
        {
            limits[keyPath: number.path] = value
        } else if let counts = Self.counts.first(where: { $0.field == setting.field }),
            case .counts(let changes) = setting.value
        {
            limits[keyPath: counts.path].apply(changes.map { ($0.id, $0.count) })
        } else {
            setOther(setting)
        }
    }

    private mutating func setOther(_ setting: FieldSetting<QOSField>) {
        switch (setting.field, setting.value) {
        case (.description, .text(let text)): description = text
        case (.priority, .number(let value)): priority = value ?? 0
        case (.flags, .flags(.set, let bits)): flags = QOSFlags(rawValue: bits)
        case (.flags, .flags(.add, let bits)): flags.formUnion(QOSFlags(rawValue: bits))
        case (.flags, .flags(.remove, let bits)): flags.subtract(QOSFlags(rawValue: bits))
        case (.graceTime, .number(let value)): graceTime = value ?? 0
        case (.preempt, .list(let mode, let ids)): preempt = mode.combine(preempt, ids.map { QOSID($0) })
        case (.preemptMode, .number(let value)): preemptMode = value.flatMap(PreemptMode.init(rawValue:))
        case (.preemptExemptTime, .number(let value)): preemptExemptTime = value
        case (.usageFactor, .real(let value)): usageFactor = value ?? 1
        case (.usageThreshold, .real(let value)): usageThreshold = value
        case (.limitFactor, .real(let value)): limitFactor = value
        case (.maxWall, .number(let value)): limits.maxWallDurationPerJob = value.map(TimeLimit.init(minutes:))
        default: break
        }
    }

    /// Everything that is set, in the order of the fields' numbers: what a row holds.
    public var settings: QOSChange {
        QOSField.allCases.compactMap { field in value(of: field).map { FieldSetting(field, $0) } }
    }
}

extension FieldValue {
    /// Nil when nothing is limited.
    init?(_ counts: TRESCounts) {
        if counts.isEmpty { return nil }
        self = .counts(counts.entries.map { TRESChange($0.id, $0.count) })
    }
}

extension FieldValue.Mode {
    /// Sorted, each once.
    func combine(_ old: [QOSID], _ new: [QOSID]) -> [QOSID] {
        switch self {
        case .set: Set(new).sorted()
        case .add: Set(old).union(new).sorted()
        case .remove: Set(old).subtracting(new).sorted()
        }
    }
}
