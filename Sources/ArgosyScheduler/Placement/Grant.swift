public import ArgosyDomain

/// A node's part of a job, down to cores and devices.
public struct Grant: Hashable, Sendable {
    /// Where a task is meant to run.
    public struct TaskPart: Hashable, Sendable {
        public var cpus: CPUSet
        /// Its own with --gpus-per-task, else those of its group of tasks.
        public var devices: [DeviceUnit]
        public init(cpus: CPUSet, devices: [DeviceUnit] = []) {
            self.cpus = cpus
            self.devices = devices
        }
    }
    public struct DeviceUnit: Hashable, Sendable {
        /// Position in the kind's `hardware.gres`.
        public var gres: Int
        /// Position in the devices of that.
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
    /// The cores and devices `tasks` tasks get of `node`, or nil when they do not fit there now.
    ///
    /// Gives one whenever `capacity(on: node) >= tasks` and the node has what `jobGRES` says; what it gives is within
    /// `need(tasks:jobGRES:from:)`, and exactly that where all cores have the same number of threads. A node of a job with
    /// more nodes than tasks gets what one task wants.
    public func grant(tasks: Int, jobGRES: [Int] = [], on node: PlanningSnapshot.Node) -> Grant? {
        let free = model.counts(of: node)
        guard node.availability == .up, capacity(on: node) >= max(tasks, 1),
            let need = need(tasks: max(tasks, 1), jobGRES: jobGRES, from: free)
        else { return nil }
        let request = GrantRequest(fit: self, node: node, tasks: tasks, need: need)
        return request.grant()
    }
}
