// Traces of university clusters as tab separated tables: jobs with memory, GPUs, features and QOS. The machine stands in a
// table of nodes beside it: of `NAME-5000jobs.tsv.gz` in `NAME-nodes.tsv`.
internal import ArgosyConfig
import ArgosyDomain
import Glibc

enum ClusterTSV {
    static func read(_ path: String) throws(TraceError) -> ProductionTrace {
        let table = try TraceTable(path, separator: "\t")
        let reader = try Reader(table, path)
        var trace = ProductionTrace(name: path)
        for (index, row) in table.rows.enumerated() {
            guard let job = reader.job(row, number: index + 1) else {
                trace.dropped += 1
                continue
            }
            trace.jobs.append(job)
        }
        if let nodes = nodesFile(of: path) { try readNodes(nodes, into: &trace) }
        return trace
    }

    private struct Reader {
        let submit, run, user, nodes, tasks, limit, partition, memory, gres, constraint, exclusive: Int

        init(_ table: TraceTable, _ path: String) throws(TraceError) {
            submit = try table.column("submit_s", of: path)
            run = try table.column("run_s", of: path)
            user = try table.column("user", of: path)
            nodes = try table.column("nodes", of: path)
            tasks = try table.column("tasks", of: path)
            limit = try table.column("limit_s", of: path)
            partition = try table.column("partition", of: path)
            memory = try table.column("mem_per_node", of: path)
            gres = try table.column("gres", of: path)
            constraint = try table.column("constraint", of: path)
            exclusive = try table.column("exclusive", of: path)
        }

        func job(_ row: [Substring], number: Int) -> ProductionJob? {
            guard let submitted = Double(row[submit]), let ran = Double(row[run]), ran > 0,
                let asked = Double(row[limit]), let count = UInt32(row[tasks]), let nodes = UInt32(row[nodes])
            else { return nil }
            let digits = row[user].filter(\.isNumber)
            var fields = JobSpec.Fields(identity: ProductionTrace.user(Int32(digits) ?? -1, group: -1))
            fields.minNodes = nodes
            fields.maxNodes = nodes
            fields.tasks = count
            fields.partition = String(row[partition])
            fields.memoryPerNodeMiB = SlurmText.mebibytes(String(row[memory])) ?? 0
            if row[exclusive] == "1" { fields.exclusive = true }
            if row[exclusive] == "1" { fields.resources.sharing = .exclusive }
            if row[exclusive] == "user" { fields.resources.sharing = .user }
            if row[constraint] != "-" { fields.resources.constraint = String(row[constraint]) }
            let parts = row[gres].split(separator: ":")
            if parts.count == 2, let units = UInt64(parts[1]) {
                fields.resources.gres = [GRESRequest(name: String(parts[0]), count: units)]
            }
            let request = max(1, Int64(asked))
            fields.timeLimit = ProductionTrace.minutes(request)
            return ProductionJob(
                id: Int64(number), submit: Int64(submitted), run: min(max(1, Int64(ran)), request), request: request,
                width: Int64(count), isKilled: Int64(ran) > request, fields: fields)
        }
    }

    /// The table of nodes beside the table of jobs.
    private static func nodesFile(of path: String) -> String? {
        guard let dash = path.lastIndex(of: "-") else { return nil }
        let stem = path[..<dash]
        return ["\(stem)-nodes.tsv", "\(stem)-nodes.tsv.gz"].first { access($0, R_OK) == 0 }
    }

    private static func readNodes(_ path: String, into trace: inout ProductionTrace) throws(TraceError) {
        let table = try TraceTable(path, separator: "\t")
        let names = ["node", "cores", "sockets", "memory_mb", "gpus", "gpu_type", "features", "weight", "partitions"]
        var places: [Int] = []
        for name in names { places.append(try table.column(name, of: path)) }
        var partitions: [String: [String]] = [:]
        var order: [String] = []
        var lines = "GresTypes=gpu\n"
        for row in table.rows {
            let value = places.map { String(row[$0]) }
            let gpus = value[4] == "0" ? "" : " Gres=gpu:\(value[5] == "-" ? "" : value[5] + ":")\(value[4])"
            let cores = (Int64(value[1]) ?? 1) / max(1, Int64(value[2]) ?? 1)
            lines +=
                "NodeName=\(value[0]) CPUs=\(value[1]) Sockets=\(value[2]) CoresPerSocket=\(cores) ThreadsPerCore=1"
                + " RealMemory=\(value[3])\(gpus) Feature=\(value[6]) Weight=\(value[7]) State=UNKNOWN\n"
            trace.processors += Int64(value[1]) ?? 0
            for partition in value[8].split(separator: ",").map(String.init) {
                if partitions[partition] == nil { order.append(partition) }
                partitions[partition, default: []].append(value[0])
            }
        }
        for name in order {
            let nodes = Hostlist.compress(partitions[name] ?? [])
            lines +=
                "PartitionName=\(name) Nodes=\(nodes) MaxTime=INFINITE State=UP\(name == order[0] ? " Default=YES" : "")\n"
        }
        trace.machine = lines
    }
}
