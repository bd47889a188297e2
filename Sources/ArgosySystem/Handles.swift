import CArgosyShim
import Glibc

/// Pollable descriptors for signals, timers, and waiting for several of them.
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
        throw SystemError("poll", code: 38)
    }
}

/// Signals as a readable descriptor; they are blocked in the calling thread (call it before other threads start).
public struct SignalDescriptor: Sendable {
    public let descriptor: Descriptor
    public init(_ signals: [Int32]) throws(SystemError) { throw SystemError("signalfd", code: 38) }
    /// The next pending signal's number, nil when there is none.
    public func next() throws(SystemError) -> Int32? { throw SystemError("read signalfd", code: 38) }
}

/// A timer on the boot clock (runs on through suspend, not changed by setting the clock), readable when it is due.
public struct TimerDescriptor: Sendable {
    public let descriptor: Descriptor
    public init() throws(SystemError) { throw SystemError("timerfd", code: 38) }
    /// Due at `deadline` (see `BootClock.now`); nil: never.
    public func set(_ deadline: Duration?) throws(SystemError) { throw SystemError("timerfd", code: 38) }
    /// Takes the expiry, if any, so that it is not readable any more.
    public func acknowledge() {}
}

/// CLOCK_BOOTTIME.
public enum BootClock {
    /// Time since the machine started.
    public static var now: Duration { .zero }
}
