// A node's jobs as a picture: a row for each NUMA node (or part of it that is near to other devices), a cell for each core,
// and the devices near to the row after it. A task is a letter, in capitals where it holds a device; two letters in a cell
// share a core. Cores given without a task are `+`, those of other jobs `#`, free ones `.`; devices likewise.
//
//     socket 0 numa 0 |AABB....|........|  gpu0:A gpu1:B
import ArgosyDomain

@testable import ArgosyScheduler

struct PlacementPicture {
    let model: NodeModel
    let node: PlanningSnapshot.Node
    let grant: Grant?

    var text: String {
        guard let grant else { return "does not fit\n" }
        var lines = model.cells.indices.sorted { model.cells[$0].cores[0] < model.cells[$1].cores[0] }.map(row)
        let far = devices { device in !model.cells.contains { $0.devices.contains(device) } }
        if !far.isEmpty { lines.append("near to no cores:  \(far)") }
        let gres = grant.node.gres.map {
            $0.type.isEmpty ? "\($0.name) \($0.count)" : "\($0.name) \($0.type) \($0.count)"
        }
        lines.append(
            "\(grant.node.tasks) task\(grant.node.tasks == 1 ? "" : "s"), \(grant.node.cpus.count) CPUs, \(grant.node.memoryMiB) MiB"
                + gres.map { ", " + $0 }.joined())
        return lines.joined(separator: "\n") + "\n"
    }

    private func row(_ index: Int) -> String {
        let cell = model.cells[index]
        var cores = ""
        for (position, core) in cell.cores.enumerated() {
            if position > 0, position % 8 == 0 { cores += " " }
            if position > 0, core != cell.cores[position - 1] + 1 { cores += "|" }
            cores += mark(core)
        }
        return "socket \(cell.socket) numa \(cell.numa) |\(cores)|  \(devices { cell.devices.contains($0) })"
            .trimmed
    }

    private func letter(_ task: Int) -> String {
        let letters = Array("abcdefghijklmnopqrstuvwxyz0123456789")
        let letter = String(letters[task % letters.count])
        return grant?.tasks[task].devices.isEmpty ?? true ? letter : letter.uppercased()
    }

    private func mark(_ core: Int) -> String {
        let cpus = model.kind.hardware.cores[core].cpus
        let tasks = (grant?.tasks ?? []).indices.filter { task in
            cpus.contains { grant?.tasks[task].cpus.contains($0) ?? false }
        }
        if !tasks.isEmpty { return tasks.count == 1 ? letter(tasks[0]) : "(" + tasks.map(letter).joined() + ")" }
        if cpus.contains(where: { grant?.node.cpus.contains($0) ?? false }) { return "+" }
        return cpus.allSatisfy(node.freeCPUs.contains) ? "." : "#"
    }

    private func devices(_ belongs: (NodeModel.Device) -> Bool) -> String {
        var words: [String] = []
        for (position, gres) in model.kind.hardware.gres.enumerated() {
            for unit in gres.devices.indices where belongs(.init(gres: position, unit: unit)) {
                words.append("\(gres.name)\(number(position, unit)):\(mark(position, unit))")
            }
        }
        return words.joined(separator: " ")
    }

    /// Counted over all types of a name.
    private func number(_ position: Int, _ unit: Int) -> Int {
        let gres = model.kind.hardware.gres
        return unit + gres[..<position].filter { $0.name == gres[position].name }.reduce(0) { $0 + $1.count }
    }

    private func mark(_ position: Int, _ unit: Int) -> String {
        let gres = model.kind.hardware.gres[position]
        let tasks = (grant?.tasks ?? []).indices.filter { task in
            grant?.tasks[task].devices.contains(.init(gres: position, unit: unit)) ?? false
        }
        if !tasks.isEmpty { return tasks.map(letter).joined() }
        let held = grant?.node.gres.first { $0.name == gres.name && $0.type == gres.type }
        if held?.devices.contains(unit) ?? false { return "+" }
        return node.freeGRES[position].devices.contains(unit) ? "." : "#"
    }
}

extension String {
    fileprivate var trimmed: String {
        var text = self
        while text.last == " " { text.removeLast() }
        return text
    }
}
