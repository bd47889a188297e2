// Processes of jobs on this machine, by the cgroups that the node daemon puts them into.

import Glibc

struct JobProcess {
    var pid: Int32
    var job: UInt32
    var step: String
    /// Rank within the step; nil: a child of a task, or of the batch script.
    var task: UInt32?
}

enum JobProcesses {
    /// Ascending by job, step and pid. Reads /proc: a process's cgroup names its job and step, its environment its rank.
    static func all() -> [JobProcess] {
        guard let directory = opendir("/proc") else { return [] }
        defer { closedir(directory) }
        var found: [JobProcess] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            guard let pid = Int32(name), let process = process(pid) else { continue }
            found.append(process)
        }
        found.sort { ($0.job, $0.step, $0.pid) < ($1.job, $1.step, $1.pid) }
        // The batch script is the first of its step.
        for place in found.indices where found[place].step == "batch" && found[place].task == nil {
            let isFirst = place == 0 || found[place - 1].job != found[place].job || found[place - 1].step != "batch"
            if isFirst { found[place].task = 0 }
        }
        return found
    }

    private static func process(_ pid: Int32) -> JobProcess? {
        guard let bytes = FileBytes.read(path: "/proc/\(pid)/cgroup", limit: 1 << 16) else { return nil }
        let text = String(decoding: bytes, as: UTF8.self)
        var job: UInt32?
        var step: String?
        for part in text.split(whereSeparator: { "/\n:".contains($0) }) {
            if part.hasPrefix("job_") { job = UInt32(part.dropFirst(4).prefix { $0.isNumber }) }
            if part.hasPrefix("step_") {
                step = UInt32(part.dropFirst(5)).map(StepRecord.name) ?? String(part.dropFirst(5))
            }
        }
        guard let job, let step else { return nil }
        return JobProcess(pid: pid, job: job, step: step, task: rank(of: pid))
    }

    /// Only of the first process of a task: its children carry the same variables.
    private static func rank(of pid: Int32) -> UInt32? {
        guard let bytes = FileBytes.read(path: "/proc/\(pid)/environ", limit: 1 << 20) else { return nil }
        var taskPID: Int32?
        var rank: UInt32?
        for variable in bytes.split(separator: 0) {
            let text = String(decoding: variable, as: UTF8.self)
            if text.hasPrefix("SLURM_TASK_PID=") { taskPID = Int32(text.dropFirst(15)) }
            if text.hasPrefix("SLURM_PROCID=") { rank = UInt32(text.dropFirst(13)) }
        }
        return taskPID == pid ? rank : nil
    }
}
