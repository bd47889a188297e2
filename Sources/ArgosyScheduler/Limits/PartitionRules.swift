// What a partition lets in. As in Slurm 22.05 (found by asking it): groups, a needed reservation and a closed partition
// refuse at submission always; accounts, QOS, RootOnly and sizes refuse only with EnforcePartLimits, and otherwise the
// job is taken and waits with a reason until job or partition is changed. A QOS with PartitionTimeLimit,
// PartitionMaxNodes or PartitionMinNodes lifts that size, unless EnforcePartLimits is set.

public import ArgosyConfig
public import ArgosyDomain

/// A job as partitions see it.
public struct PartitionRequest: Hashable, Sendable {
    public var uid: UInt32
    /// Names of all its groups.
    public var groups: [String]
    public var account: String
    public var qos: QOS?
    public var minNodes: UInt32
    /// As it would run: the partition's default filled in.
    public var timeLimit: TimeLimit
    public var hasReservation: Bool
    /// MiB, 0: not given.
    public var memoryPerNodeMiB: UInt64
    public var memoryPerCPUMiB: UInt64
    /// The host it was submitted from.
    public var submitHost: String
    public init(uid: UInt32, account: String = "", qos: QOS? = nil, minNodes: UInt32 = 1) {
        self.uid = uid
        self.account = account
        self.qos = qos
        self.minNodes = minNodes
        groups = []
        timeLimit = .unlimited
        hasReservation = false
        memoryPerNodeMiB = 0
        memoryPerCPUMiB = 0
        submitHost = ""
    }
}

/// A rule of a partition that a job breaks.
public struct PartitionBlocker: Hashable, Sendable {
    public var reason: PendingReason
    /// A sentence with the numbers.
    public var detail: String
    /// Slurm's answer at submission; nil: it only holds the job.
    public var refusal: Refusal?
    public var enforcement: Enforcement
    public enum Enforcement: Hashable, Sendable {
        /// Refuses at submission and holds what waits.
        case always
        /// Refuses at submission; what waits already may start.
        case atSubmission
        /// Holds what waits; refuses at submission with EnforcePartLimits only.
        case withPartLimits
        /// Holds only.
        case never
    }
}

public struct PartitionRules: Sendable {
    private let partition: ClusterConfiguration.Partition
    private let accounting: AccountingSettings
    private let clusterMaxMemory: (perCPU: UInt64, perNode: UInt64)

    public init(_ partition: ClusterConfiguration.Partition, of configuration: ClusterConfiguration) {
        self.partition = partition
        accounting = configuration.accounting
        clusterMaxMemory = (configuration.maxMemoryPerCPUMiB, configuration.maxMemoryPerNodeMiB)
    }

    /// Everything that keeps a waiting `job` out of the partition, in a fixed order. Empty: it may start there.
    public func blockers(_ job: PartitionRequest) -> [PartitionBlocker] {
        Self.rules.compactMap { $0(self, job) }.filter { $0.enforcement != .atSubmission }
    }

    /// Why the job is not accepted for this partition; nil: it is, though it may have to wait. With
    /// EnforcePartLimits=ANY the caller accepts a job that any of its partitions accepts; with ALL, all must.
    public func submissionRefusal(_ job: PartitionRequest) -> Refusal? {
        let isStrict = accounting.enforcePartLimits != .no
        return Self.rules.lazy.compactMap { $0(self, job) }.first { blocker in
            switch blocker.enforcement {
            case .always, .atSubmission: true
            case .withPartLimits: isStrict
            case .never: false
            }
        }?.refusal
    }

    /// Each asks one question. Who first, then how much.
    private static let rules: [@Sendable (PartitionRules, PartitionRequest) -> PartitionBlocker?] = [
        { $0.state($1) }, { $0.rootOnly($1) }, { $0.rootJobs($1) }, { $0.groups($1) }, { $0.accounts($1) },
        { $0.qos($1) }, { $0.submitHost($1) }, { $0.reservation($1) }, { $0.time($1) }, { $0.mostNodes($1) },
        { $0.fewestNodes($1) }, { $0.memory($1) },
    ]

