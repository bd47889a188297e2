public import ArgosyDomain
import CArgosyShim
import Glibc

/// Limits and what was used of them.
extension Cgroup {
    /// Changes limits (devices: narrows only). Nil ones stay as they are. One whose controller this machine lacks is left
    /// out, as Slurm does; `CgroupLayout` tells which there are.
    public func set(_ limits: CgroupLimits) throws(SystemError) {
        if let cpus = limits.cpus { try write("cpuset", "cpuset.cpus", Self.list(cpus)) }
        if let nodes = limits.memoryNodes { try write("cpuset", "cpuset.mems", Self.list(nodes)) }
        if let bytes = limits.memoryBytes { try setMemory(bytes) }
        if let pids = limits.pids { try write("pids", "pids.max", String(pids)) }
        if let devices = limits.devices { try setDevices(devices) }
    }

    /// CPU time and peak memory of it with its descendants; out-of-memory kills of processes that were in it or below
    /// it. Read it before `remove`. Memory peaks at 0 where the kernel does not tell.
    public func usage() -> Usage {
        var usage = Usage()
        if let accounting = directory(of: "cpuacct")?.path {
            usage.userCPU = (Self.number(accounting + "/cpuacct.usage_user") ?? 0) / 1000
            usage.systemCPU = (Self.number(accounting + "/cpuacct.usage_sys") ?? 0) / 1000
        } else if let v2 = directoryInV2 {
            usage.userCPU = Self.number("user_usec", in: v2 + "/cpu.stat") ?? 0
            usage.systemCPU = Self.number("system_usec", in: v2 + "/cpu.stat") ?? 0
        }
        guard let memory = directory(of: "memory") else { return usage }
        let peak = memory.isV2 ? "/memory.peak" : "/memory.max_usage_in_bytes"
        // memory.peak came with Linux 5.19; before, what is used now is all there is.
        usage.peakMemory = Self.number(memory.path + peak) ?? Self.number(memory.path + "/memory.current") ?? 0
        usage.oomKills = oomKills(memory)
        return usage
    }

    /// v2 counts a kill in the victim's cgroup and in those above, which also keeps those of removed children. v1 counts
    /// it in the victim's only. Neither is a matter of who hit the limit: failcnt is no evidence.
    private func oomKills(_ memory: (path: String, isV2: Bool)) -> UInt64 {
        if memory.isV2 { return Self.number("oom_kill", in: memory.path + "/memory.events") ?? 0 }
        return subtree(of: memory.path).reduce(0) {
            $0 + (Self.number("oom_kill", in: $1 + "/memory.oom_control") ?? 0)
        }
    }

    private func write(_ controller: String, _ file: String, _ text: String) throws(SystemError) {
        guard let directory = directory(of: controller)?.path else { return }
        try Files.writeExisting(directory + "/" + file, text)
    }

    private func setMemory(_ bytes: UInt64) throws(SystemError) {
        guard let (directory, isV2) = directory(of: "memory") else { return }
        if isV2 {
            try Files.writeExisting(directory + "/memory.max", String(bytes))
            try? Files.writeExisting(directory + "/memory.swap.max", "0")
            return
        }
        let memory = directory + "/memory.limit_in_bytes"
        let withSwap = directory + "/memory.memsw.limit_in_bytes"
        // Memory may never be above memory with swap: growing goes the other way round.
        if (Self.number(memory) ?? .max) < bytes { try? Files.writeExisting(withSwap, String(bytes)) }
        try Files.writeExisting(memory, String(bytes))
        if access(withSwap, F_OK) == 0 { try Files.writeExisting(withSwap, String(bytes)) }
    }

    private func setDevices(_ policy: DevicePolicy) throws(SystemError) {
        if let (directory, isV2) = directory(of: "devices"), !isV2 {
            return try setDevices(policy, v1: directory)
        }
        guard let v2 = directoryInV2 else { return }
        let rules = policy.rules.map {
            argosy_device_rule(
                block: $0.block ? 1 : 0, major: $0.major, minor: $0.minor ?? 0, any_minor: $0.minor == nil ? 1 : 0)
        }
        let directory = try Files.open(v2, flags: O_RDONLY | O_DIRECTORY)
        try checkShim(
            argosy_cgroup_devices(directory.raw, rules, rules.count, policy.denies ? 1 : 0), "limit devices of", v2)
    }

    private func setDevices(_ policy: DevicePolicy, v1 directory: String) throws(SystemError) {
        if policy.denies {
            for rule in policy.rules { try Files.writeExisting(directory + "/devices.deny", "\(rule.v1) rwm") }
            return
        }
        try Files.writeExisting(directory + "/devices.deny", "a")
        for rule in policy.rules {
            // Never "m": nobody in a job makes device nodes.
            try Files.writeExisting(directory + "/devices.allow", "\(rule.v1) rw")
        }
    }

    /// "0-3,8", as cpuset(7) has it.
    static func list(_ numbers: [Int]) -> String {
        var ranges: [(Int, Int)] = []
        for number in Set(numbers).sorted() {
            if let last = ranges.last, last.1 + 1 == number {
                ranges[ranges.count - 1].1 = number
            } else {
                ranges.append((number, number))
            }
        }
        return ranges.map { $0.0 == $0.1 ? "\($0.0)" : "\($0.0)-\($0.1)" }.joined(separator: ",")
    }
}

extension DevicePolicy.Rule {
    /// As devices.allow has it.
    fileprivate var v1: String { "\(block ? "b" : "c") \(major):\(minor.map(String.init) ?? "*")" }
}
