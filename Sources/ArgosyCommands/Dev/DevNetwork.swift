import Glibc

/// The private network of a dev cluster: a bridge with the host's address, and per node a network namespace joined to it.
struct DevNetwork {
    let cluster: DevCluster
    let facts: DevFacts

    /// Whether this process may make namespaces and interfaces here; containers and sandboxes often forbid it.
    static func refusal(_ cluster: DevCluster) throws -> String? {
        guard DevCommand.find("ip") != nil else { return "ip(8) is not installed; run contrib/install-deps" }
        let probe = "argosy-\(cluster.tag)-probe"
        let added = try DevCommand.run(["ip", "netns", "add", probe])
        guard added.status == 0 else { return DevCommand.trimmed(added.output) }
        defer { _ = try? DevCommand.run(["ip", "netns", "delete", probe]) }
        let link = "a\(cluster.tag)probe"
        let joined = try DevCommand.run([
            "ip", "link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", probe,
        ])
        return joined.status == 0 ? nil : DevCommand.trimmed(joined.output)
    }

    /// Makes what is missing.
    func make(nodes: Int) throws {
        if !DevFiles.exists("/sys/class/net/\(cluster.bridge)") {
            try DevCommand.must("ip", "link", "add", cluster.bridge, "type", "bridge", "forward_delay", "0")
        }
        try DevCommand.must("ip", "address", "replace", facts.hostAddress + "/24", "dev", cluster.bridge)
        try DevCommand.must("ip", "link", "set", cluster.bridge, "up")
        for node in 1...nodes { try makeNode(node) }
    }

    private func makeNode(_ node: Int) throws {
        let (space, port) = (cluster.namespace(node), cluster.port(node))
        if !DevFiles.exists("/run/netns/\(space)") { try DevCommand.must("ip", "netns", "add", space) }
        if !DevFiles.exists("/sys/class/net/\(port)") {
            try DevCommand.must("ip", "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", space)
        }
        try DevCommand.must("ip", "link", "set", port, "master", cluster.bridge, "up")
        try DevCommand.must("ip", "-n", space, "link", "set", "lo", "up")
        try DevCommand.must("ip", "-n", space, "address", "replace", facts.nodeAddress(node) + "/24", "dev", "eth0")
        try DevCommand.must("ip", "-n", space, "link", "set", "eth0", "up")
        try DevCommand.must("ip", "-n", space, "route", "replace", "default", "via", facts.hostAddress)
    }

    /// Takes away every namespace and the bridge of this cluster, also those of nodes it has no more.
    static func remove(_ cluster: DevCluster) {
        for name in DevFiles.names(in: "/run/netns") where name.hasPrefix("argosy-\(cluster.tag)-") {
            _ = try? DevCommand.run(["ip", "netns", "delete", name])
        }
        for name in DevFiles.names(in: "/sys/class/net") where name.hasPrefix("a\(cluster.tag)n") {
            _ = try? DevCommand.run(["ip", "link", "delete", name])
        }
        if DevFiles.exists("/sys/class/net/\(cluster.bridge)") {
            _ = try? DevCommand.run(["ip", "link", "delete", cluster.bridge])
        }
    }

    /// The first three bytes of a /24 that no route of this machine overlaps: "10.213.0" to "10.213.255", begun at one
    /// the directory's name chooses.
    static func freePrefix(_ cluster: DevCluster) throws -> String {
        let taken = routes()
        let start = Int(cluster.tag, radix: 16) ?? 0
        for step in 0..<256 {
            let third = UInt32((start + step) % 256)
            let network: UInt32 = 10 << 24 | 213 << 16 | third << 8
            let overlaps = taken.contains { route in
                let mask = min(route.mask, 0xffff_ff00)
                return route.network & mask == network & mask
            }
            if !overlaps { return "10.213.\(third)" }
        }
        throw DevError("every network in 10.213.0.0/16 is routed already; use --network host")
    }

    /// The machine's IPv4 routes, but for the default one. Addresses in /proc/net/route are hexadecimal in the byte
    /// order of the network, printed as a number of this machine.
    private static func routes() -> [(network: UInt32, mask: UInt32)] {
        let lines = (DevFiles.read("/proc/net/route") ?? "").split(separator: "\n").dropFirst()
        return lines.compactMap { line in
            let fields = line.split(separator: "\t").map { DevCommand.trimmed(String($0)) }
            guard fields.count > 7, let network = UInt32(fields[1], radix: 16), let mask = UInt32(fields[7], radix: 16),
                mask != 0
            else { return nil }
            return (UInt32(bigEndian: network), UInt32(bigEndian: mask))
        }
    }

    /// The first of `count` neighbouring TCP ports that nobody listens on, from `first` on.
    static func freePorts(_ count: Int, from first: Int) throws -> Int {
        for base in stride(from: first, to: 60_000, by: max(count, 10)) {
            if (base..<base + count).allSatisfy(isFree) { return base }
        }
        throw DevError("no free TCP ports from \(first) on")
    }

    static func isFree(_ port: Int) -> Bool {
        let file = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard file >= 0 else { return false }
        defer { close(file) }
        var yes: Int32 = 1
        setsockopt(file, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(port).bigEndian)
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(file, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        return bound == 0 && listen(file, 1) == 0
    }
}
