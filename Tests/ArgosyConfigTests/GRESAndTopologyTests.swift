import ArgosyConfig
import ArgosyDomain
import Testing

private func parse(_ text: String, gres: String? = nil, topology: String? = nil) -> ParsedConfiguration {
    let head = "SlurmctldHost=c\nGresTypes=gpu,shard\n"
    var parsed = ConfigurationParser.parse(.init(file: "argosy.conf", text: head + text))
    if let gres { parsed.readGRES(.init(file: "gres.conf", text: gres)) }
    if let topology { parsed.readTopology(.init(file: "topology.conf", text: topology)) }
    return parsed
}

private let twoSockets = "NodeName=n[1-2] Sockets=2 CoresPerSocket=4 ThreadsPerCore=2 RealMemory=1000 "

@Suite("gres.conf") struct GRESFileTests {
    @Test func `devices have files, types and cores near to them`() throws {
        let parsed = parse(
            twoSockets + "Gres=gpu:a100:2,shard:8",
            gres: """
                AutoDetect=nvml
                NodeName=n1 Name=gpu Type=a100 File=/dev/nvidia[0-1] Cores=0-3  # the first socket
                NodeName=n2 Name=gpu Type=a100 File=/dev/nvidia0 Cores=0-3
                NodeName=n2 Name=gpu Type=a100 File=/dev/nvidia1 Cores=4-7
                Name=shard Count=8
                """)
        #expect(parsed.diagnostics.isEmpty)
        let first = parsed.configuration.hardware(of: NodeIndex(0))
        #expect(first.cpus == 16 && first.cores.count == 8)
        let near = NodeHardware.GRES.Device(numa: 0, cpus: CPUSet(0..<8), file: "/dev/nvidia0")
        #expect(first.gres[0].devices.first == near)
        #expect(first.gres[0].devices.map(\.file) == ["/dev/nvidia0", "/dev/nvidia1"])
        #expect(first.gres[1] == .init(name: "shard", count: 8))
        let second = parsed.configuration.hardware(of: NodeIndex(1))
        #expect(second.gres[0].devices.map(\.numa) == [0, 1])
    }

    @Test func `sockets on the node line place devices without files`() {
        let parsed = parse(twoSockets + "Gres=gpu:v100:2(S:1)")
        #expect(parsed.diagnostics.isEmpty)
        let hardware = parsed.configuration.hardware(of: NodeIndex(0))
        #expect(hardware.gres.count == 1 && hardware.gres[0].type == "v100")
        #expect(hardware.gres[0].devices.allSatisfy { $0.numa == 1 && $0.cpus == CPUSet(8..<16) })
    }

    @Test func `types of gres.conf divide an untyped count`() {
        let parsed = parse(
            twoSockets + "Gres=gpu:3",
            gres: "Name=gpu Type=a File=/dev/nvidia[0-1]\nName=gpu Type=b File=/dev/nvidia2\n")
        let gres = parsed.configuration.hardware(of: NodeIndex(0)).gres
        #expect(gres.map(\.type) == ["a", "b"] && gres.map(\.count) == [2, 1])
    }

    @Test func `CPUs that count cores only are cores`() {
        let parsed = parse("NodeName=n1 CPUs=8 Sockets=2 CoresPerSocket=4 ThreadsPerCore=2")
        let hardware = parsed.configuration.hardware(of: NodeIndex(0))
        #expect(hardware.cpus == 8 && hardware.cores.count == 8)
    }

