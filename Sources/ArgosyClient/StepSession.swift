// The stdio, signals and endings of one step, over connections to its nodes or over the job's relay.
//
// Two users: srun (outside a job directly to the nodes' I/O ports, inside one by the relay) and the relay itself, which
// holds a direct session for each srun inside. Single-threaded: the owner calls `pump` with whatever else it polls.
//
//     let session = try StepSession.direct(created, munge: munge)
//     while !session.isFinished { try session.pump(also: [], timeout: nil) { event in ... } }
//
// A node's last frame is `finished`; an end of its connection before that is `lost`.

import ArgosyDomain
public import ArgosyTransport
public import ArgosyWire
import FoundationEssentials
import Glibc
import SwiftProtobuf

public final class StepSession {
    public enum Event {
        /// From node `node` (its place in the step's layout; 0 by the relay, whose frames name their node).
        case frame(WireIOFrame, node: Int)
        /// The connection of `node` ended before its `finished` frame, or could not be made.
        case lost(node: Int, why: String)
    }

    /// Another descriptor to wait for beside the session's own.
    public struct Watch {
        public var descriptor: Int32
        /// POLLIN, POLLOUT; 0 to leave it out.
        public var events: Int16
        public init(descriptor: Int32, events: Int16) {
            self.descriptor = descriptor
            self.events = events
        }
    }

    private struct Peer {
        var name: String
        var stream: FrameStream?
        var welcomed: Bool
        var finished = false
        /// Told at the next pump.
        var failure: String?
    }

    private var peers: [Peer] = []
    private let relayed: Bool
    /// False: leave what the nodes send in their sockets (the consumer is behind).
    public var isReading = true

    private init(relayed: Bool) { self.relayed = relayed }

    /// Opens the I/O connections to all nodes of a step. A node that cannot be reached is told as `lost`.
    ///
    /// - Parameters:
    ///   - munge: makes the credential that names the step; readable by root only.
    /// - Throws: `TransportError` of kind `.munge`.
    public static func direct(_ step: WireStepCreated, munge: Munge) throws -> StepSession {
        let session = StepSession(relayed: false)
        for node in step.layout.nodes { session.peers.append(try connect(node, step, munge)) }
        return session
    }

    private static func connect(_ node: WireAllocatedNode, _ step: WireStepCreated, _ munge: Munge) throws -> Peer {
        var claims = WireIOClaims()
        claims.cluster = step.cluster
        claims.node = node.name
        claims.job = step.job
        claims.attempt = step.attempt
        claims.step = step.step
        var hello = WireIOHello()
        hello.version = ControllerConnection.wireVersion
        hello.credential = try munge.encode(claims.serializedBytes(), restrictedTo: 0)
        let bytes: [UInt8] = try hello.serializedBytes()
        do throws(TransportError) {
            let connection = try Connection.connect(host: node.address, port: UInt16(truncatingIfNeeded: node.ioPort))
            let stream = FrameStream(connection)
            try stream.send(bytes)
            return Peer(name: node.name, stream: stream, welcomed: false)
        } catch {
            return Peer(name: node.name, stream: nil, welcomed: false, failure: error.message)
        }
    }

    /// Asks the job's relay for a step. The first frame is `created`, or `refused` and the end.
    ///
    /// - Throws: `ClientError` when the relay is away.
    public static func throughRelay(_ path: String, _ request: WireRequest) throws -> StepSession {
        let session = StepSession(relayed: true)
        var request = request
        request.version = ControllerConnection.wireVersion
        var call = WireRelayCall()
        call.request = Data(try request.serializedBytes() as [UInt8])
        do {
            let connection = try Connection.connect(unix: path)
            try connection.send(call.serializedBytes())
            session.peers = [Peer(name: "relay", stream: FrameStream(connection), welcomed: true)]
            return session
        } catch let error as TransportError {
            throw ClientError(
                .unreachable, ClientError.connectFailure,
                detail: "\(error.message); the job's relay is started by its node's argosyd, which may be restarting")
        }
    }

    public var isFinished: Bool { peers.allSatisfy { $0.finished } }

