internal import ArgosyDomain
internal import ArgosySystem
internal import ArgosyWire
internal import Glibc

/// What a user's login shell sets: asked of `su -`, whose output may begin with anything that a profile prints.
enum LoginEnvironment {
    private static let mark = Array("ARGOSY_LOGIN_ENVIRONMENT\n".utf8)
    private static let patience = Duration.seconds(10)
    private static let limit = 1 << 20
    /// Of the shell that was asked, not of the user.
    private static let notKept: Set<String> = ["_", "SHLVL", "PWD", "OLDPWD"]

    /// `NAME=value`s; nil when the shell could not be asked, or did not answer in time.
    static func read(_ identity: WireIdentity) -> [String]? {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { return nil }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        let (reader, writer) = (Descriptor(adopting: ends[0]), Descriptor(adopting: ends[1]))
        let question = "printf 'ARGOSY_LOGIN_ENVIRONMENT\\n'; exec /usr/bin/env -0"
        var spec = ProcessSpec(
            path: "/bin/su", arguments: ["su", "-", identity.user, "-c", question],
            environment: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"])
        spec.workingDirectory = "/"
        spec.stdout = writer.raw
        guard let process = try? Spawn.start(spec) else { return nil }
        writer.close()
        let answer = drain(reader, until: BootClock.now + patience)
        // Its own session is its own process group.
        if answer == nil { kill(-process.pid, SIGKILL) }
        _ = try? process.wait()
        return answer.flatMap(entries)
    }

    private static func drain(_ reader: Descriptor, until deadline: Duration) -> [UInt8]? {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while bytes.count < limit {
            let left = deadline - BootClock.now
            guard left > .zero, let ready = try? Poll.wait([Poll.Interest(reader.raw)], timeout: left), ready[0].any
            else { return nil }
            let count = Glibc.read(reader.raw, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            if count <= 0 { return count == 0 ? bytes : nil }
            bytes += buffer[..<count]
        }
        return nil
    }

    /// Behind the mark, each with a NUL behind it.
    static func entries(_ answer: [UInt8]) -> [String]? {
        guard answer.count >= mark.count else { return nil }
        for start in 0...(answer.count - mark.count) where answer[start...].starts(with: mark) {
            return answer[(start + mark.count)...].split(separator: 0).compactMap { entry in
                let text = String(decoding: entry, as: UTF8.self)
                guard let equals = text.firstIndex(of: "="), !notKept.contains(String(text[..<equals])) else {
                    return nil
                }
                return text
            }
        }
        return nil
    }
}
