// Advance reservations: nodes, CPUs of nodes, or licenses, set aside for some users for a time, once or again and again.

/// `Flags=` of a reservation. Raw values are stored: never renumber.
public struct ReservationFlags: OptionSet, Hashable, Sendable {
    public let rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }
    public static let maintenance = Self(rawValue: 1 << 0)
    public static let flex = Self(rawValue: 1 << 1)
    public static let overlap = Self(rawValue: 1 << 2)
    public static let ignoreJobs = Self(rawValue: 1 << 3)
    public static let hourly = Self(rawValue: 1 << 4)
    public static let daily = Self(rawValue: 1 << 5)
    public static let weekday = Self(rawValue: 1 << 6)
    public static let weekend = Self(rawValue: 1 << 7)
    public static let weekly = Self(rawValue: 1 << 8)
    /// The nodes were named, not chosen.
    public static let specNodes = Self(rawValue: 1 << 9)
    public static let allNodes = Self(rawValue: 1 << 10)
    public static let anyNodes = Self(rawValue: 1 << 11)
    public static let staticAlloc = Self(rawValue: 1 << 12)
    public static let partNodes = Self(rawValue: 1 << 13)
    public static let firstCores = Self(rawValue: 1 << 14)
    public static let timeFloat = Self(rawValue: 1 << 15)
    public static let replace = Self(rawValue: 1 << 16)
    public static let replaceDown = Self(rawValue: 1 << 17)
    public static let purgeWhenIdle = Self(rawValue: 1 << 18)
    public static let noHoldJobsAfter = Self(rawValue: 1 << 19)
    public static let magnetic = Self(rawValue: 1 << 20)

    /// At most one of these.
    public static let recurring: Self = [.hourly, .daily, .weekday, .weekend, .weekly]

    /// Words in the order that Slurm shows them.
    private static let words: [(Self, String)] = [
        (.maintenance, "MAINT"), (.flex, "FLEX"), (.overlap, "OVERLAP"), (.ignoreJobs, "IGNORE_JOBS"),
        (.hourly, "HOURLY"), (.daily, "DAILY"), (.weekday, "WEEKDAY"), (.weekend, "WEEKEND"), (.weekly, "WEEKLY"),
        (.specNodes, "SPEC_NODES"), (.allNodes, "ALL_NODES"), (.anyNodes, "ANY_NODES"), (.staticAlloc, "STATIC"),
        (.partNodes, "PART_NODES"), (.firstCores, "FIRST_CORES"), (.timeFloat, "TIME_FLOAT"), (.replace, "REPLACE"),
        (.replaceDown, "REPLACE_DOWN"), (.purgeWhenIdle, "PURGE_COMP"), (.noHoldJobsAfter, "NO_HOLD_JOBS_AFTER_END"),
        (.magnetic, "MAGNETIC"),
    ]
    /// Other spellings that Slurm takes.
    private static let aliases: [(String, Self)] = [
        ("LICENSE_ONLY", .anyNodes), ("STATIC_ALLOC", .staticAlloc), ("NO_HOLD_JOBS_AFTER", .noHoldJobsAfter),
        ("IGNORE_RUNNING", .ignoreJobs), ("FLOAT", .timeFloat), ("PURGE", .purgeWhenIdle),
    ]

    /// One flag by its word, in any case, or an abbreviation of at least three letters that fits one word only.
    public init?(word: some StringProtocol) {
        let wanted = word.uppercased()
        let known = Self.words.map { ($0.1, $0.0) } + Self.aliases
        if let exact = known.first(where: { $0.0 == wanted }) {
            self = exact.1
            return
        }
        let near = wanted.count < 3 ? [] : known.filter { $0.0.hasPrefix(wanted) }
        guard let first = near.first, near.allSatisfy({ $0.1 == first.1 }) else { return nil }
        self = first.1
    }

    /// As `scontrol show reservation` lists them; `purge` stands after PURGE_COMP.
    public func text(purge: String) -> String {
        Self.words.filter { contains($0.0) }
            .map { $0.0 == .purgeWhenIdle ? "PURGE_COMP=\(purge)" : $0.1 }
            .joined(separator: ",")
    }
}

/// Who may use a reservation: names allowed, or (all of them) denied.
public struct ReservationMembers: Hashable, Sendable {
    public var names: [String]
    public var areDenied: Bool
    public init(_ names: [String] = [], areDenied: Bool = false) {
        self.names = names
        self.areDenied = areDenied
    }
    public var isEmpty: Bool { names.isEmpty }

