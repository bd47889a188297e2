// What a node consists of and how its parts are placed to each other. Abstract CPU numbers (0 ..< CPUs) follow hwloc's
// logical order of the processing units: all threads of a core follow one another, neighbours are close.

/// A node's cores, NUMA nodes and devices. Equal nodes share one value.
public struct NodeHardware: Hashable, Sendable {
    public struct Core: Hashable, Sendable {
        /// Its first CPU, and how many threads it has.
        public var firstCPU: Int
        public var threads: Int
        /// Positions in the node, from 0, in logical order.
        public var socket: Int
        public var numa: Int
        public init(firstCPU: Int, threads: Int, socket: Int, numa: Int) {
            self.firstCPU = firstCPU
            self.threads = threads
            self.socket = socket
            self.numa = numa
        }
        public var cpus: Range<Int> { firstCPU..<firstCPU + threads }
    }
    /// Devices of one GRES name and type. With no `devices` given they are a plain count.
    public struct GRES: Hashable, Sendable {
        public struct Device: Hashable, Sendable {
            /// Position of the nearest NUMA node; nil: equally far from all.
            public var numa: Int?
            /// CPUs that are local to it; empty: all.
            public var cpus: CPUSet
            /// "/dev/nvidia0"; empty: no file.
            public var file: String
            public init(numa: Int? = nil, cpus: CPUSet = CPUSet(), file: String = "") {
                self.numa = numa
                self.cpus = cpus
                self.file = file
            }
        }
        public var name: String
        /// Empty: no type.
        public var type: String
        public var count: Int
        /// As many as `count`, or none.
        public var devices: [Device]
        public init(name: String, type: String = "", count: Int, devices: [Device] = []) {
            self.name = name
            self.type = type
            self.count = count
            self.devices = devices
        }
    }
    public var cores: [Core]
    public var sockets: Int
    /// Of each NUMA node that has cores, MiB; 0: unknown.
    public var numaMemoryMiB: [UInt64]
    public var memoryMiB: UInt64
    public var gres: [GRES]
    public init(cores: [Core], sockets: Int, numaMemoryMiB: [UInt64], memoryMiB: UInt64, gres: [GRES] = []) {
        self.cores = cores
        self.sockets = sockets
        self.numaMemoryMiB = numaMemoryMiB
        self.memoryMiB = memoryMiB
        self.gres = gres
    }

    /// As a configuration describes it: equal sockets, each one NUMA node.
    public init(
        sockets: Int, coresPerSocket: Int, threadsPerCore: Int, memoryMiB: UInt64, gres: [GRES] = []
    ) {
        let threads = max(threadsPerCore, 1)
        let all = max(sockets, 1) * max(coresPerSocket, 1)
        cores = (0..<all).map { core in
            let socket = core / max(coresPerSocket, 1)
            return Core(firstCPU: core * threads, threads: threads, socket: socket, numa: socket)
        }
        self.sockets = max(sockets, 1)
        numaMemoryMiB = Array(repeating: memoryMiB / UInt64(max(sockets, 1)), count: max(sockets, 1))
        self.memoryMiB = memoryMiB
        self.gres = gres
    }

    public var cpus: Int { cores.reduce(0) { $0 + $1.threads } }
}
