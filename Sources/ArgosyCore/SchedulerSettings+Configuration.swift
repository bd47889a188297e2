import ArgosyConfig
import ArgosyDomain
import ArgosyScheduler

extension SchedulerSettings {
    init(_ configured: SchedulingSettings, _ priority: PrioritySettings) {
        self.init()
        // Conservative reservations are kept in the order they were made, and who configures the factors of priorities
        // wants their order.
        usesDefaultPolicy =
            configured.policy == .default && configured.kind == .backfill && !configured.conservative
            && priority.kind == .basic
        switch (configured.kind, configured.conservative, configured.reservations) {
        case (.builtin, _, _): backfill = .none
        case (.backfill, true, _): backfill = .conservative
        case (.backfill, false, .all): backfill = .reservations(.max)
        case (.backfill, false, .first(let count)): backfill = .reservations(count)
        // The policy is an order for EASY; in the order of priorities each job gets a time of its own.
        case (.backfill, false, nil): backfill = .reservations(usesDefaultPolicy ? 1 : .max)
        }
        window = configured.window
        resolution = configured.resolution
        maxJobsTested = configured.maxJobsTested
        maxJobsPerUser = configured.maxJobsPerUser
        maxJobsPerPartition = configured.maxJobsPerPartition
        maxJobsPerAssociation = configured.maxJobsPerAssociation
        maxJobsStarted = configured.maxJobsStarted
        passBudget = configured.passBudget.microseconds
        switch configured.preemptType {
        case .none: preemption = .none
        case .partition: preemption = .partitionPriority
        case .qos: preemption = .qos
        }
        preemptMode = configured.preemptMode
        preemptExemptTime = configured.preemptExemptTime.components.seconds
        allocatesCores = !configured.allocatesThreads
        memoryCounts = configured.memoryCounts
        packsSerialAtEnd = configured.packsSerialAtEnd
        wholeNodes = configured.wholeNodes
    }
}
