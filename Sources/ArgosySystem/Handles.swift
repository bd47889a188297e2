import ArgosyDomain
import CArgosyShim
import Glibc

/// Waiting for several descriptors.
public enum Poll {
    public struct Interest: Sendable {
        public var descriptor: Int32
        public var read: Bool
        public var write: Bool
        public init(_ descriptor: Int32, read: Bool = true, write: Bool = false) {
            self.descriptor = descriptor
            self.read = read
            self.write = write
        }
    }

    public struct Readiness: Sendable {
        public var readable = false
        public var writable = false
        /// Other end closed, or an error.
        public var hungUp = false
        public var any: Bool { readable || writable || hungUp }
    }

    /// Waits until one is ready or `timeout` (nil: for ever) has passed. One answer for each interest, in order.
    /// A negative descriptor is never ready. EINTR is waited through.
    public static func wait(_ interests: [Interest], timeout: Duration? = nil) throws(SystemError) -> [Readiness] {
        var entries = interests.map {
            pollfd(fd: $0.descriptor, events: Int16(($0.read ? POLLIN : 0) | ($0.write ? POLLOUT : 0)), revents: 0)
        }
        try checkShim(argosy_poll(&entries, entries.count, timeout.map { max($0.milliseconds, 0) } ?? -1), "poll")
        return entries.map { entry in
            let events = Int32(entry.revents)
            return Readiness(
                readable: events & POLLIN != 0, writable: events & POLLOUT != 0,
                hungUp: events & (POLLHUP | POLLERR | POLLNVAL) != 0)
        }
    }
}

/// Signals as a readable descriptor; they are blocked in the calling thread (call it before other threads start).
public struct SignalDescriptor: Sendable {
    public let descriptor: Descriptor

    public init(_ signals: [Int32]) throws(SystemError) {
        let bits = signals.reduce(UInt64(0)) { $0 | 1 << UInt64($1 - 1) }
        descriptor = Descriptor(adopting: try checkShim(argosy_signalfd(bits), "signalfd"))
    }

    /// The next pending signal's number, nil when there is none.
    public func next() throws(SystemError) -> Int32? {
        let result = argosy_signalfd_read(descriptor.raw)
        return result == -EAGAIN ? nil : try checkShim(result, "read signalfd")
    }
}

/// A timer on the boot clock (runs on through suspend, not changed by setting the clock), readable when it is due.
public struct TimerDescriptor: Sendable {
    public let descriptor: Descriptor

    public init() throws(SystemError) {
        descriptor = Descriptor(adopting: try checkShim(argosy_timerfd(), "timerfd"))
    }

    /// Due at `deadline` (see `BootClock.now`); nil: never.
    public func set(_ deadline: Duration?) throws(SystemError) {
        let nanoseconds = deadline.map { UInt64(clamping: max($0.microseconds, 1)).multipliedClamping(by: 1000) } ?? 0
        try checkShim(argosy_timerfd_set(descriptor.raw, min(nanoseconds, UInt64(Int64.max))), "timerfd")
    }

    /// Takes the expiry, if any, so that it is not readable any more.
    public func acknowledge() {
        var count: UInt64 = 0
        _ = Glibc.read(descriptor.raw, &count, 8)
    }
}

extension UInt64 {
    fileprivate func multipliedClamping(by factor: UInt64) -> UInt64 {
        let (product, overflow) = multipliedReportingOverflow(by: factor)
        return overflow ? .max : product
    }
}

/// CLOCK_BOOTTIME.
public enum BootClock {
    /// Time since the machine started.
    public static var now: Duration { .nanoseconds(argosy_boot_nanoseconds()) }
}