    /// `a,b`, `-a,-b`
    public var text: String { names.map { areDenied ? "-" + $0 : $0 }.joined(separator: ",") }

    /// Nil when allowed and denied names are mixed, or a name is empty.
    public init?(text: String) {
        var allowed: [String] = []
        var denied: [String] = []
        for word in text.split(separator: ",") {
            let name = word.first == "-" || word.first == "+" ? word.dropFirst() : word
            if name.isEmpty { return nil }
            if word.first == "-" { denied.append(String(name)) } else { allowed.append(String(name)) }
        }
        guard allowed.isEmpty || denied.isEmpty else { return nil }
        self.init(allowed + denied, areDenied: !denied.isEmpty)
    }

    public func permits(_ isNamed: (String) -> Bool) -> Bool {
        names.isEmpty || names.contains(where: isNamed) != areDenied
    }
}

/// How a request changes a list: `Users=a` replaces it, `Users+=a` and `Users-=a` edit it.
public enum ListEdit: Hashable, Sendable {
    case set(String)
    case add(String)
    case remove(String)
    public var text: String {
        switch self {
        case .set(let text), .add(let text), .remove(let text): text
        }
    }
}

/// `scontrol create reservation` and `update reservation`, as asked. Nil: not said.
public struct ReservationRequest: Hashable, Sendable {
    /// Empty (create only): a name is made.
    public var name = ""
    public var start: Timestamp?
    public var end: Timestamp?
    /// Whole minutes, or unlimited.
    public var duration: TimeLimit?
    public var flags: ReservationFlags = []
    public var removedFlags: ReservationFlags = []
    /// Seconds, with PURGE_COMP.
    public var purgeAfter: UInt32?
    /// A hostlist, or ALL.
    public var nodes: ListEdit?
    public var nodeCounts: [UInt32] = []
    public var coreCounts: [UInt32] = []
    public var partition: String?
    public var features: String?
    public var licenses: [LicenseRequest]?
    public var users: ListEdit?
    public var accounts: ListEdit?
    public var groups: ListEdit?
    public var skip = false
    /// Seconds; shown only.
    public var maxStartDelay: UInt32?
    public init(name: String = "") { self.name = name }
}

/// A reservation as it stands.
public struct Reservation: Hashable, Sendable {
    public struct Node: Hashable, Sendable {
        public var index: NodeIndex
        public var name: String
        /// Empty: the whole node.
        public var cpus: CPUSet
        public init(index: NodeIndex, name: String, cpus: CPUSet = CPUSet()) {
            self.index = index
            self.name = name
            self.cpus = cpus
        }
    }
    public var name: String
    /// Of this occurrence, or the next one. With TIME_FLOAT they move; `floatOffset` says how far ahead they stay.
    public var start: Timestamp
    public var end: Timestamp
    public var flags: ReservationFlags
    /// Seconds.
    public var purgeAfter: UInt32 = 300
    public var floatOffset: Int64 = 0
    public var nodes: [Node] = []
    /// Cores set aside when not whole nodes; 0: whole nodes.
    public var coreCount: UInt32 = 0
    public var partition = ""
    public var features = ""
    public var licenses: [LicenseRequest] = []
    public var users = ReservationMembers()
    public var accounts = ReservationMembers()
    public var groups: [String] = []
    /// Of `users` and of `groups`, in their order.
    public var uids: [UInt32] = []
    public var gids: [UInt32] = []
    /// When the last job that used it was gone (or it began); for PURGE_COMP.
    public var idleSince = Timestamp.unset
    public var maxStartDelay: UInt32 = 0
    /// Grows from reservation to reservation; part of the names that are made.
    public var sequence: UInt32 = 0
    /// Seconds east of UTC where it was made: says which days are weekdays.
    public var utcOffset: Int32 = 0
    public init(name: String, start: Timestamp, end: Timestamp, flags: ReservationFlags = []) {
        self.name = name
        self.start = start
        self.end = end
        self.flags = flags
    }

    public func isActive(at now: Timestamp) -> Bool { start <= now && now < end }

    /// Whether its users (or groups) and accounts let a job of these in. Both must match where both are given.
    public func permits(_ identity: Identity, account: String) -> Bool {
        guard accounts.permits({ $0 == account }) else { return false }
        if !groups.isEmpty { return gids.contains { $0 == identity.gid || identity.groups.contains($0) } }
        return users.isEmpty || uids.contains(identity.uid) != users.areDenied
    }
}
