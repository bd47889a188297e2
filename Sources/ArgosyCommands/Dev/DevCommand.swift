import Glibc

/// Starts programs with posix_spawn: helpers that are waited for, and daemons that outlive this command.
enum DevCommand {
    struct Result {
        /// Exit status, or 128 and the signal.
        var status: Int32
        var output: String
    }

    /// Runs a helper to its end.
    /// - Parameter errorsToo: collect standard error with the output; otherwise it is dropped.
    static func run(_ words: [String], errorsToo: Bool = true, environment: [String] = []) throws -> Result {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw DevError("no pipe: \(String(cString: strerror(errno)))") }
        ends.forEach { _ = fcntl($0, F_SETFD, FD_CLOEXEC) }
        defer { close(ends[0]) }
        let pid: pid_t
        do {
            defer { close(ends[1]) }
            pid = try spawn(words, session: false, environment: environment) { actions in
                posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
                posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
                if errorsToo {
                    posix_spawn_file_actions_adddup2(&actions, ends[1], 2)
                } else {
                    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
                }
            }
        }
        let output = drain(ends[0])
        return Result(status: wait(for: pid), output: output)
    }

    /// Runs a helper whose failure is an error of ours.
    @discardableResult
    static func must(_ words: String...) throws -> String {
        let result = try run(words)
        guard result.status == 0 else {
            throw DevError("`\(words.joined(separator: " "))` failed: \(trimmed(result.output))")
        }
        return result.output
    }

    /// Starts a daemon in a session of its own, its output appended to `log`.
    static func start(_ words: [String], log: String) throws -> pid_t {
        keepDescriptorsToOurselves()
        return try spawn(words, session: true, environment: ["SWIFT_BACKTRACE=enable=no"]) { actions in
            posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
            posix_spawn_file_actions_addopen(&actions, 1, log, O_WRONLY | O_CREAT | O_APPEND, 0o644)
            posix_spawn_file_actions_adddup2(&actions, 1, 2)
        }
    }

    /// The program's path, if it is on PATH or in the system's own directories.
    static func find(_ program: String) -> String? {
        let path = getenv("PATH").map { String(cString: $0) } ?? ""
        let places = path.split(separator: ":").map(String.init) + ["/usr/sbin", "/usr/bin", "/sbin", "/bin"]
        return places.map { $0 + "/" + program }.first { access($0, X_OK) == 0 }
    }

    static func trimmed(_ text: String) -> String {
        var text = text[...]
        while let last = text.last, last.isWhitespace { text.removeLast() }
        while let first = text.first, first.isWhitespace { text.removeFirst() }
        return String(text)
    }

    private static func spawn(
        _ words: [String], session: Bool, environment: [String],
        files: (inout posix_spawn_file_actions_t) -> Void
    ) throws -> pid_t {
        guard let first = words.first, let program = first.contains("/") ? first : find(first) else {
            throw DevError("\(words.first ?? "program") is not installed; run contrib/install-deps")
        }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        files(&actions)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        let newSession: Int32 = 0x80  // POSIX_SPAWN_SETSID, which Glibc's module leaves out
        posix_spawnattr_setflags(&attributes, Int16(Int32(POSIX_SPAWN_SETSIGMASK) | (session ? newSession : 0)))

        var pid: pid_t = 0
        let code = withPointers(words) { argv in
            withPointers(inherited() + environment) { posix_spawn(&pid, program, &actions, &attributes, argv, $0) }
        }
        guard code == 0 else { throw DevError("cannot start \(program): \(String(cString: strerror(code)))") }
        return pid
    }

    private static func inherited() -> [String] {
        var lines: [String] = []
        var entry = environ
        while let line = entry.pointee {
            lines.append(String(cString: line))
            entry += 1
        }
        return lines
    }

    private static func withPointers<Value>(
        _ words: [String], _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Value
    ) -> Value {
        let pointers = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(capacity: words.count + 1)
        for (index, word) in words.enumerated() { pointers[index] = strdup(word) }
        pointers[words.count] = nil
        defer {
            for index in words.indices { free(pointers[index]) }
            pointers.deallocate()
        }
        return body(pointers)
    }

    /// What this process inherited, such as the pipe of whoever waits for it to end, is not for daemons.
    private static func keepDescriptorsToOurselves() {
        for descriptor in DevFiles.names(in: "/proc/self/fd").compactMap({ Int32($0) }) where descriptor > 2 {
            _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        }
    }

    private static func drain(_ descriptor: Int32) -> String {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return String(decoding: bytes, as: UTF8.self) }
            bytes += buffer[..<count]
        }
    }

    private static func wait(for pid: pid_t) -> Int32 {
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0 {
            guard errno == EINTR else { return 255 }
        }
        let signal = status & 0x7f
        return signal == 0 ? (status >> 8) & 0xff : 128 + signal
    }
}
