import ArgosyClient
import ArgosyConfig
import ArgosyDomain
import ArgosyTransport
import ArgosyWire
import Glibc
import SwiftProtobuf
import Testing

/// Two ends of a stream socket.
private func pair() -> (Int32, Int32) {
    var ends: [Int32] = [-1, -1]
    socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends)
    return (ends[0], ends[1])
}

@Suite struct FrameStreamTests {
    @Test func framesAreCutFromPiecesOfAnySize() throws {
        let (a, b) = pair()
        let stream = FrameStream(Connection(adopting: a))
        let bytes = Frame.encode([1, 2, 3]) + Frame.encode([]) + Frame.encode([9])
        var got: [[UInt8]] = []
        for byte in bytes {
            var one = byte
            #expect(write(b, &one, 1) == 1)
            got += try stream.receive()
        }
        #expect(got == [[1, 2, 3], [], [9]])
        close(b)
        #expect(try stream.receive().isEmpty)
        #expect(stream.ended)
    }

    @Test func anEndInTheMiddleAndForeignBytesAreErrors() {
        let (a, b) = pair()
        let stream = FrameStream(Connection(adopting: a))
        var part = Array(Frame.encode([1, 2, 3]).dropLast())
        #expect(write(b, &part, part.count) == part.count)
        close(b)
        #expect(throws: TransportError.self) {
            _ = try stream.receive()
            _ = try stream.receive()
        }
        let (c, d) = pair()
        defer { close(d) }
        let other = FrameStream(Connection(adopting: c))
        var http = Array("GET / HTTP/1.0\r\n".utf8)
        #expect(write(d, &http, http.count) == http.count)
        #expect(throws: TransportError.self) { _ = try other.receive() }
    }

    @Test func aSlowReaderLeavesNoRoom() throws {
        let (a, b) = pair()
        let stream = FrameStream(Connection(adopting: a))
        var count = 0
        while stream.hasRoom, count < 1000 {
            try stream.send([UInt8](repeating: 7, count: 64 << 10))
            count += 1
        }
        #expect(!stream.hasRoom && count < 1000)
        let reader = Connection(adopting: b)
        for _ in 0..<count {
            try stream.flush()
            #expect(try reader.receive()?.count == 64 << 10)
        }
        #expect(stream.waiting == 0)
    }
}

@Suite struct RouteTests {
    @Test func insideAJobOnlyTheRelayIsUsed() {
        var configuration = ClusterConfiguration()
        configuration.socketPath = "/"
        configuration.controllers = [.init(name: "a", address: "10.0.0.1")]
        #expect(ControllerConnection.routes(configuration, relay: "/r") == [.relay(path: "/r")])
        #expect(
            ControllerConnection.routes(configuration, relay: nil)
                == [.unix(path: "/"), .tcp(host: "10.0.0.1", port: 6817)])
        configuration.socketPath = "/nowhere"
        #expect(ControllerConnection.routes(configuration, relay: nil) == [.tcp(host: "10.0.0.1", port: 6817)])
    }

    @Test func anAbsentControllerIsToldWithWhatWasTried() {
        var configuration = ClusterConfiguration()
        configuration.socketPath = "/nowhere"
        configuration.controllers = [.init(name: "a", address: "127.0.0.1")]
        configuration.controllerPort = 1
        let error = #expect(throws: ClientError.self) { try ControllerConnection.open(configuration, relay: nil) }
        #expect(error?.message == "Unable to contact slurm controller (connect failure)")
        #expect(error?.detail.contains("127.0.0.1 port 1") == true)
    }
}

@Suite struct RelayedSessionTests {
    /// A relay that says what a test wants it to.
    private func relay(_ frames: [WireIOFrame]) throws -> (StepSession, Int32, String) {
        let path = "/tmp/argosy-relay-\(getpid())-\(UInt32.random(in: 0 ... .max)).sock"
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        let listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        #expect(bound == 0 && listen(listener, 1) == 0)
        let session = try StepSession.throughRelay(path, WireRequest())
        let server = Connection(adopting: accept(listener, nil, nil))
        close(listener)
        unlink(path)
        let call = try #require(try server.receive())
        #expect((try? WireRelayCall(serializedBytes: call)) != nil)
        for frame in frames { try server.send(frame.serializedBytes()) }
        return (session, dup(server.descriptor), path)
    }

    private func collect(_ session: StepSession) throws -> [String] {
        var seen: [String] = []
        while !session.isFinished {
            _ = try session.pump(also: [], timeout: .seconds(5)) { event in
                switch event {
                case .lost(_, let why): seen.append("lost \(why)")
                case .frame(let frame, _):
                    switch frame.body {
                    case .created: seen.append("created")
                    case .output(let output): seen.append("output \(output.rank)")
                    case .refused(let refusal): seen.append("refused \(refusal.message)")
                    default: seen.append("other")
                    }
                }
            }
        }
        return seen
    }

    @Test func framesComeInOrderAndALostRelayIsTold() throws {
        var created = WireIOFrame()
        created.created.job = 1
        var output = WireIOFrame()
        output.output.rank = 3
        let (session, other, _) = try relay([created, output])
        close(other)
        let seen = try collect(session)
        #expect(seen.prefix(2) == ["created", "output 3"])
        #expect(seen.count == 3 && seen[2].hasPrefix("lost relay: "))
    }

    @Test func aRefusalEndsTheSession() throws {
        var refused = WireIOFrame()
        refused.refused.message = "no"
        let (session, other, _) = try relay([refused])
        defer { close(other) }
        #expect(try collect(session) == ["refused no"])
    }
}
