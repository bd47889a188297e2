import Glibc

extension DevCluster {
    /// Ends the jobs, stops the daemons and takes away what `up` made; works on a half-started cluster as well, and again.
    func down() throws {
        guard DevFiles.exists(directory) else { return DevConsole.say("nothing is in \(directory)") }
        try Self.requireRoot("down")
        let lock = try lock()
        defer { close(lock) }
        endJobs()
        for node in startedNodes {
            DevConsole.progress("stopping argosyd of node\(node)")
            nodeDaemon(node).stop()
        }
        controller.stop()
        DevCgroups.remove(clusterName)
        endStepDaemons()
        unmountAll()
        DevNetwork.remove(self)
        for name in otherDaemons { daemon(name).stop() }
        unlink(socket)
        unlink(mungeSocket)
        if options.clean { DevFiles.remove(directory) }
        DevConsole.say("cluster \(clusterName) is down\(options.clean ? "" : "; logs and state stay in \(directory)")")
    }

    /// munged, and what others put under this cluster's care with a pid file and a start file, such as a registry.
    private var otherDaemons: [String] {
        DevFiles.names(in: directory + "/run").filter { $0.hasSuffix(".start") }.map { String($0.dropLast(6)) }
    }

    /// Cancels what runs or waits, so that it is accounted as cancelled, and gives it KillWait to end.
    private func endJobs() {
        guard controller.running != nil, let waiting = jobs("PD,R,CF,CG,S"), !waiting.isEmpty else { return }
        DevConsole.progress("cancelling \(waiting.count) jobs")
        _ = try? DevCommand.run([commands + "/scancel"] + waiting, environment: ["ARGOSY_CONF=" + configuration])
        for _ in 0..<80 {
            guard let left = jobs("R,CF,CG,S"), !left.isEmpty else { return }
            usleep(100_000)
        }
    }

    private func jobs(_ states: String) -> [String]? {
        guard let result = try? ask("squeue", "-h", "-t", states, "-o", "%A"), result.status == 0 else { return nil }
        return Set(result.output.split(separator: "\n").map { DevCommand.trimmed(String($0)) }).sorted()
    }

    /// Step daemons outlive `argosyd`, as they must; those of this cluster name its spool on their command line or
    /// have it as their working directory.
    private func endStepDaemons() {
        for name in DevFiles.names(in: "/proc") {
            guard let pid = pid_t(name), let line = DevFiles.read("/proc/\(name)/cmdline") else { continue }
            let words = line.split(separator: "\0").map(String.init)
            guard let program = words.first, program.hasSuffix("argosystepd") || program.hasSuffix("argosyd") else {
                continue
            }
            if words.dropFirst().contains(where: { $0.hasPrefix(directory + "/") }) { kill(pid, SIGKILL) }
        }
    }

    private func unmountAll() {
        let points = (DevFiles.read("/proc/mounts") ?? "").split(separator: "\n").compactMap { line in
            line.split(separator: " ").dropFirst().first.map(String.init)
        }
        for point in points.reversed() where point.hasPrefix(directory + "/") { umount2(point, Int32(MNT_DETACH)) }
    }
}

/// The cgroups of a dev cluster: `argosy/<cluster>` in every hierarchy there is.
enum DevCgroups {
    static func remove(_ clusterName: String) {
        for root in hierarchies() {
            let top = "\(root)/argosy/\(clusterName)"
            guard DevFiles.isDirectory(top) else { continue }
            for _ in 0..<200 {
                killAll(top)
                if removeTree(top) { break }
                usleep(20_000)
            }
            rmdir("\(root)/argosy")
        }
    }

    /// Mount points of cgroup file systems.
    static func hierarchies() -> [String] {
        (DevFiles.read("/proc/mounts") ?? "").split(separator: "\n").compactMap { line in
            let fields = line.split(separator: " ")
            guard fields.count > 2, fields[2] == "cgroup" || fields[2] == "cgroup2" else { return nil }
            return String(fields[1])
        }
    }

    private static func killAll(_ group: String) {
        for child in children(group) { killAll(child) }
        DevFiles.poke(group + "/cgroup.kill", "1")
        for line in (DevFiles.read(group + "/cgroup.procs") ?? "").split(separator: "\n") {
            if let pid = pid_t(line), pid > 1 { kill(pid, SIGKILL) }
        }
        // A frozen process takes its signal when it thaws.
        if DevFiles.exists(group + "/freezer.state") { DevFiles.poke(group + "/freezer.state", "THAWED") }
    }

    private static func removeTree(_ group: String) -> Bool {
        for child in children(group) where !removeTree(child) { return false }
        return rmdir(group) == 0 || errno == ENOENT
    }

    private static func children(_ group: String) -> [String] {
        DevFiles.names(in: group).map { group + "/" + $0 }.filter(DevFiles.isDirectory)
    }
}
