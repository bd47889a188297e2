internal import ArgosyDomain
internal import ArgosySystem
internal import Glibc

/// The open ends of a step's stdio: files opened with the user's rights, pipes to the unprivileged child.
struct StdioFiles {
    /// What one task gets as 0, 1, 2 (nil: /dev/null), and the child's ends of its pipes.
    struct Ends {
        var rank: UInt32
        var input: Descriptor?
        var output: Descriptor?
        var error: Descriptor?
        var inputForChild: Descriptor?
        var outputForChild: Descriptor?
        var errorForChild: Descriptor?
    }
    struct Failure: Error { var message: String }

    var tasks: [Ends] = []
    private var opened: [String: Descriptor] = [:]

    /// Opens everything. Throws `Failure` in Slurm's words for the first file that cannot be opened.
    ///
    /// - Parameter truncate: empty files that exist (tasks of one node share a descriptor; other nodes append).
    /// - Parameter window: rows and columns of a terminal; 0: not known.
    init(
        _ plan: StdioPlan, as credentials: Credentials, umask: UInt32, truncate: Bool,
        window: (rows: UInt32, columns: UInt32) = (0, 0)
    ) throws {
        for task in plan.tasks {
            var ends = Ends(rank: task.rank)
            if task.output == .terminal {
                try Self.openTerminal(&ends, owner: credentials.uid, window)
                tasks.append(ends)
                continue
            }
            switch task.input {
            case .null, .sameAsOutput, .terminal: break
            case .file(let path):
                ends.input = try open(path, O_RDONLY, "stdin", credentials, umask)
            case .client: (ends.input, ends.inputForChild) = try Self.pipe()
            }
            let flags = O_WRONLY | O_CREAT | O_APPEND | (truncate ? O_TRUNC : 0)
            switch task.output {
            case .null, .sameAsOutput, .terminal: break
            case .file(let path): ends.output = try open(path, flags, "stdout", credentials, umask)
            case .client: (ends.outputForChild, ends.output) = try Self.pipe()
            }
            switch task.error {
            case .null, .terminal: break
            case .sameAsOutput: ends.error = ends.output
            case .file(let path): ends.error = try open(path, flags, "stderr", credentials, umask)
            case .client: (ends.errorForChild, ends.error) = try Self.pipe()
            }
            tasks.append(ends)
        }
    }

    /// The child has its own copies now: an end of all writers must be seen.
    mutating func closeChildEnds() {
        for index in tasks.indices {
            tasks[index].inputForChild = nil
            tasks[index].outputForChild = nil
            tasks[index].errorForChild = nil
        }
    }

    /// Tasks have theirs: only files stay open, for what the step daemon itself has to say.
    mutating func closeTaskPipes(_ plan: StdioPlan) {
        for (index, task) in plan.tasks.enumerated() {
            tasks[index].input = nil
            if task.output == .client || task.output == .terminal { tasks[index].output = nil }
            if task.error == .client || task.error == .terminal || (task.error == .sameAsOutput && task.output == .client) {
                tasks[index].error = nil
            }
        }
    }

    private mutating func open(
        _ path: String, _ flags: Int32, _ stream: String, _ credentials: Credentials, _ umask: UInt32
    ) throws -> Descriptor {
        let key = "\(flags) \(path)"
        if let same = opened[key] { return same }
        do {
            let file = try Files.openAs(credentials, path, flags: flags, mode: 0o666, umask: umask)
            opened[key] = file
            return file
        } catch {
            throw Failure(message: "Could not open \(stream) file \(path): \(error.reason)")
        }
    }

    /// TIOCSPTLCK and TIOCGPTN, which are macros with a type in them.
    private static let unlockTerminal: UInt = 0x4004_5431
    private static let terminalNumber: UInt = 0x8004_5430

    /// A pseudo terminal of the user's.
    private static func openTerminal(
        _ ends: inout Ends, owner: UInt32, _ window: (rows: UInt32, columns: UInt32)
    ) throws {
        let failure = { Failure(message: "pseudo terminal: \(String(cString: strerror(errno)))") }
        let number = Glibc.open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
        guard number >= 0 else { throw failure() }
        let main = Descriptor(adopting: number)
        var lock: Int32 = 0
        var place: UInt32 = 0
        guard ioctl(number, Self.unlockTerminal, &lock) == 0, ioctl(number, Self.terminalNumber, &place) == 0 else {
            throw failure()
        }
        let slave = Glibc.open("/dev/pts/\(place)", O_RDWR | O_NOCTTY | O_CLOEXEC)
        guard slave >= 0 else { throw failure() }
        ends.input = Descriptor(adopting: slave)
        ends.output = ends.input
        ends.error = ends.input
        _ = fchown(slave, owner, gid_t.max)
        if window.rows > 0 {
            var size = winsize()
            size.ws_row = UInt16(clamping: window.rows)
            size.ws_col = UInt16(clamping: window.columns)
            _ = ioctl(number, UInt(TIOCSWINSZ), &size)
        }
        ends.outputForChild = main
        ends.inputForChild = main
    }

    /// Read end, write end.
    private static func pipe() throws -> (Descriptor, Descriptor) {
        var ends: [Int32] = [0, 0]
        guard Glibc.pipe(&ends) == 0 else { throw Failure(message: "pipe: \(String(cString: strerror(errno)))") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return (Descriptor(adopting: ends[0]), Descriptor(adopting: ends[1]))
    }
}
