// Which cores and devices of a node the tasks of a job get.
//
// Tasks and devices are bound in bundles: a task with its devices, or a device with the tasks that share it. A bundle goes
// to one cell (see NodeModel) where it can, else to one NUMA node, one socket, the node. Among domains that hold all
// bundles the one with the least left over is taken (best fit), so that large gaps stay large; among several domains the
// largest first. Jobs without devices keep away from cores near to free devices. Cores and devices of jobs that fit in no
// such way are gathered from the nearest ones: whatever `NodeFit.need` promises is found.
import ArgosyDomain

struct CoreArranger {
    /// What is given as one: a core with all its threads, or one thread where threads are given singly.
    struct Unit {
        var cell: Int
        var cpus: Range<Int>
        /// CPUs that count, at most: fewer than `cpus` under --threads-per-core.
        var usable: Int
    }
    struct Bundle: Equatable {
        var tasks: Int
        var devices: Int
    }
    /// A bundle with its place.
    struct Placed {
        var bundle: Bundle
        var units: [Unit]
        var devices: [NodeModel.Device]
    }

    let fit: NodeFit
    let model: NodeModel
    /// Free units of each cell, ascending.
    var free: [[Unit]]
    var freeDevices: Set<NodeModel.Device>
    /// Devices that may still be taken, by position in `hardware.gres`.
    var quota: [Int]
    /// Positions whose devices belong to bundles.
    var lead: Set<Int>
    /// MiB of one task; 0: not bound to NUMA nodes.
    let memoryPerTask: Int
    var tasksOnSocket: [Int]
    var placed: [Placed] = []

    /// Places all `bundles`; true when each has a place.
    mutating func place(_ bundles: [Bundle]) -> Bool { place(bundles[...], in: model.domains.count - 1).isEmpty }

    /// Places what it can of `bundles` (largest first) in a domain and returns the others.
    private mutating func place(_ bundles: ArraySlice<Bundle>, in domain: Int) -> ArraySlice<Bundle> {
        var left = bundles
        while let first = left.first {
            let rooms = model.domains[domain].children.map { (domain: $0, room: room(first, $0)) }
            guard let best = bestFit(rooms, left.count) ?? rooms.max(by: isSmaller), best.room > 0 else { break }
            let before = left.count
            let part = left.prefix(best.room)
            let rest = place(part, in: best.domain)
            left = rest + left.dropFirst(part.count)
            if left.count == before { break }
        }
        while let first = left.first, room(first, domain) > 0, gather(first, in: domain) { left = left.dropFirst() }
        return left
    }

    /// The largest, the first of equals.
    private func isSmaller(_ a: (domain: Int, room: Int), _ b: (domain: Int, room: Int)) -> Bool {
        (a.room, b.domain) < (b.room, a.domain)
    }

    private func bestFit(_ rooms: [(domain: Int, room: Int)], _ wanted: Int) -> (domain: Int, room: Int)? {
        rooms.filter { $0.room >= wanted }.min { a, b in leftOver(a.domain) < leftOver(b.domain) }
    }

    /// What would lie idle beside the job, the smaller the better: devices first where it wants none.
    private func leftOver(_ domain: Int) -> (Int, Int, Int) {
        lead.isEmpty ? (devicesWasted(domain), units(domain), 0) : (0, units(domain), near(domain).count)
    }

    /// Free devices near to the cores that a job without devices would get there.
    private func devicesWasted(_ domain: Int) -> Int {
        let cells = model.domains[domain].cells.filter { !free[$0].isEmpty }
        return cells.map { near($0).count }.min() ?? 0
    }

    /// Bundles like `bundle` that a domain takes.
    private func room(_ bundle: Bundle, _ domain: Int) -> Int {
        if isBounded(domain) { return model.domains[domain].children.reduce(0) { $0 + self.room(bundle, $1) } }
        let part = fit.rules.part(bundle.tasks, gpus: bundle.devices)
        let cpus = model.domains[domain].cells.reduce(0) { $0 + free[$1].reduce(0) { $0 + $1.usable } }
        var room = part.cores > 0 ? units(domain) / part.cores : Int.max
        if model.uniformThreads > 0, fit.rules.givesWholeCores {
            // A bundle begins with a core of its own.
            room = min(room, units(domain) / max(1, (part.cpus + fit.rules.usable - 1) / fit.rules.usable))
        }
        room = min(room, cpus / max(part.cpus, 1))
        if bundle.devices > 0 { room = min(room, near(domain).count / bundle.devices) }
        return min(room, bounds(bundle, domain))
    }

