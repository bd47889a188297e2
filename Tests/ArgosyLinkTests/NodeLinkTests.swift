import ArgosyLink
import ArgosyWire
import Glibc
import Logging
import Synchronization
import Testing

@Suite struct NodeLinkTests {
    @Test func `a node and its controller believe each other and talk`() throws {
        let pair = try LinkPair()
        #expect(pair.until { $0.term == 7 })
        pair.node.send(.with { $0.register.node = "n1" })
        #expect(pair.until { $0.atController.contains { $0.register.node == "n1" } })
        pair.send(.with { $0.ack.sequence = 5 })
        #expect(pair.until { $0.atNode.contains { $0.ack.sequence == 5 } })
        #expect(pair.until { $0.atController.contains { if case .heartbeat? = $0.body { true } else { false } } })
    }

    @Test func `a node dials again when its link is cut`() throws {
        let pair = try LinkPair()
        #expect(pair.until { $0.opened == 1 })
        pair.cut()
        #expect(pair.until { $0.opened == 2 })
    }

    @Test(arguments: [
        ("another cluster", "is of cluster other"), ("another name", "not configured"),
        ("another uid", "must run as uid 0"), ("another address", "NodeAddr 192.0.2.1"),
    ]) func `who is not believed is told why`(_ what: String, _ why: String) throws {
        let pair = try LinkPair(fault: what)
        #expect(pair.until { state in state.disconnects.contains { $0.contains(why) } }, "\(pair.facts.disconnects)")
        #expect(pair.facts.opened == 0)
    }

    @Test func `a controller of another user is not obeyed`() throws {
        let pair = try LinkPair(fault: "another controller")
        #expect(pair.until { $0.disconnects.contains { $0.contains("not who it should be") } })
        #expect(pair.facts.term == 0)
    }

    @Test func `a controller of an older term is not obeyed`() throws {
        let pair = try LinkPair(fault: "older term")
        #expect(pair.until { $0.disconnects.contains { $0.contains("term 7 is over") } })
    }
}

/// A server and a client on loopback, and what both saw.
final class LinkPair: Sendable {
    struct Facts: Sendable {
        var term: UInt64 = 0
        var opened = 0
        var link: NodeLink?
        var atController: [WireNodeToController] = []
        var atNode: [WireControllerToNode] = []
        var disconnects: [String] = []
    }
    private final class Shared: Sendable { let facts = Mutex(Facts()) }
    private let shared: Shared
    private let server: CommandServer
    let node: NodeLinkClient
    var facts: Facts { shared.facts.withLock { $0 } }

    init(fault: String = "") throws {
        let shared = Shared()
        self.shared = shared
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let controllerUID: UInt32 = fault == "another controller" ? 1234 : 0
        var links = NodeLinkServerConfiguration(
            cluster: "test", term: 7, authenticator: TestAuthenticator(uid: controllerUID),
            addressOf: { $0 == "n1" ? (fault == "another address" ? "192.0.2.1" : "127.0.0.1") : nil })
        links.heartbeat = .milliseconds(200)
        server = try CommandServer(
            CommandServerConfiguration(cluster: "test", term: 7, authenticator: TestAuthenticator()),
            service: NoService(), logger: logger, nodes: links
        ) { event in
            shared.facts.withLock { facts in
                switch event {
                case .opened(let link):
                    facts.opened += 1
                    facts.link = link
                case .received(_, let frame): facts.atController.append(frame)
                case .closed, .refused: break
                }
            }
        }
        let port = try server.listen(host: "127.0.0.1", port: 0)
        var configuration = NodeLinkConfiguration(
            cluster: fault == "another cluster" ? "other" : "test", node: fault == "another name" ? "n9" : "n1",
            controllers: [.init(host: "127.0.0.1", port: port)],
            authenticator: TestAuthenticator(uid: fault == "another uid" ? 5 : 0))
        configuration.heartbeat = .milliseconds(200)
        configuration.backOff = .milliseconds(20)...(.milliseconds(100))
        node = try NodeLinkClient(configuration, highestTerm: fault == "older term" ? 8 : 0, logger: logger) { event in
            shared.facts.withLock { facts in
                switch event {
                case .connected(_, let term): facts.term = term
                case .received(let frame): facts.atNode.append(frame)
                case .disconnected(let why): facts.disconnects.append(why)
                }
            }
        }
        node.start()
    }

    func send(_ frame: WireControllerToNode) { facts.link?.send(frame) }
    func cut() { facts.link?.close() }
    func until(_ condition: (Facts) -> Bool) -> Bool {
        for _ in 0..<2000 {
            if condition(facts) { return true }
            usleep(5000)
        }
        return condition(facts)
    }
    deinit {
        node.stop()
        server.stop()
    }
}

struct NoService: CommandService {
    func received(_ request: WireRequest, from peer: CommandPeer, reply: ReplySlot) {}
    func clientLost(_ reply: ReplySlot) {}
}

/// Stands in for MUNGE; readers are not told apart, since both ends here may be anybody.
struct TestAuthenticator: Authenticator {
    struct Refused: Error {}
    let uid: UInt32
    init(uid: UInt32 = 0) { self.uid = uid }
    func seal(_ payload: [UInt8], readableBy reader: UInt32?) throws -> String {
        "\(uid):" + payload.map { String($0) }.joined(separator: ",")
    }
    func open(_ credential: String) throws -> Vouched {
        let parts = credential.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, let maker = UInt32(parts[0]) else { throw Refused() }
        return Vouched(payload: parts[1].split(separator: ",").compactMap { UInt8($0) }, uid: maker, gid: maker)
    }
}
