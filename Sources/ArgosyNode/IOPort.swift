internal import ArgosyDomain
internal import ArgosySystem
internal import ArgosyTransport
internal import ArgosyWire
internal import Glibc
internal import Logging

/// The node's one port: srun (or a relay on another node) connects, proves whom it speaks for, and names a step.
///
/// A plain thread accepts, another one reads each hello, within limits of size, time and number. What is believed is
/// MUNGE's word for the uid; whether that uid may have the step is decided by the daemon's thread, which knows the job.
final class IOPort: Sendable {
    /// A connection whose hello was read.
    struct Client: Sendable {
        var socket: Descriptor
        var uid: UInt32
        var id: AttemptID
        var step: StepID

        /// Says why not, and closes.
        func refuse(_ why: String) {
            var welcome = WireIOWelcome()
            welcome.refusal = why
            if let bytes: [UInt8] = try? welcome.serializedBytes() {
                let frame = Frame.encode(bytes)
                _ = Glibc.send(socket.raw, frame, frame.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
            }
            socket.close()
        }
    }

    private let context: NodeContext
    private let listener: Descriptor
    private let mailbox: Mailbox<NodeEvent>
    private let logger: Logger
    private let limit = CountLimit(64)
    private static let helloLimit = 64 << 10
    private static let patience = Duration.seconds(10)

    /// Throws when the port is taken.
    init(context: NodeContext, mailbox: Mailbox<NodeEvent>, logger: Logger) throws(SystemError) {
        self.context = context
        self.mailbox = mailbox
        self.logger = logger
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw SystemError("socket", code: errno) }
        listener = Descriptor(adopting: descriptor)
        var one: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = context.ioPort.bigEndian
        if !context.ioAddress.isEmpty, inet_pton(AF_INET, context.ioAddress, &address.sin_addr) != 1 {
            throw SystemError("bind", "NoInAddrAny needs a numeric NodeAddr, not \(context.ioAddress)", code: EINVAL)
        }
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard bound == 0 else { throw SystemError("bind", "port \(context.ioPort)", code: errno) }
        guard listen(descriptor, 128) == 0 else { throw SystemError("listen", "port \(context.ioPort)", code: errno) }
    }

    func start() { detachThread { self.serve() } }

    private func serve() {
        while true {
            let socket = accept(listener.raw, nil, nil)
            guard socket >= 0 else {
                if errno == EINTR || errno == ECONNABORTED { continue }
                if errno == EBADF || errno == EINVAL { return }
                logger.error("I/O port", metadata: ["why": "\(String(cString: strerror(errno)))"])
                sleep(1)
                continue
            }
            _ = fcntl(socket, F_SETFD, FD_CLOEXEC)
            var one: Int32 = 1
            setsockopt(socket, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
            setsockopt(socket, SOL_SOCKET, SO_KEEPALIVE, &one, socklen_t(MemoryLayout<Int32>.size))
            let connection = Descriptor(adopting: socket)
            guard limit.enter() else { continue }  // Closed: too many strangers at once.
            detachThread {
                self.greet(connection)
                self.limit.leave()
            }
        }
    }

    private func greet(_ socket: Descriptor) {
        do {
            let client = try readHello(socket)
            mailbox.post(.ioConnection(client))
        } catch {
            logger.warning("a connection to the I/O port was refused", metadata: ["why": "\(error)"])
            Client(socket: socket, uid: 0, id: AttemptID(0, 0), step: StepID(0)).refuse("\(error)")
        }
    }

    private func readHello(_ socket: Descriptor) throws -> Client {
        // A connection of its own number, because it closes what it is given.
        let connection = Connection(adopting: dup(socket.raw))
        guard let body = try connection.receive(limit: Self.helloLimit, timeout: Self.patience) else {
            throw TransportError(.closed, "no hello came")
        }
        let hello = try WireIOHello(serializedBytes: body)
        let decoded = try context.munge.decode(hello.credential)
        let claims = try WireIOClaims(serializedBytes: decoded.payload)
        guard claims.cluster == context.cluster, claims.node == context.node else {
            throw TransportError(.protocol, "the credential is for node \(claims.node) of cluster \(claims.cluster)")
        }
        return Client(
            socket: socket, uid: decoded.uid, id: AttemptID(claims.job, claims.attempt), step: StepID(claims.step))
    }
}
