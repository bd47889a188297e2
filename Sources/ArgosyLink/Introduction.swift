// Who is at the other end of a node link.
//
// TLS with throw-away certificates keeps a connection to whoever began it, and says nothing about who that is. So each
// side seals, readable by the other's uid only, what it claims to be and which certificate is its own; the other opens
// it and compares with the certificate it sees on this very connection. A man in the middle shows another
// certificate; a credential replayed elsewhere names the wrong one.
internal import ArgosyDomain
internal import ArgosyWire
internal import SwiftProtobuf

/// Why an introduction was not believed.
public struct LinkRefusal: Error, Sendable, Equatable, CustomStringConvertible {
    public let why: String
    public init(_ why: String) { self.why = why }
    public var description: String { why }
}

enum Introduction {
    static let version: UInt32 = 1
    static let controllerRole = "controller"
    static let nodeRole = "node"

    /// Sealed claims as the body of an Introduction frame. Throws what the authenticator throws.
    static func make(_ claims: WireIntroductionClaims, readableBy uid: UInt32, by authenticator: any Authenticator)
        throws -> [UInt8]
    {
        var introduction = WireIntroduction()
        introduction.version = version
        introduction.credential = try authenticator.seal(try claims.serializedBytes(), readableBy: uid)
        return try introduction.serializedBytes()
    }

    struct Expectation: Sendable {
        var role: String
        var cluster: String
        var uid: UInt32
        /// Of the certificate seen on this connection.
        var fingerprint: [UInt8]
    }

    /// The claims of an Introduction frame, when all that `expected` says is so. Throws `LinkRefusal`.
    static func check(_ body: [UInt8], _ expected: Expectation, by authenticator: any Authenticator) throws(LinkRefusal)
        -> WireIntroductionClaims
    {
        guard let introduction = try? WireIntroduction(serializedBytes: body) else {
            throw LinkRefusal("its introduction cannot be read")
        }
        guard introduction.version == version else {
            throw LinkRefusal("it introduces itself in version \(introduction.version), this side knows \(version)")
        }
        let vouched: Vouched
        do { vouched = try authenticator.open(introduction.credential) } catch { throw LinkRefusal("\(error)") }
        guard let claims = try? WireIntroductionClaims(serializedBytes: vouched.payload) else {
            throw LinkRefusal("its claims cannot be read")
        }
        guard vouched.uid == expected.uid else {
            throw LinkRefusal("it runs as uid \(vouched.uid), a \(expected.role) must run as uid \(expected.uid)")
        }
        guard claims.role == expected.role else {
            throw LinkRefusal("it says it is a \(claims.role), not a \(expected.role)")
        }
        guard claims.cluster == expected.cluster else {
            throw LinkRefusal("it is of cluster \(claims.cluster), this is cluster \(expected.cluster)")
        }
        guard claims.nonce.count >= 16 else { throw LinkRefusal("its nonce is too short") }
        guard !expected.fingerprint.isEmpty, Array(claims.fingerprint) == expected.fingerprint else {
            throw LinkRefusal("its certificate is not the one it vouched for")
        }
        return claims
    }
}

/// Nonces seen lately; each may be used once. Bounded: the oldest are forgotten, MUNGE's own expiry covers those.
struct NonceMemory: Sendable {
    static let limit = 4096
    private var order: [[UInt8]] = []
    private var known: Set<[UInt8]> = []
    private var next = 0

    /// True the first time.
    mutating func use(_ nonce: [UInt8]) -> Bool {
        guard known.insert(nonce).inserted else { return false }
        if order.count < Self.limit {
            order.append(nonce)
        } else {
            known.remove(order[next])
            order[next] = nonce
            next = (next + 1) % Self.limit
        }
        return true
    }
}

func randomNonce() -> [UInt8] {
    var generator = SystemRandomNumberGenerator()
    return (0..<16).map { _ in UInt8.random(in: 0...255, using: &generator) }
}
