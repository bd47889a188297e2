public import ArgosyDomain

extension WireAllocation {
    /// Without addresses, ports and partition, which the controller's shell adds where they are wanted.
    public init(_ allocation: Allocation) {
        self.init()
        nodes = allocation.nodes.map(WireAllocatedNode.init)
        tasks = allocation.tasks
        cpusPerTask = allocation.cpusPerTask
        nodeList = Hostlist.compress(allocation.nodes.map(\.name))
    }

    /// `indexOf` finds a node in this side's table; nodes it does not know get `.max`.
    public func domain(indexOf: (String) -> NodeIndex?) -> Allocation {
        Allocation(
            nodes: nodes.map { node in
                Allocation.Node(
                    index: indexOf(node.name) ?? NodeIndex(rawValue: .max), name: node.name,
                    cpus: CPUSet(node.cpuIds.lazy.filter { $0 < 1 << 16 }.map(Int.init)), memoryMiB: node.memoryMib,
                    tasks: node.tasks, gres: node.gres.map(\.domain))
            }, cpusPerTask: cpusPerTask)
    }
}

extension WireAllocatedNode {
    public init(_ node: Allocation.Node) {
        self.init()
        name = node.name
        cpus = UInt32(node.cpus.count)
        cpuIds = node.cpus.members.map(UInt32.init)
        tasks = node.tasks
        memoryMib = node.memoryMiB
        gres = node.gres.map(WireGRESGrant.init)
    }
}

extension WireGRESGrant {
    public init(_ grant: GRESGrant) {
        self.init()
        name = grant.name
        type = grant.type
        count = grant.count
        devices = grant.devices.members.map(UInt32.init)
    }
    public var domain: GRESGrant {
        GRESGrant(
            name: name, type: type, count: count,
            devices: CPUSet(devices.lazy.filter { $0 < 1 << 16 }.map(Int.init)))
    }
}
