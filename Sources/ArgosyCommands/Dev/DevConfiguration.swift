import ArgosySystem
import Glibc

/// The text of the cluster's argosy.conf: plain Slurm syntax, for people to read and to change.
struct DevConfiguration {
    let cluster: DevCluster
    let options: DevOptions
    let network: DevNetwork

    static var machineCPUs: Int { max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }
    static var machineMemoryMiB: UInt64 {
        (UInt64(max(1, sysconf(Int32(_SC_PHYS_PAGES)))) * UInt64(max(1, sysconf(Int32(_SC_PAGESIZE))))) >> 20
    }

    /// Of each node: as asked, else its share of three quarters of the machine's.
    var memoryMiB: UInt64 { options.memoryMiB ?? max(64, Self.machineMemoryMiB * 3 / 4 / UInt64(options.nodes)) }

    var exceedsMachine: Bool { options.cpus > Self.machineCPUs || memoryMiB > Self.machineMemoryMiB }

    private var nodeNames: String { options.nodes == 1 ? "n1" : "n[1-\(options.nodes)]" }

    private var nodeLine: String {
        let common = "CPUs=\(options.cpus) RealMemory=\(memoryMiB) State=UNKNOWN"
        switch network {
        case .bridge(let subnet, _):
            let addresses = "\(subnet.prefix)." + (options.nodes == 1 ? "11" : "[11-\(10 + options.nodes)]")
            return "NodeName=\(nodeNames) NodeAddr=\(addresses) \(common)"
        case .host(let port):
            let ports = options.nodes == 1 ? "\(port + 1)" : "[\(port + 1)-\(Int(port) + options.nodes)]"
            return "NodeName=\(nodeNames) NodeAddr=127.0.0.1 Port=\(ports) \(common)"
        }
    }

    private var overrides: String {
        guard exceedsMachine else { return "" }
        return """
            # The nodes declare more than this machine has (\(Self.machineCPUs) CPUs, \(Self.machineMemoryMiB) MiB): CPUs beyond
            # the real ones are bound to the real ones in turn.
            SlurmdParameters=config_overrides

            """
    }

    var text: String {
        """
        # A development cluster on one machine. Written by `argosy dev up`, and written anew by it when the cluster is
        # down: what is changed here lasts until then.
        ClusterName=\(cluster.name)
        SlurmctldHost=\(Process.host.prefix { $0 != "." })(\(network.controllerAddress))
        SlurmctldPort=\(network.controllerPort)
        # Clusters side by side: each listens on its own addresses only.
        CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
        SlurmUser=root
        AuthType=auth/munge
        AuthInfo=socket=\(cluster.mungeSocket)
        ArgosySocket=\(cluster.socket)
        StateSaveLocation=\(cluster.state)
        SlurmdSpoolDir=\(cluster.directory)/spool/%n
        ContainerRegistriesConf=\(cluster.registries)
        ReturnToService=2
        SlurmdTimeout=30
        KillWait=5
        DefMemPerCPU=\(max(1, memoryMiB / UInt64(options.cpus)))
        \(overrides)\(nodeLine)
        PartitionName=main Default=YES Nodes=ALL State=UP MaxTime=7-00:00:00 DefaultTime=01:00:00

        """
    }

    /// For skopeo, containers-registries.conf(5): a registry on this machine has no certificate.
    var registriesText: String {
        let hosts = Set([network.controllerAddress, "127.0.0.1", "localhost"]).sorted()
        return "# Registries on this machine are spoken to without TLS.\n"
            + hosts.map { "[[registry]]\nlocation = \"\($0):5000\"\ninsecure = true\n" }.joined(separator: "\n")
    }
}
