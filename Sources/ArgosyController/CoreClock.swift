// The core's time: never back, steady while the wall clock is stepped, and drawn slowly towards it.
//
// It begins at wall time, or at the last stored time when that is later, and goes on by CLOCK_BOOTTIME, which counts
// while a machine sleeps and which nobody sets. When the wall clock differs it runs up to 1/64 faster or slower until
// they meet: an hour's step takes 64 hours, and no time limit notices.
internal import ArgosyDomain
internal import Glibc
internal import Synchronization

struct CoreClock: Sendable {
    static let slew: Int64 = 64

    private var time: Int64
    private var lastBoot: Int64

    /// `wall` and `boot` in microseconds.
    init(wall: Int64, boot: Int64, notBefore: Timestamp) {
        time = max(wall, notBefore.microseconds)
        lastBoot = boot
    }

    mutating func now(wall: Int64, boot: Int64) -> Timestamp {
        let passed = max(0, boot - lastBoot)
        lastBoot = max(boot, lastBoot)
        let (difference, overflow) = wall.subtractingReportingOverflow(time + passed)
        let most = passed / Self.slew
        let correction = overflow ? 0 : min(max(difference, -most), most)
        time += passed + correction
        return Timestamp(microseconds: time)
    }
}

/// This machine's clocks, in microseconds.
enum MachineClock {
    static var wall: Int64 { read(CLOCK_REALTIME) }
    static var boot: Int64 { read(CLOCK_BOOTTIME) }

    private static func read(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
    }
}

/// The clock as the shell's threads share it.
final class SharedClock: Sendable {
    private let clock: Mutex<CoreClock>
    init(notBefore: Timestamp) {
        clock = Mutex(CoreClock(wall: MachineClock.wall, boot: MachineClock.boot, notBefore: notBefore))
    }
    var now: Timestamp {
        clock.withLock { $0.now(wall: MachineClock.wall, boot: MachineClock.boot) }
    }
}
