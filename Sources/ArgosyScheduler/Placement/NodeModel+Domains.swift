// Which parts of a node are near to each other.
import ArgosyDomain

extension NodeModel {
    /// A cell, or domains that are near to each other.
    struct Domain: Sendable {
        enum Extent: Sendable, Equatable { case cell, numa(Int), socket(Int), node }
        var extent: Extent
        /// Smaller domains it consists of, by position before its own; empty for a cell.
        var children: [Int]
        var cells: [Int]
        /// The socket and the NUMA node it lies in; -1: in several.
        var socket: Int
        var numa: Int
    }

    static func cells(of hardware: NodeHardware) -> [Cell] {
        var cells: [Cell] = []
        for (index, core) in hardware.cores.enumerated() {
            let devices = near(core, hardware)
            if let found = cells.firstIndex(where: {
                $0.numa == core.numa && $0.socket == core.socket && $0.devices == devices
            }) {
                cells[found].cores.append(index)
            } else {
                cells.append(Cell(numa: core.numa, socket: core.socket, cores: [index], devices: devices))
            }
        }
        return cells
    }

    private static func near(_ core: NodeHardware.Core, _ hardware: NodeHardware) -> [Device] {
        var found: [Device] = []
        for (position, gres) in hardware.gres.enumerated() {
            for (unit, device) in gres.devices.enumerated() where isNear(device, core) {
                found.append(Device(gres: position, unit: unit))
            }
        }
        return found
    }

    private static func isNear(_ device: NodeHardware.GRES.Device, _ core: NodeHardware.Core) -> Bool {
        if !device.cpus.isEmpty { return core.cpus.contains(where: device.cpus.contains) }
        return device.numa == core.numa
    }

    /// Cells, then the smaller of NUMA nodes and sockets, then the larger, then the node: sockets consist of NUMA nodes on
    /// most machines, but some old ones have several sockets on one NUMA node.
    static func domains(of cells: [Cell]) -> [Domain] {
        var domains = cells.indices.map {
            Domain(extent: .cell, children: [], cells: [$0], socket: cells[$0].socket, numa: cells[$0].numa)
        }
        let sockets = Set(cells.map(\.socket)).count
        let numaNodes = Set(cells.map(\.numa)).count
        var level = Array(domains.indices)
        if sockets > numaNodes {
            level = join(level, &domains) { .socket(cells[$0].socket) }
            level = join(level, &domains) { .numa(cells[$0].numa) }
        } else {
            level = join(level, &domains) { .numa(cells[$0].numa) }
            level = join(level, &domains) { .socket(cells[$0].socket) }
        }
        _ = join(level, &domains) { _ in .node }
        return domains
    }

    /// Joins domains whose first cells have the same extent.
    private static func join(_ level: [Int], _ domains: inout [Domain], _ extent: (Int) -> Domain.Extent) -> [Int] {
        var joined: [Int] = []
        for child in level {
            let extent = extent(domains[child].cells[0])
            if let found = joined.first(where: { domains[$0].extent == extent }) {
                domains[found].children.append(child)
                domains[found].cells += domains[child].cells
                if domains[found].socket != domains[child].socket { domains[found].socket = -1 }
                if domains[found].numa != domains[child].numa { domains[found].numa = -1 }
            } else {
                joined.append(domains.count)
                var domain = domains[child]
                domain.extent = extent
                domain.children = [child]
                domains.append(domain)
            }
        }
        return joined
    }
}
