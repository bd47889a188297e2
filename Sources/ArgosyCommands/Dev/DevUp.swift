// argosy dev up: makes what is missing of the cluster and waits until all its nodes have registered.

import ArgosySystem
import ArgosyWire
import Glibc

struct DevUp {
    let cluster: DevCluster
    let options: DevOptions
    let progress = DevProgress()

    static let commandNames = [
        "sbatch", "salloc", "sattach", "sbcast", "srun", "squeue", "scancel", "sinfo", "sacct", "scontrol", "sacctmgr",
        "sshare", "sprio",
    ]
    static let registrationTimeout = Duration.seconds(60)

    func run() throws(DevError) -> Int32 {
        let programs = try findPrograms()
        try makeDirectories()
        let lock = try takeLock()
        defer { lock.close() }
        let running = cluster.startedDaemons().filter { DevDaemon(cluster: cluster, name: $0).pid != nil }
        let builder = DevNetworkBuilder(cluster: cluster, progress: progress)
        // Without the file that remembers it, what there is of a network has addresses nobody knows.
        if running.isEmpty, DevNetwork.remembered(cluster) == nil { _ = builder.remove() }
        let layout = try makeLayout(builder)
        for warning in layout.warnings { progress.warn(warning) }
        try write(layout, running: running)
        if case .bridge(let subnet, _)? = layout.network {
            progress.doing("making the network \(subnet.prefix).0/24")
            try builder.make(subnet, nodes: options.nodes)
        }
        try link(programs.commands)
        if let socket = layout.munge { try startMunged(socket) }
        try startController(programs, layout)
        try startNodes(programs, layout)
        try report(layout, waitForNodes(layout))
        return 0
    }

    /// The cluster that the options describe, themselves or by naming a file.
    private func makeLayout(_ builder: DevNetworkBuilder) throws(DevError) -> DevLayout {
        if let file = options.configuration { return try DevFileLayout.read(file, for: cluster) }
        let network = try builder.choose(hostOnly: options.hostNetwork)
        let configuration = DevConfiguration(cluster: cluster, options: options, network: network)
        var layout = DevLayout(
            text: configuration.text, nodes: (1...options.nodes).map(DevCluster.node),
            registries: configuration.registriesText)
        layout.network = network
        layout.munge = cluster.mungeSocket
        let place =
            switch network {
            case .bridge(let subnet, _): "on \(cluster.bridge), \(subnet.prefix).0/24"
            case .host: "on this machine's own network"
            }
        layout.summary =
            "\(options.nodes) nodes of \(options.cpus) CPUs and \(configuration.memoryMiB) MiB \(place)"
        layout.exceedsMachine = configuration.exceedsMachine
        return layout
    }

    // MARK: files

    struct Programs {
        var commands: String
        var controller: String
        var node: String
    }

    private func findPrograms() throws(DevError) -> Programs {
        let own: String
        do throws(SystemError) { own = try Machine.executablePath() } catch { throw DevError("who am I", error) }
        let folder = own[..<(own.lastIndex(of: "/") ?? own.startIndex)]
        let programs = Programs(commands: own, controller: "\(folder)/argosyctld", node: "\(folder)/argosyd")
        for path in [programs.controller, programs.node, "\(folder)/argosystepd"] where access(path, X_OK) != 0 {
            throw DevError(
                "\(path) is missing: the daemons belong beside this program",
                "build them: swift build -c release --product argosyctld (and argosyd, argosystepd)")
        }
        return programs
    }

    private func makeDirectories() throws(DevError) {
        do throws(SystemError) {
            for path in [cluster.directory, cluster.bin, cluster.logs, cluster.run, cluster.munge] {
                try Files.makeDirectories(path)
                if chmod(path, 0o755) != 0 { throw SystemError("chmod", path, code: errno) }
            }
            try Files.makeDirectories(cluster.state, mode: 0o700)
            if access(cluster.marker, F_OK) != 0 { try Files.replace(cluster.marker, with: [], mode: 0o644) }
        } catch { throw DevError("cannot make the cluster's directory", error) }
        if let closed = Self.closedDirectory(above: cluster.directory) {
            progress.warn("\(closed) is closed to ordinary users: they cannot use this cluster; choose another --dir")
        }
    }

