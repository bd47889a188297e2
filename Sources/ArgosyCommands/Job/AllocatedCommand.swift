// The command that an allocation was made for: started here, watched beside the job, and the job ended with it.

import ArgosyClient
import ArgosyDomain
import ArgosyWire
import Glibc

struct AllocatedCommand {
    let words: [String]
    let variables: [String]
    let options: JobOptions

    /// Returns salloc's exit status.
    func run(_ allocation: inout Allocation) -> Int32 {
        let terminal = ForegroundTerminal()
        guard let path = Self.find(words[0]) else {
            Console.error("salloc", "_fork_command: Unable to find command \"\(words[0])\"")
            return end(&allocation, ExitStatus(code: 1), 1)
        }
        dropToUser()
        guard let pid = start(path, terminal) else {
            Console.error("salloc", "_fork_command: \(words[0]): \(String(cString: strerror(errno)))")
            return end(&allocation, ExitStatus(code: 1), 1)
        }
        var watch = watch(allocation)
        var isRevoked = false
        while true {
            var status: Int32 = 0
            let waited = waitpid(pid, &status, WNOHANG)
            if waited == pid || waited < 0 && errno == ECHILD {
                terminal.takeBack()
                let exit = Self.exit(waited == pid ? status : 0)
                if isRevoked { return Self.code(exit) }
                return end(&allocation, exit, Self.code(exit))
            }
            var entries = [
                pollfd(fd: allocation.signals.descriptor, events: Int16(POLLIN), revents: 0),
                pollfd(fd: watch?.descriptor ?? -1, events: Int16(POLLIN), revents: 0),
                pollfd(fd: isRevoked ? -1 : allocation.connection?.descriptor ?? -1, events: Int16(POLLIN), revents: 0),
            ]
            guard poll(&entries, 3, watch == nil && !isRevoked ? 1000 : -1) > 0 else {
                if watch == nil, !isRevoked {
                    allocation.claimAgain()
                    watch = self.watch(allocation)
                }
                continue
            }
            if entries[0].revents != 0 {
                for signal in allocation.signals.take() {
                    if signal == SIGTERM { kill(pid, SIGTERM) }
                    if signal == SIGHUP {
                        _ = end(&allocation, ExitStatus(code: 0), 1)
                        return 1
                    }
                }
            }
            if entries[1].revents != 0, let connection = watch {
                watch = nil
                if let job = try? ended(connection) {
                    isRevoked = true
                    revoked(job, pid)
                } else {
                    pause(milliseconds: 500)
                }
            }
            if entries[2].revents != 0, watch != nil { pause(milliseconds: 200) }
        }
    }

    /// `--uid`: the allocation was root's to ask for, the command is the user's.
    private func dropToUser() {
        guard let user = options.user, getuid() == 0 else { return }
        let gid = options.gid ?? user.gid
        if initgroups(user.name, gid) != 0 { setgroups(0, nil) }
        setgid(gid)
        setuid(user.uid)
    }

    private func start(_ path: String, _ terminal: ForegroundTerminal) -> pid_t? {
        let names = variables.map { $0.prefix { $0 != "=" } + "=" }
        let environment = Process.environment.filter { entry in !names.contains { entry.hasPrefix($0) } } + variables
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var defaults = sigset_t()
        sigemptyset(&defaults)
        for signal in [SIGPIPE, SIGTTOU, SIGTTIN, SIGTSTP] { sigaddset(&defaults, signal) }
        posix_spawnattr_setsigdefault(&attributes, &defaults)
        var flags = Int16(POSIX_SPAWN_SETSIGDEF)
        if terminal.isOurs {
            flags |= Int16(POSIX_SPAWN_SETPGROUP)
            posix_spawnattr_setpgroup(&attributes, 0)
        }
        posix_spawnattr_setflags(&attributes, flags)
        var pid: pid_t = 0
        let code = withStrings(words) { arguments in
            withStrings(environment) { entries in posix_spawn(&pid, path, nil, &attributes, arguments, entries) }
        }
        guard code == 0 else {
            errno = code
            return nil
        }
        terminal.give(to: pid)
        return pid
    }

