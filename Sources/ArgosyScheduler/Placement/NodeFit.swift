// One shape on one kind of node: how many of its tasks fit and what they take, as arithmetic on counts.
//
// A node's part of a job is k tasks and what the job wants of each node whatever k is. All wants grow with k, so that the
// capacity is the largest k whose wants fit. Rules, as Slurm's: CPUs of k tasks are k times --cpus-per-task, at least
// --mincpus and --cpus-per-gpu times the node's GPUs; where whole cores are given they are rounded up to cores, and so
// many CPUs count for --mem-per-cpu. With --threads-per-core=t or --ntasks-per-core=n a core counts for t CPUs or n tasks
// and is given whole in any case. With --overcommit a node gives what one task wants, whatever number it runs.
import ArgosyDomain

/// A shape, compiled for a kind of node. Make one for each pair that meets and keep it for the pass, or longer.
public struct NodeFit: Sendable {
    public let model: NodeModel
    public let shape: Shape
    /// The job wants the node to itself.
    public let isExclusive: Bool
    /// Why a node of this kind can never take a task; empty when it can.
    public private(set) var unmet: NodeFailures
    /// Tasks that fit on a node where nothing runs.
    public private(set) var idleCapacity: Int

    let rules: CPURules
    let gres: GRESRules
    /// MiB; 0 where memory does not count.
    private let memoryPerNode: Int
    private let memoryPerCPU: Int
    private let memoryPerGPU: Int
    private let tasksPerNode: Int

    /// - Parameters:
    ///   - exclusive: the partition gives whole nodes only; a shape may want that by itself.
    ///   - maxCPUsPerNode: the partition's bound on what a job gets of a node; 0: none.
    ///   - matches: whether the kind's features do for `--constraint` (see `CompiledConstraint`).
    public init(
        _ shape: Shape, on model: NodeModel, exclusive: Bool = false, maxCPUsPerNode: Int = 0, matches: Bool = true
    ) {
        self.model = model
        self.shape = shape
        isExclusive = exclusive || model.wholeNodes || shape.sharing == .exclusive || shape.coreSpec > 0
        rules = CPURules(shape, model, maxCPUs: maxCPUsPerNode)
        gres = GRESRules(shape, model.kind.hardware.gres)
        memoryPerNode = model.memoryCounts ? Int(clamping: shape.memoryPerNodeMiB) : 0
        memoryPerCPU = model.memoryCounts ? Int(clamping: shape.memoryPerCPUMiB) : 0
        memoryPerGPU = model.memoryCounts ? Int(clamping: shape.memoryPerGPUMiB) : 0
        tasksPerNode = shape.tasksPerNode > 0 ? shape.tasksPerNode : .max
        unmet = []
        idleCapacity = 0
        unmet = Self.lasting(self)
        if !matches { unmet.insert(.features) }
        if unmet.isEmpty { idleCapacity = largest(model.idle) }
    }

    /// Tasks that fit into `free`; 0: none. No allocation. For shapes with bounds on sockets this is an upper bound: ask
    /// `capacity(on:)` before starting one.
    public func capacity(_ free: NodeCounts) -> Int {
        if idleCapacity == 0 { return 0 }
        if isExclusive { return free.cpus < model.idle.cpus ? 0 : min(idleCapacity, largest(free)) }
        return largest(free)
    }

    /// Tasks that fit on `node` as it is: 0 where it is not up.
    public func capacity(on node: PlanningSnapshot.Node) -> Int {
        guard node.availability == .up, idleCapacity > 0 else { return 0 }
        let room = capacity(model.counts(of: node))
        return room > 0 && looksAtSockets ? min(room, socketCapacity(node.freeCPUs)) : room
    }

    /// What `tasks` tasks take of a node with `free`; nil when they do not fit there. What is taken is at most this, and
    /// exactly this where all cores have the same number of threads.
    ///
    /// - Parameter jobGRES: the node's part of what the job wants in all (`--gpus`), by position in `shape.gres` (0
    ///   for requests of other kinds), as `NodeChooser` deals it out; empty: the least a node gives, one unit.
    public func need(tasks: Int, jobGRES: [Int] = [], from free: NodeCounts) -> NodeCounts? {
        guard idleCapacity > 0, fits(tasks, jobGRES, free) else { return nil }
        if isExclusive {
            guard free.cpus >= model.idle.cpus else { return nil }
            var all = model.idle
            all.memoryMiB = memory(tasks, jobGRES, free)
            return all
        }
        let gpus = gres.gpus(tasks, jobGRES)
        var need = rules.counts(tasks, gpus: gpus, free)
        need.memoryMiB = memory(tasks, jobGRES, free)
        if !gres.isEmpty { need.gres = gres.positions(tasks, jobGRES, free, of: model.kind.hardware.gres.count) }
        return need
    }

    /// Everything that keeps `node` from taking a task now; empty when one fits.
    public func failures(on node: PlanningSnapshot.Node) -> NodeFailures {
        var failures = unmet.union(Self.availability(node))
        if shape.excludedNodes.contains(node.index) { failures.insert(.excluded) }
        if !unmet.isEmpty { return failures }
        let free = model.counts(of: node)
        if isExclusive, node.freeCPUs.count < model.idle.cpus { failures.insert(.notIdle) }
        if !rules.fits(1, gpus: gres.gpus(1, []), free) { failures.insert(.busyCPUs) }
        if memory(1, [], free) > free.memoryMiB { failures.insert(.busyMemory) }
        if !gres.fits(1, [], free) { failures.insert(.busyGRES) }
        if looksAtSockets, socketCapacity(node.freeCPUs) == 0 { failures.insert(.busySockets) }
        return failures
    }

