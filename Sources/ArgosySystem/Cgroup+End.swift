import ArgosyDomain
import Glibc

/// Signals, killing and removing.
///
/// Killing is cgroup.kill where v2 has it, also on mixed machines (every process is in v2's directory too). Else: freeze,
/// so that nothing can fork away, SIGKILL to all, thaw (v1 holds the signals back until then), until it is empty.
extension Cgroup {
    /// Sends a signal to every process in it and below it. A process that forks meanwhile may be missed: not for killing.
    public func signal(_ number: Int32) {
        for process in processes() { _ = Glibc.kill(process, number) }
    }

    /// Kills everything in it and below it, and returns when it is empty: true; false when it was not within `timeout`
    /// (processes in uninterruptible sleep).
    public func kill(timeout: Duration = .seconds(10)) throws(SystemError) -> Bool {
        let deadline = BootClock.now + timeout
        var pause = Duration.milliseconds(1)
        while isPopulated() {
            try killOnce(deadline: deadline)
            if !isPopulated() { break }
            if BootClock.now >= deadline { return false }
            usleep(UInt32(clamping: pause.microseconds))
            pause = min(pause * 2, .milliseconds(100))
        }
        return true
    }

    /// Removes it and its descendants, deepest first. Throws EBUSY when a process is left after `timeout`. Missing is fine.
    public func remove(timeout: Duration = .seconds(2)) throws(SystemError) {
        let deadline = BootClock.now + timeout
        for directory in directories {
            for path in subtree(of: directory).reversed() {
                while rmdir(path) != 0 && errno != ENOENT {
                    // A process that has just ended may still be counted.
                    guard errno == EBUSY, BootClock.now < deadline else {
                        throw SystemError("rmdir", path, code: errno)
                    }
                    usleep(2000)
                }
            }
        }
    }

    private func killOnce(deadline: Duration) throws(SystemError) {
        if let v2 = directoryInV2, access(v2 + "/cgroup.kill", W_OK) == 0 {
            return try Files.writeExisting(v2 + "/cgroup.kill", "1")
        }
        try freeze(true, deadline: deadline)
        signal(SIGKILL)
        try freeze(false, deadline: deadline)
    }

    /// Everything in it and below it stands still, or goes on. Not waited for: what is in the kernel stops on its way out.
    public func freeze(_ frozen: Bool) throws(SystemError) { try freeze(frozen, deadline: BootClock.now) }

    /// Best effort: what cannot be frozen is killed all the same, only perhaps in more rounds.
    private func freeze(_ frozen: Bool, deadline: Duration) throws(SystemError) {
        if let freezer = directory(of: "freezer"), !freezer.isV2 {
            let file = freezer.path + "/freezer.state"
            try Files.writeExisting(file, frozen ? "FROZEN" : "THAWED")
            // A descendant that was frozen by itself stays so.
            for path in frozen ? [] : subtree(of: freezer.path) where path != freezer.path {
                try Files.writeExisting(path + "/freezer.state", "THAWED")
            }
            let limit = min(deadline, BootClock.now + .milliseconds(200))
            while frozen, try Files.readText(file) != "FROZEN", BootClock.now < limit { usleep(1000) }
        } else if let v2 = directoryInV2 {
            try Files.writeExisting(v2 + "/cgroup.freeze", frozen ? "1" : "0")
        }
    }

}
