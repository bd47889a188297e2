// The cluster's network: a bridge, and for each node a network namespace joined to it by a pair of interfaces.
//
// The nodes' daemons are put into their namespaces with nsenter(1) and not by `ip netns exec`, which mounts a new /sys
// and so hides the cgroups. Where namespaces are not permitted the nodes share the host's network, on loopback.

import ArgosySystem
import Glibc

enum DevNetwork: Equatable {
    /// The controller's port; nodes have the usual one, each in its own namespace.
    case bridge(DevSubnet, port: UInt16)
    /// Ports from this one on: the controller's, then one for each node.
    case host(port: UInt16)

    var controllerAddress: String {
        switch self {
        case .bridge(let subnet, _): subnet.gateway
        case .host: "127.0.0.1"
        }
    }

    var controllerPort: UInt16 {
        switch self {
        case .bridge(_, let port), .host(let port): port
        }
    }

    /// As in the file that remembers it.
    var text: String {
        switch self {
        case .bridge(let subnet, let port): "bridge \(subnet.second) \(subnet.third) \(port)\n"
        case .host(let port): "host \(port)\n"
        }
    }

    init?(_ text: String) {
        let words = text.split { $0 == " " || $0 == "\n" }
        if words.count == 4, words[0] == "bridge", let second = UInt8(words[1]), let third = UInt8(words[2]),
            let port = UInt16(words[3])
        {
            self = .bridge(DevSubnet(second: second, third: third), port: port)
        } else if words.count == 2, words[0] == "host", let port = UInt16(words[1]) {
            self = .host(port: port)
        } else {
            return nil
        }
    }

    /// What an earlier `up` chose.
    static func remembered(_ cluster: DevCluster) -> DevNetwork? {
        (try? Files.readText(cluster.networkFile)).flatMap { DevNetwork($0) }
    }
}

/// Makes and removes the network of one cluster.
struct DevNetworkBuilder {
    let cluster: DevCluster
    let progress: DevProgress

    /// The network an earlier `up` chose, or a new one; written down before anything of it is made.
    func choose(hostOnly: Bool) throws(DevError) -> DevNetwork {
        if let network = DevNetwork.remembered(cluster) { return network }
        let network: DevNetwork
        if hostOnly {
            network = .host(port: try freePort())
        } else if let why = try obstacle() {
            progress.warn(
                "network namespaces cannot be made here (\(why)): all nodes share this machine's network, and jobs on "
                    + "them the same ports")
            network = .host(port: try freePort())
        } else {
            network = .bridge(try freeSubnet(), port: isFree(6817) ? 6817 : try freePort())
        }
        do { try Files.replace(cluster.networkFile, with: Array(network.text.utf8), mode: 0o644) } catch {
            throw DevError("cannot remember the network", error)
        }
        return network
    }

    /// Makes what is missing of the bridge and the nodes' namespaces.
    func make(_ subnet: DevSubnet, nodes: Int) throws(DevError) {
        if !exists(cluster.bridge) {
            try DevTool.need(["ip", "link", "add", cluster.bridge, "type", "bridge"])
            try DevTool.need(["ip", "addr", "add", subnet.gateway + "/24", "dev", cluster.bridge])
        }
        try DevTool.need(["ip", "link", "set", cluster.bridge, "up"])
        for index in 1...nodes { try make(node: index, subnet) }
    }

    private func make(node index: Int, _ subnet: DevSubnet) throws(DevError) {
        let namespace = cluster.namespace(index)
        if access(cluster.namespaceFile(index), F_OK) == 0, exists(cluster.link(index)) { return }
        _ = try DevTool.run(["ip", "link", "del", cluster.link(index)])
        if access(cluster.namespaceFile(index), F_OK) != 0 { try DevTool.need(["ip", "netns", "add", namespace]) }
        try DevTool.need([
            "ip", "link", "add", cluster.link(index), "type", "veth", "peer", "name", "eth0", "netns", namespace,
        ])
        try DevTool.need(["ip", "link", "set", cluster.link(index), "master", cluster.bridge])
        try DevTool.need(["ip", "link", "set", cluster.link(index), "up"])
        try DevTool.need(["ip", "-n", namespace, "addr", "add", subnet.address(index) + "/24", "dev", "eth0"])
        try DevTool.need(["ip", "-n", namespace, "link", "set", "lo", "up"])
        try DevTool.need(["ip", "-n", namespace, "link", "set", "eth0", "up"])
        // The way out ends at this machine unless it forwards.
        try DevTool.need(["ip", "-n", namespace, "route", "add", "default", "via", subnet.gateway])
    }

