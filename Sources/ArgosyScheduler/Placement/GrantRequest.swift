// One grant: units and devices are laid out, bundles placed (see CoreArranger), and what they got is put together.
import ArgosyDomain

/// One call of `grant`.
struct GrantRequest {
    let fit: NodeFit
    let node: PlanningSnapshot.Node
    let tasks: Int
    let need: NodeCounts

    var hardware: NodeHardware { fit.model.kind.hardware }

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

    func isBefore(_ a: NodeModel.Device, _ b: NodeModel.Device) -> Bool { (a.gres, a.unit) < (b.gres, b.unit) }
}
