import Glibc

/// A bar on standard error, for a person who waits: none without a terminal, none in the first second.
final class ProgressBar {
    private static let width = 40
    private let isTerminal = isatty(2) == 1
    private let began = ProgressBar.milliseconds
    private var shownAt = 0
    private var isShown = false

    /// So much of so much is done.
    func show(_ done: Int, of total: Int) {
        guard isTerminal, total > 0 else { return }
        let now = Self.milliseconds
        guard now - began >= 1000, now - shownAt >= 100 else { return }
        shownAt = now
        isShown = true
        let full = Self.width * done / total
        let bar = String(repeating: "#", count: full) + String(repeating: ".", count: Self.width - full)
        Console.complain("\r[\(bar)] \(100 * done / total) % of \(total) jobs")
    }

    /// Leaves the line as it was.
    func clear() {
        if isShown { Console.complain("\r\u{1b}[K") }
        isShown = false
    }

    private static var milliseconds: Int {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        return now.tv_sec * 1000 + now.tv_nsec / 1_000_000
    }
}
