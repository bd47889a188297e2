/// How much of each trackable resource: what a job asks, holds or may have.
///
/// Sorted by number, so two of the same are equal and iteration has one order. A resource that is not in it counts 0 in
/// arithmetic and is *not limited* when this is a limit; a limit of 0 is an entry of its own.
public struct TRESCounts: Hashable, Sendable {
    public struct Entry: Hashable, Sendable {
        public var id: TRESID
        public var count: UInt64
        public init(_ id: TRESID, _ count: UInt64) {
            self.id = id
            self.count = count
        }
    }
    /// Ascending by number, each once.
    public private(set) var entries: [Entry]

    public init() { entries = [] }
    /// The later of two counts of one resource wins.
    public init(_ entries: some Sequence<Entry>) {
        self.entries = []
        for entry in entries { set(entry.id, entry.count) }
    }

    public var isEmpty: Bool { entries.isEmpty }

    /// Nil when it is not in it.
    public func value(_ id: TRESID) -> UInt64? {
        for entry in entries where entry.id >= id { return entry.id == id ? entry.count : nil }
        return nil
    }

    /// 0 when it is not in it. Setting 0 keeps an entry of 0; `remove` takes it out.
    public subscript(id: TRESID) -> UInt64 {
        get { value(id) ?? 0 }
        set { set(id, newValue) }
    }

    public mutating func set(_ id: TRESID, _ count: UInt64) {
        let place = entries.firstIndex { $0.id >= id } ?? entries.endIndex
        if place < entries.endIndex, entries[place].id == id {
            entries[place].count = count
        } else {
            entries.insert(Entry(id, count), at: place)
        }
    }

    public mutating func remove(_ id: TRESID) { entries.removeAll { $0.id == id } }

    /// Saturates.
    public static func += (a: inout TRESCounts, b: TRESCounts) {
        for entry in b.entries where entry.count > 0 {
            let (sum, overflow) = a[entry.id].addingReportingOverflow(entry.count)
            a.set(entry.id, overflow ? .max : sum)
        }
    }

    /// Stops at 0; what reaches 0 is no entry any more.
    public static func -= (a: inout TRESCounts, b: TRESCounts) {
        for entry in b.entries {
            guard let held = a.value(entry.id) else { continue }
            if held > entry.count { a.set(entry.id, held - entry.count) } else { a.remove(entry.id) }
        }
    }

    /// Saturates.
    public static func * (a: TRESCounts, factor: UInt64) -> TRESCounts {
        TRESCounts(
            a.entries.map { entry in
                let (product, overflow) = entry.count.multipliedReportingOverflow(by: factor)
                return Entry(entry.id, overflow ? .max : product)
            })
    }

    public static func + (a: TRESCounts, b: TRESCounts) -> TRESCounts {
        var sum = a
        sum += b
        return sum
    }
}

extension TRESCounts: ExpressibleByDictionaryLiteral {
    /// `[.cpu: 4, .node: 1]`; the later of two wins.
    public init(dictionaryLiteral elements: (TRESID, UInt64)...) { self.init(elements.map { Entry($0.0, $0.1) }) }
}
