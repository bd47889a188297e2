public import ArgosyDomain

/// Everything about a process to start: prepared completely by the parent, because between fork and exec only the
/// shim's C code runs. The order in which the child applies it is that of the shim's `argosy_spawn` (see its comment).
public struct ProcessSpec: Sendable {
    /// A descriptor of ours and the number it gets in the child.
    public struct KeptDescriptor: Hashable, Sendable {
        public var from: Int32
        public var to: Int32
        public init(from: Int32, to: Int32) {
            self.from = from
            self.to = to
        }
    }

    /// Namespaces the child is born in.
    public struct NewNamespaces: OptionSet, Sendable {
        public let rawValue: UInt32
        public init(rawValue: UInt32) { self.rawValue = rawValue }
        public static let mount = NewNamespaces(rawValue: 0x0002_0000)
        public static let cgroup = NewNamespaces(rawValue: 0x0200_0000)
        public static let uts = NewNamespaces(rawValue: 0x0400_0000)
        public static let ipc = NewNamespaces(rawValue: 0x0800_0000)
        public static let pid = NewNamespaces(rawValue: 0x2000_0000)
        public static let network = NewNamespaces(rawValue: 0x4000_0000)
    }

    /// The program. Without a slash it is looked for in the PATH of `environment`, where the child sees it (inside the
    /// container it enters); a relative path with a slash starts at `workingDirectory`.
    public var path: String
    /// argv, the program's name first.
    public var arguments: [String]
    /// "NAME=value".
    public var environment: [String] = []
    /// Entered with the rights of `credentials`, inside the container it enters. Nil: as the parent.
    public var workingDirectory: String?
    /// Nil: the parent's.
    public var credentials: Credentials?
    /// Numbers of ours that become 0, 1, 2; -1: /dev/null.
    public var stdin: Int32 = -1
    public var stdout: Int32 = -1
    public var stderr: Int32 = -1
    /// Further descriptors; every other one is closed in the child. `to` is 3 or more.
    public var keptDescriptors: [KeptDescriptor] = []
    /// Open cgroup.procs files (`Cgroup.joinDescriptors`), one of each hierarchy.
    public var cgroup: [Descriptor] = []
    /// CPUs it may run on; empty: as the parent.
    public var affinity: [Int] = []
    /// `resource` is the number of RLIMIT_*. What lies above our own hard limit is lowered to it.
    public var limits: [ResourceLimit] = []
    public var umask: UInt32?
    public var newSession = true
    /// Standard input is a terminal, and the new session's own.
    public var controlsTerminal = false
    /// set_mempolicy(2): MPOL_* and the nodes of memory it is for; nil: as the parent. One that cannot be set is left.
    public var memoryPolicy: (mode: Int32, nodes: UInt64)?
    /// This variable of `environment` gets the process's number (as it sees itself). Its value must be 10 characters.
    public var pidVariable = ""
    /// Pidfd of a holder whose mount, pid, uts, ipc and cgroup namespaces it enters; nil: stays in ours.
    public var holder: Descriptor?
    public var newNamespaces: NewNamespaces = []
    /// Empties the bounding, ambient and inheritable sets too: no program it ever starts gets one back.
    public var dropAllCapabilities = false
    public var noNewPrivileges = false
    /// A compiled seccomp filter (`struct sock_filter`s); needs `noNewPrivileges`.
    public var seccomp: [UInt8]?
    /// Signal it gets when the thread that started it dies; 0: none.
    public var parentDeathSignal: Int32 = 0

    public init(path: String, arguments: [String], environment: [String] = []) {
        self.path = path
        self.arguments = arguments
        self.environment = environment
    }
}
