// Where a step's tasks may run and take their memory from (--cpu-bind, --mem-bind), and what is said about it: the
// variables SLURM_CPU_BIND* and, with `verbose`, a line for each task.
internal import ArgosyDomain
internal import ArgosyWire

/// --cpu-bind of the tasks of one node.
struct CPUBinding {
    /// OS numbers of each task's CPUs, ascending; an empty list: all that the step has.
    let masks: [[Int]]
    /// Nil: nobody asked, nothing is said.
    private let asked: WireBinding?

    /// - Parameters:
    ///   - cpus: of the step on this node, abstract.
    ///   - processors: the machine's PUs in logical order.
    init(_ order: WireLaunchStep, cpus: [UInt32], processors: [UInt32], tasks: Int) {
        asked = order.options.hasCpuBind ? order.options.cpuBind : nil
        let all = CPUAssignment.physical(cpus, on: processors)
        let list = (asked?.list ?? "").split(separator: ",").flatMap { Self.repeated($0) }
        func item(_ local: Int) -> Substring? { list.isEmpty ? nil : list[local % list.count] }
        func physical(_ abstract: some Sequence<Int>) -> [Int] {
            CPUAssignment.physical(abstract.map { UInt32(clamping: $0) }, on: processors)
        }
        /// What of `wanted` the step has; all of the step's where that is nothing.
        func within(_ wanted: [Int]) -> [Int] {
            let kept = wanted.filter(all.contains)
            return kept.isEmpty ? all : kept
        }
        switch asked?.type ?? "" {
        case "none": masks = Array(repeating: [], count: tasks)
        case "rank": masks = (0..<tasks).map { all.isEmpty ? [] : [all[$0 % all.count]] }
        case "map_cpu":
            masks = (0..<tasks).map { within(physical(item($0).flatMap { Self.number($0) }.map { [$0] } ?? [])) }
        case "mask_cpu": masks = (0..<tasks).map { within(physical(Self.bits(item($0) ?? ""))) }
        case "rank_ldom", "map_ldom", "mask_ldom", "sockets", "ldoms", "boards":
            masks = Array(repeating: all, count: tasks)
        case "cores", "threads":
            masks = CPUAssignment.assign(cpus, tasks: tasks, perTask: max(1, Int(order.cpusPerTask)))
                .map { CPUAssignment.physical($0, on: processors) }
        default:
            masks = CPUAssignment.assign(cpus, tasks: tasks, perTask: Int(order.cpusPerTask))
                .map { CPUAssignment.physical($0, on: processors) }
        }
    }

    /// As Slurm's task plugin puts it: what was asked, or the masks that came of it.
    func variables() -> [(String, String)] {
        guard let asked else { return [] }
        let isListed = ["map_cpu", "mask_cpu", "map_ldom", "mask_ldom"].contains(asked.type)
        let isKept = isListed || ["none", "rank", "rank_ldom"].contains(asked.type)
        let list = isListed ? asked.list : isKept ? "" : masks.map { "0x" + Self.hex($0) }.joined(separator: ",")
        let type = isListed ? asked.type + ":" : isKept ? asked.type : "mask_cpu:"
        let verbosity = asked.verbose ? "verbose" : "quiet"
        return [
            ("SLURM_CPU_BIND", "\(verbosity),\(type)\(list)"), ("SLURM_CPU_BIND_LIST", list),
            ("SLURM_CPU_BIND_TYPE", type), ("SLURM_CPU_BIND_VERBOSE", verbosity),
        ]
    }

    /// `cpu-bind=MASK - n1, task  0  0 [7677]: mask 0x1 set`; nil: not asked for.
    func report(node: String, rank: UInt32, local: Int, pid: Int32) -> String? {
        guard let asked, asked.verbose else { return nil }
        let word =
            switch asked.type {
            case "none": "NONE"
            case "rank": "RANK"
            case "map_cpu": "MAP "
            case "rank_ldom": "LDRANK"
            case "map_ldom": "LDMAP"
            case "mask_ldom": "LDMASK"
            default: "MASK"
            }
        let mask = local < masks.count ? masks[local] : []
        return "cpu-bind=\(word) - \(node), task \(two(rank)) \(two(UInt32(local))) [\(pid)]: mask 0x\(Self.hex(mask))"
            + (asked.type == "none" ? "" : " set")
    }

