public import ArgosyDomain

/// A node's part of a job, down to cores and devices.
public struct Grant: Hashable, Sendable {
    /// Where a task is meant to run.
    public struct TaskPart: Hashable, Sendable {
        public var cpus: CPUSet
        /// Its own with --gpus-per-task, else those of its group of tasks.
        public var devices: [DeviceUnit]
        public init(cpus: CPUSet, devices: [DeviceUnit] = []) {
            self.cpus = cpus
            self.devices = devices
        }
    }
    public struct DeviceUnit: Hashable, Sendable {
        /// Position in the kind's `hardware.gres`.
        public var gres: Int
        /// Position in the devices of that.
        public var unit: Int
        public init(gres: Int, unit: Int) {
            self.gres = gres
            self.unit = unit
        }
    }
    public var node: Allocation.Node
    /// By rank on the node.
    public var tasks: [TaskPart]
    public init(node: Allocation.Node, tasks: [TaskPart]) {
        self.node = node
        self.tasks = tasks
    }
}

extension NodeFit {
    /// The cores and devices `tasks` tasks get of `node`, or nil when they do not fit there now.
    ///
    /// Gives one whenever `capacity(on: node) >= tasks` and the node has what `jobGRES` says; what it gives is within
    /// `need(tasks:jobGRES:from:)`, and exactly that where all cores have the same number of threads. A node of a job with
    /// more nodes than tasks gets what one task wants.
    public func grant(tasks: Int, jobGRES: [Int] = [], on node: PlanningSnapshot.Node) -> Grant? {
        let free = model.counts(of: node)
        guard node.availability == .up, capacity(on: node) >= max(tasks, 1),
            let need = need(tasks: max(tasks, 1), jobGRES: jobGRES, from: free)
        else { return nil }
        let request = GrantRequest(fit: self, node: node, tasks: tasks, need: need)
        return request.grant()
    }
}

/// One call of `grant`.
private struct GrantRequest {
    let fit: NodeFit
    let node: PlanningSnapshot.Node
    let tasks: Int
    let need: NodeCounts

    private var hardware: NodeHardware { fit.model.kind.hardware }

    func grant() -> Grant? {
        var arranger = arrange()
        fillUp(&arranger)
        guard isEnough(arranger) else { return nil }
        let devices = takeDevices(&arranger)
        return assemble(arranger, devices)
    }

    /// Tasks with their devices near to them; else so many together that they fill cores; else tasks alone, which leaves
    /// the devices for later; else anything.
    private func arrange() -> CoreArranger {
        let start = makeArranger()
        let single = bundles(start.lead)
        for bundles in [single, joined(single)] where !bundles.isEmpty {
            var near = start
            if near.place(bundles), !exceedsNeed(near) { return near }
        }
        var apart = start
        apart.lead = []
        if !start.lead.isEmpty, apart.place(bundles([])), !exceedsNeed(apart) { return apart }
        var gathered = start
        gatherAll(&gathered)
        return gathered
    }

    /// The fewest bundles together that leave no thread of a core unused; none where that is one, or not all are equal.
    private func joined(_ bundles: [CoreArranger.Bundle]) -> [CoreArranger.Bundle] {
        let usable = fit.rules.usable
        guard let first = bundles.first, bundles.allSatisfy({ $0 == first }), fit.rules.tasksPerCore == 0 else {
            return []
        }
        let cpus = fit.rules.part(first.tasks, gpus: first.devices).cpus
        guard let count = (2...max(usable, 2)).first(where: { $0 * cpus % usable == 0 }), count <= bundles.count else {
            return []
        }
        let whole = CoreArranger.Bundle(tasks: first.tasks * count, devices: first.devices * count)
        let rest = bundles.count % count
        return Array(repeating: whole, count: bundles.count / count)
            + (rest > 0 ? [.init(tasks: first.tasks * rest, devices: first.devices * rest)] : [])
    }

    // MARK: - What there is

    private func makeArranger() -> CoreArranger {
        let lead = leadPositions
        let perTask = tasks > 0 ? need.memoryMiB / max(tasks, 1) : need.memoryMiB
        let largest = Int(clamping: hardware.numaMemoryMiB.max() ?? 0)
        return CoreArranger(
            fit: fit, model: fit.model, free: freeUnits(), freeDevices: freeDevices(),
            quota: hardware.gres.indices.map { need.gres.isEmpty ? 0 : need.free($0) }, lead: lead,
            memoryPerTask: perTask <= largest ? perTask : 0,
            tasksOnSocket: Array(repeating: 0, count: fit.model.socketCores.count))
    }

