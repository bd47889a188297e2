// Signals as bytes in a pipe, so that one poll waits for them too.

import Glibc

final class Signals {
    /// Becomes readable when a signal came.
    let descriptor: Int32
    private let writer: Int32
    /// Written by the handler, which can hold no state of its own.
    private nonisolated(unsafe) static var target: Int32 = -1

    /// Catches `numbers` from now on. One instance at a time.
    init(_ numbers: [Int32]) {
        var ends: [Int32] = [-1, -1]
        pipe(&ends)
        for end in ends {
            _ = fcntl(end, F_SETFL, fcntl(end, F_GETFL) | O_NONBLOCK)
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
        }
        descriptor = ends[0]
        writer = ends[1]
        Signals.target = ends[1]
        for number in numbers { Self.handle(number) }
        signal(SIGPIPE, SIG_IGN)
    }

    private static func handle(_ number: Int32) {
        var action = sigaction()
        action.__sigaction_handler.sa_handler = { number in
            var byte = UInt8(truncatingIfNeeded: number)
            let saved = errno
            _ = write(Signals.target, &byte, 1)
            errno = saved
        }
        sigaction(number, &action, nil)
    }

    /// The signals that came since last asked, in order.
    func take() -> [Int32] {
        var bytes = [UInt8](repeating: 0, count: 64)
        let count = read(descriptor, &bytes, bytes.count)
        return count > 0 ? bytes[..<count].map { Int32($0) } : []
    }

    deinit {
        Signals.target = -1
        close(descriptor)
        close(writer)
    }
}

/// Milliseconds that never go back.
func monotonicMS() -> Int64 {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    return Int64(now.tv_sec) * 1000 + Int64(now.tv_nsec) / 1_000_000
}
