/// What was used of each trackable resource, in TRES-seconds (MiB-seconds for memory), as fractions after decay.
public struct TRESUsage: Hashable, Sendable {
    public struct Entry: Hashable, Sendable {
        public var id: TRESID
        public var seconds: Double
        public init(_ id: TRESID, _ seconds: Double) {
            self.id = id
            self.seconds = seconds
        }
    }
    /// Ascending by number, each once.
    public private(set) var entries: [Entry]
    public init(_ entries: [Entry] = []) {
        self.entries = []
        for entry in entries { add(entry.id, entry.seconds) }
    }
    public subscript(id: TRESID) -> Double { entries.first { $0.id == id }?.seconds ?? 0 }
    public mutating func add(_ id: TRESID, _ seconds: Double) {
        let place = entries.firstIndex { $0.id >= id } ?? entries.endIndex
        if place < entries.endIndex, entries[place].id == id {
            entries[place].seconds += seconds
        } else {
            entries.insert(Entry(id, seconds), at: place)
        }
    }
    public mutating func scale(by factor: Double) {
        for index in entries.indices { entries[index].seconds *= factor }
    }
}

/// What an association has used, with all below it. Kept up by the usage ledger of ArgosyScheduler.
///
/// The numbers are worth their face value at `asOf` and half as much each PriorityDecayHalfLife later (and twice as
/// much each half-life earlier): use is added at the weight of its own time, and decay itself never touches the record.
public struct AssociationUsage: Hashable, Sendable {
    public var association: AssociationID
    public var asOf: Timestamp
    /// Billing-seconds times the QOS's UsageFactor: what fair share goes by, sshare's RawUsage.
    public var raw: Double
    /// For GrpTRESMins; sshare's GrpTRESRaw.
    public var tres: TRESUsage
    /// Wall seconds of jobs: for GrpWall.
    public var wall: Double
    public init(association: AssociationID, asOf: Timestamp) {
        self.association = association
        self.asOf = asOf
        raw = 0
        tres = TRESUsage()
        wall = 0
    }
}

/// What was used under a QOS; as `AssociationUsage`. With the flag NoDecay the numbers are always worth their face value.
public struct QOSUsage: Hashable, Sendable {
    public var qos: QOSID
    public var asOf: Timestamp
    public var raw: Double
    public var tres: TRESUsage
    public var wall: Double
    public init(qos: QOSID, asOf: Timestamp) {
        self.qos = qos
        self.asOf = asOf
        raw = 0
        tres = TRESUsage()
        wall = 0
    }
}
