// The books: what a node, or the cluster (licenses), has given to whom.
import ArgosyConfig
import ArgosyDomain
import ArgosyScheduler

extension ControllerCore {
    /// What the node consists of, as far as it is known.
    func hardware(of index: NodeIndex) -> NodeHardware { cluster.kinds[cluster.nodes[index.int].kind].hardware }

    /// Memory that is counted: none where the configuration says that it is not (CR_CPU, CR_Core).
    func countedMemory(_ node: Allocation.Node) -> UInt64 { configuration.scheduling.memoryCounts ? node.memoryMiB : 0 }

    /// Books what `node` gives to the attempt; false when the node is not configured. A suspended job holds no CPUs.
    mutating func hold(_ key: AttemptKey, _ node: Allocation.Node, cpus: Bool) -> Bool {
        guard tables.nodes[node.index.rawValue] != nil else { return false }
        let memory = countedMemory(node)
        let hardware = hardware(of: node.index)
        changeNode(node.index) { record in
            if cpus { record.freeCPUs.subtract(node.cpus) }
            record.freeMemoryMiB -= min(memory, record.freeMemoryMiB)
            record.take(node.gres, of: hardware)
            let place = record.holds.firstIndex { key < $0 } ?? record.holds.count
            record.holds.insert(key, at: place)
        }
        return true
    }

    /// Gives the position's share back to its node's books.
    mutating func release(_ key: AttemptKey, position: UInt32) {
        guard let run = tables.runs[key.job.rawValue], run.held.contains(position) else { return }
        let share = run.allocation.nodes[Int(position)]
        changeRun(key.job) { $0.held.removeAll { $0 == position } }
        let now = now
        let memory = countedMemory(share)
        let hardware = hardware(of: share.index)
        changeNode(share.index) { record in
            if !run.hasLentCPUs { record.freeCPUs.formUnion(share.cpus) }
            record.freeMemoryMiB += memory
            record.giveBack(share.gres, of: hardware)
            record.holds.removeAll { $0 == key }
            if record.holds.isEmpty { record.lastBusy = now }
        }
        endSteps(of: key.job, on: share.index)
        resumePreempted(on: share.index)
        wantPlan()
    }

    /// Whether everything of the allocation is free at this moment.
    func isFree(_ allocation: Allocation) -> Bool {
        guard !allocation.nodes.isEmpty else { return false }
        var seen: [NodeIndex] = []
        for node in allocation.nodes {
            guard let record = tables.nodes[node.index.rawValue], record.takesWork, !node.cpus.isEmpty,
                !seen.contains(node.index), countedMemory(node) <= record.freeMemoryMiB,
                record.hasFree(node.cpus), record.hasFree(node.gres, of: hardware(of: node.index))
            else { return false }
            seen.append(node.index)
        }
        return true
    }

    // MARK: Hardware

    /// A node says what it consists of: its devices count from now on, less what jobs hold.
    mutating func learnHardware(_ index: NodeIndex, _ found: NodeHardware) {
        let configured = PlanningSnapshot.NodeKind(index, in: configuration)
        guard found.cpus == configured.hardware.cpus else { return }
        for missing in configured.hardware.gres {
            let count = found.gres.filter { $0.name == missing.name }.reduce(0) { $0 + $1.count }
            guard !missing.devices.isEmpty, count < missing.count else { continue }
            let why = "gres/\(missing.name) count reported lower than configured (\(count) < \(missing.count))"
            drain(index, reason: why, uid: 0)
        }
        var kind = cluster.kinds[cluster.nodes[index.int].kind]
        kind.hardware = found
        kind.hardware.memoryMiB = configured.hardware.memoryMiB
        kind.hardware.gres = Self.gres(found.gres, as: configured.hardware.gres)
        let number = cluster.kinds.firstIndex(of: kind) ?? cluster.kinds.count
        if number == cluster.kinds.count { cluster.kinds.append(kind) }
        if cluster.nodes[index.int].kind == number { return }
        cluster.nodes[index.int].kind = number
        cluster.nodes[index.int].freeGRES = kind.hardware.gres.map(PlanningSnapshot.FreeGRES.init(all:))
        feasibility.forget()
        countGRESAgain(index)
    }

