// Which jobs of the queue a pass plans: those that nothing but resources and limits can hold, within the configured
// bounds on how many are looked at. An array counts for as many jobs as could start at once and a few more.
import ArgosyDomain

struct JobSelection {
    /// By the engine's number: position in the queue.
    private(set) var positions: [Int32] = []
    /// By position in the queue; -1: not selected.
    private(set) var firstNumber: [Int32]
    private(set) var limitedJobs: [LimitedJob] = []

    /// Elements of an array that are planned ahead beyond those that start.
    private static let elementsAhead = 20

    /// - Parameter together: components of heterogeneous jobs, of which the first stands for all.
    init(
        _ snapshot: PlanningSnapshot, _ classes: [PlanClass], _ classOfJob: [Int32], _ together: [Int: [Int]]
    ) {
        firstNumber = Array(repeating: -1, count: snapshot.queue.count)
        positions.reserveCapacity(snapshot.queue.count)
        var bounds = Bounds(snapshot.settings)
        let freeCPUs = snapshot.nodes.reduce(0) { $0 + ($1.availability == .up ? $1.freeCPUs.count : 0) }
        for (position, job) in snapshot.queue.enumerated() {
            let planClass = classes[Int(classOfJob[position])]
            if let members = together[position] {
                let areReady = members.allSatisfy {
                    Self.isReady(snapshot.queue[$0], classes[Int(classOfJob[$0])], snapshot)
                }
                if position != members[0] || !areReady { continue }
            }
            guard Self.isReady(job, planClass, snapshot), bounds.admits(job, snapshot.shapes[planClass.shape]) else {
                continue
            }
            firstNumber[position] = Int32(positions.count)
            let copies = min(Int(max(job.copies, 1)), freeCPUs + Self.elementsAhead)
            for _ in 0..<copies { positions.append(Int32(position)) }
            if snapshot.book != nil {
                let limited = Self.limited(job, snapshot)
                for _ in 0..<copies { limitedJobs.append(limited) }
            }
        }
    }

    private static func isReady(
        _ job: PlanningSnapshot.Job, _ planClass: PlanClass, _ snapshot: PlanningSnapshot
    ) -> Bool {
        guard job.waits.subtracting(.accrual).isEmpty, !planClass.options.isEmpty else { return false }
        guard job.deadline.isSet, let shortest = DeadlineRule.shortest(job) else { return true }
        return max(snapshot.now, job.begin).adding(shortest) <= job.deadline
    }

    static func limited(_ job: PlanningSnapshot.Job, _ snapshot: PlanningSnapshot) -> LimitedJob {
        let shape = snapshot.shapes[Int(job.shape)]
        let counts = snapshot.shapeTRES.indices.contains(Int(job.shape)) ? snapshot.shapeTRES[Int(job.shape)] : nil
        let partition = shape.partitions.first.map { Int(snapshot.partitions[$0].qos) } ?? -1
        return LimitedJob(
            association: Int(job.association), qos: Int(job.qos), partitionQOS: partition, uid: job.uid,
            tres: counts?.tres ?? [:], tresPerNode: counts?.tresPerNode ?? [:], timeLimit: job.timeLimit)
    }

    /// bf_max_job_test and its kin.
    private struct Bounds {
        let settings: SchedulerSettings
        var tested = 0
        var ofUser: [UInt32: Int] = [:]
        var ofPartition: [Int: Int] = [:]
        var ofAssociation: [Int32: Int] = [:]

        init(_ settings: SchedulerSettings) { self.settings = settings }

        mutating func admits(_ job: PlanningSnapshot.Job, _ shape: Shape) -> Bool {
            if settings.maxJobsTested > 0, tested >= settings.maxJobsTested { return false }
            if settings.maxJobsPerUser > 0 {
                if ofUser[job.uid, default: 0] >= settings.maxJobsPerUser { return false }
                ofUser[job.uid, default: 0] += 1
            }
            if settings.maxJobsPerPartition > 0 {
                let partition = shape.partitions.first ?? -1
                if ofPartition[partition, default: 0] >= settings.maxJobsPerPartition { return false }
                ofPartition[partition, default: 0] += 1
            }
            if settings.maxJobsPerAssociation > 0 {
                if ofAssociation[job.association, default: 0] >= settings.maxJobsPerAssociation { return false }
                ofAssociation[job.association, default: 0] += 1
            }
            tested += 1
            return true
        }
    }
}