    /// Tells when the job has ended, by whatever cause.
    private func watch(_ allocation: Allocation) -> ControllerConnection? {
        var request = WireRequest()
        request.waitJob.job = allocation.job
        guard let connection = try? allocation.session.connect() else { return nil }
        try? connection.send(request)
        return connection
    }

    private func ended(_ connection: ControllerConnection) throws -> WireJobInfo? {
        guard case .jobs(let list)? = try connection.receive(timeout: .seconds(10)).body else { return nil }
        return list.jobs.first
    }

    private func revoked(_ job: WireJobInfo?, _ pid: pid_t) {
        let id = job?.job ?? 0
        if job?.state == "TIMEOUT" {
            Salloc.tell(options, "Job \(id) has exceeded its time limit and its allocation has been revoked.")
        } else {
            Salloc.tell(options, "Job allocation \(id) has been revoked.")
        }
        guard let signal = options.killCommand else { return }
        kill(pid, signal == 0 ? (isatty(0) == 1 ? SIGHUP : SIGTERM) : signal)
    }

    private func end(_ allocation: inout Allocation, _ exit: ExitStatus, _ code: Int32) -> Int32 {
        Salloc.tell(options, "Relinquishing job allocation \(allocation.job)")
        var finish = WireFinishJob()
        finish.job = allocation.job
        finish.exit.code = exit.code
        finish.exit.signal = exit.signal
        _ = try? allocation.session.ask(.finishJob(finish), timeout: .seconds(10))
        return code
    }

    private static func exit(_ status: Int32) -> ExitStatus {
        let signal = status & 0x7f
        return signal == 0 ? ExitStatus(code: UInt32(status >> 8 & 0xff)) : ExitStatus(code: 0, signal: UInt32(signal))
    }

    /// A command that the user stopped is no failure.
    private static func code(_ exit: ExitStatus) -> Int32 {
        if exit.signal == 0 { return Int32(exit.code) }
        return [SIGHUP, SIGINT, SIGQUIT, SIGKILL].contains(Int32(exit.signal)) ? 0 : 1
    }

    static func find(_ word: String) -> String? {
        if word.contains("/") { return access(word, X_OK) == 0 ? word : nil }
        for directory in (Process.variable("PATH") ?? "/usr/bin:/bin").split(separator: ":") {
            let candidate = "\(directory)/\(word)"
            if Process.isExecutable(candidate), !isDirectory(candidate) { return candidate }
        }
        return nil
    }

    private static func isDirectory(_ path: String) -> Bool {
        var information = stat()
        return stat(path, &information) == 0 && information.st_mode & S_IFMT == S_IFDIR
    }
}

/// The terminal on standard input, when this command is in its foreground: lent to the command's process group.
struct ForegroundTerminal {
    let isOurs: Bool
    private var settings = termios()

    init() {
        isOurs = isatty(0) == 1 && tcgetpgrp(0) == getpgrp()
        if isOurs {
            tcgetattr(0, &settings)
            signal(SIGTTOU, SIG_IGN)
            signal(SIGTTIN, SIG_IGN)
            signal(SIGTSTP, SIG_IGN)
        }
    }

    func give(to group: pid_t) { if isOurs { tcsetpgrp(0, group) } }

    func takeBack() {
        guard isOurs else { return }
        tcsetpgrp(0, getpgrp())
        var settings = settings
        tcsetattr(0, TCSADRAIN, &settings)
    }
}

/// C strings with a null pointer behind them.
func withStrings<Result>(
    _ texts: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
) -> Result {
    let pointers: [UnsafeMutablePointer<CChar>?] = texts.map { strdup($0) } + [nil]
    defer { pointers.forEach { free($0) } }
    return body(pointers)
}
