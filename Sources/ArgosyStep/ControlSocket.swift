internal import ArgosySystem
internal import Glibc

/// `StepMessage`s over a SEQPACKET socket; shared by argosyd, step daemons and their children.
public enum ControlSocket {
    /// The next message with the descriptor that came beside it (the caller closes it); nil when the other side is
    /// gone or says something else.
    public static func receive(from socket: Int32) -> (StepMessage, Int32?)? {
        guard let packet = try? UnixSocket.receive(socket, max: StepMessage.size),
            let message = StepMessage(packet.bytes)
        else { return nil }
        return (message, packet.descriptors.first?.release())
    }

    /// False when the other side is gone. `descriptor` stays open here.
    public static func send(_ message: StepMessage, to socket: Int32, descriptor: Int32? = nil) -> Bool {
        (try? UnixSocket.send(socket, message.bytes, descriptors: descriptor.map { [$0] } ?? [])) != nil
    }
}
