// priority/multifactor: a sum of factors from 0 to 1, each times its weight (slurm.conf(5), sprio(1)).
//
// The sum is made in a fixed order and cut to a whole number, so equal inputs give equal priorities everywhere. 0 is
// kept for held jobs; everything else is at least 1.

public import ArgosyConfig
public import ArgosyDomain

/// What a job's priority is made of: as it is now, in one of its partitions.
public struct PriorityInputs: Hashable, Sendable {
    public var submit: Timestamp
    /// Since when its age counts; unset: not yet (held, dependent, begins later, too many accrue already).
    public var accrueStart: Timestamp
    /// Positions in the records; -1: none.
    public var association: Int32
    public var qos: Int32
    /// Position in the scale.
    public var partition: Int32
    public var cpus: UInt64
    public var minNodes: UInt64
    public var timeLimit: TimeLimit
    public var tres: TRESCounts
    /// As `--nice` says: larger is later.
    public var nice: Int32
    /// As `scontrol update SiteFactor` says: larger is sooner.
    public var siteFactor: Int32
    /// Held: priority 0.
    public var isHeld: Bool
    /// Set by an administrator: nothing changes it.
    public var fixed: UInt32?
    /// What it was last: for INCR_ONLY; 0: it had none.
    public var previous: UInt32
    public init(submit: Timestamp, accrueStart: Timestamp = .unset) {
        self.submit = submit
        self.accrueStart = accrueStart
        association = -1
        qos = -1
        partition = 0
        cpus = 1
        minNodes = 1
        timeLimit = .unlimited
        tres = TRESCounts()
        nice = 0
        siteFactor = 0
        isHeld = false
        fixed = nil
        previous = 0
    }
}

/// What factors are measured against.
public struct PriorityScale: Hashable, Sendable {
    public struct Partition: Hashable, Sendable {
        public var jobFactor: UInt32
        /// Everything its nodes have.
        public var tres: TRESCounts
        public var maxTime: TimeLimit
        public init(jobFactor: UInt32, tres: TRESCounts, maxTime: TimeLimit = .unlimited) {
            self.jobFactor = jobFactor
            self.tres = tres
            self.maxTime = maxTime
        }
    }
    public var cpus: UInt64
    public var nodes: UInt64
    public var partitions: [Partition]
    public init(cpus: UInt64, nodes: UInt64, partitions: [Partition]) {
        self.cpus = cpus
        self.nodes = nodes
        self.partitions = partitions
    }
}

/// Each term of a priority: what sprio shows.
public struct PriorityTerms: Hashable, Sendable {
    public struct Term: Hashable, Sendable {
        /// From 0 to 1 where it is normalized.
        public var factor: Double
        public var weighted: Double
        init(_ factor: Double, weight: Double) {
            self.factor = factor
            weighted = weight == 0 ? 0 : factor * weight
        }
    }
    public struct TRESTerm: Hashable, Sendable {
        /// As the weight names it: `cpu`, `gres/gpu`.
        public var tres: String
        public var term: Term
    }
    public var age: Term
    public var assoc: Term
    public var fairshare: Term
    public var jobSize: Term
    public var partition: Term
    public var qos: Term
    public var tres: [TRESTerm]
    public var site: Int32
    public var nice: Int32
    /// The priority: 0 held, else from 1 up.
    public var priority: UInt32
}

/// Finds priorities. Made anew when usage, records or configuration change; asked for every waiting job then.
public struct MultifactorPriority: Sendable {
    private let settings: PrioritySettings
    private let scale: PriorityScale
    private let records: AccountingRecords
    private let fairShare: FairShare
    private let tresIDs: [TRESID?]
    private let associationPriorities: [UInt32]
    private let highestAssociation: UInt32
    private let highestQOS: UInt32
    private let highestPartition: UInt32

    public init(settings: PrioritySettings, scale: PriorityScale, ledger: UsageLedger) {
        self.init(
            settings: settings, scale: scale, records: ledger.records,
            fairShare: FairShare(ledger, flags: settings.flags, dampening: settings.dampeningFactor))
    }

    public init(settings: PrioritySettings, scale: PriorityScale, records: AccountingRecords, fairShare: FairShare) {
        self.settings = settings
        self.scale = scale
        self.records = records
        self.fairShare = fairShare
        tresIDs = settings.weights.tres.map { records.tres.id(of: $0.tres) }
        associationPriorities = records.chains.map { chain in
            chain.lazy.compactMap { records.associations[$0].priority }.first ?? 0
        }
        highestAssociation = associationPriorities.max() ?? 0
        highestQOS = records.qos.map(\.priority).max() ?? 0
        highestPartition = scale.partitions.map(\.jobFactor).max() ?? 0
    }

