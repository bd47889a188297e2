internal import CMunge
internal import Glibc

/// Credentials by MUNGE: they say who made them, on which address, and reveal their payload to one uid only if asked.
/// Each call talks to munged and blocks for about 0.1 ms; keep it off event loops.
public struct Munge: Sendable {
    /// munged's socket; empty for the system's.
    public let socket: String

    public init(socket: String = "") { self.socket = socket }

    public struct Decoded: Sendable {
        public var payload: [UInt8]
        public var uid: UInt32
        public var gid: UInt32
        /// IPv4 address of the host it was made on, dotted.
        public var address: String
    }

    /// A credential of this process's uid over `payload`. `restrictedTo`: only that uid (and no other, root included)
    /// can decode it. Throws `.munge` with what munged says.
    public func encode(_ payload: [UInt8], restrictedTo uid: UInt32? = nil) throws(TransportError) -> String {
        let context = try makeContext()
        defer { munge_ctx_destroy(context) }
        if let uid, argosy_munge_set_uid(context, uid) != EMUNGE_SUCCESS { throw failure(context, EMUNGE_SNAFU) }
        var credential: UnsafeMutablePointer<CChar>?
        let status = payload.withUnsafeBytes { munge_encode(&credential, context, $0.baseAddress, Int32($0.count)) }
        defer { free(credential) }
        guard status == EMUNGE_SUCCESS, let credential else { throw failure(context, status) }
        return String(cString: credential)
    }

    /// What a credential holds. Each can be decoded once on a host. Throws `.munge` when it is forged, stale, replayed,
    /// meant for another uid, or munged is away.
    public func decode(_ credential: String) throws(TransportError) -> Decoded {
        let context = try makeContext()
        defer { munge_ctx_destroy(context) }
        var buffer: UnsafeMutableRawPointer?
        var size: Int32 = 0
        var uid: uid_t = 0
        var gid: gid_t = 0
        let status = munge_decode(credential, context, &buffer, &size, &uid, &gid)
        defer { free(buffer) }
        guard status == EMUNGE_SUCCESS else { throw failure(context, status) }
        let payload = Array(UnsafeRawBufferPointer(start: buffer, count: buffer == nil ? 0 : Int(size)))
        return Decoded(payload: payload, uid: uid, gid: gid, address: address(of: context))
    }

    private func makeContext() throws(TransportError) -> munge_ctx_t {
        guard let context = munge_ctx_create() else { throw TransportError(.munge, "munge: out of memory") }
        if !socket.isEmpty { _ = argosy_munge_set_socket(context, socket) }
        return context
    }

    private func failure(_ context: munge_ctx_t, _ status: munge_err_t) -> TransportError {
        let text = munge_ctx_strerror(context) ?? munge_strerror(status)
        let message = text.map { String(cString: $0) } ?? "unknown error"
        return TransportError(.munge, "munge: \(message); is munged running and its socket reachable?")
    }

    private func address(of context: munge_ctx_t) -> String {
        var address: UInt32 = 0
        guard argosy_munge_get_address(context, &address) == EMUNGE_SUCCESS else { return "" }
        let value = UInt32(bigEndian: address)
        return "\(value >> 24).\(value >> 16 & 255).\(value >> 8 & 255).\(value & 255)"
    }
}
