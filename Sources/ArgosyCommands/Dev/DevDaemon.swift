import ArgosySystem
import Glibc

/// One daemon of the cluster, known by its pid file: the pid and the time that process started, so that a number that has
/// come to mean another process is never signalled.
struct DevDaemon {
    let cluster: DevCluster
    /// "munged", "argosyctld" or a node's name.
    let name: String

    /// Its pid when it runs.
    var pid: Int32? {
        guard let words = (try? Files.readText(cluster.pidFile(of: name)))?.split(separator: " "), words.count == 2,
            let pid = Int32(words[0]), let start = UInt64(words[1]),
            (try? Machine.startTime(pid: pid)) == start, !Self.isZombie(pid)
        else { return nil }
        return pid
    }

    /// Starts it in its own session with its log as standard output and error; as root, unless somebody else is named.
    func start(_ command: [String], credentials: Credentials? = nil) throws(DevError) {
        do throws(SystemError) {
            let log = try Files.open(cluster.log(of: name), flags: O_WRONLY | O_CREAT | O_APPEND, mode: 0o644)
            var spec = ProcessSpec(path: command[0], arguments: command, environment: DevTool.environment)
            spec.stdout = log.raw
            spec.stderr = log.raw
            spec.workingDirectory = "/"
            spec.umask = 0o022
            spec.credentials = credentials
            let child = try Spawn.start(spec)
            let start = try Machine.startTime(pid: child.pid)
            try Files.replace(cluster.pidFile(of: name), with: Array("\(child.pid) \(start)\n".utf8), mode: 0o644)
        } catch { throw DevError("cannot start \(name) (\(command[0]))", error) }
    }

    /// TERM, and KILL when that was not enough. False: it is still there.
    func stop(patience: Duration) -> Bool {
        guard let pid, let process = try? ChildProcess(pid: pid), self.pid == pid else { return forget() }
        for (signal, wait) in [(SIGTERM, patience), (SIGKILL, .seconds(5))] {
            guard (try? process.signal(signal)) != nil else { return false }
            let deadline = BootClock.now + wait
            while self.pid == pid, BootClock.now < deadline { pause(.milliseconds(20)) }
            if self.pid != pid { return forget() }
        }
        return false
    }

    /// The end of its log, for when it has died.
    func logTail(lines count: Int = 8) -> String {
        guard let file = try? Files.open(cluster.log(of: name), flags: O_RDONLY) else { return "" }
        let size = lseek(file.raw, 0, SEEK_END)
        _ = lseek(file.raw, max(0, size - 8192), SEEK_SET)
        let text = String(decoding: (try? Files.read(file, max: 1 << 20)) ?? [], as: UTF8.self)
        return text.split(separator: "\n").suffix(count).joined(separator: "\n")
    }

    private func forget() -> Bool {
        unlink(cluster.pidFile(of: name))
        return true
    }

    private static func isZombie(_ pid: Int32) -> Bool {
        guard let stat = try? Files.readText("/proc/\(pid)/stat"), let end = stat.lastIndex(of: ")") else {
            return true
        }
        return stat[end...].dropFirst(2).first == "Z"
    }
}