    /// What was found, and the plain counts that only the configuration knows of.
    private static func gres(_ found: [NodeHardware.GRES], as configured: [NodeHardware.GRES]) -> [NodeHardware.GRES] {
        found + configured.filter { wanted in !found.contains { $0.name == wanted.name } }
    }

    private mutating func countGRESAgain(_ index: NodeIndex) {
        let hardware = hardware(of: index)
        let all = cluster.nodes[index.int].freeGRES
        let grants = (tables.nodes[index.rawValue]?.holds ?? []).map { key -> [GRESGrant] in
            guard let run = tables.runs[key.job.rawValue], let position = run.position(of: index) else { return [] }
            return run.allocation.nodes[Int(position)].gres
        }
        changeNode(index) { record in
            record.freeGRES = all
            for grant in grants { record.take(grant, of: hardware) }
        }
    }

    // MARK: Licenses

    func licenseDemands(_ requests: [LicenseRequest]) -> [Shape.LicenseDemand] {
        requests.compactMap { request in
            configuration.licenses.firstIndex { $0.name == request.name }
                .map { Shape.LicenseDemand(license: $0, count: request.count) }
        }
    }

    func freeLicenses(_ position: Int) -> UInt64 {
        let total = UInt64(configuration.licenses[position].count)
        return total - min(total, licensesInUse[position])
    }

    func areFree(_ demands: [Shape.LicenseDemand]) -> Bool {
        demands.allSatisfy { freeLicenses($0.license) >= UInt64($0.count) }
    }

    mutating func countLicenses(_ demands: [Shape.LicenseDemand], taken: Bool) {
        for demand in demands {
            let old = licensesInUse[demand.license]
            licensesInUse[demand.license] = taken ? old + UInt64(demand.count) : old - min(old, UInt64(demand.count))
        }
    }

    mutating func giveBackLicenses(of id: JobID) {
        guard let run = tables.runs[id.rawValue], !run.licenses.isEmpty else { return }
        countLicenses(run.licenses, taken: false)
        changeRun(id) { $0.licenses = [] }
    }
}

extension NodeRecord {
    func hasFree(_ cpus: CPUSet) -> Bool {
        var missing = cpus
        missing.subtract(freeCPUs)
        return missing.isEmpty
    }

    func hasFree(_ grants: [GRESGrant], of hardware: NodeHardware) -> Bool {
        grants.allSatisfy { grant in
            guard let place = hardware.gres.position(of: grant), place < freeGRES.count,
                freeGRES[place].count >= grant.count
            else { return false }
            var missing = grant.devices
            missing.subtract(freeGRES[place].devices)
            return missing.isEmpty
        }
    }

    /// Devices that the hardware does not have (any more) are not counted.
    mutating func take(_ grants: [GRESGrant], of hardware: NodeHardware) {
        for grant in grants {
            guard let place = hardware.gres.position(of: grant), place < freeGRES.count else { continue }
            freeGRES[place].count -= min(grant.count, freeGRES[place].count)
            freeGRES[place].devices.subtract(grant.devices)
        }
    }

    mutating func giveBack(_ grants: [GRESGrant], of hardware: NodeHardware) {
        for grant in grants {
            guard let place = hardware.gres.position(of: grant), place < freeGRES.count else { continue }
            freeGRES[place].count += grant.count
            freeGRES[place].devices.formUnion(grant.devices)
        }
    }
}

extension [NodeHardware.GRES] {
    func position(of grant: GRESGrant) -> Int? { firstIndex { $0.name == grant.name && $0.type == grant.type } }
}
