import Glibc

/// What the processes of a cgroup use at this moment, beyond what the cgroup counts itself.
public struct ProcessUsage: Hashable, Sendable {
    /// Memory of the cgroup now.
    public var memoryBytes: UInt64 = 0
    public var processes: [Int32] = []
    /// Of all its processes, here and below.
    public var virtualBytes: UInt64 = 0
    public var majorFaults: UInt64 = 0
    public var readBytes: UInt64 = 0
    public var writtenBytes: UInt64 = 0
}

extension Cgroup {
    /// Reads /proc: a process that ends meanwhile counts nothing.
    public func usageNow() -> ProcessUsage {
        var now = ProcessUsage()
        if let memory = directory(of: "memory") {
            let file = memory.isV2 ? "/memory.current" : "/memory.usage_in_bytes"
            now.memoryBytes = Self.number(memory.path + file) ?? 0
        }
        now.processes = processes()
        let page = UInt64(max(1, sysconf(Int32(_SC_PAGESIZE))))
        for process in now.processes {
            let directory = "/proc/\(process)"
            // statm: pages of the address space, then resident ones, ...
            let statm = (try? Files.readText(directory + "/statm")) ?? ""
            now.virtualBytes += (statm.split(separator: " ").first.flatMap { UInt64($0) } ?? 0) * page
            now.majorFaults += Self.majorFaults((try? Files.readText(directory + "/stat")) ?? "")
            let io = (try? Files.readText(directory + "/io")) ?? ""
            for line in io.split(separator: "\n") {
                let words = line.split(separator: " ")
                guard words.count == 2, let count = UInt64(words[1]) else { continue }
                if words[0] == "rchar:" { now.readBytes += count }
                if words[0] == "wchar:" { now.writtenBytes += count }
            }
        }
        return now
    }

    /// The twelfth field of /proc/PID/stat; the second, a name in parentheses, may hold anything.
    static func majorFaults(_ stat: String) -> UInt64 {
        guard let end = stat.lastIndex(of: ")") else { return 0 }
        let fields = stat[stat.index(after: end)...].split(separator: " ")
        return fields.count > 9 ? UInt64(fields[9]) ?? 0 : 0
    }
}
