import Glibc

extension DevCluster {
    /// Starts what does not run yet and waits until every node is registered.
    func up() throws {
        try Self.requireRoot("up")
        let lock = try lock()
        defer { close(lock) }
        for program in ["argosyctld", "argosyd", "argosystepd"] { _ = try beside(program) }
        guard DevCommand.find("munged") != nil else {
            throw DevError("munged is not installed; run contrib/install-deps")
        }

        let facts = try settleFacts()
        try settleConfiguration(facts)
        try installCommands()
        if facts.network == .private { try DevNetwork(cluster: self, facts: facts).make(nodes: options.nodes) }
        try startMunged()
        try startController(facts)
        for node in 1...options.nodes { try startNode(node, facts) }
        try waitForNodes()
        sayHowToGoOn(facts)
    }

    /// Addresses and ports: those of the last start where there are any, else free ones.
    private func settleFacts() throws -> DevFacts {
        if let facts = DevFacts.read(directory), options.network == nil || options.network == facts.network {
            let bridgeIsUp = DevFiles.exists("/sys/class/net/\(bridge)")
            if controller.running != nil || bridgeIsUp { return facts }
        }
        if controller.running != nil {
            throw DevError("the cluster in \(directory) runs on another kind of network; `argosy dev down` first")
        }
        let network = try chooseNetwork()
        let facts = DevFacts(
            network: network, prefix: network == .private ? try DevNetwork.freePrefix(self) : "127.0.0",
            controllerPort: try DevNetwork.freePorts(1, from: 6817),
            firstNodePort: network == .private ? 6818 : try DevNetwork.freePorts(options.nodes + 1, from: 16_818))
        try facts.write(directory)
        return facts
    }

    private func chooseNetwork() throws -> DevOptions.Network {
        if options.network == .host { return .host }
        guard let refusal = try DevNetwork.refusal(self) else { return .private }
        if options.network == .private {
            throw DevError("private node networks are not possible here: \(refusal). Leave out --network private")
        }
        DevConsole.say("warning: no private node networks here (\(refusal)); all nodes share the host's network")
        return .host
    }

    private func settleConfiguration(_ facts: DevFacts) throws {
        let text = configurationText(facts)
        if let old = DevFiles.read(configuration), old != text, controller.running != nil {
            throw DevError(
                "a cluster with other options runs in \(directory); `argosy dev down` first, or give another --dir")
        }
        try DevFiles.makeDirectory(directory + "/run")
        try DevFiles.makeDirectory(logs)
        try DevFiles.makeDirectory(directory + "/state", mode: 0o700)
        try DevFiles.makeDirectory(directory + "/spool")
        try DevFiles.write(text, to: configuration)
        try DevFiles.write(registriesText(facts), to: registries)
    }