    /// GRES with devices whose place is known: GPUs where the job has some, else the first.
    private var leadPositions: Set<Int> {
        let wanted = hardware.gres.indices.filter { position in
            need.free(position) > 0 && !hardware.gres[position].devices.isEmpty
                && hardware.gres[position].devices.allSatisfy { $0.numa != nil || !$0.cpus.isEmpty }
        }
        let gpus = wanted.filter { hardware.gres[$0].name == "gpu" }
        if !gpus.isEmpty { return Set(gpus) }
        return Set(wanted.prefix(1))
    }

    private func freeUnits() -> [[CoreArranger.Unit]] {
        let model = fit.model
        let kept = fit.specializedCores()
        var units = Array(repeating: [CoreArranger.Unit](), count: model.cells.count)
        for (index, core) in hardware.cores.enumerated() where !kept.contains(index) {
            let cell = model.cellOfCore[index]
            if fit.rules.givesWholeCores {
                guard model.isFree(core: index, of: node.freeCPUs) else { continue }
                let usable = min(core.threads, fit.shape.threadsPerCore > 0 ? fit.shape.threadsPerCore : core.threads)
                units[cell].append(.init(cell: cell, cpus: core.cpus, usable: usable))
            } else {
                for cpu in core.cpus where node.freeCPUs.contains(cpu) {
                    units[cell].append(.init(cell: cell, cpus: cpu..<cpu + 1, usable: 1))
                }
            }
        }
        return units
    }

    private func freeDevices() -> Set<NodeModel.Device> {
        var found: Set<NodeModel.Device> = []
        for (position, gres) in hardware.gres.enumerated() where position < node.freeGRES.count {
            for unit in gres.devices.indices where node.freeGRES[position].devices.contains(unit) {
                found.insert(NodeModel.Device(gres: position, unit: unit))
            }
        }
        return found
    }

    // MARK: - Bundles

    /// Tasks with their devices, the largest first.
    private func bundles(_ lead: Set<Int>) -> [CoreArranger.Bundle] {
        let count = max(tasks, 1)
        let devices = lead.reduce(0) { $0 + need.free($1) }
        if fit.rules.overcommit { return [.init(tasks: count, devices: devices)] }
        if devices == 0 || devices < count && fit.shape.tasksPerSocket > 0 {
            return Array(repeating: .init(tasks: 1, devices: 0), count: count)
        }
        if devices >= count {
            return (0..<count).map { .init(tasks: 1, devices: devices / count + ($0 < devices % count ? 1 : 0)) }
        }
        return (0..<devices).map { .init(tasks: count / devices + ($0 < count % devices ? 1 : 0), devices: 1) }
    }

    /// Whole cores for each bundle may come to more than whole cores for all of them.
    private func exceedsNeed(_ arranger: CoreArranger) -> Bool {
        let units = arranger.placed.flatMap(\.units)
        if !fit.rules.givesWholeCores { return units.count > need.cpus }
        return units.count > need.cores || units.reduce(0) { $0 + $1.cpus.count } > need.cpus
    }

    /// All tasks as one bundle.
    private func gatherAll(_ arranger: inout CoreArranger) {
        let count = max(tasks, 1)
        let part = fit.rules.part(count, gpus: 0)
        let node = fit.model.domains.count - 1
        var devices: [NodeModel.Device] = []
        for device in arranger.freeDevices.sorted(by: isBefore)
        where arranger.lead.contains(device.gres) && arranger.quota[device.gres] > 0 {
            arranger.quota[device.gres] -= 1
            devices.append(device)
        }
        arranger.freeDevices.subtract(devices)
        let units = arranger.take(cpus: part.cpus, units: part.cores, in: node, near: devices)
        let bundle = CoreArranger.Bundle(tasks: count, devices: devices.count)
        arranger.placed = [.init(bundle: bundle, units: units, devices: devices)]
    }

    /// Takes what the node's part has beyond its tasks' (--mincpus, --cpus-per-gpu), near to what it has.
    private func fillUp(_ arranger: inout CoreArranger) {
        let gpus = fit.gres.gpus(max(tasks, 1), [])
        let told = hardware.gres.indices.reduce(0) { $0 + (hardware.gres[$1].name == "gpu" ? need.free($1) : 0) }
        let wanted = fit.rules.wanted(max(tasks, 1), gpus: fit.isExclusive ? gpus : told)
        let have = arranger.placed.reduce(0) { $0 + $1.units.reduce(0) { $0 + $1.usable } }
        guard wanted > have else { return }
        let near = arranger.placed.flatMap(\.devices)
        let more = arranger.take(cpus: wanted - have, units: 0, in: fit.model.domains.count - 1, near: near)
        arranger.placed.append(.init(bundle: .init(tasks: 0, devices: 0), units: more, devices: []))
    }

    private func isEnough(_ arranger: CoreArranger) -> Bool {
        let have = arranger.placed.reduce(0) { $0 + $1.units.reduce(0) { $0 + $1.usable } }
        return have >= fit.rules.part(max(tasks, 1), gpus: 0).cpus
    }

