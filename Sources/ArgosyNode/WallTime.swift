internal import Glibc

/// Wall time, for what is shown and accounted; nothing is decided by it.
enum WallTime {
    static var microseconds: Int64 {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return Int64(now.tv_sec) * 1_000_000 + Int64(now.tv_nsec) / 1000
    }
}
