/// Names of signals, as records for programs give them.
enum SignalText {
    private static let names: [UInt32: String] = [
        1: "Hangup", 2: "Interrupt", 3: "Quit", 4: "Illegal instruction", 5: "Trace/breakpoint trap", 6: "Aborted",
        7: "Bus error", 8: "Floating point exception", 9: "Killed", 10: "User defined signal 1",
        11: "Segmentation fault", 12: "User defined signal 2", 13: "Broken pipe", 14: "Alarm clock", 15: "Terminated",
        24: "CPU time limit exceeded", 25: "File size limit exceeded",
    ]

    static func name(_ signal: UInt32) -> String { names[signal] ?? "Unknown signal \(signal)" }
}
