import Dispatch
import Foundation

/// What a command left behind.
struct Outcome: Sendable, CustomStringConvertible {
    /// Its exit status; 124 when it ran out of time.
    var status: Int32
    var output: String
    var errors: String

    var description: String { "status \(status)\nstdout: \(output)\nstderr: \(errors)" }
    var lines: [String] { output.split(separator: "\n").map(String.init) }
    /// The output without white space around it.
    var word: String { output.trimmingCharacters(in: .whitespacesAndNewlines) }
}

/// Commands for bash(1), run as root or as one of the test's users.
enum Shell {
    /// Runs `script` with bash. Output goes through files, so that a process it leaves behind keeps nobody waiting.
    /// - Parameters:
    ///   - user: whose ids and groups it has; root's when nil.
    ///   - seconds: when it is killed, with its process group.
    static func run(
        _ script: String, as user: String? = nil, in directory: String = "/", seconds: Int = 60
    ) async -> Outcome {
        await withCheckedContinuation { continuation in
            // A thread of its own: the wait must not hold a thread that Swift's tasks run on.
            let thread = Thread {
                continuation.resume(returning: runBlocking(script, as: user, in: directory, seconds: seconds))
            }
            thread.start()
        }
    }

    static func runBlocking(
        _ script: String, as user: String? = nil, in directory: String = "/", seconds: Int = 60
    ) -> Outcome {
        let scratch = FileManager.default.temporaryDirectory.appendingPathComponent("e2e-\(UUID().uuidString)")
        let files = ["out", "err"].map { scratch.path + "." + $0 }
        defer { for file in files { unlink(file) } }
        var words = ["/usr/bin/timeout", "--kill-after=3", String(seconds)]
        if let user { words += ["/usr/bin/setpriv", "--reuid", user, "--regid", user, "--init-groups"] }
        words += ["/bin/bash", "-c", "cd '\(directory)' || exit 125\n" + script]
        let status = spawn(words, output: files[0], errors: files[1])
        return Outcome(status: status, output: text(files[0]), errors: text(files[1]))
    }

    private static func spawn(_ words: [String], output: String, errors: String) -> Int32 {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        posix_spawn_file_actions_addopen(&actions, 2, errors, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        defer { for argument in arguments { free(argument) } }
        var environment: [UnsafeMutablePointer<CChar>?] = [
            strdup("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"), strdup("LC_ALL=C"), nil,
        ]
        defer { for variable in environment { free(variable) } }
        var pid = pid_t()
        guard posix_spawn(&pid, words[0], &actions, nil, &arguments, &environment) == 0 else { return 126 }
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        return status & 0x7f == 0 ? (status >> 8) & 0xff : 128 + (status & 0x7f)
    }

    static func text(_ path: String) -> String {
        FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }
}

/// Asks `condition` until it holds; false when `seconds` are over first.
func waitFor(_ seconds: Double, _ condition: () async throws -> Bool) async rethrows -> Bool {
    let end = Date().addingTimeInterval(seconds)
    while true {
        if try await condition() { return true }
        if Date() > end { return false }
        try? await Task.sleep(for: .milliseconds(200))
    }
}
