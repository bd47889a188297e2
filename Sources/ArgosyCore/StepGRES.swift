// A step's own part of its job's generic resources.
import ArgosyDomain

/// Gives what a step asks for out of what its job has free, node by node.
struct StepGRES {
    private let request: StepRequest
    /// By position in the job's allocation.
    private let free: [[GRESGrant]]

    init(_ request: StepRequest, _ free: [[GRESGrant]]) {
        self.request = request
        self.free = free
    }

    /// How many tasks the node's free resources are enough for; no limit for a step that asks for none.
    func mostTasks(at position: Int) -> Int {
        var most = Int.max
        for wanted in request.gres where wanted.count > 0 {
            let here = free[position].filter { $0.satisfies(wanted) }.reduce(0) { $0 + $1.count }
            switch wanted.per {
            case .task: most = min(most, Int(here / wanted.count))
            case .node, .socket: if here < wanted.count { return 0 }
            case .job: break
            }
        }
        return most
    }

    /// Grants for each of the chosen positions; nil: not enough.
    func take(_ chosen: [Int], _ tasks: [Int]) -> [[GRESGrant]]? {
        var left = free
        var taken: [[GRESGrant]] = chosen.map { _ in [] }
        for wanted in request.gres where wanted.count > 0 {
            var ofJob = wanted.count
            for (index, position) in chosen.enumerated() {
                let need: UInt64
                switch wanted.per {
                case .node, .socket: need = wanted.count
                case .task: need = wanted.count * UInt64(tasks[index])
                case .job:
                    need = min(ofJob, left[position].filter { $0.satisfies(wanted) }.reduce(0) { $0 + $1.count })
                    ofJob -= need
                }
                guard take(need, of: wanted, from: &left[position], to: &taken[index]) else { return nil }
            }
            if wanted.per == .job, ofJob > 0 { return nil }
        }
        return taken
    }

    private func take(
        _ need: UInt64, of wanted: GRESRequest, from left: inout [GRESGrant], to taken: inout [GRESGrant]
    ) -> Bool {
        var need = need
        for index in left.indices where need > 0 && left[index].satisfies(wanted) {
            let part = left[index].split(min(need, left[index].count))
            need -= part.count
            if part.count > 0 { taken.append(part) }
        }
        return need == 0
    }
}

extension GRESGrant {
    func satisfies(_ wanted: GRESRequest) -> Bool {
        name == wanted.name && (wanted.type.isEmpty || type == wanted.type)
    }

    /// Takes `count` away, the first devices first.
    fileprivate mutating func split(_ count: UInt64) -> GRESGrant {
        let part = GRESGrant(
            name: name, type: type, count: count, devices: CPUSet(devices.members.prefix(Int(clamping: count))))
        remove(part)
        return part
    }

    mutating func remove(_ part: GRESGrant) {
        count -= min(count, part.count)
        devices.subtract(part.devices)
    }
}
