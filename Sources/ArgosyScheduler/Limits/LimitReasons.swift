// Slurm's reason word for each limit and resource. The spelling is irregular, so each word is written out: the rows
// below hold cpu, mem, node, energy, gres, license, bb, billing, and last the word for any other resource.

import ArgosyDomain

enum LimitReasons {
    static func reason(_ row: [PendingReason], _ tres: TRES?) -> PendingReason { row[column(of: tres)] }

    private static func column(of tres: TRES?) -> Int {
        switch tres?.type {
        case "cpu": 0
        case "mem": 1
        case "node": 2
        case "energy": 3
        case "gres": 4
        case "license": 5
        case "bb": 6
        case "billing": 7
        default: 8
        }
    }

    static let assocGrp: [PendingReason] = [
        .assocGrpCpuLimit, .assocGrpMemLimit, .assocGrpNodeLimit, .assocGrpEnergy, .assocGrpGRES, .assocGrpLicense,
        .assocGrpBB, .assocGrpBilling, .assocGrpUnknown,
    ]
    static let assocGrpMinutes: [PendingReason] = [
        .assocGrpCPUMinutesLimit, .assocGrpMemMinutes, .assocGrpNodeMinutes, .assocGrpEnergyMinutes,
        .assocGrpGRESMinutes, .assocGrpLicenseMinutes, .assocGrpBBMinutes, .assocGrpBillingMinutes,
        .assocGrpUnknownMinutes,
    ]
    static let assocGrpRunMinutes: [PendingReason] = [
        .assocGrpCPURunMinutesLimit, .assocGrpMemRunMinutes, .assocGrpNodeRunMinutes, .assocGrpEnergyRunMinutes,
        .assocGrpGRESRunMinutes, .assocGrpLicenseRunMinutes, .assocGrpBBRunMinutes, .assocGrpBillingRunMinutes,
        .assocGrpUnknownRunMinutes,
    ]
    static let assocMaxPerJob: [PendingReason] = [
        .assocMaxCpuPerJobLimit, .assocMaxMemPerJob, .assocMaxNodePerJobLimit, .assocMaxEnergyPerJob,
        .assocMaxGRESPerJob, .assocMaxLicensePerJob, .assocMaxBBPerJob, .assocMaxBillingPerJob,
        .assocMaxUnknownPerJob,
    ]
    static let assocMaxPerNode: [PendingReason] = [
        .assocMaxCpuPerNode, .assocMaxMemPerNode, .assocMaxUnknownPerNode, .assocMaxEnergyPerNode,
        .assocMaxGRESPerNode, .assocMaxUnknownPerNode, .assocMaxBBPerNode, .assocMaxBillingPerNode,
        .assocMaxUnknownPerNode,
    ]
    static let assocMaxMinutesPerJob: [PendingReason] = [
        .assocMaxCpuMinutesPerJobLimit, .assocMaxMemMinutesPerJob, .assocMaxNodeMinutesPerJob,
        .assocMaxEnergyMinutesPerJob, .assocMaxGRESMinutesPerJob, .assocMaxLicenseMinutesPerJob,
        .assocMaxBBMinutesPerJob, .assocMaxBillingMinutesPerJob, .assocMaxUnknownMinutesPerJob,
    ]
    static let qosGrp: [PendingReason] = [
        .qosGrpCpuLimit, .qosGrpMemLimit, .qosGrpNodeLimit, .qosGrpEnergy, .qosGrpGRES, .qosGrpLicense, .qosGrpBB,
        .qosGrpBilling, .qosGrpUnknown,
    ]
    static let qosGrpMinutes: [PendingReason] = [
        .qosGrpCPUMinutesLimit, .qosGrpMemoryMinutes, .qosGrpNodeMinutes, .qosGrpEnergyMinutes, .qosGrpGRESMinutes,
        .qosGrpLicenseMinutes, .qosGrpBBMinutes, .qosGrpBillingMinutes, .qosGrpUnknownMinutes,
    ]
    static let qosGrpRunMinutes: [PendingReason] = [
        .qosGrpCPURunMinutesLimit, .qosGrpMemoryRunMinutes, .qosGrpNodeRunMinutes, .qosGrpEnergyRunMinutes,
        .qosGrpGRESRunMinutes, .qosGrpLicenseRunMinutes, .qosGrpBBRunMinutes, .qosGrpBillingRunMinutes,
        .qosGrpUnknownRunMinutes,
    ]
    static let qosMaxPerJob: [PendingReason] = [
        .qosMaxCpuPerJobLimit, .qosMaxMemoryPerJob, .qosMaxNodePerJobLimit, .qosMaxEnergyPerJob, .qosMaxGRESPerJob,
        .qosMaxLicensePerJob, .qosMaxBBPerJob, .qosMaxBillingPerJob, .qosMaxUnknownPerJob,
    ]
    static let qosMaxPerNode: [PendingReason] = [
        .qosMaxCpuPerNode, .qosMaxMemoryPerNode, .qosMaxUnknownPerNode, .qosMaxEnergyPerNode, .qosMaxGRESPerNode,
        .qosMaxUnknownPerNode, .qosMaxBBPerNode, .qosMaxBillingPerNode, .qosMaxUnknownPerNode,
    ]
    static let qosMaxMinutesPerJob: [PendingReason] = [
        .qosMaxCpuMinutesPerJobLimit, .qosMaxMemoryMinutesPerJob, .qosMaxNodeMinutesPerJob,
        .qosMaxEnergyMinutesPerJob, .qosMaxGRESMinutesPerJob, .qosMaxLicenseMinutesPerJob,
        // Slurm 22.05 has no word of its own for burst buffers here.
        .qosMaxUnknownMinutesPerJob, .qosMaxBillingMinutesPerJob, .qosMaxUnknownMinutesPerJob,
    ]
    static let qosMaxPerUser: [PendingReason] = [
        .qosMaxCpuPerUserLimit, .qosMaxMemoryPerUser, .qosMaxNodePerUserLimit, .qosMaxEnergyPerUser,
        .qosMaxGRESPerUser, .qosMaxLicensePerUser, .qosMaxBBPerUser, .qosMaxBillingPerUser, .qosMaxUnknownPerUser,
    ]
    static let qosMaxPerAccount: [PendingReason] = [
        .maxCpuPerAccount, .maxMemoryPerAccount, .maxNodePerAccount, .maxEnergyPerAccount, .maxGRESPerAccount,
        .maxLicensePerAccount, .maxBBPerAccount, .maxBillingPerAccount, .maxUnknownPerAccount,
    ]
    static let qosMin: [PendingReason] = [
        .qosMinCpuNotSatisfied, .qosMinMemory, .qosMinNode, .qosMinEnergy, .qosMinGRES, .qosMinLicense, .qosMinBB,
        .qosMinBilling, .qosMinUnknown,
    ]
}
