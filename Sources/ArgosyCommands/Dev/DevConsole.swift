import Glibc

/// Words for the person at the terminal, or for the log that stands in for one.
enum DevConsole {
    static func write(_ text: String, to descriptor: Int32) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if written < 0, errno == EINTR { continue }
            guard written > 0 else { return }
            rest = rest.dropFirst(written)
        }
    }

    static let isTerminal = isatty(2) == 1

    /// One finished step.
    static func say(_ text: String) { write((isTerminal ? "\r\u{1b}[K" : "") + text + "\n", to: 2) }

    /// Where a step that takes a while stands: redrawn in a terminal, left out of a log.
    static func progress(_ text: String) {
        if isTerminal { write("\r\u{1b}[K" + text, to: 2) }
    }
}
