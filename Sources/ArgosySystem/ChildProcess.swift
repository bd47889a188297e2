public import ArgosyDomain
import CArgosyShim
import Glibc

/// A process we started or found again, by a pidfd: the number cannot come to mean another process.
public struct ChildProcess: Sendable {
    /// Its number in our pid namespace.
    public let pid: Int32
    /// Readable (POLLIN) when it has ended.
    public let pidfd: Descriptor

    public init(pid: Int32, pidfd: Descriptor) {
        self.pid = pid
        self.pidfd = pidfd
    }

    /// Opens any process by number. Check its start time afterwards when the number is an old one.
    public init(pid: Int32) throws(SystemError) {
        self.init(
            pid: pid,
            pidfd: Descriptor(adopting: try checkShim(argosy_pidfd_open(pid), "open process", "\(pid)")))
    }

    /// Sends a signal. False when it has ended.
    @discardableResult
    public func signal(_ number: Int32) throws(SystemError) -> Bool {
        let result = argosy_pidfd_send_signal(pidfd.raw, number)
        if result == -ESRCH { return false }
        try checkShim(result, "signal process", "\(pid)")
        return true
    }

    /// Waits for our own child and reaps it.
    public func wait() throws(SystemError) -> ExitStatus {
        guard let status = try reap(block: true) else { throw SystemError("wait for process", "\(pid)", code: EAGAIN) }
        return status
    }

    /// The exit status of our own child if it has ended (then it is reaped), else nil.
    public func poll() throws(SystemError) -> ExitStatus? { try reap(block: false) }

    private func reap(block: Bool) throws(SystemError) -> ExitStatus? {
        var code: Int32 = 0
        var signal: Int32 = 0
        let found = try checkShim(argosy_wait(pidfd.raw, block ? 1 : 0, &code, &signal), "wait for process", "\(pid)")
        return found == 0 ? nil : ExitStatus(code: UInt32(code), signal: UInt32(signal))
    }
}
