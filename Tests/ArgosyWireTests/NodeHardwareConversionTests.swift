import ArgosyDomain
import ArgosyWire
import Testing

@Suite("Hardware and devices on the wire") struct NodeHardwareConversionTests {
    static let irregular = NodeHardware(
        cores: [
            .init(firstCPU: 0, threads: 2, socket: 0, numa: 0), .init(firstCPU: 2, threads: 1, socket: 0, numa: 0),
            .init(firstCPU: 3, threads: 2, socket: 1, numa: 1), .init(firstCPU: 5, threads: 2, socket: 1, numa: 1),
        ], sockets: 2, numaMemoryMiB: [4096, 0], memoryMiB: 8192,
        gres: [
            .init(
                name: "gpu", type: "a100", count: 2,
                devices: [
                    .init(numa: 1, cpus: CPUSet([3, 4, 6]), file: "/dev/nvidia0"), .init(file: "/dev/nvidia1"),
                ]), .init(name: "scratch", count: 1 << 40),
        ])

    @Test func `irregular hardware survives the way there and back`() {
        #expect(WireNodeHardware(Self.irregular).domain == Self.irregular)
    }

    @Test func `equal cores are written as one run`() {
        let wire = WireNodeHardware(
            NodeHardware(sockets: 2, coresPerSocket: 32, threadsPerCore: 2, memoryMiB: 1024))
        #expect(wire.cores.count == 2)
        #expect(wire.cores.map(\.count) == [32, 32])
    }

    @Test func `hardware that points nowhere is refused`() {
        func broken(_ change: (inout WireNodeHardware) -> Void) -> NodeHardware? {
            var wire = WireNodeHardware(Self.irregular)
            change(&wire)
            return wire.domain
        }
        #expect(broken { $0.cores[0].socket = 2 } == nil)
        #expect(broken { $0.cores[0].numa = 2 } == nil)
        #expect(broken { $0.cores[0].count = 1 << 20 } == nil)
        #expect(broken { $0.cores = [] } == nil)
        #expect(broken { $0.gres[0].count = 3 } == nil)
        #expect(broken { $0.gres[0].devices[0].cpus = [3, 99] } == nil)
        #expect(broken { $0.gres[0].devices[0].cpus = [3] } == nil)
        #expect(broken { $0.gres[0].devices[0].numa = 2 } == nil)
    }

    @Test func `devices of an allocation survive the way there and back`() {
        let allocation = Allocation(
            nodes: [
                .init(
                    index: NodeIndex(0), name: "n0", cpus: CPUSet([0, 1]), memoryMiB: 10, tasks: 2,
                    gres: [
                        GRESGrant(name: "gpu", type: "a100", count: 2, devices: CPUSet([1, 3])),
                        GRESGrant(name: "scratch", type: "", count: 100),
                    ])
            ], cpusPerTask: 1)
        #expect(WireAllocation(allocation).domain { _ in NodeIndex(0) } == allocation)
    }
}