    private func takeLock() throws(DevError) -> Descriptor {
        do throws(SystemError) {
            let lock = try Files.open(cluster.run + "/lock", flags: O_RDWR | O_CREAT)
            guard flock(lock.raw, LOCK_EX | LOCK_NB) == 0 else {
                throw SystemError("lock", cluster.run + "/lock", code: errno)
            }
            return lock
        } catch { throw DevError("another argosy dev is at work on \(cluster.directory)", error) }
    }

    private func write(_ layout: DevLayout, running: [String]) throws(DevError) {
        let text = layout.text
        if !running.isEmpty, let old = try? Files.read(cluster.configuration), old != Array(text.utf8) {
            throw DevError(
                "the cluster in \(cluster.directory) runs with another configuration (\(running.joined(separator: ", ")))",
                "end it first (argosy dev down --dir \(cluster.directory)), or choose another --dir")
        }
        do throws(SystemError) {
            try Files.replace(cluster.configuration, with: Array(text.utf8), mode: 0o644)
            try Files.replace(cluster.registries, with: Array(layout.registries.utf8), mode: 0o644)
            for (name, text) in layout.companions {
                try Files.replace("\(cluster.directory)/\(name)", with: Array(text.utf8), mode: 0o644)
            }
            for (path, owner) in layout.owned {
                try Files.makeDirectories(path, mode: 0o755)
                if chown(path, owner.uid, owner.gid) != 0 { throw SystemError("chown", path, code: errno) }
            }
        } catch { throw DevError("cannot write the configuration", error) }
    }

    /// Puts the commands under their Slurm names in one directory: links, or a copy where users cannot reach the original.
    private func link(_ program: String) throws(DevError) {
        let target = cluster.bin + "/argosy"
        let folder = String(program[..<(program.lastIndex(of: "/") ?? program.startIndex)])
        if program != target {
            unlink(target)
            if Self.closedDirectory(above: folder) == nil {
                if symlink(program, target) != 0 { throw DevError("link", SystemError("symlink", target, code: errno)) }
            } else {
                try DevTool.need(["cp", "--", program, target])
                chmod(target, 0o755)
            }
        }
        for name in Self.commandNames {
            unlink(cluster.bin + "/" + name)
            if symlink("argosy", cluster.bin + "/" + name) != 0 {
                throw DevError("link", SystemError("symlink", cluster.bin + "/" + name, code: errno))
            }
        }
    }

    /// The first directory on the way to `path` that not everybody may enter.
    static func closedDirectory(above path: String) -> String? {
        var prefix = ""
        for part in path.split(separator: "/") {
            prefix += "/" + part
            var status = stat()
            if stat(prefix, &status) != 0 || status.st_mode & 0o001 == 0 { return prefix }
        }
        return nil
    }

    // MARK: daemons

    private func startMunged(_ socket: String) throws(DevError) {
        let daemon = DevDaemon(cluster: cluster, name: "munged")
        if daemon.pid != nil { return }
        progress.doing("starting munged")
        try makeKey()
        do throws(SystemError) {
            try Files.makeDirectories(String(socket[..<(socket.lastIndex(of: "/") ?? socket.startIndex)]))
        } catch { throw DevError("cannot make munged's directory", error) }
        unlink(socket)
        try daemon.start([
            "munged", "--foreground", "--num-threads=2", "--socket=" + socket,
            "--key-file=" + cluster.munge + "/key", "--seed-file=" + cluster.munge + "/seed",
            "--pid-file=" + cluster.munge + "/pid", "--log-file=" + cluster.logs + "/munged.log",
        ])
        try wait("munged", for: [daemon], timeout: .seconds(10)) { access(socket, F_OK) == 0 }
    }

    private func makeKey() throws(DevError) {
        let path = cluster.munge + "/key"
        if access(path, F_OK) == 0 { return }
        do throws(SystemError) {
            let random = try Files.open("/dev/urandom", flags: O_RDONLY)
            var key = [UInt8](repeating: 0, count: 128)
            guard read(random.raw, &key, key.count) == key.count else {
                throw SystemError("read", "/dev/urandom", code: errno)
            }
            try Files.replace(path, with: key, mode: 0o600)
        } catch { throw DevError("cannot make munged's key", error) }
    }

