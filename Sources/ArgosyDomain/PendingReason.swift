/// Why a job waits, or why it ended as it did: the word `squeue` shows. Raw values are stored: never renumber.
///
/// The words are those of Slurm 22.05 (its job_reason_string, read out of the library), without the three of
/// hardware that is gone. Limits name the record that sets them (`Assoc...`, `QOS...`, `Max...PerAccount` for a QOS's
/// limits by account) and the resource.
public enum PendingReason: UInt32, CaseIterable, Sendable {
    case none = 0, priority = 1, resources = 2, partitionDown = 3, partitionNodeLimit = 4, partitionTimeLimit = 5
    case dependency = 6, jobHeldUser = 7, jobHeldAdmin = 8, beginTime = 9, jobArrayTaskLimit = 10
    case reqNodeNotAvail = 11, nodeDown = 12, badConstraints = 13, launchFailedRequeuedHeld = 14, nonZeroExitCode = 15
    case timeLimit = 16, outOfMemory = 17, jobLaunchFailure = 18, raisedSignal = 19, partitionConfig = 20
    case cleaning = 21, dependencyNeverSatisfied = 22
    case partitionInactive = 23, licenses = 24
    case associationJobLimit = 25, associationResourceLimit = 26, associationTimeLimit = 27
    case reservation = 28, schedDefer = 29, systemFailure = 30, inactiveLimit = 31, invalidAccount = 32
    case invalidQOS = 33
    case qosUsageThreshold = 34, qosJobLimit = 35, qosResourceLimit = 36, qosTimeLimit = 37
    case prolog = 38
    case qosNotAllowed = 39
    case accountNotAllowed = 40
    case qosGrpCpuLimit = 41, qosGrpCPUMinutesLimit = 42, qosGrpCPURunMinutesLimit = 43, qosGrpJobsLimit = 44
    case qosGrpMemLimit = 45, qosGrpNodeLimit = 46, qosGrpSubmitJobsLimit = 47, qosGrpWallLimit = 48
    case qosMaxCpuPerJobLimit = 49, qosMaxCpuMinutesPerJobLimit = 50, qosMaxNodePerJobLimit = 51
    case qosMaxWallDurationPerJobLimit = 52, qosMaxCpuPerUserLimit = 53, qosMaxJobsPerUserLimit = 54
    case qosMaxNodePerUserLimit = 55, qosMaxSubmitJobPerUserLimit = 56, qosMinCpuNotSatisfied = 57
    case assocGrpCpuLimit = 58, assocGrpCPUMinutesLimit = 59, assocGrpCPURunMinutesLimit = 60, assocGrpJobsLimit = 61
    case assocGrpMemLimit = 62, assocGrpNodeLimit = 63, assocGrpSubmitJobsLimit = 64, assocGrpWallLimit = 65
    case assocMaxJobsLimit = 66, assocMaxCpuPerJobLimit = 67, assocMaxCpuMinutesPerJobLimit = 68
    case assocMaxNodePerJobLimit = 69, assocMaxWallDurationPerJobLimit = 70, assocMaxSubmitJobLimit = 71
    case jobHoldMaxRequeue = 72, burstBufferResources = 73, burstBufferStageIn = 74, burstBufferOperation = 75
    case powerNotAvail = 76, powerReserved = 77
    case assocGrpUnknown = 78, assocGrpUnknownMinutes = 79, assocGrpUnknownRunMinutes = 80, assocMaxUnknownPerJob = 81
    case assocMaxUnknownPerNode = 82, assocMaxUnknownMinutesPerJob = 83, assocMaxCpuPerNode = 84
    case assocGrpMemMinutes = 85, assocGrpMemRunMinutes = 86, assocMaxMemPerJob = 87, assocMaxMemPerNode = 88
    case assocMaxMemMinutesPerJob = 89, assocGrpNodeMinutes = 90, assocGrpNodeRunMinutes = 91
    case assocMaxNodeMinutesPerJob = 92, assocGrpEnergy = 93, assocGrpEnergyMinutes = 94
    case assocGrpEnergyRunMinutes = 95, assocMaxEnergyPerJob = 96, assocMaxEnergyPerNode = 97
    case assocMaxEnergyMinutesPerJob = 98, assocGrpGRES = 99, assocGrpGRESMinutes = 100, assocGrpGRESRunMinutes = 101
    case assocMaxGRESPerJob = 102, assocMaxGRESPerNode = 103, assocMaxGRESMinutesPerJob = 104, assocGrpLicense = 105
    case assocGrpLicenseMinutes = 106, assocGrpLicenseRunMinutes = 107, assocMaxLicensePerJob = 108
    case assocMaxLicenseMinutesPerJob = 109, assocGrpBB = 110, assocGrpBBMinutes = 111, assocGrpBBRunMinutes = 112
    case assocMaxBBPerJob = 113, assocMaxBBPerNode = 114, assocMaxBBMinutesPerJob = 115
    case qosGrpUnknown = 116, qosGrpUnknownMinutes = 117, qosGrpUnknownRunMinutes = 118, qosMaxUnknownPerJob = 119
    case qosMaxUnknownPerNode = 120, qosMaxUnknownPerUser = 121, qosMaxUnknownMinutesPerJob = 122, qosMinUnknown = 123
    case qosMaxCpuPerNode = 124, qosGrpMemoryMinutes = 125, qosGrpMemoryRunMinutes = 126
    case qosMaxMemoryMinutesPerJob = 127, qosMaxMemoryPerJob = 128, qosMaxMemoryPerNode = 129
    case qosMaxMemoryPerUser = 130, qosMinMemory = 131, qosGrpEnergy = 132, qosGrpEnergyMinutes = 133
    case qosGrpEnergyRunMinutes = 134, qosMaxEnergyPerJob = 135, qosMaxEnergyPerNode = 136, qosMaxEnergyPerUser = 137
    case qosMaxEnergyMinutesPerJob = 138, qosMinEnergy = 139, qosGrpNodeMinutes = 140, qosGrpNodeRunMinutes = 141
    case qosMaxNodeMinutesPerJob = 142, qosMinNode = 143, qosGrpGRES = 144, qosGrpGRESMinutes = 145
    case qosGrpGRESRunMinutes = 146, qosMaxGRESPerJob = 147, qosMaxGRESPerNode = 148, qosMaxGRESPerUser = 149
    case qosMaxGRESMinutesPerJob = 150, qosMinGRES = 151, qosGrpLicense = 152, qosGrpLicenseMinutes = 153
    case qosGrpLicenseRunMinutes = 154, qosMaxLicensePerJob = 155, qosMaxLicensePerUser = 156
    case qosMaxLicenseMinutesPerJob = 157, qosMinLicense = 158, qosGrpBB = 159, qosGrpBBMinutes = 160
    case qosGrpBBRunMinutes = 161, qosMaxBBPerJob = 162, qosMaxBBPerNode = 163, qosMaxBBPerUser = 164, qosMinBB = 165
    case deadLine = 166
    case maxBBPerAccount = 167, maxCpuPerAccount = 168, maxEnergyPerAccount = 169, maxGRESPerAccount = 170
    case maxNodePerAccount = 171, maxLicensePerAccount = 172, maxMemoryPerAccount = 173, maxUnknownPerAccount = 174
    case maxJobsPerAccount = 175, maxSubmitJobsPerAccount = 176
    case accountingPolicy = 177, fedJobLock = 178
    case maxMemPerLimit = 179
    case assocGrpBilling = 180, assocGrpBillingMinutes = 181, assocGrpBillingRunMinutes = 182
    case assocMaxBillingPerJob = 183, assocMaxBillingPerNode = 184, assocMaxBillingMinutesPerJob = 185
    case qosGrpBilling = 186, qosGrpBillingMinutes = 187, qosGrpBillingRunMinutes = 188, qosMaxBillingPerJob = 189
    case qosMaxBillingPerNode = 190, qosMaxBillingPerUser = 191, qosMaxBillingMinutesPerJob = 192
    case maxBillingPerAccount = 193
    case qosMinBilling = 194
    case reservationDeleted = 195
    case jobRequeuedHeld = 196