    /// All nodes can take more input; else stop reading what feeds them.
    public var hasRoom: Bool { peers.allSatisfy { $0.stream?.hasRoom ?? true } }

    /// Sends to one node, or to all that are not finished. A failed connection shows up as `lost` in the next pump.
    public func send(_ frame: WireIOFrame, to node: Int? = nil) throws {
        let bytes: [UInt8] = try frame.serializedBytes()
        for index in peers.indices where (node ?? index) == index && !peers[index].finished {
            do throws(TransportError) { try peers[index].stream?.send(bytes) } catch {
                if peers[index].failure == nil { peers[index].failure = error.message }
            }
        }
    }

    /// Ends all connections; the step's daemons see the client as gone.
    public func close() {
        for index in peers.indices {
            peers[index].stream = nil
            peers[index].finished = true
        }
    }

    /// Waits until something happens or `timeout` passes, moves bytes, hands over what came.
    ///
    /// - Parameters:
    ///   - also: other descriptors; the result holds their poll(2) answers in the same order.
    ///   - timeout: nil: for ever.
    public func pump(also: [Watch], timeout: Duration?, _ handle: (Event) throws -> Void) throws -> [Int16] {
        let failed = try tellFailures(handle)
        var entries = also.map { pollfd(fd: $0.events == 0 ? -1 : $0.descriptor, events: $0.events, revents: 0) }
        let live = peers.indices.filter { !peers[$0].finished && peers[$0].stream != nil }
        for index in live {
            guard let stream = peers[index].stream else { continue }
            entries.append(pollfd(fd: stream.descriptor, events: stream.interest(reading: isReading), revents: 0))
        }
        let wait = failed ? 0 : timeout.map { Int32(clamping: $0.microseconds / 1000) } ?? -1
        if poll(&entries, nfds_t(entries.count), wait) < 0 {
            return also.map { _ in 0 }  // a signal: the owner looks at its flags
        }
        for (place, index) in live.enumerated() { try serve(index, entries[also.count + place].revents, handle) }
        return entries[..<also.count].map(\.revents)
    }

    private func tellFailures(_ handle: (Event) throws -> Void) throws -> Bool {
        var told = false
        for index in peers.indices where !peers[index].finished {
            guard let failure = peers[index].failure else { continue }
            peers[index].finished = true
            peers[index].stream = nil
            told = true
            try handle(.lost(node: index, why: "\(peers[index].name): \(failure)"))
        }
        return told
    }

    private func serve(_ index: Int, _ events: Int16, _ handle: (Event) throws -> Void) throws {
        guard events != 0, let stream = peers[index].stream else { return }
        do {
            if events & Int16(POLLOUT) != 0 { try stream.flush() }
            let readable = events & Int16(POLLIN | POLLHUP | POLLERR) != 0
            guard readable, isReading || events & Int16(POLLERR) != 0 else { return }
            for frame in try stream.receive() { try take(frame, from: index, handle) }
            if stream.ended, !peers[index].finished, peers[index].failure == nil {
                peers[index].failure = "the connection ended before the step did"
            }
        } catch let error as TransportError {
            if peers[index].failure == nil { peers[index].failure = error.message }
        }
    }

    private func take(_ bytes: [UInt8], from index: Int, _ handle: (Event) throws -> Void) throws {
        guard !peers[index].finished else { return }
        if !peers[index].welcomed {
            guard let welcome = try? WireIOWelcome(serializedBytes: bytes) else {
                throw TransportError(.protocol, "it did not answer as a node does")
            }
            guard welcome.refusal.isEmpty else { throw TransportError(.protocol, welcome.refusal) }
            peers[index].welcomed = true
            return
        }
        guard let frame = try? WireIOFrame(serializedBytes: bytes) else {
            throw TransportError(.protocol, "it sent a frame that cannot be read")
        }
        switch frame.body {
        case .finished where !relayed, .refused: peers[index].finished = true
        default: break
        }
        try handle(.frame(frame, node: index))
        if peers[index].finished { peers[index].stream = nil }
    }

    /// By the relay: the owner has counted a `finished` of every node, so the end of the connection is no loss.
    public func finish() {
        for index in peers.indices {
            peers[index].finished = true
            peers[index].stream = nil
        }
    }
}
