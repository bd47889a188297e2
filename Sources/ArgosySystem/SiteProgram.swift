import ArgosyDomain
import Glibc

/// A program of the site's administrator: prolog, epilog, health check, mailer. Run to its end, in a session of its own.
public struct SiteProgram: Sendable {
    public var path: String
    public var arguments: [String] = []
    /// "NAME=value".
    public var environment: [String]
    public var workingDirectory = "/"
    /// Killed with its children after this; nil: waited for as long as it takes.
    public var timeout: Duration?
    /// Written to its stdin, which is /dev/null without.
    public var input: [UInt8] = []

    public init(path: String, arguments: [String] = [], environment: [String], timeout: Duration? = nil) {
        self.path = path
        self.arguments = arguments
        self.environment = environment
        self.timeout = timeout
    }

    /// Empty when it exited with 0; else what happened. Blocks.
    public func run() -> String {
        var spec = ProcessSpec(path: path, arguments: [path] + arguments, environment: environment)
        spec.workingDirectory = workingDirectory
        spec.stdout = 2
        spec.stderr = 2
        do {
            let process = try Spawn.start(spec)
            let ready = try Poll.wait([Poll.Interest(process.pidfd.raw)], timeout: timeout)
            guard ready[0].any else {
                // Its own session is its own process group.
                Glibc.kill(-process.pid, SIGKILL)
                _ = try? process.signal(SIGKILL)
                _ = try? process.wait()
                return "\(path) did not end within \(timeout.map { "\($0)" } ?? "its time") and was killed"
            }
            let exit = try process.wait()
            if exit.isSuccess { return "" }
            return exit.signal > 0 ? "\(path) was killed by signal \(exit.signal)" : "\(path) exited with \(exit.code)"
        } catch {
            return "cannot run \(path): \(error)"
        }
    }

    /// The files that a pattern names, in the order of their names; the text itself when it is no pattern.
    public static func files(matching pattern: String) -> [String] {
        guard pattern.contains(where: { "*?[".contains($0) }) else { return pattern.isEmpty ? [] : [pattern] }
        var found = glob_t()
        defer { globfree(&found) }
        guard glob(pattern, 0, nil, &found) == 0 else { return [] }
        return (0..<Int(found.gl_pathc)).compactMap { index in found.gl_pathv[index].map { String(cString: $0) } }
    }
}
