/// Where this machine keeps each cgroup controller: all in v1 hierarchies, all in v2, or mixed.
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

    /// Reads /proc/self/mountinfo. Throws ENOENT when no cgroup file system is mounted.
    public static func discover() throws(SystemError) -> CgroupLayout {
        throw SystemError("find cgroups", code: 38)
    }

    /// The cgroup `path` ("argosy/cluster/node1/job_7.0/step_0"), counted from each hierarchy's mount point. Makes nothing.
    public func cgroup(_ path: String) -> Cgroup { Cgroup(layout: self, path: path) }
}
