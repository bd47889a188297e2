/// A trackable resource's number. The first eight are Slurm's and the same everywhere; GRES and licences are numbered
/// from 1001 in the order they were first seen, and keep their number in the store.
public struct TRESID: RawRepresentable, Hashable, Comparable, Sendable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    public init(_ rawValue: UInt32) { self.rawValue = rawValue }
    public static let cpu = TRESID(1)
    /// MiB.
    public static let mem = TRESID(2)
    /// Joules.
    public static let energy = TRESID(3)
    public static let node = TRESID(4)
    public static let billing = TRESID(5)
    public static let fsDisk = TRESID(6)
    public static let vmem = TRESID(7)
    public static let pages = TRESID(8)
    public static let firstOfCluster: UInt32 = 1001
    public static func < (a: TRESID, b: TRESID) -> Bool { a.rawValue < b.rawValue }
}

/// A trackable resource: `cpu`, `gres/gpu`, `gres/gpu:a100`, `license/matlab`.
public struct TRES: Hashable, Sendable {
    public var id: TRESID
    /// cpu mem energy node billing fs vmem pages gres license
    public var type: String
    /// What stands after the slash, or nothing.
    public var name: String
    public init(id: TRESID, type: String, name: String = "") {
        self.id = id
        self.type = type
        self.name = name
    }
    /// `type` or `type/name`, as limits and accounting write it.
    public var text: String { name.isEmpty ? type : "\(type)/\(name)" }
    /// Counted in MiB, and written with K, M, G, T or P.
    public var isMemory: Bool { type == "mem" || type == "bb" || type == "vmem" }
}

/// All resources a cluster tracks, by number and by name.
public struct TRESTable: Hashable, Sendable {
    /// Ascending by number.
    public private(set) var all: [TRES]

    /// The eight that every cluster has.
    public init() {
        all = [
            .init(id: .cpu, type: "cpu"), .init(id: .mem, type: "mem"), .init(id: .energy, type: "energy"),
            .init(id: .node, type: "node"), .init(id: .billing, type: "billing"),
            .init(id: .fsDisk, type: "fs", name: "disk"), .init(id: .vmem, type: "vmem"),
            .init(id: .pages, type: "pages"),
        ]
    }

    /// The eight and what the store remembers; of two with one number the first counts.
    public init(stored: [TRES]) {
        self.init()
        for tres in stored.sorted(by: { $0.id < $1.id }) where self[tres.id] == nil { all.append(tres) }
        all.sort { $0.id < $1.id }
    }

    /// The number of `text` (`gres/gpu`, in any case of the type), which gets the next one if it has none yet.
    @discardableResult
    public mutating func add(_ text: String) -> TRESID {
        if let known = id(of: text) { return known }
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        let next = TRESID(max(TRESID.firstOfCluster, (all.last?.id.rawValue ?? 0) + 1))
        all.append(.init(id: next, type: parts[0].lowercased(), name: parts.count > 1 ? String(parts[1]) : ""))
        return next
    }

    /// Of `cpu`, `Mem`, `gres/gpu`, `GRES/gpu:a100`, ...: types in any case, names exactly.
    public func id(of text: some StringProtocol) -> TRESID? {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let type = parts.first?.lowercased() else { return nil }
        let name = parts.count > 1 ? parts[1] : ""
        return all.first { $0.type == type && $0.name == name }?.id
    }

    public subscript(id: TRESID) -> TRES? { position(of: id).map { all[$0] } }

    /// The place in `all`: for dense vectors.
    public func position(of id: TRESID) -> Int? {
        if id.rawValue >= 1, id.rawValue <= 8, all[Int(id.rawValue) - 1].id == id { return Int(id.rawValue) - 1 }
        return all.firstIndex { $0.id == id }
    }

    /// `cpu`, or the number of one that is not known.
    public func text(_ id: TRESID) -> String { self[id]?.text ?? String(id.rawValue) }
}
