// A node's parts as text, a line each: for fixtures, messages and eyes.
//
//     sockets 2
//     memory 262144
//     numa 0 131072
//     numa 1 131072
//     cores 36 threads 2 socket 0 numa 0
//     cores 36 threads 2 socket 1 numa 1
//     gres gpu a100 numa 0 cpus 0-71 file /dev/nvidia0
//     gres scratch - count 1000
//
// Cores follow one another in the order of the lines; a line of gres is one device, or with `count` a plain count. `-`
// stands for an empty type. Lines that begin with # say nothing.

extension NodeHardware {
    public var text: String {
        var lines = ["sockets \(sockets)", "memory \(memoryMiB)"]
        for (index, memory) in numaMemoryMiB.enumerated() { lines.append("numa \(index) \(memory)") }
        var run = 0
        for (index, core) in cores.enumerated() {
            run += 1
            if index + 1 < cores.count, cores[index + 1].isLike(core) { continue }
            lines.append("cores \(run) threads \(core.threads) socket \(core.socket) numa \(core.numa)")
            run = 0
        }
        for unit in gres {
            let head = "gres \(unit.name) \(unit.type.isEmpty ? "-" : unit.type)"
            if unit.devices.isEmpty { lines.append("\(head) count \(unit.count)") }
            for device in unit.devices { lines.append(head + device.text) }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// - Returns: nil for a text that is not as above.
    public init?(text: String) {
        self.init(cores: [], sockets: 1, numaMemoryMiB: [], memoryMiB: 0)
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            guard read(line.split(separator: " ").map(String.init)) else { return nil }
        }
        guard !cores.isEmpty, cores.allSatisfy({ $0.socket < sockets && $0.numa < numaMemoryMiB.count }) else {
            return nil
        }
    }

    private mutating func read(_ words: [String]) -> Bool {
        switch words.first {
        case "sockets": return words.count == 2 && set(words[1]) { sockets = $0 }
        case "memory": return words.count == 2 && set(words[1]) { memoryMiB = UInt64($0) }
        case "numa": return words.count == 3 && set(words[2]) { numaMemoryMiB.append(UInt64($0)) }
        case "cores": return readCores(words)
        case "gres": return words.count > 2 && readDevice(words)
        default: return false
        }
    }

    private func set(_ word: String, _ use: (Int) -> Void) -> Bool {
        guard let number = Int(word), number >= 0 else { return false }
        use(number)
        return true
    }

    private mutating func readCores(_ words: [String]) -> Bool {
        let numbers = words.indices.filter { $0 % 2 == 1 }.compactMap { Int(words[$0]) }
        guard words.count == 8, numbers.count == 4, numbers.allSatisfy({ (0...65_536).contains($0) }) else {
            return false
        }
        for _ in 0..<numbers[0] {
            let first = cores.last?.cpus.upperBound ?? 0
            cores.append(Core(firstCPU: first, threads: numbers[1], socket: numbers[2], numa: numbers[3]))
        }
        return true
    }

    private mutating func readDevice(_ words: [String]) -> Bool {
        let type = words[2] == "-" ? "" : words[2]
        if words.count == 5, words[3] == "count", let count = Int(words[4]) {
            gres.append(GRES(name: words[1], type: type, count: count))
            return true
        }
        guard let device = GRES.Device(words: Array(words.dropFirst(3))) else { return false }
        if let known = gres.firstIndex(where: { $0.name == words[1] && $0.type == type }) {
            gres[known].devices.append(device)
            gres[known].count += 1
        } else {
            gres.append(GRES(name: words[1], type: type, count: 1, devices: [device]))
        }
        return true
    }
}

extension NodeHardware.Core {
    fileprivate func isLike(_ other: Self) -> Bool {
        threads == other.threads && socket == other.socket && numa == other.numa
    }
}

extension NodeHardware.GRES.Device {
    fileprivate var text: String {
        var words = ""
        if let numa { words += " numa \(numa)" }
        if !cpus.isEmpty { words += " cpus \(cpus.ranges)" }
        if !file.isEmpty { words += " file \(file)" }
        return words
    }

    fileprivate init?(words: [String]) {
        self.init()
        guard words.count % 2 == 0 else { return nil }
        for index in stride(from: 0, to: words.count, by: 2) {
            let value = words[index + 1]
            switch words[index] {
            case "numa": numa = Int(value)
            case "file": file = value
            case "cpus":
                guard let set = CPUSet(ranges: value) else { return nil }
                cpus = set
            default: return nil
            }
        }
    }
}

extension CPUSet {
    /// `0-3,8`; empty for an empty set.
    public var ranges: String {
        var runs: [(first: Int, last: Int)] = []
        for cpu in members {
            if let last = runs.last, last.last == cpu - 1 {
                runs[runs.count - 1].last = cpu
            } else {
                runs.append((cpu, cpu))
            }
        }
        return runs.map { $0.first == $0.last ? "\($0.first)" : "\($0.first)-\($0.last)" }.joined(separator: ",")
    }

    /// Reads `ranges`; nil for anything else, and for numbers above 65,535.
    public init?(ranges: String) {
        self.init()
        for part in ranges.split(separator: ",") {
            let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
            guard ends.count <= 2, let first = ends.first ?? nil, let last = ends.last ?? nil, first <= last,
                first >= 0, last < 65_536
            else { return nil }
            for cpu in first...last { insert(cpu) }
        }
    }
}
