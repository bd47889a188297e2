import ArgosyTransport
import Glibc
import Testing

/// Real credentials from a munged of the test's own, stopped at the end.
@Suite(.serialized, .enabled(if: PrivateMunged.isAvailable, "munged or mungekey is not installed, or not root"))
struct MungeTests {
    @Test("a credential tells its maker, once, and only to whom it is meant") func credentials() throws {
        let daemon = try PrivateMunged()
        defer { daemon.stop() }
        let munge = Munge(socket: daemon.socket)
        let credential = try munge.encode([1, 2, 3])
        let decoded = try munge.decode(credential)
        #expect(decoded.payload == [1, 2, 3])
        #expect(decoded.uid == getuid())
        #expect(throws: TransportError.self, "a replay is refused") { try munge.decode(credential) }
        let foreign = try munge.encode([], restrictedTo: 12345)
        let refusal = #expect(throws: TransportError.self) { try munge.decode(foreign) }
        #expect(refusal?.kind == .munge)
        #expect(throws: TransportError.self) { try munge.decode("MUNGE:forged:") }
    }

    @Test("without munged the error says so") func away() {
        let error = #expect(throws: TransportError.self) { try Munge(socket: "/nonexistent/munge").encode([]) }
        #expect(error?.message.contains("is munged running") == true)
    }
}

private final class PrivateMunged {
    static var isAvailable: Bool { access("/usr/sbin/munged", X_OK) == 0 && getuid() == 0 }
    let socket: String
    private let directory: String
    private var pid: pid_t = 0

    init() throws {
        directory = "/tmp/argosy-munge-test-\(getpid())"
        socket = directory + "/sock"
        try #require(mkdir(directory, 0o755) == 0)
        let key = try #require(fopen(directory + "/key", "w"))
        for _ in 0..<128 { fputc(Int32(UInt8.random(in: 0...255)), key) }
        fclose(key)
        chmod(directory + "/key", 0o600)
        let arguments = [
            "munged", "-F", "--key-file=\(directory)/key", "--socket=\(socket)", "--pid-file=\(directory)/pid",
            "--log-file=\(directory)/log", "--seed-file=\(directory)/seed", "--num-threads=2",
        ]
        var argv: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) }
        argv.append(nil)
        defer { for argument in argv { free(argument) } }
        try #require(posix_spawn(&pid, "/usr/sbin/munged", nil, nil, argv, environ) == 0)
        for _ in 0..<200 where access(socket, F_OK) != 0 { usleep(10_000) }
    }

    func stop() {
        // Threads of the concurrency pool block signals and the daemon inherited that: only this one arrives.
        kill(pid, SIGKILL)
        waitpid(pid, nil, 0)
        for name in ["key", "sock", "sock.lock", "pid", "log", "seed"] { unlink("\(directory)/\(name)") }
        rmdir(directory)
    }
}
