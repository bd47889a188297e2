/// An association's number: given once, from 1, which is the root account's.
public struct AssociationID: RawRepresentable, Hashable, Comparable, Sendable, CustomStringConvertible {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    public init(_ rawValue: UInt32) { self.rawValue = rawValue }
    /// The root account's: parent of all, in every cluster.
    public static let root = AssociationID(1)
    public static func < (a: AssociationID, b: AssociationID) -> Bool { a.rawValue < b.rawValue }
    public var description: String { String(rawValue) }
}

/// What part of its level an association has a right to.
public enum FairShares: Hashable, Sendable {
    case count(UInt32)
    /// `FairShare=parent`: the parent's shares are used; it has none of its own.
    case parent
    /// As sacctmgr and sshare show it.
    public var text: String {
        switch self {
        case .count(let count): String(count)
        case .parent: "parent"
        }
    }
    /// A number, or `parent` in any case.
    public init?(text: String) {
        if text.lowercased() == "parent" {
            self = .parent
        } else if let count = UInt32(text), count < 0x7fff_ffff {
            self = .count(count)
        } else {
            return nil
        }
    }
}

/// The limits an association sets for itself (Grp...) and for each job or user below it (Max...). Nil, and a TRES that
/// is not named: not set here, so that of the next association up counts.
public struct AssociationLimits: Hashable, Sendable {
    public var grpJobs: UInt32?
    public var grpJobsAccrue: UInt32?
    public var grpSubmitJobs: UInt32?
    public var grpTRES = TRESCounts()
    /// TRES-minutes ever used (decayed) and running.
    public var grpTRESMins = TRESCounts()
    /// TRES-minutes that running jobs may still use.
    public var grpTRESRunMins = TRESCounts()
    /// Minutes of wall time, summed over jobs, decayed.
    public var grpWall: UInt32?
    public var maxJobs: UInt32?
    public var maxJobsAccrue: UInt32?
    public var maxSubmitJobs: UInt32?
    public var maxTRESPerJob = TRESCounts()
    public var maxTRESPerNode = TRESCounts()
    public var maxTRESMinsPerJob = TRESCounts()
    public var maxWallDurationPerJob: TimeLimit?
    public var minPrioThresh: UInt32?
    public init() {}
}

/// A user's (or an account's) place in the tree of accounts: with it shares, limits and the QOS it may use.
public struct Association: Hashable, Sendable {
    public var id: AssociationID
    /// Nil only for the root account's.
    public var parent: AssociationID?
    public var account: String
    /// Empty: the account itself.
    public var user: String
    /// Empty: for all partitions that no other association of this user and account names.
    public var partition: String
    public var shares: FairShares
    public var limits: AssociationLimits
    /// Nil: the next one up says, and at last `normal`.
    public var defaultQOS: QOSID?
    /// What it may use, sorted; nil: as its parent. Changes of the form +name and -name are resolved before.
    public var qos: [QOSID]?
    /// For PriorityWeightAssoc; nil: as its parent, at last 0.
    public var priority: UInt32?
    /// The one of a user's accounts that jobs without --account go to.
    public var isDefault: Bool
    public var comment: String
    /// When it was added, or moved under its parent: listings show the children of one parent newest first, as Slurm's tree has them.
    public var created = Timestamp.unset
    public init(id: AssociationID, parent: AssociationID?, account: String, user: String = "", partition: String = "") {
        self.id = id
        self.parent = parent
        self.account = account
        self.user = user
        self.partition = partition
        shares = .count(1)
        limits = AssociationLimits()
        isDefault = false
        comment = ""
    }
    public var isUser: Bool { !user.isEmpty }
}
