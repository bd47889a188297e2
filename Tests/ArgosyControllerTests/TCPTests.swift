import ArgosyController
import ArgosyDomain
import ArgosyLink
import ArgosySystem
import ArgosyTransport
import ArgosyWire
import Glibc
import Testing

/// Commands by TCP with a real munged of the test's own.
@Suite struct TCPTests {
    private static let program = "/usr/sbin/munged"

    @Test(.enabled(if: access(Self.program, X_OK) == 0, "munged is not installed"))
    func `a command by TCP is who MUNGE says, once, for this message`() throws {
        let directory = TemporaryDirectory()
        let socket = directory.path + "/munge.sock"
        let pid = try startMunged(directory.path, socket)
        defer {
            kill(pid, SIGKILL)
            Processes.wait(pid)
        }
        var options = ControllerOptions()
        options.host = "127.0.0.1"
        options.port = 0
        let running = try TestController(directory, options: options) { $0.mungeSocket = socket }
        let munge = Munge(socket: socket)

        for asksFirst in [true, false] {
            let wire = try SignedClient(running.controller.port, munge, asksFirst: asksFirst)
            #expect(wire.greeting.cluster == "test" && wire.greeting.term > 0)
            #expect(try wire.call(.submit(submission("far"))).submitted.job > 0)
            #expect(try wire.call(.listJobs(WireListJobs())).jobs.jobs.first?.spec.identity.uid == getuid())
        }
        let forged = try SignedClient(running.controller.port, munge)
        let reply = try forged.call(.ping(WirePing())) { $0.message = .init(Array($0.message) + [0x5a, 0]) }
        #expect(reply.refusal.detail.contains("not for this request"), "\(reply)")
        let other = try SignedClient(running.controller.port, munge)
        let first = try other.signed(.ping(WirePing()))
        try other.connection.send(first)
        #expect(try other.receive().pong.cluster == "test")
        try other.connection.send(first)
        #expect(try other.receive().refusal.code == Refusal.Code.accessDenied.rawValue, "a replay is refused")
    }

    private func startMunged(_ directory: String, _ socket: String) throws -> pid_t {
        let key = directory + "/key"
        writeFile(key, String(repeating: "0123456789abcdef", count: 64))
        chmod(key, 0o600)
        let pid = Processes.start(
            [
                Self.program, "--foreground", "--force", "--key-file=\(key)", "--socket=\(socket)",
                "--pid-file=\(directory)/munge.pid", "--seed-file=\(directory)/seed",
                "--log-file=\(directory)/munge.log",
            ], log: directory + "/munged.out")
        try #require(
            eventually { (try? Munge(socket: socket).encode([1])) != nil }, "\(readFile(directory + "/munged.out"))")
        return pid
    }
}

private struct SignedClient {
    let connection: Connection
    let greeting: WireGreeting
    let munge: Munge

    /// `asksFirst`: sends the empty frame that asks to be greeted.
    init(_ port: UInt16, _ munge: Munge, asksFirst: Bool = true) throws {
        connection = try .connect(host: "127.0.0.1", port: port)
        self.munge = munge
        if asksFirst { try connection.send([]) }
        greeting = try WireGreeting(
            serializedBytes: try connection.receive(timeout: .seconds(10)) ?? [])
    }

    func signed(_ body: WireRequest.OneOf_Body, _ change: (inout WireSigned) -> Void = { _ in }) throws -> [UInt8] {
        var request = WireRequest()
        request.version = 1
        request.body = body
        let message: [UInt8] = try request.serializedBytes()
        var signed = WireSigned()
        signed.message = .init(message)
        signed.credential = try munge.encode(try claims(message).serializedBytes())
        change(&signed)
        return try signed.serializedBytes()
    }

    func receive() throws -> WireReply {
        let signed = try WireSigned(serializedBytes: try connection.receive(timeout: .seconds(10)) ?? [])
        let decoded = try munge.decode(signed.credential)
        #expect(try WireCredential(serializedBytes: decoded.payload) == claims(Array(signed.message)))
        return try WireReply(serializedBytes: Array(signed.message))
    }

    func call(_ body: WireRequest.OneOf_Body, _ change: (inout WireSigned) -> Void = { _ in }) throws -> WireReply {
        try connection.send(try signed(body, change))
        return try receive()
    }

    private func claims(_ message: [UInt8]) -> WireCredential {
        .with {
            $0.cluster = greeting.cluster
            $0.term = greeting.term
            $0.nonce = greeting.nonce
            $0.digest = .init(SHA256.hash(message))
        }
    }
}
