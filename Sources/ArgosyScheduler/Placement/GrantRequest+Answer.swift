// What the bundles of a grant got, as an allocation and as parts of tasks.
import ArgosyDomain

extension GrantRequest {
    /// All devices by position in `hardware.gres`: those of the bundles, then others near to the cores given.
    func takeDevices(_ arranger: inout CoreArranger) -> [[Int]] {
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

    func assemble(_ arranger: CoreArranger, _ devices: [[Int]]) -> Grant? {
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
