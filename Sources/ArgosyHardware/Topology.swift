import CHwloc

/// What hwloc knows of a machine: processing units in logical order, with where they sit.
public struct Topology: Hashable, Sendable {
    /// A processing unit (hardware thread), in hwloc's logical order: neighbours are close.
    public struct PU: Hashable, Sendable {
        /// The number the kernel knows it by.
        public var osIndex: Int
        /// Logical numbers, counted over the machine.
        public var core: Int
        public var socket: Int
        /// The kernel's number of its (first) NUMA node.
        public var numaNode: Int
        public init(osIndex: Int, core: Int, socket: Int, numaNode: Int) {
            self.osIndex = osIndex
            self.core = core
            self.socket = socket
            self.numaNode = numaNode
        }
    }
    public struct Failure: Error, Hashable, Sendable, CustomStringConvertible {
        public let description: String
    }

    /// Those this process may use.
    public var pus: [PU]
    public var sockets: Int
    public var cores: Int
    /// The most a core has.
    public var threadsPerCore: Int
    /// Kernel numbers of the NUMA nodes.
    public var numaNodes: [Int]
    public var memoryMiB: UInt64
    /// hwloc's XML of it; `Topology(xml:)` reads it again.
    public var xml: String

    /// This machine's, as the calling process may use it.
    public static func discover() throws(Failure) -> Topology { throw Failure(description: "") }

    /// Another machine's, from `lstopo --of xml` or `xml`.
    public init(xml: String) throws(Failure) { throw Failure(description: "") }
}