    @Test(arguments: [
        (
            "Name=gpu File=/dev/nvidia0 Cores=0-x",
            "gres.conf:1: error: Cores=0-x: must be numbers and ranges, as 0-7,16-23"
        ),
        ("NodeName=n9 Name=gpu", "gres.conf:1: error: NodeName names n9, which the main file does not describe"),
        ("\nFile=/dev/nvidia0", "gres.conf:2: error: says nothing of which GRES; begin with Name=gpu, or what it is"),
        ("Name=gpu Count=many", "gres.conf:1: error: Count=many: must be a number, or one with K, M, G, T or P"),
        (
            "Name=gpu Count=3 File=/dev/nvidia[0-1]",
            "gres.conf:1: error: Count=3, but File names 2; leave Count out"
        ),
        (
            "NodeName=n1 Name=gpu File=/dev/nvidia0",
            "gres.conf:1: error: node n1 has gpu:2, but there are files for 1 only; correct Gres= of the node or File= here"
        ),
        (
            "NodeName=n1 Name=gpu File=/dev/nvidia[0-1] Cores=8",
            "gres.conf:1: error: Cores names core 8, but node n1 has 0 to 7"
        ),
        ("AutoDetect=magic", "gres.conf:1: error: AutoDetect=magic: must be one of nvml nvidia rsmi nrt oneapi off"),
        ("gpu", "gres.conf:1: error: \"gpu\" is not Key=Value"),
    ]) func `errors name file and line`(text: String, message: String) {
        let parsed = parse(twoSockets + "Gres=gpu:2", gres: text)
        #expect(parsed.errors.map(\.description) == [message])
    }

    @Test(arguments: ["gpu:", "gpu:a:b:2", "gpu:2(S:x)", "gpu:2(0)", ":2", "gpu:2,gpu:1"])
    func `a node's Gres that cannot be read is an error`(text: String) {
        #expect(parse(twoSockets + "Gres=" + text).errors.count == 1)
    }

    @Test func `GRES that GresTypes does not list are told`() {
        let warned = parse(twoSockets + "Gres=fpga:1").warnings.map(\.message)
        #expect(warned == ["nodes have GRES fpga, which GresTypes does not list; write GresTypes=gpu,shard,fpga"])
    }
}

@Suite("topology.conf") struct TopologyFileTests {
    private let nodes = "NodeName=n[1-6] CPUs=4"

    @Test func `switches form a tree, in any order of lines`() {
        let parsed = parse(
            nodes,
            topology: """
                SwitchName=top Switches=s[0-1] LinkSpeed=100
                SwitchName=s0 Nodes=n[1-3]
                SwitchName=s1 Nodes=n[4-6]
                """)
        #expect(parsed.diagnostics.isEmpty)
        let tree = parsed.configuration.switches
        #expect(tree.leaves == [1, 2])
        #expect(tree.switches.map(\.level) == [1, 0, 0])
        #expect(tree.switches[0].leaves == [0, 1] && tree.switches[0].linkSpeed == 100)
        #expect((0..<6).map { parsed.configuration.leaf(of: NodeIndex($0)) } == [0, 0, 0, 1, 1, 1])
        #expect(tree.distance(0, 1) == 2)
    }

    @Test(arguments: [
        ("SwitchName=s Nodes=n9", "Nodes names n9, which the main file does not describe"),
        ("SwitchName=s Nodes=n[1-6]\nSwitchName=s Nodes=n1", "switch s is described twice"),
        ("SwitchName=a Nodes=n[1-6]\nSwitchName=b Nodes=n1", "node n1 is on switch a already"),
        ("SwitchName=s Nodes=n[1-6]\nSwitchName=t Switches=u", "Switches names u, which no line describes"),
        ("SwitchName=s", "switch s needs either Nodes= or Switches="),
        ("Nodes=n1", "a line of topology.conf begins with SwitchName="),
        ("SwitchName=s Nodes=n[1-6] LinkSpeed=fast", "LinkSpeed=fast: must be a whole number"),
        (
            "SwitchName=s Nodes=n[1-6]\nSwitchName=a Switches=b\nSwitchName=b Switches=a",
            "no node is below switch a"
        ),
    ]) func `errors say what is wrong`(text: String, message: String) {
        #expect(parse(nodes, topology: text).errors.first?.message == message)
    }

    @Test func `nodes on no switch are told`() {
        let warned = parse(nodes, topology: "SwitchName=s Nodes=n[1-4]").warnings.map(\.message)
        #expect(warned == ["n[5-6] are on no switch; jobs that ask for --switches will not use them"])
    }
}
