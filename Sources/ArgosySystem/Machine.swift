public import ArgosyDomain
import CArgosyShim
import Glibc

/// Facts about the running kernel.
public enum Machine {
    /// Changes at each boot.
    public static func bootID() throws(SystemError) -> String { try Files.readText("/proc/sys/kernel/random/boot_id") }

    /// Of the machine, in wall time (it moves when the clock is set).
    public static func bootTime() throws(SystemError) -> Timestamp {
        var now = timespec()
        try check(clock_gettime(CLOCK_REALTIME, &now), "clock_gettime")
        let wall = Int64(now.tv_sec) * 1_000_000 + Int64(now.tv_nsec) / 1000
        return Timestamp(microseconds: wall - BootClock.now.microseconds)
    }

    /// `uname -s -r -v` and `uname -m`.
    public static func kernel() -> (system: String, architecture: String) {
        var names = utsname()
        uname(&names)
        return (text(names.sysname) + " " + text(names.release) + " " + text(names.version), text(names.machine))
    }

    /// Ticks since boot at which a process started: with the pid it names a process for ever.
    public static func startTime(pid: Int32) throws(SystemError) -> UInt64 {
        let path = "/proc/\(pid)/stat"
        let stat = try Files.readText(path)
        // The second field is the program's name in brackets and may hold anything; the 22nd is meant.
        let fields = stat[(stat.lastIndex(of: ")") ?? stat.startIndex)...].split(separator: " ")
        guard fields.count > 20, let ticks = UInt64(fields[20]) else { throw SystemError("read", path, code: EINVAL) }
        return ticks
    }

    /// Path of this program's own file.
    public static func executablePath() throws(SystemError) -> String {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = try check(readlink("/proc/self/exe", &buffer, buffer.count), "read", "/proc/self/exe")
        return String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// CPU numbers this thread may run on, ascending.
    public static func affinity() throws(SystemError) -> [Int] {
        var words = [UInt64](repeating: 0, count: 1024 / 64 * 8)
        let size = words.count * 8
        try checkShim(argosy_affinity(&words, size), "read affinity")
        return (0..<words.count * 64).filter { words[$0 >> 6] & (1 << UInt64($0 & 63)) != 0 }
    }

    private static func text<Tuple>(_ characters: Tuple) -> String {
        withUnsafeBytes(of: characters) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}