    private func blocker(
        _ reason: PendingReason, _ detail: String, _ code: Refusal.Code? = nil, _ message: String = "",
        _ enforcement: PartitionBlocker.Enforcement = .withPartLimits
    ) -> PartitionBlocker {
        let sentence = "partition \(partition.name) \(detail)"
        return PartitionBlocker(
            reason: reason, detail: sentence, refusal: code.map { Refusal($0, message, detail: sentence) },
            enforcement: code == nil ? .never : enforcement)
    }
}

// Who.
extension PartitionRules {
    private func state(_ job: PartitionRequest) -> PartitionBlocker? {
        let closed = "Required partition not available (inactive or drain)"
        return switch partition.state {
        case "DOWN": blocker(.partitionDown, "is DOWN: jobs may be submitted and do not start")
        case "INACTIVE": blocker(.partitionInactive, "is INACTIVE", .partitionDown, closed, .always)
        case "DRAIN": blocker(.partitionDown, "is DRAIN and takes no new jobs", .partitionDown, closed, .atSubmission)
        default: nil
        }
    }

    private func rootOnly(_ job: PartitionRequest) -> PartitionBlocker? {
        guard partition.rootOnly, job.uid != 0 else { return nil }
        return blocker(
            .partitionConfig, "takes jobs of root only (RootOnly=YES)", .accessDenied,
            "Requested partition configuration not available now")
    }

    private func rootJobs(_ job: PartitionRequest) -> PartitionBlocker? {
        guard job.uid == 0, partition.policy.disableRootJobs ?? accounting.disableRootJobs else { return nil }
        return blocker(
            .partitionConfig, "takes no jobs of root (DisableRootJobs=YES)", .accessDenied,
            "Access/permission denied", .always)
    }

    private func groups(_ job: PartitionRequest) -> PartitionBlocker? {
        let allowed = partition.allowGroups
        guard !allowed.isEmpty, job.uid != 0, !allowed.contains(where: job.groups.contains) else { return nil }
        return blocker(
            .partitionConfig, "takes groups \(allowed.joined(separator: ",")) only (AllowGroups)", .accessDenied,
            "User's group not permitted to use this partition", .always)
    }

    private func accounts(_ job: PartitionRequest) -> PartitionBlocker? {
        let denied = Self.judge(job.account, partition.allowAccounts, partition.policy.denyAccounts)
        return denied.map {
            refused("account", .accountNotAllowed, $0, .invalidAccount, AccountingRecords.invalidAccount)
        }
    }

    private func qos(_ job: PartitionRequest) -> PartitionBlocker? {
        // Root may use any QOS that is not denied.
        let allowed = job.uid == 0 ? [] : partition.policy.allowQOS
        if job.uid == 0 && !partition.policy.allowQOS.isEmpty { return nil }
        let denied = Self.judge(job.qos?.name ?? "", allowed, partition.policy.denyQOS)
        return denied.map { refused("QOS", .qosNotAllowed, $0, .invalidQOS, AccountingRecords.invalidQOS) }
    }

    /// What squeue says of a name that is not let in; a list of those allowed makes one of those denied void.
    private static func judge(_ name: String, _ allowed: [String], _ denied: [String]) -> String? {
        if !allowed.isEmpty {
            return allowed.contains(name) ? nil : "allows \(allowed.joined(separator: ",")) not \(name)"
        }
        return denied.contains(name) ? "denies \(denied.joined(separator: ",")) including \(name)" : nil
    }