    /// Removes all that bears the cluster's name. Returns what could not be removed.
    func remove() -> [String] {
        var left: [String] = []
        let prefix = "argosy-\(cluster.tag)-n"
        for name in (try? Files.list("/run/netns")) ?? [] where name.hasPrefix(prefix) {
            remove(["ip", "netns", "del", name], &left)
        }
        for name in (try? Files.list("/sys/class/net")) ?? []
        where name == cluster.bridge || name.hasPrefix("av\(cluster.tag)-") {
            // The interface of a namespace that has just gone may go by itself meanwhile.
            if exists(name) { remove(["ip", "link", "del", name], &left) }
        }
        left.removeAll { complaint in complaint.contains("Cannot find device") }
        unlink(cluster.networkFile)
        return left
    }

    private func remove(_ command: [String], _ left: inout [String]) {
        do throws(DevError) { try DevTool.need(command) } catch { left.append(error.message) }
    }

    private func exists(_ interface: String) -> Bool { access("/sys/class/net/" + interface, F_OK) == 0 }

    /// Why a bridge or a network namespace cannot be made; nil: they can.
    private func obstacle() throws(DevError) -> String? {
        let namespace = "argosy-\(cluster.tag)-n0"
        let result = try DevTool.run(["ip", "netns", "add", namespace])
        if !result.succeeded { return result.complaint }
        _ = try DevTool.run(["ip", "netns", "del", namespace])
        let bridge = try DevTool.run(["ip", "link", "add", cluster.bridge, "type", "bridge"])
        if !bridge.succeeded { return bridge.complaint }
        _ = try DevTool.run(["ip", "link", "del", cluster.bridge])
        return nil
    }

    private func freeSubnet() throws(DevError) -> DevSubnet {
        let routes = try DevTool.run(["ip", "-4", "route", "show", "table", "all"]).output
        let taken = routes.split(separator: "\n").compactMap { line -> (UInt32, Int)? in
            line.split(separator: " ").lazy.compactMap { Self.network($0) }.first
        }
        for subnet in cluster.candidateSubnets() {
            guard let (address, _) = Self.network("\(subnet.prefix).0/24"[...]) else { continue }
            let overlaps = taken.contains { other, length in
                let shift = UInt32(32 - min(length, 24))
                return length > 0 && address >> shift == other >> shift
            }
            if !overlaps { return subnet }
        }
        throw DevError(
            "no free network found for the nodes: this machine has routes to all that were tried",
            "use --host-network, or another --dir (addresses follow from its name)")
    }

    /// "10.1.2.0/24" or "10.1.2.3" as number and prefix length.
    static func network(_ text: Substring) -> (UInt32, Int)? {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        let bytes = parts[0].split(separator: ".", omittingEmptySubsequences: false).map { UInt8($0) }
        guard bytes.count == 4, !bytes.contains(nil), parts.count <= 2 else { return nil }
        let address = bytes.reduce(UInt32(0)) { $0 << 8 | UInt32($1 ?? 0) }
        guard let length = parts.count == 2 ? Int(parts[1]) : 32, (0...32).contains(length) else { return nil }
        return (address, length)
    }

    /// The first of a row of ports that nobody listens on.
    private func freePort() throws(DevError) -> UInt16 {
        for attempt in 0..<64 {
            let base = UInt16(20_000 + (Int(cluster.tag, radix: 16) ?? 0) % 40 * 256 + attempt * 256)
            let row = base...(base + UInt16(DevCluster.maxNodes))
            if row.allSatisfy({ isFree($0) }) { return base }
        }
        throw DevError("no free row of \(DevCluster.maxNodes + 1) ports found on loopback", "stop what listens there")
    }

    private func isFree(_ port: UInt16) -> Bool {
        let socket = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | O_CLOEXEC, 0)
        guard socket >= 0 else { return false }
        defer { close(socket) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = 0
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }
}
