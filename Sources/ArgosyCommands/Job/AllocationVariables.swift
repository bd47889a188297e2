// What the command in an allocation is told of it.

import ArgosyClient
import ArgosyDomain
import ArgosyWire
import Glibc

struct AllocationVariables {
    private(set) var entries: [String] = []

    init(_ session: Session, _ components: [JobOptions], _ submitted: WireJobSubmitted, _ directory: String) throws {
        var list = WireListJobs()
        if components.count > 1 {
            list.user = "\(components[0].user?.uid ?? getuid())"
        } else {
            var selector = WireJobSelector()
            selector.job = submitted.job
            list.jobs = [selector]
        }
        var found: [WireJobInfo] = []
        // The other components of a heterogeneous job start with the first, but each on nodes of its own.
        for _ in 0..<300 {
            guard case .jobs(let jobs)? = try session.ask(.listJobs(list)).body else { break }
            found = jobs.jobs.filter { $0.job == submitted.job || $0.hetLeader == submitted.job }
                .sorted { $0.hetOffset < $1.hetOffset }
            if components.count == 1 || found.count == components.count && found.allSatisfy({ $0.hasAllocation }) {
                break
            }
            pause(milliseconds: 200)
        }
        set("SLURM_SUBMIT_DIR", directory)
        set("SLURM_SUBMIT_HOST", Process.host)
        set("SLURM_CLUSTER_NAME", Process.cluster(session.configuration))
        set("SLURM_JOB_ID", "\(submitted.job)")
        guard components.count > 1 else {
            add(components[0], found.first, submitted.job, submitted.allocation, "")
            return
        }
        set("SLURM_HET_SIZE", "\(components.count)")
        set("SLURM_PACK_SIZE", "\(components.count)")
        for (place, component) in components.enumerated() {
            let info = place < found.count ? found[place] : nil
            add(component, info, info?.job ?? 0, info?.allocation ?? WireAllocation(), "_HET_GROUP_\(place)")
            add(component, info, info?.job ?? 0, info?.allocation ?? WireAllocation(), "_PACK_GROUP_\(place)")
        }
    }

    private mutating func set(_ name: String, _ value: String) { entries.append("\(name)=\(value)") }

    private mutating func add(
        _ options: JobOptions, _ info: WireJobInfo?, _ job: UInt32, _ allocation: WireAllocation, _ suffix: String
    ) {
        let nodes = allocation.nodes
        var values = [
            ("SLURM_JOB_ID", "\(job)"), ("SLURM_JOBID", "\(job)"), ("SLURM_JOB_NODELIST", allocation.nodeList),
            ("SLURM_NODELIST", allocation.nodeList), ("SLURM_JOB_NUM_NODES", "\(nodes.count)"),
            ("SLURM_NNODES", "\(nodes.count)"), ("SLURM_NODE_ALIASES", "(null)"),
            ("SLURM_JOB_PARTITION", allocation.partition),
            ("SLURM_JOB_CPUS_PER_NODE", Self.runs(nodes.map(\.cpus))),
            ("SLURM_TASKS_PER_NODE", Self.runs(nodes.map { $0.tasks > 0 ? $0.tasks : $0.cpus })),
        ]
        if let spec = info?.spec {
            values += [
                ("SLURM_JOB_ACCOUNT", spec.account), ("SLURM_JOB_QOS", spec.qos),
                ("SLURM_JOB_RESERVATION", spec.resources.reservation),
                ("SLURM_MEM_PER_NODE", spec.memoryPerNodeMib > 0 ? "\(spec.memoryPerNodeMib)" : ""),
                ("SLURM_MEM_PER_CPU", spec.memoryPerCpuMib > 0 ? "\(spec.memoryPerCpuMib)" : ""),
            ]
        }
        for (name, value) in values where !value.isEmpty { set(name + suffix, value) }
        for entry in options.told {
            let name = String(entry.prefix { $0 != "=" })
            let isOfAll = name.hasPrefix("SLURM_SUBMIT_") || name == "SLURM_PRIO_PROCESS"
            if isOfAll || values.contains(where: { $0.0 == name && !$0.1.isEmpty }) { continue }
            entries.append(name + suffix + entry.dropFirst(name.count))
        }
    }

    /// `2(x3),1`
    static func runs(_ counts: [UInt32]) -> String {
        var runs: [(value: UInt32, count: Int)] = []
        for count in counts {
            if let last = runs.last, last.value == count {
                runs[runs.count - 1].count += 1
            } else {
                runs.append((count, 1))
            }
        }
        return runs.map { $0.count > 1 ? "\($0.value)(x\($0.count))" : "\($0.value)" }.joined(separator: ",")
    }
}
