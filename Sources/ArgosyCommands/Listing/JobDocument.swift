// squeue --json: a job as Slurm's data parser v0.0.38 shows it.

import ArgosyDomain
import ArgosyWire

enum JobDocument {
    static func answer(_ records: [JobRecord]) -> Document {
        .answer(accounting: false, ["jobs": .list(records.map(document))])
    }

    /// Members and their order are Slurm's.
    static func document(_ record: JobRecord) -> Document {
        .map(identity(record) + requirements(record) + resources(record) + placement(record))
    }

    private static func members(_ pairs: KeyValuePairs<String, Document>) -> [Document.Member] {
        pairs.map { .init(name: $0.key, value: $0.value) }
    }

    private static func identity(_ record: JobRecord) -> [Document.Member] {
        let (info, spec) = (record.info, record.info.spec)
        let isElement = info.arrayJob != 0 && info.arrayPending.isEmpty
        return members([
            "account": .set(spec.account), "accrue_time": .time(info.accrueUs), "admin_comment": .unset,
            "array_job_id": .number(info.arrayJob), "array_task_id": isElement ? .number(info.arrayTask) : .null,
            "array_max_tasks": .number(info.arrayMaxRunning),
            "array_task_string": info.arrayPending.isEmpty ? .unset : .text(record.arrayIndex),
            "association_id": .number(info.association), "batch_features": .unset,
            "batch_flag": .bool(record.isBatchJob), "batch_host": .set(info.batchHost),
            "flags": .texts(info.startUs > 0 ? ["JOB_WAS_RUNNING"] : []), "burst_buffer": .unset,
            "burst_buffer_state": .unset, "cluster": .set(record.cluster), "cluster_features": .unset,
            "command": .set(spec.command), "comment": .set(spec.comment), "container": .set(spec.container.image),
        ])
    }

    private static func requirements(_ record: JobRecord) -> [Document.Member] {
        let (info, spec, asked) = (record.info, record.info.spec, record.info.spec.resources)
        return members([
            "contiguous": .bool(asked.contiguous), "core_spec": .given(asked.coreSpec), "thread_spec": .null,
            "cores_per_socket": .given(asked.coresPerSocket), "billable_tres": .double(info.billing),
            "cpus_per_task": .given(spec.cpusPerTask), "cpu_frequency_minimum": .null,
            "cpu_frequency_maximum": .null, "cpu_frequency_governor": .null,
            "cpus_per_tres": asked.cpusPerGpu == 0 ? .unset : .text("gres:gpu:\(asked.cpusPerGpu)"),
            "deadline": .time(spec.deadlineUs), "delay_boot": 0, "dependency": .set(info.dependency),
            "derived_exit_code": status(info.derivedExit), "eligible_time": .time(info.eligibleUs),
            "end_time": .time(record.listedEndUs), "excluded_nodes": .set(spec.exclude), "exit_code": status(info.exit),
            "features": .set(asked.constraint), "federation_origin": .unset, "federation_siblings_active": .unset,
            "federation_siblings_viable": .unset,
            "gres_detail": .texts(info.allocation.nodes.filter { !$0.gres.isEmpty }.map(gres)),
            "group_id": .number(spec.identity.gid), "group_name": .set(record.group),
            "job_id": .number(info.job),
        ])
    }

    private static func resources(_ record: JobRecord) -> [Document.Member] {
        let (info, spec, asked) = (record.info, record.info.spec, record.info.spec.resources)
        return members([
            "job_resources": allocation(info), "job_state": .text(info.state),
            "last_sched_evaluation": .time(record.lastEvaluationUs), "licenses": .set(record.licenses),
            "max_cpus": 0, "max_nodes": .number(spec.maxNodes > spec.minNodes ? spec.maxNodes : 0),
            "mcs_label": .unset,
            "memory_per_tres": asked.memoryPerGpuMib == 0 ? .unset : .text("gres:gpu:\(asked.memoryPerGpuMib)"),
            "name": .set(spec.name), "nodes": .set(record.nodeList), "nice": .given(spec.nice),
            "tasks_per_core": .given(asked.tasksPerCore), "tasks_per_node": .number(spec.tasksPerNode),
            "tasks_per_socket": .given(asked.tasksPerSocket), "tasks_per_board": 0,
            "cpus": .number(record.cpuCount), "node_count": .number(record.nodeCount),
            "tasks": .number(record.taskCount), "het_job_id": .number(info.hetLeader),
            "het_job_id_set": .set(info.hetJobs), "het_job_offset": .number(info.hetOffset),
            "partition": .set(record.partition), "prefer": .set(asked.prefer),
            "memory_per_node": .given(spec.memoryPerCpuMib > 0 ? 0 : spec.memoryPerNodeMib),
            "memory_per_cpu": .given(spec.memoryPerCpuMib), "minimum_cpus_per_node": .number(record.minCPUs),
            "minimum_tmp_disk_per_node": .number(asked.minTmpDiskMib),
        ])
    }

