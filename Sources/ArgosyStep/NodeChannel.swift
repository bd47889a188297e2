internal import ArgosyDomain
internal import ArgosySystem
internal import ArgosyWire

/// A step daemon's line to argosyd, dialled again for as long as it takes: argosyd may be restarted under a step.
struct NodeChannel {
    private let path: String
    private let greeting: StepMessage
    private var socket: Descriptor?
    private var delay = Duration.milliseconds(100)
    /// When to dial again; nil while connected.
    private(set) var retryAt: Duration?

    init(path: String, greeting: StepMessage) {
        self.path = path
        self.greeting = greeting
    }

    /// -1 while there is no connection.
    var descriptor: Int32 { socket?.raw ?? -1 }

    /// Dials when it is time. True when a connection was made just now.
    mutating func dial(at now: Duration) -> Bool {
        guard socket == nil, now >= retryAt ?? .zero else { return false }
        if let new = try? UnixSocket.connectSequenced(path), ControlSocket.send(greeting, to: new.raw) {
            socket = new
            retryAt = nil
            delay = .milliseconds(100)
            return true
        }
        retryAt = now + delay
        delay = min(delay * 2, .seconds(2))
        return false
    }

    mutating func lose(at now: Duration) {
        socket = nil
        retryAt = now + delay
    }

    /// The next message, or nil when the line broke (it will be dialled again).
    mutating func receive(at now: Duration) -> (StepMessage, Descriptor?)? {
        guard let (message, descriptor) = ControlSocket.receive(from: self.descriptor) else {
            lose(at: now)
            return nil
        }
        return (message, descriptor.map { Descriptor(adopting: $0) })
    }

    func send(_ kind: StepMessage.Kind) {
        guard let socket else { return }
        var message = greeting
        message.kind = kind
        _ = ControlSocket.send(message, to: socket.raw)
    }
}
