// What `argosy dev up` starts: a cluster of our making, or the one an existing slurm.conf describes for this machine.

import ArgosyClient
import ArgosyConfig
import ArgosySystem
import Glibc

struct DevLayout {
    /// Of the cluster's configuration file.
    var text: String
    /// Those started here, in order.
    var nodes: [String]
    var registries: String
    /// Made by us; nil: this machine's own, as the file says.
    var network: DevNetwork?
    /// Who the controller runs as; nil: root.
    var controllerUser: Credentials?
    /// Files that stand beside the configuration, by name.
    var companions: [(String, String)] = []
    /// Directories that must be there, with their owners.
    var owned: [(String, Credentials)] = []
    /// Where a munged of ours listens; nil: one listens already where the file says.
    var munge: String?
    var exceedsMachine = false
    var summary = ""
    var warnings: [String] = []

    init(text: String, nodes: [String], registries: String) {
        self.text = text
        self.nodes = nodes
        self.registries = registries
    }
}

/// Reads a cluster's own file. It is included whole, and what it leaves open is added behind it: where state and spool
/// are. Sockets stay where the file or the defaults have them, so that commands that know only the file work too: the
/// controller's, and munged's, which is started when nobody listens there.
enum DevFileLayout {
    static let companions = ["gres.conf", "cgroup.conf", "topology.conf"]

    static func read(_ file: String, for cluster: DevCluster) throws(DevError) -> DevLayout {
        let parsed: ParsedConfiguration
        do { parsed = try ConfigurationFile.load(file) } catch {
            throw DevError("cannot bring up \(file)", "\(error)")
        }
        let configuration = parsed.configuration
        let hosts = ownNames()
        let mine = configuration.nodes.filter { isHere($0, hosts) }
        guard !mine.isEmpty else {
            throw DevError(
                "\(file) has no node on this machine (\(hosts[0]))",
                "give at least one NodeName the NodeHostname=\(hosts[0]) or NodeHostname=localhost")
        }
        try checkPorts(mine)
        let added = Additions(configuration, cluster: cluster, nodes: mine.count)
        var layout = DevLayout(
            text: "# Written by `argosy dev up --config`: the file as it is, then what it leaves open.\n"
                + "Include \(file)\n" + added.text,
            nodes: mine.map(\.name),
            registries: "# As the machine's: see containers-registries.conf(5).\n")
        layout.munge = added.munge
        layout.controllerUser = try credentials(of: configuration.slurmUser)
        layout.owned = [(added.state, layout.controllerUser ?? Credentials(uid: 0, gid: 0))]
        if let user = layout.controllerUser { layout.owned.append((added.socketDirectory, user)) }
        layout.companions = texts(beside: file)
        layout.warnings = parsed.warnings.map(\.description) + added.warnings
        let others = configuration.nodes.count - mine.count
        layout.summary =
            "\(mine.count) nodes on this machine" + (others > 0 ? "; \(others) of other machines are left alone" : "")
        return layout
    }

    private static func directory(of path: String) -> String {
        String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
    }

    private static func texts(beside file: String) -> [(String, String)] {
        let folder = directory(of: file)
        return companions.compactMap { name in (try? Files.readText("\(folder)/\(name)")).map { (name, $0) } }
    }

    /// This machine by its names, the first for messages.
    private static func ownNames() -> [String] {
        let short = String(Process.host.prefix { $0 != "." })
        return [short, Process.host, "localhost", "127.0.0.1", "::1"]
    }

    private static func isHere(_ node: ClusterConfiguration.Node, _ names: [String]) -> Bool {
        names.contains(node.hostname) || names.contains(node.address) || node.address.hasPrefix("127.")
    }

    private static func checkPorts(_ nodes: [ClusterConfiguration.Node]) throws(DevError) {
        var owners: [UInt16: String] = [:]
        for node in nodes {
            if let other = owners[node.port] {
                throw DevError(
                    "nodes \(other) and \(node.name) are both on this machine with Port=\(node.port)",
                    "give each a Port of its own: NodeName=n[1-4] Port=[17001-17004]")
            }
            owners[node.port] = node.name
        }
    }

    private static func credentials(of user: String) throws(DevError) -> Credentials? {
        guard let entry = PasswordFile.entry(of: user) else {
            throw DevError(
                "SlurmUser=\(user): there is no such user on this machine",
                "make it (useradd --system \(user)), or write SlurmUser=root")
        }
        return entry.uid == 0 ? nil : Credentials(uid: entry.uid, gid: entry.gid)
    }

    /// The lines that follow the file.
    private struct Additions {
        var text = ""
        var state: String
        var socketDirectory: String
        var munge: String?
        var warnings: [String] = []

        init(_ configuration: ClusterConfiguration, cluster: DevCluster, nodes: Int) {
            /// Somebody listens there, and it is not this cluster's daemon from an earlier `up`.
            func isForeign(_ path: String, _ daemon: String) -> Bool {
                DevDaemon(cluster: cluster, name: daemon).pid == nil && DevFileLayout.answers(path)
            }
            let keys = Set(configuration.entries.map { $0.key.lowercased() })
            state = configuration.stateSaveLocation
            socketDirectory = DevFileLayout.directory(of: configuration.socketPath)
            if isForeign(configuration.socketPath, "argosyctld") {
                socketDirectory = cluster.socketDirectory
                text += "ArgosySocket=\(socketDirectory)/argosyctld.sock\n"
                warnings.append(
                    "another controller listens on \(configuration.socketPath): this one on \(socketDirectory)")
            }
            if !keys.contains("statesavelocation") {
                state = cluster.state
                text += "StateSaveLocation=\(state)\n"
            }
            if !keys.contains("slurmdspooldir") || (nodes > 1 && !configuration.slurmdSpoolDir.contains("%n")) {
                if keys.contains("slurmdspooldir") {
                    warnings.append(
                        "SlurmdSpoolDir=\(configuration.slurmdSpoolDir) has no %n, and several nodes are on this machine:"
                            + " \(cluster.directory)/spool/%n is used")
                }
                text += "SlurmdSpoolDir=\(cluster.directory)/spool/%n\n"
            }
            let socket = configuration.mungeSocket.isEmpty ? "/run/munge/munge.socket.2" : configuration.mungeSocket
            munge = isForeign(socket, "munged") ? nil : socket
        }
    }

    /// Somebody listens on that unix socket.
    private static func answers(_ path: String) -> Bool {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | O_CLOEXEC, 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else { return false }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
            }
        }
    }
}