    private static func placement(_ record: JobRecord) -> [Document.Member] {
        let (info, spec, asked) = (record.info, record.info.spec, record.info.spec.resources)
        func requests(_ per: GRESRequest.Per) -> Document { .set(record.gres(per)) }
        return members([
            "preempt_time": .time(info.preemptedUs),
            "pre_sus_time": .time(info.suspendedAtUs > 0 ? record.elapsedUs : 0),
            "priority": .number(info.priority), "profile": .null, "qos": .set(spec.qos), "reboot": false,
            "required_nodes": .set(spec.nodeList), "requeue": .bool(spec.requeue), "resize_time": 0,
            "restart_cnt": .number(info.restarts), "resv_name": .set(record.reservation),
            "shared": sharing(record), "show_flags": ["SHOW_ALL", "SHOW_DETAIL", "SHOW_LOCAL"],
            "sockets_per_board": 0, "sockets_per_node": .given(asked.socketsPerNode),
            "start_time": .time(record.startUs), "state_description": .set(info.reasonDetail),
            "state_reason": .text(record.reason), "standard_error": .set(record.errorPath),
            "standard_input": .set(record.inputPath), "standard_output": .set(record.outputPath(spec.stdoutPath)),
            "submit_time": .time(info.submitUs), "suspend_time": .time(info.suspendedAtUs),
            "system_comment": .unset, "time_limit": .given(info.timeLimitMinutes == .max ? 0 : info.timeLimitMinutes),
            "time_minimum": .number(spec.timeMinMinutes), "threads_per_core": .given(asked.threadsPerCore),
            "tres_bind": .unset, "tres_freq": .unset, "tres_per_job": requests(.job),
            "tres_per_node": requests(.node), "tres_per_socket": requests(.socket),
            "tres_per_task": requests(.task),
            "tres_req_str": .set(TRESText.converted(info.tresRequested, keepsUnits: false)),
            "tres_alloc_str": .set(TRESText.converted(info.tresAllocated, keepsUnits: false)),
            "user_id": .number(spec.identity.uid), "user_name": .set(record.user), "wckey": .set(spec.wckey),
            "current_working_directory": .set(spec.workDir),
        ])
    }

    /// As wait(2) has it.
    private static func status(_ exit: WireExitStatus) -> Document { .number(exit.code << 8 | exit.signal) }

    private static func gres(_ node: WireAllocatedNode) -> String {
        node.gres.map { grant in
            let text = "\(grant.name)\(grant.type.isEmpty ? "" : ":" + grant.type):\(grant.count)"
            return grant.devices.isEmpty ? text : "\(text)(IDX:\(NumberList.text(grant.devices)))"
        }.joined(separator: ",")
    }

    private static func sharing(_ record: JobRecord) -> Document {
        switch record.sharing {
        case "NO": "none"
        case "USER": "user"
        case "YES": "oversubscribe"
        default: .null
        }
    }

    private static func allocation(_ info: WireJobInfo) -> Document {
        guard !info.allocation.nodes.isEmpty else { return [:] }
        let nodes = info.allocation.nodes
        return [
            "nodes": .text(info.allocation.nodeList),
            "allocated_cpus": .number(nodes.reduce(0) { $0 + $1.cpus }), "allocated_hosts": .number(nodes.count),
            "allocated_nodes": .list(nodes.map(node)),
        ]
    }

    /// Sockets are not told to listings: all cores stand in the first.
    private static func node(_ node: WireAllocatedNode) -> Document {
        let cores = node.cpuIds.map { Document.Member(name: "\($0)", value: "allocated") }
        return [
            "sockets": ["0": ["cores": .map(cores)]], "nodename": .text(node.name), "cpus_used": 0,
            "memory_used": 0, "memory_allocated": .number(node.memoryMib),
        ]
    }
}

extension JobRecord {
    fileprivate var elapsedUs: Int64 { elapsed * 1_000_000 }

    /// Empty where it goes where the output goes.
    fileprivate var errorPath: String { info.spec.stderrPath.isEmpty ? "" : outputPath(info.spec.stderrPath) }
}

/// `0-3,8`
enum NumberList {
    static func text(_ numbers: [UInt32]) -> String {
        var ranges: [(UInt32, UInt32)] = []
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