    /// Slurm's own sentence, which squeue shows in place of the reason word.
    private func refused(
        _ what: String, _ reason: PendingReason, _ why: String, _ code: Refusal.Code, _ message: String
    ) -> PartitionBlocker {
        let sentence = "Job's \(what) not permitted to use this partition (\(partition.name) \(why))"
        return PartitionBlocker(
            reason: reason, detail: sentence, refusal: Refusal(code, message, detail: sentence),
            enforcement: .withPartLimits)
    }

    private func submitHost(_ job: PartitionRequest) -> PartitionBlocker? {
        let allowed = partition.policy.allocNodes
        guard !allowed.isEmpty, !job.submitHost.isEmpty,
            let hosts = try? Hostlist.expand(allowed), !hosts.contains(job.submitHost)
        else { return nil }
        return blocker(
            .partitionConfig, "takes jobs from hosts \(allowed) only (AllocNodes), not from \(job.submitHost)",
            .accessDenied, "Access/permission denied")
    }

    private func reservation(_ job: PartitionRequest) -> PartitionBlocker? {
        guard partition.policy.requiresReservation, !job.hasReservation else { return nil }
        return blocker(
            .reservation, "takes jobs with a reservation only (ReqResv=YES); give --reservation", .accessDenied,
            "Access/permission denied", .always)
    }
}

// How much.
extension PartitionRules {
    /// A QOS lifts a size only where sizes do not refuse at submission.
    private func lifts(_ job: PartitionRequest, _ flag: QOSFlags) -> Bool {
        accounting.enforcePartLimits == .no && job.qos?.flags.contains(flag) == true
    }

    private func time(_ job: PartitionRequest) -> PartitionBlocker? {
        guard partition.maxTime != .unlimited, !lifts(job, .partitionTimeLimit) else { return nil }
        guard job.timeLimit != .notGiven, job.timeLimit > partition.maxTime else { return nil }
        let asked = job.timeLimit == .unlimited ? "no limit" : "\(job.timeLimit.rawValue) minutes"
        return blocker(
            .partitionTimeLimit,
            "runs jobs of at most \(partition.maxTime.rawValue) minutes, the job asks for \(asked)",
            .invalidTimeLimit, "Requested time limit is invalid (missing or exceeds some limit)")
    }

    private func mostNodes(_ job: PartitionRequest) -> PartitionBlocker? {
        guard job.minNodes > partition.maxNodes, !lifts(job, .partitionMaxNodes) else { return nil }
        return blocker(
            .partitionNodeLimit, "gives a job at most \(partition.maxNodes) nodes, the job asks for \(job.minNodes)",
            .nodesNotAvailable, "Node count specification invalid")
    }

    private func fewestNodes(_ job: PartitionRequest) -> PartitionBlocker? {
        guard job.minNodes < partition.minNodes, !lifts(job, .partitionMinNodes) else { return nil }
        return blocker(
            .partitionNodeLimit, "takes jobs of at least \(partition.minNodes) nodes, the job asks for \(job.minNodes)",
            .nodesNotAvailable, "Node count specification invalid")
    }

    private func memory(_ job: PartitionRequest) -> PartitionBlocker? {
        let policy = partition.policy
        let perNode = policy.maxMemPerNodeMiB > 0 ? policy.maxMemPerNodeMiB : clusterMaxMemory.perNode
        let perCPU = policy.maxMemPerCPUMiB > 0 ? policy.maxMemPerCPUMiB : clusterMaxMemory.perCPU
        let message = "Memory required by task is not available"
        if perNode > 0, job.memoryPerNodeMiB > perNode {
            return blocker(
                .maxMemPerLimit,
                "gives a job at most \(perNode) MiB of a node, the job asks for \(job.memoryPerNodeMiB)",
                .memoryTooLarge, message)
        }
        guard perCPU > 0, job.memoryPerCPUMiB > perCPU else { return nil }
        return blocker(
            .maxMemPerLimit, "gives a job at most \(perCPU) MiB a CPU, the job asks for \(job.memoryPerCPUMiB)",
            .memoryTooLarge, message)
    }
}
