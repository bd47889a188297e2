public import ArgosyDomain

/// Facts about the running kernel.
public enum Machine {
    /// Changes at each boot.
    public static func bootID() throws(SystemError) -> String { throw SystemError("read", code: 38) }
    /// Of the machine, in wall time.
    public static func bootTime() throws(SystemError) -> Timestamp { throw SystemError("read", code: 38) }
    /// `uname -s -r` and `uname -m`.
    public static func kernel() -> (system: String, architecture: String) { ("", "") }
    /// Ticks since boot at which a process started: with the pid it names a process for ever.
    public static func startTime(pid: Int32) throws(SystemError) -> UInt64 { throw SystemError("read", code: 38) }
    /// Path of this program's own file.
    public static func executablePath() throws(SystemError) -> String { throw SystemError("read", code: 38) }
}