    public var word: String {
        switch self {
        case .none: "None"
        case .priority: "Priority"
        case .resources: "Resources"
        case .partitionDown: "PartitionDown"
        case .partitionNodeLimit: "PartitionNodeLimit"
        case .partitionTimeLimit: "PartitionTimeLimit"
        case .dependency: "Dependency"
        case .jobHeldUser: "JobHeldUser"
        case .jobHeldAdmin: "JobHeldAdmin"
        case .beginTime: "BeginTime"
        case .jobArrayTaskLimit: "JobArrayTaskLimit"
        case .reqNodeNotAvail: "ReqNodeNotAvail"
        case .nodeDown: "NodeDown"
        case .badConstraints: "BadConstraints"
        case .launchFailedRequeuedHeld: "launch_failed_requeued_held"
        case .jobRequeuedHeld: "job_requeued_in_held_state"
        case .nonZeroExitCode: "NonZeroExitCode"
        case .timeLimit: "TimeLimit"
        case .outOfMemory: "OutOfMemory"
        case .jobLaunchFailure: "JobLaunchFailure"
        case .raisedSignal: "RaisedSignal"
        case .partitionConfig: "PartitionConfig"
        case .cleaning: "Cleaning"
        case .dependencyNeverSatisfied: "DependencyNeverSatisfied"
        case .partitionInactive: "PartitionInactive"
        case .licenses: "Licenses"
        case .associationJobLimit: "AssociationJobLimit"
        case .associationResourceLimit: "AssociationResourceLimit"
        case .associationTimeLimit: "AssociationTimeLimit"
        case .reservation: "Reservation"
        case .schedDefer: "SchedDefer"
        case .systemFailure: "SystemFailure"
        case .inactiveLimit: "InactiveLimit"
        case .invalidAccount: "InvalidAccount"
        case .invalidQOS: "InvalidQOS"
        case .qosUsageThreshold: "QOSUsageThreshold"
        case .qosJobLimit: "QOSJobLimit"
        case .qosResourceLimit: "QOSResourceLimit"
        case .qosTimeLimit: "QOSTimeLimit"
        case .prolog: "Prolog"
        case .qosNotAllowed: "QOSNotAllowed"
        case .accountNotAllowed: "AccountNotAllowed"
        case .qosGrpCpuLimit: "QOSGrpCpuLimit"
        case .qosGrpCPUMinutesLimit: "QOSGrpCPUMinutesLimit"
        case .qosGrpCPURunMinutesLimit: "QOSGrpCPURunMinutesLimit"
        case .qosGrpJobsLimit: "QOSGrpJobsLimit"
        case .qosGrpMemLimit: "QOSGrpMemLimit"
        case .qosGrpNodeLimit: "QOSGrpNodeLimit"
        case .qosGrpSubmitJobsLimit: "QOSGrpSubmitJobsLimit"
        case .qosGrpWallLimit: "QOSGrpWallLimit"
        case .qosMaxCpuPerJobLimit: "QOSMaxCpuPerJobLimit"
        case .qosMaxCpuMinutesPerJobLimit: "QOSMaxCpuMinutesPerJobLimit"
        case .qosMaxNodePerJobLimit: "QOSMaxNodePerJobLimit"
        case .qosMaxWallDurationPerJobLimit: "QOSMaxWallDurationPerJobLimit"
        case .qosMaxCpuPerUserLimit: "QOSMaxCpuPerUserLimit"
        case .qosMaxJobsPerUserLimit: "QOSMaxJobsPerUserLimit"
        case .qosMaxNodePerUserLimit: "QOSMaxNodePerUserLimit"
        case .qosMaxSubmitJobPerUserLimit: "QOSMaxSubmitJobPerUserLimit"
        case .qosMinCpuNotSatisfied: "QOSMinCpuNotSatisfied"
        case .assocGrpCpuLimit: "AssocGrpCpuLimit"
        case .assocGrpCPUMinutesLimit: "AssocGrpCPUMinutesLimit"
        case .assocGrpCPURunMinutesLimit: "AssocGrpCPURunMinutesLimit"
        case .assocGrpJobsLimit: "AssocGrpJobsLimit"
        case .assocGrpMemLimit: "AssocGrpMemLimit"
        case .assocGrpNodeLimit: "AssocGrpNodeLimit"
        case .assocGrpSubmitJobsLimit: "AssocGrpSubmitJobsLimit"
        case .assocGrpWallLimit: "AssocGrpWallLimit"
        case .assocMaxJobsLimit: "AssocMaxJobsLimit"
        case .assocMaxCpuPerJobLimit: "AssocMaxCpuPerJobLimit"
        case .assocMaxCpuMinutesPerJobLimit: "AssocMaxCpuMinutesPerJobLimit"
        case .assocMaxNodePerJobLimit: "AssocMaxNodePerJobLimit"
        case .assocMaxWallDurationPerJobLimit: "AssocMaxWallDurationPerJobLimit"
        case .assocMaxSubmitJobLimit: "AssocMaxSubmitJobLimit"
        case .jobHoldMaxRequeue: "JobHoldMaxRequeue"
        case .burstBufferResources: "BurstBufferResources"
        case .burstBufferStageIn: "BurstBufferStageIn"
        case .burstBufferOperation: "BurstBufferOperation"
        case .powerNotAvail: "PowerNotAvail"
        case .powerReserved: "PowerReserved"
        case .assocGrpUnknown: "AssocGrpUnknown"
        case .assocGrpUnknownMinutes: "AssocGrpUnknownMinutes"
        case .assocGrpUnknownRunMinutes: "AssocGrpUnknownRunMinutes"
        case .assocMaxUnknownPerJob: "AssocMaxUnknownPerJob"
        case .assocMaxUnknownPerNode: "AssocMaxUnknownPerNode"
        case .assocMaxUnknownMinutesPerJob: "AssocMaxUnknownMinutesPerJob"
        case .assocMaxCpuPerNode: "AssocMaxCpuPerNode"
        case .assocGrpMemMinutes: "AssocGrpMemMinutes"
        case .assocGrpMemRunMinutes: "AssocGrpMemRunMinutes"
        case .assocMaxMemPerJob: "AssocMaxMemPerJob"
        case .assocMaxMemPerNode: "AssocMaxMemPerNode"
        case .assocMaxMemMinutesPerJob: "AssocMaxMemMinutesPerJob"
        case .assocGrpNodeMinutes: "AssocGrpNodeMinutes"
        case .assocGrpNodeRunMinutes: "AssocGrpNodeRunMinutes"
        case .assocMaxNodeMinutesPerJob: "AssocMaxNodeMinutesPerJob"
        case .assocGrpEnergy: "AssocGrpEnergy"
        case .assocGrpEnergyMinutes: "AssocGrpEnergyMinutes"
        case .assocGrpEnergyRunMinutes: "AssocGrpEnergyRunMinutes"
        case .assocMaxEnergyPerJob: "AssocMaxEnergyPerJob"
        case .assocMaxEnergyPerNode: "AssocMaxEnergyPerNode"
        case .assocMaxEnergyMinutesPerJob: "AssocMaxEnergyMinutesPerJob"
        case .assocGrpGRES: "AssocGrpGRES"
        case .assocGrpGRESMinutes: "AssocGrpGRESMinutes"
        case .assocGrpGRESRunMinutes: "AssocGrpGRESRunMinutes"
        case .assocMaxGRESPerJob: "AssocMaxGRESPerJob"
        case .assocMaxGRESPerNode: "AssocMaxGRESPerNode"
        case .assocMaxGRESMinutesPerJob: "AssocMaxGRESMinutesPerJob"
        case .assocGrpLicense: "AssocGrpLicense"
        case .assocGrpLicenseMinutes: "AssocGrpLicenseMinutes"
        case .assocGrpLicenseRunMinutes: "AssocGrpLicenseRunMinutes"
        case .assocMaxLicensePerJob: "AssocMaxLicensePerJob"
        case .assocMaxLicenseMinutesPerJob: "AssocMaxLicenseMinutesPerJob"
        case .assocGrpBB: "AssocGrpBB"
        case .assocGrpBBMinutes: "AssocGrpBBMinutes"
        case .assocGrpBBRunMinutes: "AssocGrpBBRunMinutes"
        case .assocMaxBBPerJob: "AssocMaxBBPerJob"
        case .assocMaxBBPerNode: "AssocMaxBBPerNode"
        case .assocMaxBBMinutesPerJob: "AssocMaxBBMinutesPerJob"
        case .qosGrpUnknown: "QOSGrpUnknown"
        case .qosGrpUnknownMinutes: "QOSGrpUnknownMinutes"
        case .qosGrpUnknownRunMinutes: "QOSGrpUnknownRunMinutes"
        case .qosMaxUnknownPerJob: "QOSMaxUnknownPerJob"
        case .qosMaxUnknownPerNode: "QOSMaxUnknownPerNode"
        case .qosMaxUnknownPerUser: "QOSMaxUnknownPerUser"
        case .qosMaxUnknownMinutesPerJob: "QOSMaxUnknownMinutesPerJob"
        case .qosMinUnknown: "QOSMinUnknown"
        case .qosMaxCpuPerNode: "QOSMaxCpuPerNode"
        case .qosGrpMemoryMinutes: "QOSGrpMemoryMinutes"
        case .qosGrpMemoryRunMinutes: "QOSGrpMemoryRunMinutes"
        case .qosMaxMemoryMinutesPerJob: "QOSMaxMemoryMinutesPerJob"
        case .qosMaxMemoryPerJob: "QOSMaxMemoryPerJob"
        case .qosMaxMemoryPerNode: "QOSMaxMemoryPerNode"
        case .qosMaxMemoryPerUser: "QOSMaxMemoryPerUser"
        case .qosMinMemory: "QOSMinMemory"
        case .qosGrpEnergy: "QOSGrpEnergy"
        case .qosGrpEnergyMinutes: "QOSGrpEnergyMinutes"
        case .qosGrpEnergyRunMinutes: "QOSGrpEnergyRunMinutes"
        case .qosMaxEnergyPerJob: "QOSMaxEnergyPerJob"
        case .qosMaxEnergyPerNode: "QOSMaxEnergyPerNode"
        case .qosMaxEnergyPerUser: "QOSMaxEnergyPerUser"
        case .qosMaxEnergyMinutesPerJob: "QOSMaxEnergyMinutesPerJob"
        case .qosMinEnergy: "QOSMinEnergy"
        case .qosGrpNodeMinutes: "QOSGrpNodeMinutes"
        case .qosGrpNodeRunMinutes: "QOSGrpNodeRunMinutes"
        case .qosMaxNodeMinutesPerJob: "QOSMaxNodeMinutesPerJob"
        case .qosMinNode: "QOSMinNode"
        case .qosGrpGRES: "QOSGrpGRES"
        case .qosGrpGRESMinutes: "QOSGrpGRESMinutes"
        case .qosGrpGRESRunMinutes: "QOSGrpGRESRunMinutes"
        case .qosMaxGRESPerJob: "QOSMaxGRESPerJob"
        case .qosMaxGRESPerNode: "QOSMaxGRESPerNode"
        case .qosMaxGRESPerUser: "QOSMaxGRESPerUser"
        case .qosMaxGRESMinutesPerJob: "QOSMaxGRESMinutesPerJob"
        case .qosMinGRES: "QOSMinGRES"
        case .qosGrpLicense: "QOSGrpLicense"
        case .qosGrpLicenseMinutes: "QOSGrpLicenseMinutes"
        case .qosGrpLicenseRunMinutes: "QOSGrpLicenseRunMinutes"
        case .qosMaxLicensePerJob: "QOSMaxLicensePerJob"
        case .qosMaxLicensePerUser: "QOSMaxLicensePerUser"
        case .qosMaxLicenseMinutesPerJob: "QOSMaxLicenseMinutesPerJob"
        case .qosMinLicense: "QOSMinLicense"
        case .qosGrpBB: "QOSGrpBB"
        case .qosGrpBBMinutes: "QOSGrpBBMinutes"
        case .qosGrpBBRunMinutes: "QOSGrpBBRunMinutes"
        case .qosMaxBBPerJob: "QOSMaxBBPerJob"
        case .qosMaxBBPerNode: "QOSMaxBBPerNode"
        case .qosMaxBBPerUser: "QOSMaxBBPerUser"
        case .qosMinBB: "QOSMinBB"
        case .deadLine: "DeadLine"
        case .maxBBPerAccount: "MaxBBPerAccount"
        case .maxCpuPerAccount: "MaxCpuPerAccount"
        case .maxEnergyPerAccount: "MaxEnergyPerAccount"
        case .maxGRESPerAccount: "MaxGRESPerAccount"
        case .maxNodePerAccount: "MaxNodePerAccount"
        case .maxLicensePerAccount: "MaxLicensePerAccount"
        case .maxMemoryPerAccount: "MaxMemoryPerAccount"
        case .maxUnknownPerAccount: "MaxUnknownPerAccount"
        case .maxJobsPerAccount: "MaxJobsPerAccount"
        case .maxSubmitJobsPerAccount: "MaxSubmitJobsPerAccount"
        case .accountingPolicy: "AccountingPolicy"
        case .fedJobLock: "FedJobLock"
        case .maxMemPerLimit: "MaxMemPerLimit"
        case .assocGrpBilling: "AssocGrpBilling"
        case .assocGrpBillingMinutes: "AssocGrpBillingMinutes"
        case .assocGrpBillingRunMinutes: "AssocGrpBillingRunMinutes"
        case .assocMaxBillingPerJob: "AssocMaxBillingPerJob"
        case .assocMaxBillingPerNode: "AssocMaxBillingPerNode"
        case .assocMaxBillingMinutesPerJob: "AssocMaxBillingMinutesPerJob"
        case .qosGrpBilling: "QOSGrpBilling"
        case .qosGrpBillingMinutes: "QOSGrpBillingMinutes"
        case .qosGrpBillingRunMinutes: "QOSGrpBillingRunMinutes"
        case .qosMaxBillingPerJob: "QOSMaxBillingPerJob"
        case .qosMaxBillingPerNode: "QOSMaxBillingPerNode"
        case .qosMaxBillingPerUser: "QOSMaxBillingPerUser"
        case .qosMaxBillingMinutesPerJob: "QOSMaxBillingMinutesPerJob"
        case .maxBillingPerAccount: "MaxBillingPerAccount"
        case .qosMinBilling: "QOSMinBilling"
        case .reservationDeleted: "ReservationDeleted"
        }
    }

    /// By the word `squeue` shows, in any case.
    public init?(word: String) {
        let wanted = word.lowercased()
        guard let found = Self.allCases.first(where: { $0.word.lowercased() == wanted }) else { return nil }
        self = found
    }
}
