internal import ArgosyTransport
internal import Glibc

/// Whether a process may use a job's relay: it has the job's uid (or is root) and sits in the job's cgroup.
///
/// Both are the kernel's word about the process that connected. A pidfd holds on to it while its cgroup is read, so
/// that the number cannot come to mean another process in between.
struct RelayPeer {
    let uid: UInt32
    /// Of the job, without a slash in front.
    let cgroup: String

    /// Nil: welcome. Else why not.
    func objection(to socket: Int32) -> String? {
        guard let peer = try? PeerCredentials.of(socket) else { return "its credentials cannot be read" }
        guard peer.uid == uid || peer.uid == 0 else { return "uid \(peer.uid) is not the job's owner" }
        let pidfd = PeerCredentials.pidfd(of: socket)
        defer { if let pidfd { close(pidfd) } }
        let text = String(decoding: SpoolFile.read("/proc/\(peer.pid)/cgroup") ?? [], as: UTF8.self)
        guard Self.isInside(cgroup, text) else { return "process \(peer.pid) is not of this job" }
        if let pidfd, Self.hasEnded(pidfd) { return "it has ended" }
        return nil
    }

    /// - Parameter text: /proc/PID/cgroup: lines of `number:controllers:/path`.
    static func isInside(_ cgroup: String, _ text: String) -> Bool {
        text.split(separator: "\n").contains { line in
            let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3 else { return false }
            return parts[2] == "/" + cgroup || parts[2].hasPrefix("/" + cgroup + "/")
        }
    }

    private static func hasEnded(_ pidfd: Int32) -> Bool {
        var entry = pollfd(fd: pidfd, events: Int16(POLLIN), revents: 0)
        return poll(&entry, 1, 0) > 0
    }
}
