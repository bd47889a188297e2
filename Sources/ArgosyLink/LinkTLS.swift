internal import ArgosySystem
internal import NIOCore
internal import NIOSSL

/// One life's TLS identity: a throw-away certificate, and contexts that speak TLS 1.3 only, ask the other side for its
/// certificate and leave judging it to the introductions.
struct LinkTLS: Sendable {
    let fingerprint: [UInt8]
    private let context: NIOSSLContext

    enum Side { case client, server }

    /// Throws when libcrypto cannot make a certificate.
    init(_ side: Side) throws {
        let made = try SelfSigned.make()
        let certificate = try NIOSSLCertificate(bytes: Array(made.certificatePEM.utf8), format: .pem)
        let key = try NIOSSLPrivateKey(bytes: Array(made.keyPEM.utf8), format: .pem)
        fingerprint = SHA256.hash(try certificate.toDERBytes())
        var configuration =
            switch side {
            case .client: TLSConfiguration.makeClientConfiguration()
            case .server:
                TLSConfiguration.makeServerConfiguration(
                    certificateChain: [.certificate(certificate)], privateKey: .privateKey(key))
            }
        configuration.certificateChain = [.certificate(certificate)]
        configuration.privateKey = .privateKey(key)
        configuration.minimumTLSVersion = .tlsv13
        configuration.certificateVerification = .noHostnameVerification
        configuration.trustRoots = .certificates([])
        context = try NIOSSLContext(configuration: configuration)
    }

    /// The handler for one connection; `onPeer` gets the SHA-256 of the peer's certificate during the handshake.
    func serverHandler(onPeer: @escaping @Sendable ([UInt8]) -> Void) -> NIOSSLServerHandler {
        NIOSSLServerHandler(context: context) { Self.record($0, $1, onPeer) }
    }

    func clientHandler(onPeer: @escaping @Sendable ([UInt8]) -> Void) throws -> NIOSSLClientHandler {
        try NIOSSLClientHandler(context: context, serverHostname: nil) { Self.record($0, $1, onPeer) }
    }

    private static func record(
        _ chain: [NIOSSLCertificate], _ promise: EventLoopPromise<NIOSSLVerificationResult>,
        _ onPeer: ([UInt8]) -> Void
    ) {
        guard let leaf = chain.first, let bytes = try? leaf.toDERBytes() else {
            promise.succeed(.failed)
            return
        }
        onPeer(SHA256.hash(bytes))
        promise.succeed(.certificateVerified)
    }
}
