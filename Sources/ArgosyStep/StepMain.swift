internal import ArgosyContainer
internal import ArgosySystem
internal import ArgosyWire
internal import Glibc

/// The program argosystepd: which of its modes, then that mode.
///
///     argosystepd step DIRECTORY       root: supervises one step of one node
///     argosystepd io NODE TASK...      its unprivileged child
///     argosystepd relay ...            a job's relay
///     argosystepd holder FD            pid 1 of a container
///     argosystepd convert ...          unprivileged: one image layer to squashfs
public enum StepMain {
    /// - Parameter arguments: argv. Returns the exit code.
    public static func run(_ arguments: [String]) -> Int32 {
        let rest = Array(arguments.dropFirst(2))
        switch arguments.dropFirst().first {
        case "step": return superviseStep(rest)
        case "io": return IOChildMain.run(arguments: rest)
        case "relay": return RelayMain.run(arguments: rest)
        case "holder":
            guard let number = rest.first.flatMap({ Int32($0) }) else { return usage() }
            HolderMain.run(planFD: number)
        case "convert": ConvertMain.run(arguments: rest)
        default: return usage()
        }
    }

    private static func usage() -> Int32 {
        complain("started by argosyd, not by hand: argosystepd step|io|relay|holder|convert ...")
        return 64
    }

    private static func superviseStep(_ arguments: [String]) -> Int32 {
        guard arguments.count == 1, let directory = arguments.first else { return usage() }
        signal(SIGPIPE, SIG_IGN)
        for number in [SIGTERM, SIGINT, SIGHUP] { signal(number, SIG_IGN) }
        umask(0o022)
        do {
            let order = try StepOrder(directory: directory)
            guard let lock = try FileLock.tryLock(order.paths.lock) else {
                complain("\(directory): another daemon has this step")
                return 75
            }
            if SpoolFile.exists(order.paths.exit) { return 0 }
            try SpoolFile.write(Array("\(getpid())\n".utf8), to: order.paths.pid)
            let code = try StepSupervisor(order).run()
            withExtendedLifetime(lock) {}
            return code
        } catch {
            complain("\(directory): \(error)")
            return 1
        }
    }
}
