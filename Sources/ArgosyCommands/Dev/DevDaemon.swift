import Glibc

/// One daemon of a dev cluster as its pid file remembers it: the pid in NAME.pid, and in NAME.start the process's start
/// time in clock ticks, so that a pid the kernel has given to a stranger since is never taken for ours.
struct DevDaemon {
    var name: String
    var directory: String

    private var pidPath: String { "\(directory)/\(name).pid" }
    private var startPath: String { "\(directory)/\(name).start" }

    /// The daemon's pid, if that very process still runs.
    var running: pid_t? {
        guard let pid = DevFiles.read(pidPath).flatMap({ pid_t(DevCommand.trimmed($0)) }), pid > 1,
            let start = DevFiles.read(startPath).flatMap({ UInt64(DevCommand.trimmed($0)) }),
            Self.startTime(of: pid) == start
        else { return nil }
        return pid
    }

    func remember(_ pid: pid_t) throws {
        guard let start = Self.startTime(of: pid) else {
            throw DevError("\(name) ended as soon as it was started")
        }
        try DevFiles.write("\(start)\n", to: startPath)
        try DevFiles.write("\(pid)\n", to: pidPath)
    }

    func forget() {
        unlink(pidPath)
        unlink(startPath)
    }

    /// Asks the daemon to end, insists after `patience` seconds, and forgets it.
    func stop(patience: Double = 8) {
        if let pid = running {
            kill(pid, SIGTERM)
            if !waits(patience) { kill(pid, SIGKILL) }
            _ = waits(2)
        }
        forget()
    }

    private func waits(_ seconds: Double) -> Bool {
        for _ in 0..<max(1, Int(seconds * 50)) {
            if running == nil { return true }
            usleep(20_000)
        }
        return false
    }

    /// Nil when there is no such process, or only what is left of one that ended.
    static func startTime(of pid: pid_t) -> UInt64? {
        guard let text = DevFiles.read("/proc/\(pid)/stat"), let name = text.lastIndex(of: ")") else { return nil }
        let fields = text[text.index(after: name)...].split(separator: " ")
        guard fields.count > 19, fields[0] != "Z", fields[0] != "X" else { return nil }
        return UInt64(fields[19])
    }
}