    /// What --ntasks-per-socket and the memory of a NUMA node leave.
    private func bounds(_ bundle: Bundle, _ domain: Int) -> Int {
        let place = model.domains[domain]
        if fit.shape.tasksPerSocket > 0, place.socket >= 0 {
            return max(0, fit.shape.tasksPerSocket - tasksOnSocket[place.socket]) / bundle.tasks
        }
        let memory = model.kind.hardware.numaMemoryMiB
        guard memoryPerTask > 0, place.numa >= 0, place.numa < memory.count, memory[place.numa] > 0 else { return .max }
        return Int(clamping: memory[place.numa]) / (memoryPerTask * bundle.tasks)
    }

    /// Under --ntasks-per-socket no task is on several sockets.
    private func isBounded(_ domain: Int) -> Bool { fit.shape.tasksPerSocket > 0 && model.domains[domain].socket < 0 }

    func units(_ domain: Int) -> Int { model.domains[domain].cells.reduce(0) { $0 + free[$1].count } }

    /// Free devices near to a domain that bundles may take; for a job that wants none: all free ones.
    private func near(_ domain: Int) -> [NodeModel.Device] {
        var found: [NodeModel.Device] = []
        for cell in model.domains[domain].cells {
            for device in model.cells[cell].devices where freeDevices.contains(device) && !found.contains(device) {
                if lead.isEmpty || lead.contains(device.gres) && quota[device.gres] > 0 { found.append(device) }
            }
        }
        return found
    }

    /// Puts one bundle into a domain; false when its devices cannot be had together.
    private mutating func gather(_ bundle: Bundle, in domain: Int) -> Bool {
        if isBounded(domain) { return false }
        var devices: [NodeModel.Device] = []
        for device in near(domain) where devices.count < bundle.devices && quota[device.gres] > 0 {
            devices.append(device)
            quota[device.gres] -= 1
        }
        guard devices.count == bundle.devices else {
            for device in devices { quota[device.gres] += 1 }
            return false
        }
        freeDevices.subtract(devices)
        let part = fit.rules.part(bundle.tasks, gpus: bundle.devices)
        let units = take(cpus: part.cpus, units: part.cores, in: domain, near: devices)
        if let unit = units.first { tasksOnSocket[model.cells[unit.cell].socket] += bundle.tasks }
        placed.append(Placed(bundle: bundle, units: units, devices: devices))
        return true
    }

    /// Takes units until they have `cpus` CPUs and are at least `units`: those near to `devices` first, then from the cell
    /// that has just enough, else from the fullest.
    mutating func take(cpus: Int, units: Int, in domain: Int, near devices: [NodeModel.Device]) -> [Unit] {
        var taken: [Unit] = []
        var left = cpus
        func isNear(_ cell: Int) -> Bool { model.cells[cell].devices.contains(where: devices.contains) }
        while left > 0 || taken.count < units {
            let cells = model.domains[domain].cells.filter { !free[$0].isEmpty }
            let nearest = cells.filter(isNear)
            let pool = nearest.isEmpty ? cells : nearest
            let enough = pool.filter { cell in
                free[cell].reduce(0) { $0 + $1.usable } >= left && free[cell].count >= units - taken.count
            }
            guard
                let cell = enough.min(by: { (free[$0].count, $0) < (free[$1].count, $1) })
                    ?? pool.max(by: { (free[$0].count, $1) < (free[$1].count, $0) })
            else { break }
            let unit = free[cell].removeFirst()
            left -= unit.usable
            taken.append(unit)
            while left > 0 || taken.count < units, let next = free[cell].first {
                free[cell].removeFirst()
                left -= next.usable
                taken.append(next)
            }
        }
        return taken
    }
}
