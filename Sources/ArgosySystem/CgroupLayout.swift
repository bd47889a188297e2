import Glibc

/// Where this machine keeps each cgroup controller: all in v1 hierarchies, all in v2, or mixed.
///
/// Paths are counted from each hierarchy's mount point and not from our own cgroup: the tree of jobs must not move with
/// whoever started the daemon.
public struct CgroupLayout: Hashable, Sendable {
    public enum Kind: String, Sendable { case v1, hybrid, v2 }

    /// A mounted v1 hierarchy.
    public struct Hierarchy: Hashable, Sendable {
        public var mountPoint: String
        public var controllers: [String]
        public init(mountPoint: String, controllers: [String]) {
            self.mountPoint = mountPoint
            self.controllers = controllers
        }
    }

    /// v1 hierarchies that carry controllers we use.
    public var v1: [Hierarchy]
    /// Mount point of cgroup2, if there is one.
    public var v2: String?
    /// Controllers that v2 carries.
    public var v2Controllers: [String]

    public init(v1: [Hierarchy], v2: String?, v2Controllers: [String]) {
        self.v1 = v1
        self.v2 = v2
        self.v2Controllers = v2Controllers
    }

    public var kind: Kind { v1.isEmpty ? .v2 : v2 == nil ? .v1 : .hybrid }

    static let usedV1 = ["cpu", "cpuacct", "cpuset", "memory", "devices", "freezer", "pids"]
    static let usedV2 = ["cpuset", "cpu", "memory", "pids"]

    /// Reads /proc/self/mountinfo. Throws ENOENT when no cgroup file system is mounted.
    public static func discover() throws(SystemError) -> CgroupLayout {
        var layout = parse(mountinfo: try Files.readText("/proc/self/mountinfo", max: 16 << 20))
        if let v2 = layout.v2 {
            let controllers = try Files.readText(v2 + "/cgroup.controllers").split(separator: " ").map(String.init)
            layout.v2Controllers = controllers.filter(usedV2.contains)
        }
        if layout.v1.isEmpty && layout.v2 == nil { throw SystemError("find mounted cgroups", code: ENOENT) }
        return layout
    }

    /// What proc(5) says of mountinfo: ID parent dev root MOUNT-POINT options [tags...] - TYPE source SUPER-OPTIONS.
    static func parse(mountinfo: String) -> CgroupLayout {
        var layout = CgroupLayout(v1: [], v2: nil, v2Controllers: [])
        for line in mountinfo.split(separator: "\n") {
            let fields = line.split(separator: " ")
            guard let dash = fields.lastIndex(of: "-"), dash + 3 < fields.count, dash > 5 else { continue }
            let mountPoint = unescape(fields[4])
            switch fields[dash + 1] {
            case "cgroup2":
                if layout.v2 == nil { layout.v2 = mountPoint }
            case "cgroup":
                let controllers = fields[dash + 3].split(separator: ",").map(String.init).filter(usedV1.contains)
                if !controllers.isEmpty && !layout.v1.contains(where: { $0.controllers == controllers }) {
                    layout.v1.append(Hierarchy(mountPoint: mountPoint, controllers: controllers))
                }
            default: break
            }
        }
        return layout
    }

    /// Spaces and the like are written \040.
    private static func unescape(_ field: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = Array(field.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "\\"), let code = UInt8(String(decoding: rest.prefix(3), as: UTF8.self), radix: 8) {
                bytes.append(code)
                rest = rest.dropFirst(3)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The cgroup `path` ("argosy/cluster/node1/job_7.0/step_0"), counted from each hierarchy's mount point. Makes nothing.
    public func cgroup(_ path: String) -> Cgroup { Cgroup(layout: self, path: path) }
}