    private func isBefore(_ a: NodeModel.Device, _ b: NodeModel.Device) -> Bool { (a.gres, a.unit) < (b.gres, b.unit) }

    // MARK: - Devices

    /// All devices by position in `hardware.gres`: those of the bundles, then others near to the cores given.
    private func takeDevices(_ arranger: inout CoreArranger) -> [[Int]] {
        var taken = Array(repeating: [Int](), count: hardware.gres.count)
        for device in arranger.placed.flatMap(\.devices) { taken[device.gres].append(device.unit) }
        let cells = Set(arranger.placed.flatMap(\.units).map(\.cell))
        for position in taken.indices where taken[position].count < need.free(position) {
            let open = arranger.freeDevices.filter { $0.gres == position }.sorted(by: isBefore)
            let near = open.filter { device in cells.contains { fit.model.cells[$0].devices.contains(device) } }
            let far = open.filter { !near.contains($0) }
            for device in (near + far).prefix(need.free(position) - taken[position].count) {
                arranger.freeDevices.remove(device)
                taken[position].append(device.unit)
            }
        }
        return taken
    }

    // MARK: - The answer

    private func assemble(_ arranger: CoreArranger, _ devices: [[Int]]) -> Grant? {
        var cpus = CPUSet()
        for unit in arranger.placed.flatMap(\.units) { for cpu in unit.cpus { cpus.insert(cpu) } }
        if fit.isExclusive {
            let kept = fit.specializedCores()
            for (index, core) in hardware.cores.enumerated() where !kept.contains(index) {
                for cpu in core.cpus { cpus.insert(cpu) }
            }
        }
        var grants: [GRESGrant] = []
        for (position, gres) in hardware.gres.enumerated() where need.free(position) > 0 {
            if !gres.devices.isEmpty, devices[position].count != need.free(position) { return nil }
            grants.append(
                GRESGrant(
                    name: gres.name, type: gres.type, count: UInt64(need.free(position)),
                    devices: CPUSet(devices[position])))
        }
        let held = Allocation.Node(
            index: node.index, name: node.name, cpus: cpus, memoryMiB: UInt64(need.memoryMiB), tasks: UInt32(tasks),
            gres: grants)
        return Grant(node: held, tasks: tasks > 0 ? parts(arranger) : [])
    }

    /// Each task's share of its bundle, in the order of their first CPUs.
    private func parts(_ arranger: CoreArranger) -> [Grant.TaskPart] {
        var parts: [Grant.TaskPart] = []
        for placed in arranger.placed where placed.bundle.tasks > 0 {
            let devices = placed.devices.map { Grant.DeviceUnit(gres: $0.gres, unit: $0.unit) }
            let count = placed.bundle.tasks
            let units = placed.units.sorted { $0.cpus.lowerBound < $1.cpus.lowerBound }
            for (task, cpus) in deal(units, count).enumerated() {
                let own = task * devices.count / count..<(task + 1) * devices.count / count
                let isOwn = devices.count % count == 0
                parts.append(Grant.TaskPart(cpus: CPUSet(cpus), devices: isOwn ? Array(devices[own]) : devices))
            }
        }
        return parts.sorted { ($0.cpus.members.first ?? 0) < ($1.cpus.members.first ?? 0) }
    }

    /// CPUs of each of `count` tasks: units of its own where there are enough, else CPUs one by one.
    private func deal(_ units: [CoreArranger.Unit], _ count: Int) -> [[Int]] {
        let usable = units.map { Array($0.cpus.prefix($0.usable)) }
        if fit.rules.tasksPerCore > 0, !fit.rules.overcommit { return dealCores(usable, count) }
        let whole = (0..<count).map { task in
            usable[task * units.count / count..<(task + 1) * units.count / count].flatMap { $0 }
        }
        if whole.allSatisfy({ $0.count >= fit.rules.cpusPerTask }) { return whole }
        let single = usable.flatMap { $0 }
        if single.count < count { return (0..<count).map { single.isEmpty ? [] : [single[$0 % single.count]] } }
        return (0..<count).map { Array(single[$0 * single.count / count..<($0 + 1) * single.count / count]) }
    }

    /// Under --ntasks-per-core: tasks that share a core have parts of it, others some cores.
    private func dealCores(_ cores: [[Int]], _ count: Int) -> [[Int]] {
        let shared = fit.rules.tasksOnCore
        return (0..<count).map { task in
            if shared > 1 {
                let core = cores[min(task / shared, cores.count - 1)]
                let part = task % shared
                return Array(core[part * core.count / shared..<(part + 1) * core.count / shared])
            }
            return cores[task * cores.count / count..<(task + 1) * cores.count / count].flatMap { $0 }
        }
    }
}
