import ArgosyConfig
import ArgosyDomain
import Testing

@testable import ArgosyScheduler

/// What each partition answered on a real Slurm 22.05.8 to a job of user daemon (account a, QOS normal): the reason it
/// waited with under EnforcePartLimits=NO, the error of sbatch there (if any), and that under EnforcePartLimits=ALL.
private struct Answer: Sendable {
    var line: String
    var reason: PendingReason?
    var atNo: String?
    var atAll: String?
}

private let account = "Invalid account or account/partition combination specified"
private let nodes = "Node count specification invalid"
private let closed = "Required partition not available (inactive or drain)"
private let answers: [Answer] = [
    .init(line: "AllowAccounts=b", reason: .accountNotAllowed, atAll: account),
    .init(line: "DenyAccounts=a", reason: .accountNotAllowed, atAll: account),
    .init(line: "AllowQos=high", reason: .qosNotAllowed, atAll: "Invalid qos specification"),
    .init(
        line: "AllowGroups=games", reason: .partitionConfig, atNo: "User's group not permitted to use this partition",
        atAll: "User's group not permitted to use this partition"),
    .init(
        line: "RootOnly=YES", reason: .partitionConfig, atAll: "Requested partition configuration not available now"),
    .init(
        line: "ReqResv=YES", reason: .reservation, atNo: "Access/permission denied", atAll: "Access/permission denied"),
    .init(line: "MinNodes=2", reason: .partitionNodeLimit, atAll: nodes),
    .init(line: "MaxNodes=0", reason: .partitionNodeLimit, atAll: nodes),
    .init(line: "State=INACTIVE", reason: .partitionInactive, atNo: closed, atAll: closed),
    .init(line: "State=DRAIN", reason: nil, atNo: closed, atAll: closed),
    .init(line: "State=DOWN", reason: .partitionDown),
    .init(
        line: "MaxMemPerNode=100", reason: .maxMemPerLimit, atAll: "Memory required by task is not available"),
    .init(
        line: "MaxTime=4", reason: .partitionTimeLimit,
        atAll: "Requested time limit is invalid (missing or exceeds some limit)"),
    .init(line: "MaxTime=5 MaxNodes=1 AllowAccounts=a,c AllowQos=normal AllowGroups=daemon,wheel"),
]

private func rules(_ line: String, enforce: String = "NO") throws -> PartitionRules {
    let text = "SlurmctldHost=x\nNodeName=n1\nEnforcePartLimits=\(enforce)\nPartitionName=p Nodes=n1 \(line)"
    let parsed = ConfigurationParser.parse(.init(file: "test.conf", text: text))
    #expect(parsed.diagnostics.isEmpty, "\(parsed.diagnostics)")
    return PartitionRules(try #require(parsed.configuration.partitions.first), of: parsed.configuration)
}

private func request() -> PartitionRequest {
    var request = PartitionRequest(uid: 1, account: "a", qos: QOS(id: .normal, name: "normal"))
    request.groups = ["daemon"]
    request.timeLimit = TimeLimit(minutes: 5)
    request.memoryPerNodeMiB = 200
    return request
}

@Suite struct PartitionRulesTests {
    @Test(arguments: answers)
    private func aPartitionAnswersAsSlurmDoes(_ answer: Answer) throws {
        let loose = try rules(answer.line)
        #expect(loose.blockers(request()).map(\.reason) == (answer.reason.map { [$0] } ?? []))
        #expect(loose.submissionRefusal(request())?.message == answer.atNo)
        let strict = try rules(answer.line, enforce: "ALL")
        #expect(strict.submissionRefusal(request())?.message == answer.atAll)
    }

    @Test func theSentencesOfSqueueAreSlurms() throws {
        #expect(
            try rules("AllowAccounts=b").blockers(request())[0].detail
                == "Job's account not permitted to use this partition (p allows b not a)")
        #expect(
            try rules("DenyAccounts=a").blockers(request())[0].detail
                == "Job's account not permitted to use this partition (p denies a including a)")
        #expect(
            try rules("AllowQos=high").blockers(request())[0].detail
                == "Job's QOS not permitted to use this partition (p allows high not normal)")
    }

    @Test func allReasonsAreGiven() throws {
        let all = try rules("State=DOWN AllowAccounts=b MaxTime=1 MinNodes=4 MaxMemPerNode=1").blockers(request())
        #expect(
            all.map(\.reason) == [
                .partitionDown, .accountNotAllowed, .partitionTimeLimit, .partitionNodeLimit, .maxMemPerLimit,
            ])
    }

    @Test func aQOSLiftsSizesUnlessTheyAreEnforced() throws {
        var job = request()
        job.qos?.flags = [.partitionTimeLimit, .partitionMinNodes]
        #expect(try rules("MaxTime=1 MinNodes=3").blockers(job).isEmpty)
        #expect(try rules("MaxTime=1 MinNodes=3", enforce: "ANY").blockers(job).count == 2)
    }

    @Test func rootIsAskedLittle() throws {
        var job = request()
        job.uid = 0
        job.groups = ["root"]
        #expect(try rules("AllowGroups=games RootOnly=YES AllowQos=high").blockers(job).isEmpty)
        #expect(
            try rules("DisableRootJobs=YES").submissionRefusal(job)?.message == "Access/permission denied")
        #expect(try rules("AllowAccounts=b DenyAccounts=a").blockers(job).map(\.reason) == [.accountNotAllowed])
    }
}
