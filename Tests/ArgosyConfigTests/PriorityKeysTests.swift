import ArgosyConfig
import ArgosyDomain
import Testing

private func parse(_ text: String) -> ParsedConfiguration {
    ConfigurationParser.parse(.init(file: "test.conf", text: "SlurmctldHost=a\n" + text))
}

@Suite struct PriorityKeysTests {
    @Test func defaultsAreSlurms() {
        let priority = parse("").configuration.priority
        #expect(priority.kind == .basic)
        #expect(priority.calcPeriod == .seconds(300))
        #expect(priority.decayHalfLife == .seconds(604_800) && priority.maxAge == .seconds(604_800))
        #expect(priority.usageReset == .none && priority.dampeningFactor == 1 && priority.flags.isEmpty)
        #expect(parse("").configuration.accounting == AccountingSettings())
    }

    @Test func everyKeyOfPriorityIsRead() {
        let parsed = parse(
            """
            PriorityType=priority/multifactor
            PriorityCalcPeriod=1
            PriorityDecayHalfLife=14-0
            PriorityMaxAge=1-12:00:00
            PriorityUsageResetPeriod=monthly
            PriorityFavorSmall=YES
            PriorityFlags=ACCRUE_ALWAYS,depth_oblivious,NO_NORMAL_ALL
            FairShareDampeningFactor=5
            PriorityWeightAge=1
            PriorityWeightAssoc=2
            PriorityWeightFairshare=3
            PriorityWeightJobSize=4
            PriorityWeightPartition=5
            PriorityWeightQOS=6
            PriorityWeightTRES=CPU=1000,Mem=-2000,GRES/gpu=3000
            """)
        #expect(parsed.diagnostics.isEmpty, "\(parsed.diagnostics)")
        let priority = parsed.configuration.priority
        #expect(priority.kind == .multifactor && priority.favorSmall && priority.usageReset == .monthly)
        #expect(priority.calcPeriod == .seconds(60) && priority.decayHalfLife == .seconds(14 * 86_400))
        #expect(priority.maxAge == .seconds(36 * 3600) && priority.dampeningFactor == 5)
        #expect(priority.flags == [.accrueAlways, .depthOblivious, .noFairTree, .noNormalAll])
        let weights = priority.weights
        #expect(weights.age == 1 && weights.assoc == 2 && weights.fairshare == 3)
        #expect(weights.jobSize == 4 && weights.partition == 5 && weights.qos == 6)
        #expect(weights.tres == [.init("cpu", 1000), .init("mem", -2000), .init("gres/gpu", 3000)])
    }

    @Test(
        arguments: [
            ("limits", [.limits, .associations]), ("safe", [.safe, .limits, .associations]),
            ("associations,qos", [.associations, .qos]), ("nojobs", [.noJobs, .noSteps]),
            ("ALL", [.associations, .limits, .wckeys, .qos, .safe]), ("none", []),
        ] as [(String, AccountingSettings.Enforce)])
    func whatIsEnforcedBringsWhatItNeeds(text: String, enforce: AccountingSettings.Enforce) {
        #expect(parse("AccountingStorageEnforce=\(text)").configuration.accounting.enforce == enforce)
    }

    @Test func whatAPartitionHoldsItsJobsToIsKept() throws {
        let parsed = parse(
            """
            NodeName=n1
            PartitionName=DEFAULT Nodes=n1 AllowQos=normal,high DenyAccounts=x
            PartitionName=p PriorityTier=7 PriorityJobFactor=3 QOS=part TRESBillingWeights="CPU=1.0,Mem=0.25G,GRES/gpu=2" \\
                PreemptMode=SUSPEND,GANG GraceTime=30 MaxCPUsPerNode=4 OverSubscribe=FORCE:2 ExclusiveUser=YES LLN=YES \\
                DefMemPerCPU=100 MaxMemPerNode=4G ReqResv=YES DisableRootJobs=YES RootOnly=YES AllowAccounts=a,b
            PartitionName=q Priority=9 AllowQos=ALL Shared=EXCLUSIVE
            """)
        #expect(parsed.diagnostics.isEmpty, "\(parsed.diagnostics)")
        let partition = try #require(parsed.configuration.partitions.first)
        let policy = partition.policy
        #expect(partition.priorityTier == 7 && policy.priorityJobFactor == 3 && policy.qos == "part")
        #expect(policy.tresBillingWeights == [.init("cpu", 1), .init("mem", 0.25 / 1024), .init("gres/gpu", 2)])
        #expect(policy.preemptMode == .suspend && policy.gang && policy.graceTime == 30)
        #expect(policy.maxCPUsPerNode == 4 && policy.overSubscribe == .force(2) && policy.exclusiveUser)
        #expect(policy.leastLoaded && policy.requiresReservation && policy.disableRootJobs == true)
        #expect(policy.defMemPerCPUMiB == 100 && policy.maxMemPerNodeMiB == 4096 && partition.rootOnly)
        #expect(partition.allowAccounts == ["a", "b"] && policy.allowQOS == ["normal", "high"])
        let other = parsed.configuration.partitions[1]
        #expect(other.priorityTier == 9 && other.policy.priorityJobFactor == 9)
        #expect(other.policy.allowQOS.isEmpty && other.policy.denyAccounts == ["x"])
        #expect(other.policy.overSubscribe == .exclusive)
    }

    @Test(arguments: [
        ("PriorityType=priority/magic", "must be priority/basic or priority/multifactor"),
        ("PriorityFlags=FAST", "FAST is not one of ACCRUE_ALWAYS"),
        ("PriorityDecayHalfLife=soon", "must be minutes"),
        ("PriorityWeightTRES=CPU", "CPU is not TYPE=WEIGHT"),
        ("PriorityWeightAge=-1", "must be a whole number"),
        ("PriorityUsageResetPeriod=HOURLY", "must be one of NONE NOW"),
        ("AccountingStorageEnforce=some", "some is not one of none associations"),
        ("EnforcePartLimits=SOME", "must be NO, ANY or ALL"),
        ("PartitionName=p OverSubscribe=MAYBE", "must be NO, EXCLUSIVE, YES:jobs or FORCE:jobs"),
        ("PartitionName=p PreemptMode=WITHIN", "must be OFF, CANCEL"),
        ("PartitionName=p TRESBillingWeights=CPU=1X", "CPU=1X is not TYPE=WEIGHT"),
    ])
    func aWrongValueSaysWhatIsAllowed(text: String, message: String) {
        let errors = parse(text).errors.map(\.description)
        #expect(errors.count == 1 && errors[0].contains(message), "\(errors)")
    }
}
