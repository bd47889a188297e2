// seff: what an ended job used of what it held, in the lines of Slurm's contributed script, which monitoring reads.

import ArgosyDomain
import ArgosyWire

struct SeffOptions: CommandSettings {
    var showsHelp = false
    var showsUsage = false
    var showsVersion = false
    var debug = false
}

enum Seff {
    typealias Row = Option<SeffOptions>

    static let description = CommandDescription(name: "seff", synopsis: "[OPTIONS] JOBID...", options: options)

    static let options: [Row] =
        [
            Row("debug", "d", "also the numbers the lines are made of") { o, _ in o.debug = true }
        ] + informationOptions()

    static func run(_ arguments: [String]) -> Int32 {
        var options = SeffOptions()
        var exitCode: Int32 = 0
        guard let words = description.parse(arguments, into: &options, exitCode: &exitCode) else { return exitCode }
        guard !words.isEmpty else {
            Console.complain("Usage: seff [Options] <Jobid>\n")
            return 1
        }
        for word in words {
            do { Console.print(try report(word, options)) } catch {
                let failure = Failure(error)
                Console.complain(failure.message + (failure.detail.isEmpty ? "" : ": \(failure.detail)") + "\n")
                exitCode = 1
            }
        }
        return exitCode
    }

    private static func report(_ word: String, _ options: SeffOptions) throws -> String {
        let ids = try JobIdentifier.list(word)
        var request = WireListAccounting()
        request.jobs = ids.map(\.selector)
        request.allUsers = true
        guard case .accounting(let list)? = try Session().ask(.accounting(request)).body else {
            throw Failure("Invalid reply of the controller")
        }
        guard let job = list.jobs.max(by: { $0.job < $1.job }) else { throw Failure("Job not found.") }
        return text(job, cluster: list.cluster, now: list.nowUs / 1_000_000, options)
    }

    static func text(_ job: WireJobInfo, cluster: String, now: Int64, _ options: SeffOptions) -> String {
        var job = job
        let last = job.restarts
        job.steps.removeAll { $0.attempt != last }
        let record = AccountingRecord(job: JobRecord(info: job, now: now), step: nil, cluster: cluster)
        let isPending = job.state == "PENDING"
        let cpus = Int64(record.cpus)
        let wall = record.elapsed
        let usage = record.usage
        let used = Int64((usage.userCPU + usage.systemCPU) / 1_000_000)
        var text = ""
        if options.debug {
            text +=
                "Slurm data: JobID ArrayJobID User Group State Clustername Ncpus Nnodes Ntasks Reqmem PerNode"
                + " Cput Walltime Mem ExitStatus\n"
            let memory = Int64(usage.peakMemory / 1024)
            text +=
                "Slurm data: \(job.job) \(job.arrayJob == 0 ? "" : "\(job.arrayJob)") \(job.spec.identity.user)"
                + " \(job.spec.identity.group) \(job.state) \(cluster) \(cpus) \(record.nodeCount)"
                + " \(max(1, job.spec.tasks)) \(reserved(job) >> 10) \(job.spec.memoryPerCpuMib == 0 ? 1 : 0) \(used)"
                + " \(wall) \(memory) \(job.exit.code)\n\n"
        }
        text += "Job ID: \(job.job)\n"
        if job.arrayJob != 0 { text += "Array Job ID: \(job.arrayJob)_\(job.arrayTask)\n" }
        text += "Cluster: \(cluster)\nUser/Group: \(job.spec.identity.user)/\(job.spec.identity.group)\n"
        text +=
            "State: \(job.state)" + (isPending || job.state == "RUNNING" ? "" : " (exit code \(job.exit.code))") + "\n"
        text += layout(record, cpus)
        if isPending { return text + "Efficiency not available for jobs in the PENDING state.\n" }
        text += "CPU Utilized: \(clock(used))\n"
        let core = cpus * wall
        text += "CPU Efficiency: \(percent(Double(used), Double(core))) of \(clock(core)) core-walltime\n"
        text += "Job Wall-clock time: \(clock(wall))\n" + memory(job, record, usage)
        if job.state == "RUNNING" {
            text += "WARNING: Efficiency statistics may be misleading for RUNNING jobs.\n"
        }
        return text
    }

    private static func layout(_ record: AccountingRecord, _ cpus: Int64) -> String {
        let nodes = record.job.state == .pending ? 1 : max(1, record.nodeCount)
        guard cpus > 1 || nodes > 1 else { return "Cores: \(max(1, cpus))\n" }
        guard nodes > 1 || cpus > 1 else { return "" }
        return "Nodes: \(nodes)\nCores per node: \(max(1, cpus / Int64(nodes)))\n"
    }

    /// Bytes on all nodes.
    private static func reserved(_ job: WireJobInfo) -> Int64 {
        let nodes = job.allocation.nodes
        return Int64(nodes.reduce(0) { $0 + $1.memoryMib }) << 20
    }

    private static func memory(_ job: WireJobInfo, _ record: AccountingRecord, _ usage: Usage) -> String {
        let used = Double(usage.peakMemory)
        let wanted = Double(reserved(job))
        var text = "Memory Utilized: \(size(used))\n"
        let nodes = max(1, record.nodeCount)
        let perCore = job.spec.memoryPerCpuMib > 0
        let share =
            perCore
            ? "\(size(Double(job.spec.memoryPerCpuMib) * 1_048_576))/core" : "\(size(wanted / Double(nodes)))/node"
        text += "Memory Efficiency: \(percent(used, wanted)) of \(size(wanted))"
        if nodes > 1 || perCore { text += " (\(share))" }
        return text + "\n"
    }

    static func clock(_ seconds: Int64) -> String {
        let (days, hours, minutes, rest) = (seconds / 86400, seconds / 3600 % 24, seconds / 60 % 60, seconds % 60)
        return (days > 0 ? "\(days)-" : "") + "\(two(hours)):\(two(minutes)):\(two(rest))"
    }

    private static func percent(_ part: Double, _ whole: Double) -> String {
        hundredths(whole > 0 ? part / whole * 100 : 0) + "%"
    }

    private static func size(_ bytes: Double) -> String {
        var (value, unit) = (bytes / 1024, 0)
        let units = ["KB", "MB", "GB", "TB", "PB", "EB"]
        while value >= 1024, unit < units.count - 1 {
            value /= 1024
            unit += 1
        }
        return hundredths(value) + " " + units[unit]
    }

    static func hundredths(_ value: Double) -> String {
        guard value.isFinite, value < 1e15 else { return "0.00" }
        let all = Int64((value * 100).rounded())
        return "\(all / 100).\(two(all % 100))"
    }
}
