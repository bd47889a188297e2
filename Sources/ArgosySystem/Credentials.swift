public import ArgosyDomain

/// The ids a process runs with.
public struct Credentials: Hashable, Sendable {
    public var uid: UInt32
    public var gid: UInt32
    /// Supplementary groups.
    public var groups: [UInt32]

    public init(uid: UInt32, gid: UInt32, groups: [UInt32] = []) {
        self.uid = uid
        self.gid = gid
        self.groups = groups
    }

    /// Those of a job's owner.
    public init(_ identity: Identity) {
        self.init(uid: identity.uid, gid: identity.gid, groups: identity.groups)
    }
}
