/// A job's number: given once, never used again, ascending in order of submission.
public struct JobID: RawRepresentable, Hashable, Comparable, Sendable, CustomStringConvertible {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    public init(_ rawValue: UInt32) { self.rawValue = rawValue }
    public static func < (a: JobID, b: JobID) -> Bool { a.rawValue < b.rawValue }
    public var description: String { String(rawValue) }
}

/// A step's number within its job; the batch script has a reserved one, as in Slurm.
public struct StepID: RawRepresentable, Hashable, Comparable, Sendable, CustomStringConvertible {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    public init(_ rawValue: UInt32) { self.rawValue = rawValue }
    /// The batch script.
    public static let batch = StepID(0xffff_fffb)
    /// The job's surroundings on a node (prolog, holder, relay).
    public static let extern = StepID(0xffff_fffc)
    public static func < (a: StepID, b: StepID) -> Bool { a.rawValue < b.rawValue }
    public var description: String {
        switch self {
        case .batch: "batch"
        case .extern: "extern"
        default: String(rawValue)
        }
    }
}

/// A node's place in the controller's table of configured nodes: dense, from 0.
public struct NodeIndex: RawRepresentable, Hashable, Comparable, Sendable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    public init(_ rawValue: Int) { self.rawValue = UInt32(rawValue) }
    public var int: Int { Int(rawValue) }
    public static func < (a: NodeIndex, b: NodeIndex) -> Bool { a.rawValue < b.rawValue }
}

/// How often a job was started before: 0 the first time. Tells orders and reports of one start from another's.
public struct Attempt: RawRepresentable, Hashable, Comparable, Sendable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    public init(_ rawValue: UInt32) { self.rawValue = rawValue }
    public static func < (a: Attempt, b: Attempt) -> Bool { a.rawValue < b.rawValue }
    public var next: Attempt { Attempt(rawValue + 1) }
}

/// A life of the controller. Grows at each start; nodes refuse orders of an older one.
public struct Term: RawRepresentable, Hashable, Comparable, Sendable {
    public let rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }
    public init(_ rawValue: UInt64) { self.rawValue = rawValue }
    public static func < (a: Term, b: Term) -> Bool { a.rawValue < b.rawValue }
}

/// A life of a node daemon's state: which boot, and which registration within it.
public struct Incarnation: Hashable, Sendable {
    public var bootID: String
    public var registration: UInt64
    public init(bootID: String, registration: UInt64) {
        self.bootID = bootID
        self.registration = registration
    }
}

/// Number of a store transaction. What a turn changed is durable when its number is.
public struct CommitNumber: RawRepresentable, Hashable, Comparable, Sendable {
    public let rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }
    public init(_ rawValue: UInt64) { self.rawValue = rawValue }
    public static func < (a: CommitNumber, b: CommitNumber) -> Bool { a.rawValue < b.rawValue }
    public var next: CommitNumber { CommitNumber(rawValue + 1) }
}