    /// The priority of a job with all its terms, at `now`.
    public func terms(of job: PriorityInputs, at now: Timestamp) -> PriorityTerms {
        let weights = settings.weights
        var terms = PriorityTerms(
            age: .init(age(job, now), weight: Double(weights.age)),
            assoc: .init(assoc(job), weight: Double(weights.assoc)),
            fairshare: .init(fairShare.factor(association: Int(job.association)), weight: Double(weights.fairshare)),
            jobSize: .init(size(job), weight: Double(weights.jobSize)),
            partition: .init(partition(job), weight: Double(weights.partition)),
            qos: .init(qos(job), weight: Double(weights.qos)), tres: tres(job), site: job.siteFactor, nice: job.nice,
            priority: 0)
        terms.priority = whole(terms, job)
        return terms
    }

    /// The number alone.
    public func priority(of job: PriorityInputs, at now: Timestamp) -> UInt32 {
        if job.isHeld { return 0 }
        return job.fixed ?? terms(of: job, at: now).priority
    }

    private func whole(_ terms: PriorityTerms, _ job: PriorityInputs) -> UInt32 {
        if job.isHeld { return 0 }
        if let fixed = job.fixed { return fixed }
        var sum = terms.age.weighted + terms.assoc.weighted + terms.fairshare.weighted + terms.jobSize.weighted
        sum += terms.partition.weighted + terms.qos.weighted
        for entry in terms.tres { sum += entry.term.weighted }
        sum += Double(job.siteFactor) - Double(job.nice)
        // Slurm's largest priority; one more means that none is set.
        let priority = UInt32(min(max(sum, 1), 0xffff_fffd))
        return settings.flags.contains(.incrementOnly) ? max(priority, job.previous) : priority
    }
}

// One factor, one function.
extension MultifactorPriority {
    private func age(_ job: PriorityInputs, _ now: Timestamp) -> Double {
        let start = settings.flags.contains(.accrueAlways) ? job.submit : job.accrueStart
        guard start.isSet, now > start else { return 0 }
        let most = settings.maxAge.components.seconds
        let waited = now.seconds - start.seconds
        return waited >= most ? 1 : Double(waited) / Double(most)
    }

    private func assoc(_ job: PriorityInputs) -> Double {
        guard associationPriorities.indices.contains(Int(job.association)) else { return 0 }
        return normalized(associationPriorities[Int(job.association)], highestAssociation, unless: .noNormalAssoc)
    }

    private func qos(_ job: PriorityInputs) -> Double {
        guard records.qos.indices.contains(Int(job.qos)) else { return 0 }
        return normalized(records.qos[Int(job.qos)].priority, highestQOS, unless: .noNormalQOS)
    }

    private func partition(_ job: PriorityInputs) -> Double {
        guard scale.partitions.indices.contains(Int(job.partition)) else { return 0 }
        return normalized(scale.partitions[Int(job.partition)].jobFactor, highestPartition, unless: .noNormalPart)
    }

    private func normalized(_ value: UInt32, _ highest: UInt32, unless flag: PrioritySettings.Flags) -> Double {
        if settings.flags.contains(flag) { return Double(value) }
        return highest == 0 ? 0 : Double(value) / Double(highest)
    }

    /// Large jobs first, or small ones with PriorityFavorSmall; half by nodes, half by CPUs.
    private func size(_ job: PriorityInputs) -> Double {
        guard scale.cpus > 0, scale.nodes > 0 else { return 0 }
        if settings.flags.contains(.smallRelativeToTime) { return sizeByTime(job) }
        let nodes = Double(job.minNodes) / Double(scale.nodes)
        let cpus = Double(job.cpus) / Double(scale.cpus)
        let part = job.cpus == 0 ? nodes : (nodes + cpus) / 2
        return clamped(settings.favorSmall ? 1 - part : part)
    }

    private func sizeByTime(_ job: PriorityInputs) -> Double {
        // CPUs it asks for, or as many as so many average nodes have.
        let size = max(Double(job.minNodes) * Double(scale.cpus) / Double(scale.nodes), Double(job.cpus))
        let part = size / Double(max(minutes(job), 1)) / Double(scale.cpus)
        return clamped(settings.favorSmall ? 1 - part : part)
    }

    private func minutes(_ job: PriorityInputs) -> UInt32 {
        if job.timeLimit != .notGiven { return job.timeLimit.rawValue }
        let partition = Int(job.partition)
        return scale.partitions.indices.contains(partition) ? scale.partitions[partition].maxTime.rawValue : .max
    }

    private func clamped(_ value: Double) -> Double { min(max(value, 0), 1) }

    /// Of each weighted TRES what the job asks for, as a part of what its partition has.
    private func tres(_ job: PriorityInputs) -> [PriorityTerms.TRESTerm] {
        zip(settings.weights.tres, tresIDs).map { weight, id in
            let asked = id.map { Double(job.tres[$0]) } ?? 0
            return .init(tres: weight.tres, term: .init(tresFactor(asked, id, job), weight: weight.weight))
        }
    }

    private func tresFactor(_ asked: Double, _ id: TRESID?, _ job: PriorityInputs) -> Double {
        if settings.flags.contains(.noNormalTRES) { return asked }
        let partition = Int(job.partition)
        guard let id, scale.partitions.indices.contains(partition) else { return 0 }
        let all = scale.partitions[partition].tres[id]
        return all == 0 ? 0 : asked / Double(all)
    }
}