    private func startController(_ programs: Programs, _ layout: DevLayout) throws(DevError) {
        let daemon = DevDaemon(cluster: cluster, name: "argosyctld")
        let controller = try DevController(cluster)
        if daemon.pid == nil {
            progress.doing("starting argosyctld")
            try daemon.start(
                [programs.controller, "-D", "-f", cluster.configuration], credentials: layout.controllerUser)
        }
        try wait("the controller to answer", for: [daemon], timeout: .seconds(30)) {
            (try? controller.nodes()) != nil
        }
    }

    private func startNodes(_ programs: Programs, _ layout: DevLayout) throws(DevError) {
        for (index, name) in layout.nodes.enumerated() {
            let daemon = DevDaemon(cluster: cluster, name: name)
            if daemon.pid != nil { continue }
            progress.doing("starting argosyd of \(name)")
            let command = [programs.node, "-D", "-N", name, "-f", cluster.configuration]
            if case .bridge? = layout.network {
                let inside = ["nsenter", "--net=" + cluster.namespaceFile(index + 1), "--"]
                try daemon.start(inside + Self.named(name) + command)
            } else {
                try daemon.start(command)
            }
        }
    }

    /// Runs what follows on a host of that name: jobs without a container see it too, and MPI libraries tell nodes by it.
    private static func named(_ name: String) -> [String] {
        ["unshare", "--uts", "--", "sh", "-c", "echo \"$0\" >/proc/sys/kernel/hostname; exec \"$@\"", name]
    }

    /// Waits until `condition`; throws when a daemon dies meanwhile or it takes too long, with the end of its log.
    private func wait(
        _ what: String, for daemons: [DevDaemon], timeout: Duration, until condition: () throws(DevError) -> Bool
    ) throws(DevError) {
        let deadline = BootClock.now + timeout
        while try !condition() {
            for daemon in daemons where daemon.pid == nil { throw death(of: daemon) }
            guard BootClock.now < deadline else {
                progress.clear()
                let logs = daemons.map { cluster.log(of: $0.name) }.joined(separator: " ")
                throw DevError(
                    "waited \(timeout.components.seconds) s for \(what) in vain",
                    "look in \(logs); argosy dev down ends what has started")
            }
            pause(.milliseconds(50))
        }
    }

    private func death(of daemon: DevDaemon) -> DevError {
        progress.clear()
        let tail = daemon.logTail()
        let log = cluster.log(of: daemon.name)
        return DevError(
            "\(daemon.name) has died; \(log) " + (tail.isEmpty ? "is empty" : "ends:\n\(tail)"),
            "argosy dev up starts it again, argosy dev down ends the rest")
    }

    /// All nodes of the cluster, once those started here have registered.
    private func waitForNodes(_ layout: DevLayout) throws(DevError) -> [WireNodeInfo] {
        let controller = try DevController(cluster)
        let names = (layout.munge == nil ? [] : ["munged"]) + ["argosyctld"] + layout.nodes
        let daemons = names.map { DevDaemon(cluster: cluster, name: $0) }
        let started = Set(layout.nodes)
        var nodes: [WireNodeInfo] = []
        var told = -1
        try wait("the nodes to register", for: daemons, timeout: Self.registrationTimeout) { () throws(DevError) in
            nodes = (try? controller.nodes()) ?? nodes
            let registered = nodes.count { started.contains($0.name) && DevController.isRegistered($0) }
            if registered != told { progress.doing("waiting for nodes: \(registered) of \(started.count) registered") }
            told = registered
            return registered == started.count
        }
        return nodes
    }

    private func report(_ layout: DevLayout, _ nodes: [WireNodeInfo]) throws(DevError) {
        progress.done("cluster \(try DevController(cluster).configuration.clusterName) is up: \(layout.summary)")
        if layout.exceedsMachine {
            progress.warn("the nodes declare more than this machine has; CPUs beyond the real ones share them")
        }
        for node in nodes where node.flags.contains("DRAIN") {
            progress.warn("\(node.name) is drained: \(node.reason)")
        }
        let suffix = cluster.directory == DevCluster.defaultDirectory ? "" : " --dir \(cluster.directory)"
        Console.print("use it:  eval \"$(\(cluster.bin)/argosy dev env\(suffix))\"; sinfo\n")
        Console.print("end it:  \(cluster.bin)/argosy dev down\(suffix)\n")
    }
}
