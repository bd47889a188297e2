internal import Synchronization

/// The peer's certificate: set during the TLS handshake, read once it is over.
final class PeerFingerprint: Sendable {
    private let bytes = Mutex<[UInt8]>([])
    func set(_ fingerprint: [UInt8]) { bytes.withLock { $0 = fingerprint } }
    var current: [UInt8] { bytes.withLock { $0 } }
}

enum LinkLimits {
    /// Largest message of a node link, in bytes.
    static let message = 64 << 20
    /// Most that may wait to be taken by the other side.
    static let outbound = 64 << 20
    /// Silence longer than this many heartbeats ends a link.
    static let silentHeartbeats = 3
}
