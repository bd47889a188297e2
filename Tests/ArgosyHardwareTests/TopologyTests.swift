import ArgosyHardware
import Testing

struct TopologyTests {
    @Test func thisMachineIsDescribedAndReadBackFromItsXML() throws {
        let here = try Topology.discover()
        #expect(!here.pus.isEmpty && here.memoryMiB > 0 && here.cores >= here.sockets)
        #expect(Set(here.pus.map(\.osIndex)).count == here.pus.count)
        #expect(here.pus.count <= here.cores * here.threadsPerCore)
        let again = try Topology(xml: here.xml)
        #expect(again.pus == here.pus && again.cores == here.cores && again.memoryMiB == here.memoryMiB)
        #expect(again.numaNodes == here.numaNodes)
    }

    @Test func garbageIsRefused() {
        #expect(throws: Topology.Failure.self) { try Topology(xml: "<topology>no") }
        #expect(throws: Topology.Failure.self) { try Topology(xml: "") }
    }
}
