import ArgosySystem
import ArgosyWire
import Glibc

/// argosy dev status, argosy dev env.
struct DevStatus {
    let cluster: DevCluster

    /// 0: all of it runs, 1: some of it does not, 3: nothing does.
    func run() -> Int32 {
        let daemons = cluster.startedDaemons().reversed().map { DevDaemon(cluster: cluster, name: $0) }
        let running = daemons.count { $0.pid != nil }
        guard running > 0 else {
            Console.print("cluster \(cluster.name) in \(cluster.directory) is not running\n")
            return 3
        }
        Console.print("cluster \(cluster.name) in \(cluster.directory), \(networkText)\n\n")
        Console.print("\(pad("DAEMON", 14))\(pad("PID", 10))LOG\n")
        for daemon in daemons.sorted(by: Self.order) {
            let pid = daemon.pid.map { "\($0)" } ?? "dead"
            Console.print("\(pad(daemon.name, 14))\(pad(pid, 10))\(cluster.log(of: daemon.name))\n")
        }
        Console.print("\n")
        return printNodes() && running == daemons.count ? 0 : 1
    }

    /// 3 when there is no cluster to point to.
    func printEnvironment() -> Int32 {
        guard access(cluster.configuration, R_OK) == 0 else {
            Console.error(
                "argosy dev", "there is no cluster in \(cluster.directory)", detail: "start one: argosy dev up")
            return 3
        }
        Console.print("export PATH='\(cluster.bin)':\"$PATH\"\nexport ARGOSY_CONF='\(cluster.configuration)'\n")
        return 0
    }

    private static func order(_ a: DevDaemon, _ b: DevDaemon) -> Bool {
        func rank(_ name: String) -> (Int, Int, String) {
            (name == "munged" ? 0 : name == "argosyctld" ? 1 : 2, name.count, name)
        }
        return rank(a.name) < rank(b.name)
    }

    private var networkText: String {
        switch DevNetwork.remembered(cluster) {
        case .bridge(let subnet, _)?: "network \(subnet.prefix).0/24 on \(cluster.bridge)"
        case .host(let port)?: "on this machine's own network, ports from \(port)"
        case nil: "no network"
        }
    }

    private func printNodes() -> Bool {
        let nodes: [WireNodeInfo]
        do { nodes = try DevController(cluster).nodes() } catch {
            let failure = Failure(error)
            Console.error("argosy dev", failure.message, detail: failure.detail)
            return false
        }
        Console.print("\(pad("NODE", 8))\(pad("ADDRESS", 17))\(pad("CPUS", 8))\(pad("MEMORY", 12))STATE\n")
        for node in nodes {
            let cpus = "\(node.cpusAllocated)/\(node.cpus)"
            let memory = "\(node.memoryAllocatedMib)/\(node.memoryMib)"
            let state = DevController.stateText(node) + (node.reason.isEmpty ? "" : " (\(node.reason))")
            Console.print("\(pad(node.name, 8))\(pad(node.address, 17))\(pad(cpus, 8))\(pad(memory, 12))\(state)\n")
        }
        return nodes.allSatisfy(DevController.isRegistered)
    }
}
