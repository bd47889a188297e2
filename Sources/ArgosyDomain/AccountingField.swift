// What can be set of an association or a QOS, one number each: stored rows, the wire and sacctmgr's words go by these,
// so that a new limit is one case here and one line in a table of AccountingField+Tables.swift.

/// A new value of one field, or how to change the old one.
public enum FieldValue: Hashable, Sendable {
    public enum Mode: UInt32, CaseIterable, Sendable {
        /// `=`, `+=`, `-=`
        case set = 0, add = 1, remove = 2
    }
    /// A count for one TRES; nil takes the limit away.
    public struct TRESChange: Hashable, Sendable {
        public var id: TRESID
        public var count: UInt64?
        public init(_ id: TRESID, _ count: UInt64?) {
            self.id = id
            self.count = count
        }
    }
    /// Nil takes the value away.
    case number(UInt32?)
    case real(Double?)
    case text(String)
    /// Those not named stay as they are.
    case counts([TRESChange])
    /// Numbers of QOS.
    case list(Mode, [UInt32])
    /// Bits of `QOSFlags`.
    case flags(Mode, UInt32)
}

/// A field and what becomes of it.
public struct FieldSetting<Field: Hashable & Sendable>: Hashable, Sendable {
    public var field: Field
    public var value: FieldValue
    public init(_ field: Field, _ value: FieldValue) {
        self.field = field
        self.value = value
    }
}

/// In the order written; the later of two settings of one field wins.
public typealias AssociationChange = [FieldSetting<AssociationField>]
public typealias QOSChange = [FieldSetting<QOSField>]

/// Raw values are stored: never renumber.
public enum AssociationField: UInt32, CaseIterable, Sendable {
    case grpJobs = 1, grpJobsAccrue = 2, grpSubmitJobs = 3, grpTRES = 4, grpTRESMins = 5, grpTRESRunMins = 6
    case grpWall = 7, maxJobs = 8, maxJobsAccrue = 9, maxSubmitJobs = 10, maxTRESPerJob = 11, maxTRESPerNode = 12
    case maxTRESMinsPerJob = 13, maxWall = 14, minPrioThresh = 15
    /// `.number`; `FairShares.parentNumber` for parent.
    case shares = 16
    case priority = 17, defaultQOS = 18, qos = 19, comment = 20
}

/// Raw values are stored: never renumber.
public enum QOSField: UInt32, CaseIterable, Sendable {
    case description = 1, priority = 2, flags = 3, graceTime = 4, preempt = 5, preemptMode = 6, preemptExemptTime = 7
    case usageFactor = 8, usageThreshold = 9, limitFactor = 10
    case grpJobs = 11, grpJobsAccrue = 12, grpSubmitJobs = 13, grpTRES = 14, grpTRESMins = 15, grpTRESRunMins = 16
    case grpWall = 17, maxTRESPerJob = 18, maxTRESPerNode = 19, maxTRESMinsPerJob = 20, maxWall = 21
    case maxJobsPerUser = 22, maxJobsAccruePerUser = 23, maxSubmitJobsPerUser = 24, maxTRESPerUser = 25
    case maxTRESRunMinsPerUser = 26, maxJobsPerAccount = 27, maxJobsAccruePerAccount = 28
    case maxSubmitJobsPerAccount = 29, maxTRESPerAccount = 30, maxTRESRunMinsPerAccount = 31, minTRESPerJob = 32
    case minPrioThresh = 33
}

extension FairShares {
    /// Stands for `parent` where shares are a number; Slurm's own.
    public static let parentNumber: UInt32 = 0x7fff_ffff
    public var number: UInt32 {
        switch self {
        case .count(let count): count
        case .parent: Self.parentNumber
        }
    }
    public init(number: UInt32) { self = number == Self.parentNumber ? .parent : .count(number) }
}
