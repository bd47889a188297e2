// What must always hold, for tests and the simulator, and a digest that is equal where states are.
import ArgosyDomain

extension ControllerCore {
    /// What is wrong with the state; empty when it is sound. Costs a walk over everything.
    public func checkInvariants() -> [String] { checkNodes() + checkJobs() + checkTables() }

    private func checkNodes() -> [String] {
        var wrong: [String] = []
        for index in configuration.nodes.indices {
            guard let node = tables.nodes[UInt32(index)] else { continue }
            let name = configuration.nodes[index].name
            var taken = CPUSet()
            var memory: UInt64 = 0
            let hardware = hardware(of: NodeIndex(index))
            var expected = node
            expected.freeGRES = cluster.nodes[index].freeGRES
            for key in node.holds {
                guard let record = record(key.job), record.attempt == key.attempt,
                    let run = tables.runs[key.job.rawValue], let position = run.position(of: NodeIndex(index)),
                    run.held.contains(position)
                else {
                    wrong.append("\(name) holds for \(key.job).\(key.attempt.rawValue), which does not")
                    continue
                }
                let share = run.allocation.nodes[Int(position)]
                memory += countedMemory(share)
                expected.take(share.gres, of: hardware)
                if run.hasLentCPUs { continue }
                if !taken.isDisjoint(with: share.cpus) { wrong.append("\(name): CPUs of job \(key.job) given twice") }
                taken.formUnion(share.cpus)
            }
            if expected.freeGRES != node.freeGRES { wrong.append("\(name): GRES do not add up") }
            if !taken.isDisjoint(with: node.freeCPUs) { wrong.append("\(name): CPUs both free and held") }
            if taken.count + node.freeCPUs.count != configuration.nodes[index].cpus {
                wrong.append("\(name): CPUs lost")
            }
            if memory + node.freeMemoryMiB != configuration.nodes[index].memoryMiB {
                wrong.append("\(name): memory does not add up")
            }
        }
        return wrong
    }

    private func checkTables() -> [String] {
        var wrong: [String] = []
        var uses = Array(repeating: UInt64(0), count: licensesInUse.count)
        tables.runs.forEach { key, run in
            for demand in run.licenses { uses[demand.license] += UInt64(demand.count) }
            let state = tables.jobs[key]?.state
            if state?.isEnded ?? true, !run.licenses.isEmpty { wrong.append("ended job \(key) holds licenses") }
            if state == .suspended, !run.hasLentCPUs { wrong.append("suspended job \(key) kept its CPUs") }
            if state == .suspended, !suspended.contains(JobID(key)) { wrong.append("job \(key) is not known to stand") }
            if state == .running, run.hasLentCPUs { wrong.append("running job \(key) lent its CPUs") }
        }
        if uses != licensesInUse { wrong.append("licenses in use: \(uses), counted \(licensesInUse)") }
        for (position, use) in uses.enumerated() where use > UInt64(configuration.licenses[position].count) {
            wrong.append("license \(configuration.licenses[position].name) is given too often")
        }
        var counts = Array(repeating: UInt32(0), count: shapes.counts.count)
        tables.jobs.forEach { key, record in
            if record.shape >= 0 { counts[Int(record.shape)] += 1 }
            if (record.state == .pending) != (record.shape >= 0) { wrong.append("shape of job \(key)") }
        }
        if counts != shapes.counts { wrong.append("shapes are counted wrong") }
        return wrong
    }

    private func checkJobs() -> [String] {
        var wrong: [String] = []
        var live = 0
        let queued = Set(queue.keys)
        tables.jobs.forEach { key, record in
            let held = tables.runs[key]?.held ?? []
            if !record.state.isEnded { live += 1 }
            if record.id > lastJobID { wrong.append("job \(key) is above the high-water mark") }
            switch record.state {
            case .pending:
                if tables.runs[key] != nil { wrong.append("waiting job \(key) has an allocation") }
                if !queued.contains(PendingQueue.Key(record)) { wrong.append("waiting job \(key) is in no queue") }
            case .running, .suspended, .completing:
                if held.isEmpty { wrong.append("job \(key) is \(record.state.name) on no node") }
                for position in held {
                    let node = tables.runs[key]?.allocation.nodes[Int(position)].index.rawValue ?? .max
                    if tables.nodes[node]?.holds.contains(record.key) != true {
                        wrong.append("job \(key) runs on a node that does not hold for it")
                    }
                }
            default:
                if !held.isEmpty { wrong.append("ended job \(key) holds nodes") }
                let open = (tables.steps[key] ?? []).contains { !$0.state.isEnded }
                if open { wrong.append("ended job \(key) has a running step") }
            }
        }
        if live != liveJobs { wrong.append("\(live) live jobs, counted \(liveJobs)") }
        return wrong
    }

    /// Equal states have equal digests, in every process. Costs a walk over everything.
    public var digest: UInt64 {
        var digest = FNV()
        digest.mix(UInt64(lastJobID.rawValue))
        tables.jobs.forEach { key, record in
            for value in [
                UInt64(key), UInt64(record.state.rawValue), UInt64(record.reason.rawValue), record.priority,
                UInt64(record.attempt.rawValue), UInt64(bitPattern: record.start.microseconds),
                UInt64(bitPattern: record.end.microseconds), UInt64(record.exit.code), UInt64(record.exit.signal),
                UInt64(record.arrayJob), UInt64(record.arrayIndex), UInt64(record.nextStep),
            ] { digest.mix(value) }
            for range in tables.pendingIndices[key] ?? [] {
                for value in [range.first, range.last, range.step] { digest.mix(UInt64(value)) }
            }
            for position in tables.runs[key]?.held ?? [] { digest.mix(UInt64(position)) }
            for step in tables.steps[key] ?? [] { digest.mix(UInt64(step.state.rawValue)) }
        }
        tables.nodes.forEach { key, node in
            digest.mix(UInt64(key))
            for word in node.freeCPUs.words { digest.mix(word) }
            digest.mix(node.freeMemoryMiB)
            digest.mix(UInt64(node.strays.count) << 2 | (node.isDown ? 2 : 0) | (node.isDrained ? 1 : 0))
        }
        return digest.value
    }
}

/// FNV-1a over 64-bit words: small, and the same everywhere.
struct FNV: Sendable {
    private(set) var value: UInt64 = 0xcbf2_9ce4_8422_2325
    mutating func mix(_ word: UInt64) {
        var word = word
        for _ in 0..<8 {
            value = (value ^ (word & 0xff)) &* 0x100_0000_01b3
            word >>= 8
        }
    }
}
