import ArgosySystem
import ArgosyTransport
import Glibc
import Testing

@Suite struct FrameTests {
    @Test("a frame's size survives its header") func roundTrip() throws {
        for size in [0, 1, 255, 256, 70_000, Frame.commandLimit] {
            #expect(try Frame.bodySize(header: Frame.header(bodySize: size), limit: Frame.commandLimit) == size)
        }
    }

    @Test(
        "a header that is not ours is refused with the reason",
        arguments: [
            ([UInt8]("GET / HT".utf8), "does not speak"), ([0x41, 0x72, 9, 0, 0, 0, 0, 1], "version 9"),
            ([0x41, 0x72, 1, 0, 0xff, 0xff, 0xff, 0xff], "over the limit"), ([0x41], "does not speak"),
        ] as [([UInt8], String)])
    func refused(header: [UInt8], text: String) throws {
        let error = #expect(throws: TransportError.self) { try Frame.bodySize(header: header, limit: 1 << 20) }
        #expect(error?.message.contains(text) == true)
    }
}

@Suite struct ConnectionTests {
    private func pair() throws -> (Connection, Connection) {
        var ends: (Int32, Int32) = (-1, -1)
        let made = withUnsafeMutablePointer(to: &ends) {
            $0.withMemoryRebound(to: Int32.self, capacity: 2) {
                socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, $0)
            }
        }
        try #require(made == 0)
        return (Connection(adopting: ends.0), Connection(adopting: ends.1))
    }

    @Test("messages arrive whole and in order, then the end") func order() throws {
        let (a, b) = try pair()
        for size in [0, 5, 60_000] { try a.send([UInt8](repeating: UInt8(size & 0xff), count: size)) }
        a.finishSending()
        #expect(try b.receive()?.count == 0)
        #expect(try b.receive()?.count == 5)
        #expect(try b.receive() == [UInt8](repeating: 0x60, count: 60_000))
        #expect(try b.receive() == nil)
    }

    @Test("a connection cut inside a message is an error, not an end") func cut() throws {
        let (a, b) = try pair()
        let start = Frame.header(bodySize: 100) + [1, 2, 3]
        #expect(start.withUnsafeBytes { send(a.descriptor, $0.baseAddress, $0.count, 0) } == start.count)
        a.finishSending()
        let error = #expect(throws: TransportError.self) { try b.receive() }
        #expect(error?.kind == .closed)
    }

    @Test("no answer in time is a timeout; sending to nobody is 'closed' without a signal") func silence() throws {
        let (a, b) = try pair()
        #expect(throws: TransportError.self) { try b.receive(timeout: .milliseconds(20)) }
        b.abort()
        let error = #expect(throws: TransportError.self) { for _ in 0..<100 { try a.send([0]) } }
        #expect(error?.kind == .closed)
    }

    @Test("the peer of a socket pair is this process") func peer() throws {
        let (a, _) = try pair()
        let peer = try PeerCredentials.of(a.descriptor)
        #expect(peer.pid == getpid())
        #expect(peer.uid == getuid())
        #expect(peer.gid == getgid())
    }

    @Test("nobody listening is said with the path") func nobody() {
        let error = #expect(throws: TransportError.self) { try Connection.connect(unix: "/nonexistent/argosy.sock") }
        #expect(error?.message.contains("/nonexistent/argosy.sock: No such file") == true)
    }
}

@Suite struct DigestTests {
    @Test("SHA-256 of the empty string and of abc are FIPS 180-4's") func vectors() {
        #expect(
            SHA256.hex(SHA256.hash([])) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        var pieces = SHA256()
        for byte in "abc".utf8 { withUnsafeBytes(of: byte) { pieces.update($0) } }
        #expect(
            SHA256.hex(pieces.finish()) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    }
}
