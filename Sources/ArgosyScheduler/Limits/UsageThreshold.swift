public import ArgosyDomain

extension AccountingBook {
    /// Why a QOS with UsageThreshold and EnforceUsageThreshold holds the job: its association's fair share is below the
    /// threshold. Nil: it is not, or there is no such QOS.
    public func usageThresholdSentence(_ job: LimitedJob, _ fairShare: FairShare) -> String? {
        guard records.enforce.contains(.qos), job.qos >= 0, job.association >= 0 else { return nil }
        let qos = records.qos[Int(job.qos)]
        guard qos.flags.contains(.enforceUsageThreshold), let threshold = qos.usageThreshold else { return nil }
        let factor = fairShare.factor(association: Int(job.association))
        guard factor < threshold else { return nil }
        return "QOS \(qos.name): UsageThreshold is \(threshold); the fair share of this association is \(factor)"
    }

    /// The word for it.
    public static let usageThresholdReason = PendingReason.qosUsageThreshold
}
