import ArgosySystem
import Glibc

/// Tells what is going on: one line that changes in a terminal, one plain line for each thing done in a log.
struct DevProgress {
    private let inTerminal = isatty(1) == 1

    /// Something that takes its time; in a log nothing until it is done.
    func doing(_ text: String) {
        if inTerminal { Console.print("\r\u{1b}[K\(text) ...") }
    }

    func done(_ text: String) {
        Console.print((inTerminal ? "\r\u{1b}[K" : "") + text + "\n")
    }

    func warn(_ text: String) {
        if inTerminal { Console.print("\r\u{1b}[K") }
        Console.complain("argosy dev: warning: \(text)\n")
    }

    func clear() {
        if inTerminal { Console.print("\r\u{1b}[K") }
    }
}

func pause(_ duration: Duration) {
    let parts = duration.components
    usleep(UInt32(clamping: parts.seconds * 1_000_000 + parts.attoseconds / 1_000_000_000_000))
}
