import Glibc

/// Where commands write. Lines go out whole.
enum Console {
    static func print(_ text: String) { write(text, to: 1) }

    /// Standard error, as it is.
    static func complain(_ text: String) { write(text, to: 2) }

    /// `sbatch: error: message` for each of its lines, and then what else there is to say. A line that says already whose
    /// it is (`sacct: fatal: ...`) stays as it is.
    static func error(_ command: String, _ message: String, detail: String = "") {
        let lines = message.split(separator: "\n") + (detail.isEmpty ? [] : detail.split(separator: "\n"))
        complain(lines.map { $0.hasPrefix("\(command): ") ? "\($0)\n" : "\(command): error: \($0)\n" }.joined())
    }

    static func info(_ command: String, _ message: String) { complain("\(command): \(message)\n") }

    static func write(_ text: String, to descriptor: Int32) { write(Array(text.utf8), to: descriptor) }

    /// All of `bytes`, waiting where the descriptor does not take them; gives up when the reader is gone.
    @discardableResult
    static func write(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.write(descriptor, $0.baseAddress?.advanced(by: written), bytes.count - written)
            }
            if count >= 0 {
                written += count
            } else if errno == EAGAIN {
                var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                poll(&entry, 1, -1)
            } else if errno != EINTR {
                return false
            }
        }
        return true
    }
}

/// Filled with spaces to `width`, on the left for `right`.
func pad(_ text: String, _ width: Int, right: Bool = false) -> String {
    let missing = width - text.count
    guard missing > 0 else { return text }
    let spaces = String(repeating: " ", count: missing)
    return right ? spaces + text : text + spaces
}

/// Two digits at least.
func two(_ number: some BinaryInteger) -> String { number < 10 ? "0\(number)" : "\(number)" }
