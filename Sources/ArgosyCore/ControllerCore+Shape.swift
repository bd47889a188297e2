// The parts of a job's demand that name things: features and reservations. See +Demand for the counts.
import ArgosyConfig
import ArgosyDomain
import ArgosyScheduler

extension ControllerCore {
    /// Throws (only when `throwing`) for what the cluster does not know.
    func resolveNames(_ shape: inout Shape, _ fields: JobSpec.Fields, throwing: Bool) throws(Refusal) {
        let resources = fields.resources
        shape.constraint = try constraint(
            resources.constraint, "Invalid feature specification", throwing: throwing)
        shape.prefer = try constraint(
            resources.prefer, "Invalid preferred feature specification", throwing: throwing)
        // By sequence, which stays theirs: a snapshot puts in the places of their times. One that is gone stays as
        // number 0, which is no reservation's, so that the job does not run elsewhere.
        shape.reservations = resources.reservation.split(separator: ",").map { name in
            Int(reservation(named: String(name))?.sequence ?? 0)
        }
    }

    private func constraint(
        _ text: String, _ message: String, throwing: Bool
    ) throws(Refusal) -> Constraint? {
        if text.isEmpty { return nil }
        let parsed: Constraint?
        do throws(ConstraintError) { parsed = try Constraint.parse(text) } catch {
            if throwing { throw Refusal(.invalidFeature, message, detail: error.description) }
            return nil
        }
        if throwing, let unknown = parsed?.names.first(where: { !isFeature($0) }) {
            let known = Set(cluster.kinds.flatMap(\.features)).sorted().joined(separator: ", ")
            throw Refusal(
                .invalidFeature, message,
                detail: "no node has feature \(unknown); there are: \(known.isEmpty ? "none" : known)")
        }
        return parsed
    }

    private func isFeature(_ name: String) -> Bool { cluster.kinds.contains { $0.features.contains(name) } }
}

extension Admission {
    /// What names things, and what only operators may say.
    mutating func settleWishes(_ caller: Caller) throws(Refusal) {
        if !caller.isOperator {
            guard fields.nice >= 0 else {
                throw Refusal(
                    .invalidNice, "Invalid --nice value",
                    detail: "only operators may raise a job's priority with a negative value")
            }
            // As in Slurm, a user's wish to stand higher is passed over; one to wait is not.
            if fields.priority != 0 { fields.priority = nil }
        }
        if fields.priority == 0 { fields.hold = true }
    }

    func checkGRES() throws(Refusal) {
        let names = Set(core.cluster.kinds.flatMap { $0.hardware.gres.map(\.name) })
            .union(core.configuration.gresTypes)
        for request in fields.resources.gres where !names.contains(request.name) {
            throw Refusal(
                .invalidGRES, "Invalid generic resource (gres) specification",
                detail: "no node has generic resource \(request.name); there are: "
                    + (names.isEmpty ? "none" : names.sorted().joined(separator: ", ")))
        }
    }

    /// How many of the partition's nodes could take a part of the job by their hardware and features, each by itself; who
    /// asks for more nodes than that can never run.
    func checkNodes(_ shape: Shape) throws(Refusal) {
        let partitions = shape.partitions.map { core.tables.partitions[$0] }
        var best = (count: -1, why: "")
        for partition in partitions {
            var failures: [String: Int] = [:]
            var fitting = 0
            for node in partition.nodes where !shape.excludedNodes.contains(node) {
                let kind = core.cluster.kinds[core.cluster.nodes[node.int].kind]
                if let why = shape.misses(kind) { failures[why, default: 0] += 1 } else { fitting += 1 }
            }
            let reasons = failures.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
                .map { "\($0.value) nodes have \($0.key)" }
            if fitting > best.count {
                best = (fitting, "partition \(partition.name): \(reasons.joined(separator: ", "))")
            }
        }
        guard best.count < shape.minNodes, !best.why.hasSuffix(": ") else { return }
        throw Refusals.notAvailable(
            "the job asks for \(shape.minNodes) nodes, \(max(0, best.count)) fit it in \(best.why); ask for less")
    }
}

extension Shape {
    /// What a node of this kind lacks for any part of the job, with nothing on it; nil: nothing.
    func misses(_ kind: PlanningSnapshot.NodeKind) -> String? {
        if let constraint, !constraint.isMet(by: kind.features) { return "not the features" }
        let hardware = kind.hardware
        if memoryPerNodeMiB > hardware.memoryMiB { return "not \(memoryPerNodeMiB) MiB of memory" }
        if minCPUsPerNode > hardware.cpus { return "not \(minCPUsPerNode) CPUs" }
        if minSocketsPerNode > hardware.sockets { return "not so many sockets" }
        if minCoresPerSocket > 0, hardware.cores.count / max(1, hardware.sockets) < minCoresPerSocket {
            return "not so many cores a socket"
        }
        for request in gres {
            let least = request.per == .job ? 1 : request.count
            let held = hardware.gres.filter {
                $0.name == request.name && (request.type.isEmpty || $0.type == request.type)
            }
            if held.reduce(0, { $0 + UInt64($1.count) }) < least {
                return "not the \(request.name)\(request.type.isEmpty ? "" : ":\(request.type)") asked for"
            }
        }
        return nil
    }
}
