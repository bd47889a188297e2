import ArgosyDomain
import Testing

@testable import ArgosyScheduler

@Suite("Properties of placement on a node") struct PlacementPropertyTests {
    /// Jobs come and go on one node; everything given is checked against what is free.
    @Test(arguments: 0..<16) func `nothing is given twice and what capacity promises is given`(seed: Int) throws {
        var dice = Dice(UInt64(seed) + 1)
        for _ in 0..<10 {
            var settings = SchedulerSettings()
            settings.allocatesCores = !dice.rare(4)
            let hardware = dice.hardware()
            let model = NodeModel(.init(hardware: hardware), settings: settings)
            try run(&dice, model, steps: 30)
        }
    }

    private func run(_ dice: inout Dice, _ model: NodeModel, steps: Int) throws {
        let hardware = model.kind.hardware
        let idle = PlanningSnapshot.Node(idle: hardware)
        var node = idle
        var held: [Allocation.Node] = []
        for _ in 0..<steps {
            if !held.isEmpty, dice.rare(3) {
                node.giveBack(held.remove(at: dice.roll(0...held.count - 1)), hardware)
                continue
            }
            let shape = dice.shape()
            let fit = NodeFit(shape, on: model)
            let room = fit.capacity(on: node)
            #expect(room <= fit.capacity(model.counts(of: node)))
            #expect((room > 0) == fit.failures(on: node).isEmpty, "\(room) \(fit.failures(on: node)) \(shape)")
            if room == 0 { continue }
            let tasks = dice.rare(2) ? room : dice.roll(1...room)
            let grant = try #require(fit.grant(tasks: tasks, on: node), "\(tasks) of \(room): \(shape) on \(node)")
            #expect(node.refusal(of: grant.node, hardware) == nil, "\(shape)")
            try check(grant, fit, node, tasks)
            #expect(fit.grant(tasks: room + 1, on: node) == nil)
            node.take(grant.node, hardware)
            held.append(grant.node)
        }
        for part in held { node.giveBack(part, hardware) }
        #expect(node.freeCPUs == idle.freeCPUs && node.freeMemoryMiB == idle.freeMemoryMiB)
        #expect(node.freeGRES == idle.freeGRES)
    }

    private func check(_ grant: Grant, _ fit: NodeFit, _ node: PlanningSnapshot.Node, _ tasks: Int) throws {
        let model = fit.model
        let free = model.counts(of: node)
        let need = try #require(fit.need(tasks: tasks, from: free))
        #expect(free.covers(need))
        var taken = model.counts(of: grant.node)
        if !model.allocatesCores { taken.cores = 0 }
        if fit.shape.coreSpec > 0 { taken.cores = min(taken.cores, need.cores) }
        #expect(need.covers(taken), "\(taken) of \(need) for \(fit.shape)")
        let wanted = fit.shape.overcommit ? fit.shape.cpusPerTask : tasks * fit.shape.cpusPerTask
        #expect(grant.node.cpus.count >= wanted)
        #expect(grant.tasks.count == tasks)
        if model.allocatesCores { checkWholeCores(grant, model) }
        if !fit.shape.overcommit { checkTasks(grant, fit) }
    }

    private func checkWholeCores(_ grant: Grant, _ model: NodeModel) {
        for core in model.kind.hardware.cores {
            let given = core.cpus.count { grant.node.cpus.contains($0) }
            #expect(given == 0 || given == core.threads)
        }
    }

    private func checkTasks(_ grant: Grant, _ fit: NodeFit) {
        var seen = CPUSet()
        var onCore: [Int: Int] = [:]
        var onSocket: [Int: Int] = [:]
        for task in grant.tasks {
            #expect(task.cpus.count >= fit.shape.cpusPerTask, "\(grant) for \(fit.shape)")
            #expect(task.cpus.isDisjoint(with: seen))
            seen.formUnion(task.cpus)
            for (index, core) in fit.model.kind.hardware.cores.enumerated() {
                if core.cpus.contains(where: task.cpus.contains) { onCore[index, default: 0] += 1 }
            }
            let first = task.cpus.members.first ?? 0
            if let core = fit.model.kind.hardware.cores.first(where: { $0.cpus.contains(first) }) {
                onSocket[core.socket, default: 0] += 1
            }
        }
        #expect(CPUSet(seen.members.filter { !grant.node.cpus.contains($0) }).isEmpty)
        if fit.shape.tasksPerCore > 0 { #expect((onCore.values.max() ?? 0) <= fit.shape.tasksPerCore) }
        if fit.shape.tasksPerSocket > 0 {
            #expect((onSocket.values.max() ?? 0) <= fit.shape.tasksPerSocket, "\(grant) for \(fit.shape)")
        }
    }

    @Test(arguments: 0..<40) func `a job that fits an idle node is placed on it`(seed: Int) throws {
        var dice = Dice(UInt64(seed) + 1000)
        for _ in 0..<20 {
            let hardware = dice.hardware()
            let fit = NodeFit(dice.shape(), on: NodeModel(.init(hardware: hardware)))
            let idle = PlanningSnapshot.Node(idle: hardware)
            #expect((fit.idleCapacity > 0) == fit.unmet.isEmpty)
            if fit.idleCapacity == 0 { continue }
            let room = fit.capacity(on: idle)
            for tasks in 1...max(room, 1) where room > 0 { _ = try #require(fit.grant(tasks: tasks, on: idle)) }
        }
    }

    @Test(arguments: 0..<40) func `counts of CPUs by words and one by one agree`(seed: Int) {
        var dice = Dice(UInt64(seed) + 2000)
        let threads = dice.one(of: [1, 2, 4, 8])
        let hardware = NodeHardware(
            sockets: 2, coresPerSocket: dice.roll(1...40), threadsPerCore: threads, memoryMiB: 1024)
        let model = NodeModel(.init(hardware: hardware))
        var node = PlanningSnapshot.Node(idle: hardware)
        for cpu in 0..<hardware.cpus where dice.rare(4) { node.freeCPUs.remove(cpu) }
        let whole = hardware.cores.count { $0.cpus.allSatisfy(node.freeCPUs.contains) }
        #expect(model.counts(of: node).cores == whole)
        #expect(model.counts(of: node).cpus == whole * threads)
    }
}
