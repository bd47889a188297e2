internal import ArgosySystem
internal import ArgosyWire
internal import SwiftProtobuf

/// Opens and makes the credentials of a TCP command connection. Blocks.
struct CommandSigning {
    private let configuration: CommandServerConfiguration
    private let nonce: [UInt8]

    init(_ configuration: CommandServerConfiguration, nonce: [UInt8]) {
        self.configuration = configuration
        self.nonce = nonce
    }

    private func claims(over message: [UInt8]) -> WireCredential {
        var claims = WireCredential()
        claims.cluster = configuration.cluster
        claims.term = configuration.term
        claims.nonce = .init(nonce)
        claims.digest = .init(SHA256.hash(message))
        return claims
    }

    /// The message and who signed it. Throws `LinkRefusal`, or what MUNGE says.
    func open(_ body: [UInt8], origin: String) throws -> (message: [UInt8], peer: CommandPeer) {
        guard let signed = try? WireSigned(serializedBytes: body) else {
            throw LinkRefusal("the request is not signed")
        }
        let message = Array(signed.message)
        let vouched = try configuration.authenticator.open(signed.credential)
        guard let claimed = try? WireCredential(serializedBytes: vouched.payload) else {
            throw LinkRefusal("the credential holds no claims")
        }
        guard claimed.cluster == configuration.cluster else {
            throw LinkRefusal("the credential is for cluster \(claimed.cluster), this is \(configuration.cluster)")
        }
        guard claimed == claims(over: message) else { throw LinkRefusal("the credential is not for this request") }
        return (message, CommandPeer(uid: vouched.uid, gid: vouched.gid, origin: origin))
    }

    func sign(_ message: [UInt8]) throws -> [UInt8] {
        var signed = WireSigned()
        signed.message = .init(message)
        signed.credential = try configuration.authenticator.seal(
            try claims(over: message).serializedBytes(), readableBy: nil)
        return try signed.serializedBytes()
    }
}
