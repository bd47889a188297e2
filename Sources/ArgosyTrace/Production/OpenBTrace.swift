// The Alibaba GPU cluster trace of 2023 ("openb"): pods with CPU shares, memory and GPUs, and the nodes they ran on. A CPU
// is given whole, so thousandths are rounded up; so is a share of a GPU, for which Slurm's plain GRES have no word.
import ArgosyDomain
import Glibc

enum OpenBTrace {
    private static let nodeList = "openb_node_list_all_node.csv"

    static func read(_ path: String) throws(TraceError) -> ProductionTrace {
        let table = try TraceTable(path, separator: ",")
        let cpu = try table.column("cpu_milli", of: path)
        let memory = try table.column("memory_mib", of: path)
        let gpus = try table.column("num_gpu", of: path)
        let created = try table.column("creation_time", of: path)
        let scheduled = try table.column("scheduled_time", of: path)
        let deleted = try table.column("deletion_time", of: path)
        let model = try table.column("gpu_spec", of: path)
        var trace = ProductionTrace(name: path)
        for (index, row) in table.rows.enumerated() {
            guard let submit = Int64(row[created]), let end = Int64(row[deleted]), let milli = Int64(row[cpu]),
                let size = UInt64(row[memory]), let count = UInt64(row[gpus])
            else {
                trace.dropped += 1
                continue
            }
            // A pod that was never placed has no start: from its creation on.
            let run = end - (Int64(row[scheduled]) ?? submit)
            guard run > 0 else {
                trace.dropped += 1
                continue
            }
            var fields = JobSpec.Fields(identity: ProductionTrace.user(-1, group: -1))
            fields.minNodes = 1
            fields.maxNodes = 1
            fields.tasks = 1
            fields.cpusPerTask = UInt32(clamping: max(1, (milli + 999) / 1000))
            fields.memoryPerNodeMiB = size
            if count > 0 { fields.resources.gres = [GRESRequest(name: "gpu", count: count)] }
            // "V100M16|V100M32": nodes of either model.
            if !row[model].isEmpty { fields.resources.constraint = String(row[model]) }
            fields.timeLimit = ProductionTrace.minutes(run)
            trace.jobs.append(
                ProductionJob(
                    id: Int64(index), submit: submit, run: run, request: run, width: Int64(fields.cpusPerTask),
                    isKilled: false, fields: fields))
        }
        try readNodes(beside: path, into: &trace)
        return trace
    }

    private static func readNodes(beside path: String, into trace: inout ProductionTrace) throws(TraceError) {
        let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
        guard let file = [nodeList, nodeList + ".gz"].map({ folder + $0 }).first(where: { access($0, R_OK) == 0 })
        else { return }
        let table = try TraceTable(file, separator: ",")
        let name = try table.column("sn", of: file)
        let cpu = try table.column("cpu_milli", of: file)
        let memory = try table.column("memory_mib", of: file)
        let gpus = try table.column("gpu", of: file)
        let model = try table.column("model", of: file)
        var lines = "GresTypes=gpu\n"
        for row in table.rows {
            let cpus = max(1, (Int64(row[cpu]) ?? 0) / 1000)
            let gres = row[gpus] == "0" ? "" : " Gres=gpu:\(row[model]):\(row[gpus]) Feature=\(row[model])"
            lines += "NodeName=\(row[name]) CPUs=\(cpus) RealMemory=\(row[memory])\(gres) State=UNKNOWN\n"
            trace.processors += cpus
        }
        trace.machine = lines + "PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP\n"
    }
}
