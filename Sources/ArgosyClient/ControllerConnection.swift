// One connection to the controller, by whichever way this process has.
//
// Inside a job: the relay socket named by ARGOSY_RELAY, and nothing else; who we are is the relay's business. On the
// controller's machine: its unix socket, where the kernel says who we are. Else: TCP, where each request carries a MUNGE
// credential over its digest, the controller's greeting and nonce; each reply one of SlurmUser's or root's over its own.

public import ArgosyConfig
import ArgosyDomain
import ArgosyTransport
public import ArgosyWire
import ArgosySystem
import FoundationEssentials
import Glibc
import SwiftProtobuf

public final class ControllerConnection {
    public enum Route: Equatable, Sendable {
        case relay(path: String)
        case unix(path: String)
        case tcp(host: String, port: UInt16)
    }

    public static let wireVersion: UInt32 = 1

    public let route: Route
    let connection: Connection
    private let configuration: ClusterConfiguration
    private let greeting: WireGreeting?

    /// Connects by the first way that works.
    ///
    /// - Parameter relay: the job's relay socket; `ARGOSY_RELAY` by default.
    /// - Throws: `ClientError` of kind `.unreachable` that lists what was tried.
    public static func open(
        _ configuration: ClusterConfiguration, relay: String? = environment("ARGOSY_RELAY")
    ) throws(ClientError) -> ControllerConnection {
        var tried: [String] = []
        for route in routes(configuration, relay: relay) {
            do throws(TransportError) {
                return try ControllerConnection(route: route, configuration: configuration)
            } catch { tried.append(error.message) }
        }
        throw ClientError(
            .unreachable, ClientError.connectFailure,
            detail: tried.joined(separator: "; ") + "; is argosyctld running there (scontrol ping)?")
    }

    /// The ways to the controller, best first.
    public static func routes(_ configuration: ClusterConfiguration, relay: String?) -> [Route] {
        if let relay, !relay.isEmpty { return [.relay(path: relay)] }
        var routes: [Route] = []
        if access(configuration.socketPath, F_OK) == 0 { routes.append(.unix(path: configuration.socketPath)) }
        routes += configuration.controllers.map { .tcp(host: $0.address, port: configuration.controllerPort) }
        return routes
    }

    /// A variable of this process's environment; nil when unset or empty.
    public static func environment(_ name: String) -> String? {
        guard let value = getenv(name), value.pointee != 0 else { return nil }
        return String(cString: value)
    }

    init(route: Route, configuration: ClusterConfiguration) throws(TransportError) {
        self.route = route
        self.configuration = configuration
        switch route {
        case .relay(let path), .unix(let path):
            connection = try .connect(unix: path)
            greeting = nil
        case .tcp(let host, let port):
            connection = try .connect(host: host, port: port)
            guard let bytes = try connection.receive(timeout: .seconds(10)),
                let greeting = try? WireGreeting(serializedBytes: bytes)
            else { throw TransportError(.protocol, "\(host) port \(port) is no controller: it did not greet") }
            self.greeting = greeting
        }
    }

    /// Asks and waits for the answer.
    ///
    /// - Parameter timeout: how long to wait for it; nil: for ever.
    /// - Throws: `Refusal` when the controller refuses, `ClientError` when it could not be asked or answered nonsense.
    public func call(_ request: WireRequest, timeout: Duration? = .seconds(60)) throws -> WireReply {
        try send(request)
        return try receive(timeout: timeout)
    }

    /// Sends a request without waiting; `receive` gets the answers, in the order of the requests.
    public func send(_ request: WireRequest) throws(ClientError) {
        var request = request
        request.version = Self.wireVersion
        do {
            let bytes: [UInt8] = try request.serializedBytes()
            try connection.send(wrap(bytes))
        } catch let error as TransportError where error.kind == .munge {
            throw ClientError(.authentication, "Authentication credential creation failed", detail: error.message)
        } catch { throw ClientError(.lostReply, ClientError.receiveFailure, detail: "\(error)") }
    }

    /// The next answer. Throws as `call`.
    public func receive(timeout: Duration? = nil) throws -> WireReply {
        let reply: WireReply
        do {
            guard let bytes = try connection.receive(timeout: timeout) else {
                throw ClientError(
                    .lostReply, ClientError.receiveFailure, detail: "the controller closed the connection")
            }
            reply = try WireReply(serializedBytes: try unwrap(bytes))
        } catch let error as TransportError {
            throw ClientError(.lostReply, ClientError.receiveFailure, detail: error.message)
        } catch let error as ClientError { throw error } catch {
            throw ClientError(.protocol, "Invalid reply of the controller", detail: "\(error)")
        }
        if case .refusal(let refused)? = reply.body { throw refusal(refused) }
        return reply
    }

    /// To poll together with other descriptors; readable: `receive` will not wait long.
    public var descriptor: Int32 { connection.descriptor }

    /// By the relay the connection carries one call that names its kind; by TCP, signed ones.
    private func wrap(_ message: [UInt8]) throws -> [UInt8] {
        switch route {
        case .unix: return message
        case .relay:
            var call = WireRelayCall()
            call.request = Data(message)
            return try call.serializedBytes()
        case .tcp:
            var signed = WireSigned()
            signed.message = Data(message)
            signed.credential = try munge.encode(claims(over: message).serializedBytes())
            return try signed.serializedBytes()
        }
    }

    private func unwrap(_ bytes: [UInt8]) throws -> [UInt8] {
        guard case .tcp = route else { return bytes }
        let signed = try WireSigned(serializedBytes: bytes)
        let message = Array(signed.message)
        let decoded: Munge.Decoded
        do throws(TransportError) { decoded = try munge.decode(signed.credential) } catch {
            throw ClientError(.authentication, "Authentication of the controller's reply failed", detail: error.message)
        }
        let expected: [UInt8] = try claims(over: message).serializedBytes()
        guard decoded.payload == expected else {
            throw ClientError(
                .authentication, "Authentication of the controller's reply failed",
                detail: "its credential is not for this reply")
        }
        guard decoded.uid == 0 || decoded.uid == slurmUser else {
            throw ClientError(
                .authentication, "Authentication of the controller's reply failed",
                detail: "it was signed by uid \(decoded.uid), not by SlurmUser=\(configuration.slurmUser)")
        }
        return message
    }

    private var munge: Munge { Munge(socket: configuration.mungeSocket) }

    private var slurmUser: UInt32? {
        UInt32(configuration.slurmUser) ?? PasswordFile.uid(of: configuration.slurmUser)
    }

    private func claims(over message: [UInt8]) -> WireCredential {
        var claims = WireCredential()
        claims.cluster = greeting?.cluster ?? ""
        claims.term = greeting?.term ?? 0
        claims.nonce = greeting?.nonce ?? Data()
        claims.digest = Data(SHA256.hash(message))
        return claims
    }
}
