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
    /// Of each NUMA node, by kernel number, MiB.
    public var numaMemoryMiB: [Int: UInt64]
    public var gpus: [GPU]
    public var memoryMiB: UInt64
    /// hwloc's XML of it; `Topology(xml:)` reads it again.
    public var xml: String

    /// This machine's, as the calling process may use it.
    public static func discover() throws(Failure) -> Topology { try Topology(handle: Handle()) }

    /// Another machine's, from `lstopo --of xml` or `xml`.
    public init(xml: String) throws(Failure) { try self.init(handle: Handle(xml: xml)) }

    private init(handle: Handle) throws(Failure) {
        pus = handle.objects(HWLOC_OBJ_PU).map { pu in
            PU(
                osIndex: Int(pu.pointee.os_index), core: handle.ancestor(HWLOC_OBJ_CORE, of: pu),
                socket: handle.ancestor(HWLOC_OBJ_PACKAGE, of: pu), numaNode: handle.numaNode(of: pu))
        }
        guard !pus.isEmpty else { throw Failure(description: "hwloc found no processing unit") }
        // A virtual machine may have neither packages nor cores: then each unit is a core, and there is one socket.
        sockets = max(handle.objects(HWLOC_OBJ_PACKAGE).count, 1)
        let known = handle.objects(HWLOC_OBJ_CORE).count
        cores = known == 0 ? pus.count : known
        threadsPerCore = Dictionary(grouping: pus, by: \.core).values.map(\.count).max() ?? 1
        numaNodes = handle.objects(HWLOC_OBJ_NUMANODE).map { Int($0.pointee.os_index) }
        numaMemoryMiB = [:]
        for node in handle.objects(HWLOC_OBJ_NUMANODE) {
            numaMemoryMiB[Int(node.pointee.os_index)] = (node.pointee.attr?.pointee.numanode.local_memory ?? 0) >> 20
        }
        gpus = handle.gpus()
        memoryMiB = handle.memoryBytes >> 20
        xml = try handle.exportXML()
    }
}

/// Owns an hwloc topology.
final class Handle {
    let topology: hwloc_topology_t

    /// This machine's, or that of `xml`.
    init(xml: String? = nil) throws(Topology.Failure) {
        var created: hwloc_topology_t?
        guard hwloc_topology_init(&created) == 0, let created else {
            throw Topology.Failure(description: "hwloc_topology_init failed: out of memory?")
        }
        topology = created
        if let xml {
            let bytes = xml.utf8CString
            let accepted = bytes.withUnsafeBufferPointer {
                hwloc_topology_set_xmlbuffer(created, $0.baseAddress, Int32(clamping: $0.count))
            }
            guard accepted == 0 else {
                throw Topology.Failure(description: "this is not hwloc XML; make it with lstopo --of xml")
            }
        }
        hwloc_topology_set_io_types_filter(topology, HWLOC_TYPE_FILTER_KEEP_IMPORTANT)
        guard hwloc_topology_load(topology) == 0 else {
            throw Topology.Failure(description: "hwloc could not load the topology")
        }
    }

    deinit { hwloc_topology_destroy(topology) }

    /// In logical order.
    func objects(_ type: hwloc_obj_type_t) -> [hwloc_obj_t] {
        (0..<max(hwloc_get_nbobjs_by_type(topology, type), 0)).compactMap {
            hwloc_get_obj_by_type(topology, type, UInt32($0))
        }
    }

    /// Logical number of the `type` above `object`; its own where there is none.
    func ancestor(_ type: hwloc_obj_type_t, of object: hwloc_obj_t) -> Int {
        if let found = hwloc_get_ancestor_obj_by_type(topology, type, object) {
            return Int(found.pointee.logical_index)
        }
        return type == HWLOC_OBJ_CORE ? Int(object.pointee.logical_index) : 0
    }

    func numaNode(of object: hwloc_obj_t) -> Int {
        guard let nodes = object.pointee.nodeset else { return 0 }
        return max(Int(hwloc_bitmap_first(nodes)), 0)
    }

    var memoryBytes: UInt64 { hwloc_get_root_obj(topology)?.pointee.total_memory ?? 0 }

    func exportXML() throws(Topology.Failure) -> String {
        var text: UnsafeMutablePointer<CChar>?
        var length: Int32 = 0
        guard hwloc_topology_export_xmlbuffer(topology, &text, &length, 0) == 0, let text else {
            throw Topology.Failure(description: "hwloc could not write the topology as XML")
        }
        defer { hwloc_free_xmlbuffer(topology, text) }
        return String(cString: text)
    }
}
