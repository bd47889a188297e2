// srun's own terminal while a task has a pseudo terminal: every key goes to the task, and its size follows ours.

import ArgosyWire
import Glibc

final class Terminal {
    private var before = termios()
    private var isRaw = false

    /// Nil, with Slurm's two lines, when standard input is no terminal.
    init?() {
        guard tcgetattr(0, &before) == 0 else {
            Console.error("srun", "ioctl(TIOCGWINSZ): \(String(cString: strerror(errno)))")
            Console.error("srun", "Not using a pseudo-terminal, disregarding --pty option")
            return nil
        }
    }

    static var window: WireWindowSize {
        var size = winsize()
        _ = ioctl(0, UInt(TIOCGWINSZ), &size)
        var message = WireWindowSize()
        (message.rows, message.columns) = (UInt32(size.ws_row), UInt32(size.ws_col))
        return message
    }

    func makeRaw() {
        var raw = before
        cfmakeraw(&raw)
        isRaw = tcsetattr(0, TCSANOW, &raw) == 0
    }

    func restore() {
        guard isRaw else { return }
        isRaw = false
        tcsetattr(0, TCSADRAIN, &before)
    }
}