    private func startMunged() throws {
        guard munged.running == nil else { return }
        let key = directory + "/run/munge.key"
        if !DevFiles.exists(key) {
            let random = open("/dev/urandom", O_RDONLY | O_CLOEXEC)
            var bytes = [UInt8](repeating: 0, count: 128)
            guard random >= 0, read(random, &bytes, bytes.count) == bytes.count else {
                throw DevFiles.failure("read", "/dev/urandom")
            }
            close(random)
            let file = open(key, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
            guard file >= 0, Glibc.write(file, bytes, bytes.count) == bytes.count else {
                throw DevFiles.failure("write", key)
            }
            close(file)
        }
        unlink(mungeSocket)
        try start(
            munged,
            [
                "munged", "--foreground", "--key-file=\(key)", "--socket=\(mungeSocket)",
                "--pid-file=\(directory)/run/munged.own.pid", "--log-file=\(logs)/munged.log",
                "--seed-file=\(directory)/run/munge.seed",
            ])
        try wait(for: munged, until: "munged listens") { DevFiles.exists(mungeSocket) }
    }

    private func startController(_ facts: DevFacts) throws {
        guard controller.running == nil else { return }
        guard DevNetwork.isFree(facts.controllerPort) else {
            throw DevError(
                "TCP port \(facts.controllerPort) is taken by another program; stop it, or remove \(directory)/cluster"
                    + " so that another port is chosen")
        }
        try start(controller, [try beside("argosyctld"), "-D", "-f", configuration])
        try wait(for: controller, until: "argosyctld listens") { DevFiles.exists(socket) }
    }

    private func startNode(_ node: Int, _ facts: DevFacts) throws {
        let record = nodeDaemon(node)
        guard record.running == nil else { return }
        try DevFiles.makeDirectory("\(directory)/spool/node\(node)")
        var words = [try beside("argosyd"), "-D", "-N", "node\(node)", "-f", configuration]
        // Not `ip netns exec`: that mounts a new /sys, which hides the cgroups.
        if facts.network == .private { words = ["nsenter", "--net=/run/netns/\(namespace(node))"] + words }
        try start(record, words)
    }

    private func start(_ record: DevDaemon, _ words: [String]) throws {
        DevConsole.progress("starting \(record.name)")
        let log = "\(logs)/\(record.name).log"
        let pid = try DevCommand.start(words, log: log)
        do {
            try record.remember(pid)
        } catch {
            throw DevError("\(error); its log \(log) ends:\n\(tail(log))")
        }
    }

    private func wait(for record: DevDaemon, until what: String, _ condition: () -> Bool) throws {
        for _ in 0..<1000 {
            if condition() { return }
            guard record.running != nil else {
                let log = "\(logs)/\(record.name).log"
                throw DevError("\(record.name) ended; its log \(log) ends:\n\(tail(log))")
            }
            usleep(20_000)
        }
        throw DevError("waited 20 s until \(what), in vain; see \(logs)/\(record.name).log")
    }

    private func waitForNodes() throws {
        let wanted = options.nodes
        var states: [NodeState] = []
        for attempt in 0..<600 {
            states = nodeStates()
            let registered = states.filter(\.isRegistered).count
            DevConsole.progress("nodes registered: \(registered) of \(wanted)")
            if registered == wanted { break }
            for node in 1...wanted where nodeDaemon(node).running == nil {
                let log = "\(logs)/argosyd.node\(node).log"
                throw DevError("argosyd of node\(node) ended; its log \(log) ends:\n\(tail(log))")
            }
            guard attempt < 599 else {
                let missing = states.filter { !$0.isRegistered }.map { "\($0.name) (\($0.state))" }
                throw DevError(
                    "waited 60 s for nodes to register: \(missing.joined(separator: ", ")); see \(logs), then"
                        + " `argosy dev up` again or `argosy dev down`")
            }
            usleep(100_000)
        }
        for state in states where state.isDrained {
            DevConsole.say("warning: \(state.name) is \(state.state); `sinfo -R` says why")
        }
    }

    struct NodeState {
        var name: String
        /// As `sinfo` prints it; a star marks a node that does not answer.
        var state: String
        var isRegistered: Bool { !state.hasSuffix("*") && !state.hasPrefix("unk") && !state.hasPrefix("down") }
        var isDrained: Bool { state.hasPrefix("drain") || state.hasPrefix("drng") }
    }

    func nodeStates() -> [NodeState] {
        guard let result = try? ask("sinfo", "-h", "-N", "-o", "%N %t"), result.status == 0 else { return [] }
        return result.output.split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ").map(String.init)
            return words.count == 2 ? NodeState(name: words[0], state: words[1]) : nil
        }
    }

    private func tail(_ path: String) -> String {
        let lines = (DevFiles.read(path) ?? "").split(separator: "\n").suffix(8)
        return lines.isEmpty ? "  (nothing)" : lines.map { "  " + $0 }.joined(separator: "\n")
    }

    private func sayHowToGoOn(_ facts: DevFacts) {
        let place = directory == "/run/argosy-dev" ? "" : " --dir \(directory)"
        let network = facts.network == .private ? "\(facts.prefix).0/24" : "the host's network"
        DevConsole.say("cluster \(clusterName): \(options.nodes) nodes of \(options.cpus) CPUs on \(network), all up")
        DevConsole.say("use it:   eval \"$(\(commands)/argosy dev env\(place))\"; sinfo")
        DevConsole.say("stop it:  \(commands)/argosy dev down\(place)")
    }
}
