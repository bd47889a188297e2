import Glibc

/// One dev cluster: where it lives and what it is called. The actions are in extensions, one file each.
struct DevCluster {
    let options: DevOptions
    let directory: String
    /// Eight letters from the directory's name tell the bridges, namespaces and cgroups of several clusters apart.
    let tag: String

    init(_ options: DevOptions) throws {
        self.options = options
        directory = options.directory
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325  // FNV-1a
        for byte in options.directory.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        let hex = String(hash & 0xff_ffff, radix: 16)
        tag = String(repeating: "0", count: 6 - hex.count) + hex
    }

    var clusterName: String { "dev-\(tag)" }
    var bridge: String { "argosy-\(tag)" }
    var configuration: String { directory + "/argosy.conf" }
    var registries: String { directory + "/registries.conf" }
    var socket: String { directory + "/run/argosyctld.sock" }
    var mungeSocket: String { directory + "/run/munge.sock" }
    var commands: String { directory + "/bin" }
    var logs: String { directory + "/log" }
    func namespace(_ node: Int) -> String { "argosy-\(tag)-node\(node)" }
    /// A network interface's name has 15 bytes at most.
    func port(_ node: Int) -> String { "a\(tag)n\(node)" }

    func daemon(_ name: String) -> DevDaemon { DevDaemon(name: name, directory: directory + "/run") }
    var munged: DevDaemon { daemon("munged") }
    var controller: DevDaemon { daemon("argosyctld") }
    func nodeDaemon(_ node: Int) -> DevDaemon { daemon("argosyd.node\(node)") }

    /// Nodes that were ever started here, by their pid files.
    var startedNodes: [Int] {
        DevFiles.names(in: directory + "/run").compactMap { name in
            guard name.hasPrefix("argosyd.node"), name.hasSuffix(".pid") else { return nil }
            return Int(name.dropFirst(12).dropLast(4))
        }.sorted()
    }

    /// A program of ours, which is installed or built beside this one.
    func beside(_ program: String) throws -> String {
        guard let own = DevFiles.link("/proc/self/exe") else {
            throw DevError("cannot read /proc/self/exe: is /proc mounted?")
        }
        // The copy in DIR/bin remembers where it was copied from.
        let note = own.split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 } + "/.origin"
        let origin = DevFiles.read(note).map(DevCommand.trimmed) ?? own
        let path = origin.split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 } + "/" + program
        guard program != "argosy" else { return origin }
        guard access(path, X_OK) == 0 else {
            throw DevError(
                "\(program) is not beside \(origin): build it first (`swift build`), or install all of Argosy")
        }
        return path
    }

    /// Runs one of our commands against this cluster.
    func ask(_ words: String..., errorsToo: Bool = false) throws -> DevCommand.Result {
        try DevCommand.run(
            [commands + "/" + words[0]] + words.dropFirst(), errorsToo: errorsToo,
            environment: ["ARGOSY_CONF=" + configuration])
    }

    /// Holds the cluster's lock: two `argosy dev` do not start and stop it at once.
    func lock() throws -> Int32 {
        try DevFiles.makeDirectory(directory)
        let file = open(directory + "/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw DevFiles.failure("open", directory + "/lock") }
        guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
            throw DevError("another `argosy dev` works on \(directory); wait for it to end")
        }
        return file
    }

    static func requireRoot(_ action: String) throws {
        guard geteuid() == 0 else {
            throw DevError(
                "`argosy dev \(action)` needs root: it makes network namespaces and cgroups and starts jobs under their"
                    + " users' ids. Run it with sudo or as root")
        }
    }

    /// Shell lines for `eval`.
    func shellLines() throws -> String {
        guard DevFiles.exists(configuration), let facts = DevFacts.read(directory) else {
            throw DevError("no cluster in \(directory); start one with `argosy dev up`")
        }
        return """
            export PATH="\(commands):$PATH"
            export ARGOSY_CONF="\(configuration)"
            export ARGOSY_DEV_DIR="\(directory)"
            export ARGOSY_DEV_REGISTRY="\(facts.registry)"

            """
    }
}

/// What a dev cluster decided when it was first started and keeps: its addresses and ports.
struct DevFacts: Equatable {
    var network: DevOptions.Network
    /// The first three bytes of the private addresses, such as "10.213.7".
    var prefix: String
    var controllerPort: Int
    /// Nodes on the host's own network share its address and differ in the port.
    var firstNodePort: Int

    /// Where this machine is reached from the controller and all nodes.
    var hostAddress: String { network == .private ? prefix + ".1" : "127.0.0.1" }
    func nodeAddress(_ node: Int) -> String { network == .private ? "\(prefix).\(node + 10)" : "127.0.0.1" }
    func nodePort(_ node: Int) -> Int { network == .private ? firstNodePort : firstNodePort + node }
    /// A registry on this address needs no TLS: registries.conf says so.
    var registry: String { "\(hostAddress):5000" }

    static func read(_ directory: String) -> DevFacts? {
        guard let text = DevFiles.read(directory + "/cluster") else { return nil }
        var values: [String: String] = [:]
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: "=", maxSplits: 1).map(String.init)
            if parts.count == 2 { values[parts[0]] = parts[1] }
        }
        guard let network = values["network"].flatMap(DevOptions.Network.init(rawValue:)),
            let prefix = values["prefix"], let controllerPort = values["controller_port"].flatMap({ Int($0) }),
            let firstNodePort = values["node_port"].flatMap({ Int($0) })
        else { return nil }
        return DevFacts(
            network: network, prefix: prefix, controllerPort: controllerPort, firstNodePort: firstNodePort)
    }

    func write(_ directory: String) throws {
        try DevFiles.write(
            """
            network=\(network.rawValue)
            prefix=\(prefix)
            controller_port=\(controllerPort)
            node_port=\(firstNodePort)

            """, to: directory + "/cluster")
    }
}
