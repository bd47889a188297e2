// Placements on real nodes as pictures. Golden/NAME.txt is what is expected; after a wanted change write them anew with
//
//     ARGOSY_UPDATE_GOLDEN=1 swift test --filter PlacementGoldenTests
//
// and read the difference.
import ArgosyDomain
import Glibc
import Testing

@testable import ArgosyScheduler

private let folder = String(#filePath.prefix(#filePath.count - "PlacementGoldenTests.swift".count))

private func contents(_ path: String) -> String? {
    guard let file = fopen(path, "r") else { return nil }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while true {
        let count = fread(&chunk, 1, chunk.count, file)
        if count == 0 { return String(decoding: bytes, as: UTF8.self) }
        bytes += chunk[..<count]
    }
}

@Suite("Placement on real nodes") struct PlacementGoldenTests {
    static let names = [
        "broadwell-2p100-pascal", "broadwell-cpu-quartz", "cascadelake-8t4-g4dnmetal", "dunnington-4node-96core",
        "epyc-mixed-gpus-chimera", "grace-72core-gh200", "knl-snc4-flat", "mi300a-4apu-spx-tuolumne",
        "power9-4v100-lassen", "skylake-16v100-dgx2", "trento-8mi250x-tioga", "xeon-4socket-offline-pus",
    ]

    private static func shape(_ change: (inout Shape) -> Void) -> Shape {
        var shape = Shape(partitions: [0])
        change(&shape)
        return shape
    }
    private static func gpus(_ count: UInt64, _ per: GRESRequest.Per) -> [GRESRequest] {
        [GRESRequest(name: "gpu", count: count, per: per)]
    }

    /// What jobs ask for, in the words of `sbatch`; the tasks are taken from `shape.tasks`.
    private static func requests(_ hardware: NodeHardware) -> [(words: String, shape: Shape, isFragmented: Bool)] {
        let half = max(1, hardware.cores.count / 2)
        let gpus = hardware.gres.filter { $0.name == "gpu" }.reduce(0) { $0 + $1.count }
        var all: [(String, Shape, Bool)] = [
            ("-n1", shape { _ in }, false),
            ("-n4 -c2", shape { ($0.tasks, $0.cpusPerTask) = (4, 2) }, false),
            ("-n4 -c2 on a node with others", shape { ($0.tasks, $0.cpusPerTask) = (4, 2) }, true),
            ("-n\(half) --hint=nomultithread", shape { ($0.tasks, $0.threadsPerCore) = (half, 1) }, false),
            ("-n1 --exclusive", shape { $0.sharing = .exclusive }, false),
            (
                "-n2 --ntasks-per-socket=1 -c2", shape { ($0.tasks, $0.tasksPerSocket, $0.cpusPerTask) = (2, 1, 2) },
                false
            ),
        ]
        guard gpus > 0 else { return all }
        all += [
            (
                "-n4 -c2 --gpus-per-task=1",
                shape { ($0.tasks, $0.cpusPerTask, $0.gres) = (4, 2, self.gpus(1, .task)) }, false
            ),
            (
                "-n4 -c2 --gpus-per-task=1 on a node with others",
                shape { ($0.tasks, $0.cpusPerTask, $0.gres) = (4, 2, self.gpus(1, .task)) }, true
            ),
            ("-n1 -c4 --gpus-per-node=2", shape { ($0.cpusPerTask, $0.gres) = (4, self.gpus(2, .node)) }, false),
            (
                "-n1 --gpus-per-node=1 --cpus-per-gpu=8", shape { ($0.cpusPerGPU, $0.gres) = (8, self.gpus(1, .node)) },
                false
            ),
        ]
        return all
    }

    /// Every third core, and of each row of devices the first, belong to others.
    private static func fragment(_ node: inout PlanningSnapshot.Node, _ hardware: NodeHardware) {
        for (index, core) in hardware.cores.enumerated() where index % 3 == 0 {
            for cpu in core.cpus { node.freeCPUs.remove(cpu) }
        }
        for (position, gres) in hardware.gres.enumerated() {
            for unit in gres.devices.indices where unit % 3 == 0 {
                node.freeGRES[position].devices.remove(unit)
                node.freeGRES[position].count -= 1
            }
        }
    }

    @Test(arguments: names) func `placements are as pictured`(name: String) throws {
        let text = try #require(contents(folder + "Topologies/\(name).txt"))
        let hardware = try #require(NodeHardware(text: text))
        let model = NodeModel(.init(hardware: hardware))
        var pictures = ""
        for request in Self.requests(hardware) {
            var node = PlanningSnapshot.Node(idle: hardware)
            if request.isFragmented { Self.fragment(&node, hardware) }
            let grant = NodeFit(request.shape, on: model).grant(tasks: request.shape.tasks, on: node)
            if let grant { #expect(node.refusal(of: grant.node, hardware) == nil) }
            pictures += "== \(request.words)\n\(PlacementPicture(model: model, node: node, grant: grant).text)\n"
        }
        let path = folder + "Golden/\(name).txt"
        if getenv("ARGOSY_UPDATE_GOLDEN") != nil {
            let out = try #require(fopen(path, "w"))
            fputs(pictures, out)
            fclose(out)
        }
        #expect(pictures == contents(path))
    }
}
