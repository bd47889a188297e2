// hwloc XML of real nodes beside what hwloc's own tools say of them. The files are not part of the repository (some have
// licences of their own): ARGOSY_TOPOLOGIES names their directory, ../shared/topologies is tried otherwise. With
// ARGOSY_WRITE_FIXTURES=1 each node's text goes to Tests/ArgosySchedulerTests/Topologies, where the placement tests read it:
//
//     ARGOSY_TOPOLOGIES=DIR ARGOSY_WRITE_FIXTURES=1 swift test --filter TopologyFilesTests

import ArgosyDomain
import ArgosyHardware
import Glibc
import Testing

private let here = String(
    #filePath.prefix(#filePath.count - "Tests/ArgosyHardwareTests/TopologyFilesTests.swift".count))
private let directory: String = {
    if let named = getenv("ARGOSY_TOPOLOGIES") { return String(cString: named) }
    return here + "../shared/topologies"
}()

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

private func table(_ name: String) -> [[String: String]] {
    let lines = (contents(directory + "/" + name) ?? "").split(separator: "\n")
        .map { $0.split(separator: "\t", omittingEmptySubsequences: false).map(String.init) }
    guard let head = lines.first else { return [] }
    return lines.dropFirst().map { Dictionary(uniqueKeysWithValues: zip(head, $0)) }
}

@Suite(
    "Topologies of real nodes",
    .enabled(if: contents(directory + "/counts.tsv") != nil, "no topologies at hand: set ARGOSY_TOPOLOGIES"))
struct TopologyFilesTests {
    @Test func `counts are those of hwloc's tools`() throws {
        for row in table("counts.tsv") {
            let file = try #require(row["file"])
            let topology = try Topology(xml: #require(contents(directory + "/" + file)))
            let hardware = topology.hardware
            #expect(hardware.sockets == Int(row["packages"] ?? ""), "\(file)")
            #expect(hardware.cores.count == Int(row["cores"] ?? ""), "\(file)")
            #expect(hardware.cpus == Int(row["pus"] ?? ""), "\(file)")
            #expect(topology.numaNodes.count == Int(row["numanodes"] ?? ""), "\(file)")
            #expect(topology.gpus.count == Int(row["compute_gpus"] ?? ""), "\(file)")
            let bytes = try #require(UInt64(row["memory_bytes_total"] ?? ""))
            #expect(topology.memoryMiB == bytes >> 20, "\(file)")
            let os = topology.cpuOrder.map { String(topology.pus[$0].osIndex) }.joined(separator: ",")
            #expect(os == row["allowed_or_online_pus"], "\(file)")
            #expect(NodeHardware(text: hardware.text) == hardware, "\(file)")
        }
    }

    @Test func `GPUs are near to what hwloc-calc says`() throws {
        for row in table("gpus.tsv") where row["kind"] == "compute" {
            let file = try #require(row["file"])
            let topology = try Topology(xml: #require(contents(directory + "/" + file)))
            let gpu = try #require(topology.gpus.first { $0.busID == row["pci_busid"] }, "\(file)")
            let near = Set((row["cpus_os_pus"] ?? "").split(separator: ",").compactMap { Int($0) })
            #expect(Set(gpu.pus) == near, "\(file)")
            #expect(gpu.numaNode.map(String.init) == row["numa_os"], "\(file)")
            let position = try #require(topology.gpus.firstIndex(of: gpu))
            let device = topology.hardware.gres.flatMap(\.devices)[position]
            let logical = Set((row["cpus_logical_pus"] ?? "").split(separator: ",").compactMap { Int($0) })
            #expect(device.cpus.isEmpty || Set(device.cpus.members) == logical, "\(file)")
        }
    }

    @Test(.enabled(if: getenv("ARGOSY_WRITE_FIXTURES") != nil, "fixtures are kept: ARGOSY_WRITE_FIXTURES is not set"))
    func `texts of the nodes are written for the placement tests`() throws {
        for row in table("counts.tsv") {
            let file = try #require(row["file"])
            let topology = try Topology(xml: #require(contents(directory + "/" + file)))
            let name = file.prefix { $0 != "." }
            let out = try #require(fopen(here + "Tests/ArgosySchedulerTests/Topologies/\(name).txt", "w"))
            fputs("# \(name), as TopologyFilesTests wrote it\n" + topology.hardware.text, out)
            fclose(out)
        }
    }
}
