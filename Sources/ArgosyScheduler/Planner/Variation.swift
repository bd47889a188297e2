import ArgosyDomain

/// A job as it is, but for one thing that its user could change.
struct Variation {
    enum Topic: Hashable { case time, nodes, tasks, memory, partition, constraint, exclusive, names, licenses }
    var topic: Topic
    /// As the option would be written.
    var words: String
    var job: PlanningSnapshot.Job
    var shape: Shape

    /// All that make sense, of each topic the smallest change first.
    static func all(of job: PlanningSnapshot.Job, _ snapshot: PlanningSnapshot) -> [Variation] {
        let shape = snapshot.shapes[Int(job.shape)]
        return times(job, shape) + sizes(job, shape) + memories(job, shape) + partitions(job, shape, snapshot)
            + freedoms(job, shape)
    }

    private static func times(_ job: PlanningSnapshot.Job, _ shape: Shape) -> [Variation] {
        guard let limit = job.timeLimit.duration, job.timeLimit.rawValue > 1 else { return [] }
        let minutes = job.timeLimit.rawValue
        let fractions: [UInt32] = [minutes * 3 / 4, minutes / 2, minutes / 4, minutes / 10].filter { $0 > 0 }
        return fractions.map { shorter in
            var changed = job
            changed.timeLimit = TimeLimit(minutes: shorter)
            changed.timeMin = .notGiven
            if job.expectedRun > 0 {
                changed.expectedRun = max(
                    1, job.expectedRun * Int64(shorter) * 60 / max(1, limit.microseconds / 1_000_000))
            }
            return Variation(topic: .time, words: "--time=\(shorter)", job: changed, shape: shape)
        }
    }

    private static func sizes(_ job: PlanningSnapshot.Job, _ shape: Shape) -> [Variation] {
        var found: [Variation] = []
        for divisor in [2, 4] where shape.minNodes / divisor >= 1 && shape.minNodes > 1 && shape.requiredNodes.isEmpty {
            var changed = shape
            changed.minNodes = shape.minNodes / divisor
            changed.maxNodes = max(changed.minNodes, shape.maxNodes / divisor)
            changed.tasks = max(changed.minNodes, shape.tasks / divisor)
            found.append(
                Variation(
                    topic: .nodes, words: "--nodes=\(changed.minNodes) --ntasks=\(changed.tasks)", job: job,
                    shape: changed))
        }
        for divisor in [2, 4] where shape.minNodes == 1 && shape.tasks / divisor >= 1 && shape.tasks > 1 {
            var changed = shape
            changed.tasks = shape.tasks / divisor
            found.append(Variation(topic: .tasks, words: "--ntasks=\(changed.tasks)", job: job, shape: changed))
        }
        return found
    }

    private static func memories(_ job: PlanningSnapshot.Job, _ shape: Shape) -> [Variation] {
        [2, 4].compactMap { (divisor: UInt64) in
            var changed = shape
            if shape.memoryPerNodeMiB >= divisor {
                changed.memoryPerNodeMiB /= divisor
                return Variation(topic: .memory, words: "--mem=\(changed.memoryPerNodeMiB)M", job: job, shape: changed)
            }
            guard shape.memoryPerCPUMiB >= divisor else { return nil }
            changed.memoryPerCPUMiB /= divisor
            return Variation(
                topic: .memory, words: "--mem-per-cpu=\(changed.memoryPerCPUMiB)M", job: job, shape: changed)
        }
    }

    private static func partitions(
        _ job: PlanningSnapshot.Job, _ shape: Shape, _ snapshot: PlanningSnapshot
    ) -> [Variation] {
        snapshot.partitions.indices.compactMap { partition in
            guard !shape.partitions.contains(partition) else { return nil }
            var changed = shape
            changed.partitions = [partition]
            return Variation(
                topic: .partition, words: "--partition=\(snapshot.partitions[partition].name)", job: job, shape: changed
            )
        }
    }

    private static func freedoms(_ job: PlanningSnapshot.Job, _ shape: Shape) -> [Variation] {
        var found: [Variation] = []
        func without(_ topic: Topic, _ words: String, _ change: (inout Shape) -> Void) {
            var changed = shape
            change(&changed)
            if changed != shape { found.append(Variation(topic: topic, words: words, job: job, shape: changed)) }
        }
        without(.constraint, "without --constraint") { $0.constraint = nil }
        without(.exclusive, "without --exclusive") { if $0.sharing == .exclusive { $0.sharing = .normal } }
        without(.names, "without --nodelist and --exclude") {
            $0.requiredNodes = []
            $0.excludedNodes = []
        }
        without(.licenses, "without --licenses") { $0.licenses = [] }
        return found
    }
}
