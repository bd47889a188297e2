import Glibc

/// What a cgroup may use; nil: not limited here (its parents' limits hold).
public struct CgroupLimits: Hashable, Sendable {
    /// The machine's CPU numbers.
    public var cpus: [Int]?
    /// NUMA nodes memory may come from.
    public var memoryNodes: [Int]?
    /// Memory and swap together where swap is counted.
    public var memoryBytes: UInt64?
    /// Processes and threads.
    public var pids: UInt64?
    public var devices: DevicePolicy?

    public init(
        cpus: [Int]? = nil, memoryNodes: [Int]? = nil, memoryBytes: UInt64? = nil, pids: UInt64? = nil,
        devices: DevicePolicy? = nil
    ) {
        self.cpus = cpus
        self.memoryNodes = memoryNodes
        self.memoryBytes = memoryBytes
        self.pids = pids
        self.devices = devices
    }
}

/// Which device files may be opened: everything else is refused (EPERM), whoever may read the file.
public struct DevicePolicy: Hashable, Sendable {
    public struct Rule: Hashable, Sendable {
        public var block: Bool
        public var major: UInt32
        /// Nil: all.
        public var minor: UInt32?
        public init(block: Bool = false, major: UInt32, minor: UInt32? = nil) {
            self.block = block
            self.major = major
            self.minor = minor
        }
    }
    public var rules: [Rule]
    /// The rules name what is refused; everything else is as before.
    public var denies: Bool
    public init(rules: [Rule], denies: Bool = false) {
        self.rules = rules
        self.denies = denies
    }

    /// Rules for device files; those that are none are passed over.
    public static func rules(for files: [String]) -> [Rule] {
        files.compactMap { path in
            var status = stat()
            let kinds = [S_IFCHR, S_IFBLK]
            guard stat(path, &status) == 0, kinds.contains(status.st_mode & S_IFMT) else { return nil }
            let device = status.st_rdev
            let major = UInt32(truncatingIfNeeded: (device >> 8) & 0xfff | (device >> 32) & ~0xfff)
            let minor = UInt32(truncatingIfNeeded: device & 0xff | (device >> 12) & ~0xff)
            return Rule(block: status.st_mode & S_IFMT == S_IFBLK, major: major, minor: minor)
        }
    }

    /// null zero full random urandom tty ptmx and pts: what a container gets.
    public static let container = DevicePolicy(rules: [
        Rule(major: 1, minor: 3), Rule(major: 1, minor: 5), Rule(major: 1, minor: 7), Rule(major: 1, minor: 8),
        Rule(major: 1, minor: 9), Rule(major: 5, minor: 0), Rule(major: 5, minor: 2), Rule(major: 136),
    ])
    /// The same for jobs on the host.
    public static let host = container
}