    /// What a node with `free` can give to requests for the job as a whole (`--gpus`), by position in `shape.gres`, with
    /// the CPUs and the memory each GPU brings; empty when the job has no such request.
    public func jobGRES(in free: NodeCounts) -> [Int] {
        guard shape.gres.contains(where: { $0.per == .job }) else { return [] }
        return shape.gres.indices.map { position in
            guard shape.gres[position].per == .job else { return 0 }
            var units = gres.free(request: position, free)
            guard shape.gres[position].name == "gpu" else { return units }
            if shape.cpusPerGPU > 0 { units = min(units, free.cpus / shape.cpusPerGPU) }
            if shape.memoryPerGPUMiB > 0 { units = min(units, free.memoryMiB / Int(clamping: shape.memoryPerGPUMiB)) }
            return units
        }
    }

    /// `node` for a `NodeChooser`, or nil when it takes no task now.
    public func candidate(_ node: PlanningSnapshot.Node, groups: UInt64 = 1) -> Candidate? {
        let room = capacity(on: node)
        guard room > 0 else { return nil }
        return Candidate(
            node: node.index, capacity: room, weight: model.kind.weight, leaf: model.kind.leaf,
            idleCPUs: node.freeCPUs.count, groups: groups, jobGRES: jobGRES(in: model.counts(of: node)))
    }

    // MARK: - Fitting

    func fits(_ tasks: Int, _ jobGRES: [Int], _ free: NodeCounts) -> Bool {
        rules.fits(tasks, gpus: gres.gpus(tasks, jobGRES), free) && gres.fits(tasks, jobGRES, free)
            && memory(tasks, jobGRES, free) <= free.memoryMiB
    }

    /// The largest number of tasks that fits. Wants grow with the number, so halving finds it; mostly the first look does.
    private func largest(_ free: NodeCounts) -> Int {
        let bound = min(rules.bound(free), tasksPerNode)
        if bound <= 0 || fits(bound, [], free) { return max(bound, 0) }
        var low = 0
        var high = bound
        while high - low > 1 {
            let middle = (low + high) / 2
            if fits(middle, [], free) { low = middle } else { high = middle }
        }
        return low
    }

    /// MiB that `tasks` tasks take; 0: no limit asked. A job with whole nodes gets as much of what each CPU of the node
    /// brings as is there, but not less than its tasks want.
    func memory(_ tasks: Int, _ jobGRES: [Int], _ free: NodeCounts) -> Int {
        if memoryPerNode | memoryPerCPU | memoryPerGPU == 0 { return 0 }
        let gpus = gres.gpus(tasks, jobGRES)
        var wanted = memoryPerNode
        if memoryPerCPU > 0 {
            let least = memoryPerCPU.multipliedClamping(rules.counted(tasks, gpus: gpus))
            let whole = isExclusive ? min(memoryPerCPU.multipliedClamping(model.idle.cpus), free.memoryMiB) : 0
            wanted = max(wanted, least, whole)
        }
        return max(wanted, memoryPerGPU.multipliedClamping(gpus))
    }

    // MARK: - Sockets

    private var looksAtSockets: Bool { shape.tasksPerSocket > 0 || shape.minSocketsPerNode > 0 }

    /// Tasks the sockets take with their free cores and the job's bounds on each.
    private func socketCapacity(_ free: CPUSet) -> Int {
        let kept = shape.coreSpec > 0 ? specializedCores() : []
        var sockets = 0
        var room = 0
        for cores in model.socketCores {
            let whole = cores.count { model.isFree(core: $0, of: free) && !kept.contains($0) }
            if whole >= max(shape.minCoresPerSocket, 1) { sockets += 1 }
            room += min(rules.tasks(onCores: whole), shape.tasksPerSocket > 0 ? shape.tasksPerSocket : .max / 64)
        }
        return sockets < shape.minSocketsPerNode ? 0 : room
    }

    /// `--core-spec`: the last cores, from the sockets in turn, the last socket first.
    func specializedCores() -> Set<Int> {
        var kept: Set<Int> = []
        var sockets = model.socketCores
        while kept.count < shape.coreSpec, sockets.contains(where: { !$0.isEmpty }) {
            for socket in sockets.indices.reversed() where kept.count < shape.coreSpec {
                if let core = sockets[socket].popLast() { kept.insert(core) }
            }
        }
        return kept
    }

    // MARK: - Reasons

    private static func lasting(_ fit: NodeFit) -> NodeFailures {
        let idle = fit.model.idle
        var failures: NodeFailures = []
        if !fit.rules.fits(1, gpus: fit.gres.gpus(1, []), idle) { failures.insert(.tooFewCPUs) }
        if fit.memory(1, [], idle) > idle.memoryMiB { failures.insert(.tooLittleMemory) }
        if !fit.gres.fits(1, [], idle) { failures.insert(.tooFewGRES) }
        let large = fit.model.socketCores.count { $0.count >= max(fit.shape.minCoresPerSocket, 1) }
        if large < max(fit.shape.minSocketsPerNode, fit.shape.minCoresPerSocket > 0 ? 1 : 0) {
            failures.insert(.sockets)
        }
        return failures
    }

    private static func availability(_ node: PlanningSnapshot.Node) -> NodeFailures {
        switch node.availability {
        case .up: []
        case .drained: .drained
        case .down, .unknown: .down
        case .notResponding: .notResponding
        case .completing: .completing
        }
    }
}

extension Int {
    func multipliedClamping(_ other: Int) -> Int {
        let (product, overflow) = multipliedReportingOverflow(by: other)
        return overflow ? .max : product
    }
}
