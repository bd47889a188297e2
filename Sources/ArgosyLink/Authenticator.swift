public import ArgosyTransport

/// Says who made a message: MUNGE in life, a stand-in in tests. Both calls may block for a moment.
public protocol Authenticator: Sendable {
    /// A credential over `payload` that only `uid` can open (nil: anyone). Throws when it cannot be made.
    func seal(_ payload: [UInt8], readableBy uid: UInt32?) throws -> String
    /// What a credential holds and who made it. Throws when it is forged, stale, used before or meant for another.
    func open(_ credential: String) throws -> Vouched
}

/// A payload and the user who vouched for it.
public struct Vouched: Sendable, Equatable {
    public var payload: [UInt8]
    public var uid: UInt32
    public var gid: UInt32
    public init(payload: [UInt8], uid: UInt32, gid: UInt32) {
        self.payload = payload
        self.uid = uid
        self.gid = gid
    }
}

public struct MungeAuthenticator: Authenticator {
    private let munge: Munge
    public init(_ munge: Munge) { self.munge = munge }
    public func seal(_ payload: [UInt8], readableBy uid: UInt32?) throws -> String {
        try munge.encode(payload, restrictedTo: uid)
    }
    public func open(_ credential: String) throws -> Vouched {
        let decoded = try munge.decode(credential)
        return Vouched(payload: decoded.payload, uid: decoded.uid, gid: decoded.gid)
    }
}
