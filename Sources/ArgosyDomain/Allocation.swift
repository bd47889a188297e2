/// A set of a node's abstract CPUs (0 ..< CPUs of its configuration), as bits.
public struct CPUSet: Hashable, Sendable {
    public private(set) var words: [UInt64]
    public init() { words = [] }
    public init(_ cpus: some Sequence<Int>) {
        words = []
        for cpu in cpus { insert(cpu) }
    }
    public mutating func insert(_ cpu: Int) {
        while words.count <= cpu >> 6 { words.append(0) }
        words[cpu >> 6] |= 1 << UInt64(cpu & 63)
    }
    public mutating func remove(_ cpu: Int) {
        guard cpu >> 6 < words.count else { return }
        words[cpu >> 6] &= ~(1 << UInt64(cpu & 63))
    }
    public func contains(_ cpu: Int) -> Bool {
        cpu >> 6 < words.count && words[cpu >> 6] & (1 << UInt64(cpu & 63)) != 0
    }
    public var count: Int { words.reduce(0) { $0 + $1.nonzeroBitCount } }
    public var isEmpty: Bool { words.allSatisfy { $0 == 0 } }
    public mutating func formUnion(_ other: CPUSet) {
        while words.count < other.words.count { words.append(0) }
        for (index, word) in other.words.enumerated() { words[index] |= word }
    }
    public mutating func subtract(_ other: CPUSet) {
        for (index, word) in other.words.enumerated() where index < words.count { words[index] &= ~word }
    }
    public func isDisjoint(with other: CPUSet) -> Bool { zip(words, other.words).allSatisfy { $0 & $1 == 0 } }
    /// Ascending.
    public var members: [Int] {
        words.enumerated().flatMap { index, word in
            (0..<64).compactMap { word & (1 << UInt64($0)) != 0 ? index * 64 + $0 : nil }
        }
    }
    public static func == (a: CPUSet, b: CPUSet) -> Bool { a.members == b.members }
    public func hash(into hasher: inout Hasher) { hasher.combine(members) }
}

/// Devices of one GRES of a node, held by a job.
public struct GRESGrant: Hashable, Sendable {
    public var name: String
    /// Empty: no type.
    public var type: String
    public var count: UInt64
    /// Positions of the devices in the node's list of this name and type; empty for a plain count.
    public var devices: CPUSet
    public init(name: String, type: String, count: UInt64, devices: CPUSet = CPUSet()) {
        self.name = name
        self.type = type
        self.count = count
        self.devices = devices
    }
}

/// What a job (or step) holds, node by node, in order; the first node runs the batch script.
public struct Allocation: Hashable, Sendable {
    public struct Node: Hashable, Sendable {
        public var index: NodeIndex
        public var name: String
        public var cpus: CPUSet
        /// 0: no limit.
        public var memoryMiB: UInt64
        public var tasks: UInt32
        public var gres: [GRESGrant]
        public init(
            index: NodeIndex, name: String, cpus: CPUSet, memoryMiB: UInt64, tasks: UInt32, gres: [GRESGrant] = []
        ) {
            self.index = index
            self.name = name
            self.cpus = cpus
            self.memoryMiB = memoryMiB
            self.tasks = tasks
            self.gres = gres
        }
    }
    public var nodes: [Node]
    public var cpusPerTask: UInt32
    public init(nodes: [Node], cpusPerTask: UInt32) {
        self.nodes = nodes
        self.cpusPerTask = cpusPerTask
    }
    public var tasks: UInt32 { nodes.reduce(0) { $0 + $1.tasks } }
    public var cpuCount: Int { nodes.reduce(0) { $0 + $1.cpus.count } }
}