    /// `3`, `0x1f`
    static func number(_ text: Substring) -> Int? {
        text.hasPrefix("0x") || text.hasPrefix("0X") ? Int(text.dropFirst(2), radix: 16) : Int(text)
    }

    /// `2*3`: three times 2.
    private static func repeated(_ text: Substring) -> [Substring] {
        let parts = text.split(separator: "*", maxSplits: 1)
        guard parts.count == 2, let count = Int(parts[1]), (1...4096).contains(count) else { return [text] }
        return Array(repeating: parts[0], count: count)
    }

    /// Numbers of the bits of a hexadecimal mask, of any length.
    static func bits(_ text: Substring) -> [Int] {
        let digits = text.hasPrefix("0x") || text.hasPrefix("0X") ? text.dropFirst(2) : text
        var found: [Int] = []
        for (place, digit) in digits.reversed().enumerated() {
            guard let value = digit.hexDigitValue else { return [] }
            found += (0..<4).filter { value >> $0 & 1 == 1 }.map { place * 4 + $0 }
        }
        return found
    }

    static func hex(_ cpus: [Int]) -> String {
        var digits = [Int](repeating: 0, count: (cpus.max() ?? 0) / 4 + 1)
        for cpu in cpus where cpu >= 0 { digits[cpu / 4] |= 1 << (cpu % 4) }
        return digits.reversed().map { String($0, radix: 16) }.joined()
    }
}

/// --mem-bind of the tasks of one node.
struct MemoryBinding {
    private let asked: WireBinding?

    init(_ order: WireLaunchStep) { asked = order.options.hasMemBind ? order.options.memBind : nil }

    /// For set_mempolicy(2); nil: as it is.
    func policy(local: Int) -> (mode: Int32, nodes: UInt64)? {
        guard let asked else { return nil }
        let (bind, nearest): (Int32, Int32) = (2, 4)
        let list = asked.list.split(separator: ",")
        switch asked.type {
        case "local": return (nearest, 0)
        case "rank": return local < 64 ? (bind, 1 << UInt64(local)) : nil
        case "map_mem":
            guard !list.isEmpty, let node = CPUBinding.number(list[local % list.count]), node < 64 else { return nil }
            return (bind, 1 << UInt64(node))
        case "mask_mem":
            guard !list.isEmpty else { return nil }
            let nodes = CPUBinding.bits(list[local % list.count]).filter { $0 < 64 }.reduce(UInt64(0)) { $0 | 1 << UInt64($1) }
            return nodes == 0 ? nil : (bind, nodes)
        default: return nil
        }
    }

    func variables() -> [(String, String)] {
        guard let asked else { return [] }
        let verbosity = asked.verbose ? "verbose" : "quiet"
        let type = asked.type + (asked.list.isEmpty ? "" : ":")
        return [
            ("SLURM_MEM_BIND", "\(verbosity),\(type)\(asked.list)"), ("SLURM_MEM_BIND_VERBOSE", verbosity),
            ("SLURM_MEM_BIND_LIST", asked.list), ("SLURM_MEM_BIND_TYPE", type),
        ]
    }

    func report(node: String, rank: UInt32, local: Int, pid: Int32) -> String? {
        guard let asked, asked.verbose else { return nil }
        let word = ["local": "LOC", "rank": "RANK", "map_mem": "MAP", "mask_mem": "MASK"][asked.type] ?? "NONE"
        let mask = String(policy(local: local).map { $0.nodes == 0 ? 1 : $0.nodes } ?? 1, radix: 16)
        return "mem-bind=\(word) - \(node), task \(two(rank)) \(two(UInt32(local))) [\(pid)]: mask 0x\(mask)"
            + (word == "NONE" ? "" : " set")
    }
}

/// Two characters wide at least.
private func two(_ number: UInt32) -> String { number < 10 ? " \(number)" : "\(number)" }
