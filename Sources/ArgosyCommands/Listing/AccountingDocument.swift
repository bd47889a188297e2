// sacct --json: a job with its steps as the data parser of slurmdbd's records (v0.0.38) shows it.

import ArgosyClient
import ArgosyDomain
import ArgosyWire

enum AccountingDocument {
    static func answer(_ jobs: [AccountingRecord]) -> Document {
        .answer(accounting: true, ["jobs": .list(jobs.map(document))])
    }

    /// A job; its steps come from its own list.
    static func document(_ record: AccountingRecord) -> Document {
        let (job, info, spec) = (record.job, record.job.info, record.job.info.spec)
        let isElement = info.arrayJob != 0 && info.arrayPending.isEmpty
        let association: Document = [
            "account": .text(spec.account), "cluster": .text(record.cluster), "partition": .null,
            "user": .text(job.user),
        ]
        return .members([
            "account": .text(spec.account),
            "comment": ["administrator": .null, "job": orNull(spec.comment), "system": .null],
            "allocation_nodes": .number(record.allocatedNodes),
            "array": [
                "job_id": .number(info.arrayJob),
                "limits": ["max": ["running": ["tasks": .number(info.arrayMaxRunning)]]],
                "task": info.arrayPending.isEmpty ? .null : .text(job.arrayIndex),
                "task_id": isElement ? .number(info.arrayTask) : .null,
            ],
            "association": association, "cluster": .text(record.cluster),
            "constraints": .text(spec.resources.constraint), "container": orNull(spec.container.image),
            "derived_exit_code": exit(info.derivedExit), "time": time(record), "exit_code": exit(info.exit),
            "flags": .texts(record.hasStarted ? ["CLEAR_SCHEDULING", "STARTED_ON_SCHEDULE"] : []),
            "group": .text(job.group),
            "het": [
                "job_id": .number(info.hetLeader),
                "job_offset": info.hetLeader == 0 ? .null : .number(info.hetOffset),
            ],
            "job_id": .number(info.job), "name": .text(spec.name), "mcs": ["label": ""],
            "nodes": .text(record.nodeList), "partition": .text(job.partition), "priority": .number(info.priority),
            "qos": .text(spec.qos),
            "required": ["CPUs": .number(record.requestedCPUs), "memory": .number(memory(spec))],
            "kill_request_user": info.hasCancelledBy
                ? .text(PasswordFile.name(of: info.cancelledBy) ?? "\(info.cancelledBy)") : .null,
            "reservation": ["id": 0, "name": job.reservation.isEmpty ? 0 : .text(job.reservation)],
            "state": ["current": .text(info.state), "reason": .text(job.reason)],
            "steps": .list(info.steps.map { step($0, of: record) }),
            "tres": ["allocated": tres(info.tresAllocated, energy: true), "requested": tres(info.tresRequested)],
            "user": .text(job.user), "wckey": ["wckey": .text(spec.wckey), "flags": []],
            "working_directory": .text(spec.workDir),
        ])
    }

    private static func orNull(_ text: String) -> Document { text.isEmpty ? .null : .text(text) }

    private static func memory(_ spec: WireJobSpec) -> UInt64 {
        spec.memoryPerCpuMib > 0 ? spec.memoryPerCpuMib : spec.memoryPerNodeMib
    }

    private static func exit(_ status: WireExitStatus) -> Document {
        if status.signal > 0 {
            return [
                "status": "SIGNALED", "return_code": .null,
                "signal": ["signal_id": .number(status.signal), "name": .text(SignalText.name(status.signal))],
            ]
        }
        return ["status": status.code == 0 ? "SUCCESS" : "ERROR", "return_code": .number(status.code)]
    }

    private static func duration(_ microseconds: UInt64) -> Document {
        [
            "seconds": .number(microseconds / 1_000_000),
            "microseconds": .number(microseconds % 1_000_000),
        ]
    }

    private static func time(_ record: AccountingRecord) -> Document {
        let info = record.job.info
        let usage = record.usage
        return [
            "elapsed": .int(record.elapsed), "eligible": .time(info.eligibleUs), "end": .time(record.endUs),
            "start": .time(record.startUs), "submission": .time(info.submitUs),
            "suspended": .int(info.suspendedForUs / 1_000_000), "system": duration(usage.systemCPU),
            "limit": info.timeLimitMinutes == .max ? .null : .given(info.timeLimitMinutes),
            "total": duration(usage.userCPU &+ usage.systemCPU), "user": duration(usage.userCPU),
        ]
    }

    private static func step(_ step: WireStepInfo, of job: AccountingRecord) -> Document {
        var record = job
        record.step = step
        let nodes = (try? Hostlist.expand(step.nodeList)) ?? []
        let none: Document = ["max": [], "min": [], "average": [], "total": []]
        let usage = record.usage
        return .members([
            "nodes": ["list": .texts(nodes), "count": .number(nodes.count), "range": .text(step.nodeList)],
            "tres": ["requested": none, "consumed": none, "allocated": tres(allocated(record))],
            "time": [
                "elapsed": .int(record.elapsed), "end": .time(step.endUs), "start": .time(step.startUs),
                "suspended": 0, "system": duration(usage.systemCPU),
                "total": duration(usage.userCPU &+ usage.systemCPU), "user": duration(usage.userCPU),
            ],
            "exit_code": exit(step.exit), "tasks": ["count": .number(max(1, step.tasks))], "pid": .null,
            "CPU": ["requested_frequency": ["min": 0, "max": 0], "governor": []], "kill_request_user": .null,
            "state": .text(step.state),
            "statistics": ["CPU": ["actual_frequency": 0], "energy": ["consumed": 0]],
            "step": [
                "job_id": .number(job.job.info.job), "het": ["component": .null],
                "id": step.step < 0xffff_0000 ? .number(step.step) : .text(StepRecord.name(of: step.step)),
                "name": .text(step.name),
            ],
            "task": ["distribution": .text(record.layout(step))],
        ])
    }

    private static func allocated(_ record: AccountingRecord) -> String {
        let memory = record.step.map { $0.memoryMib > 0 ? ",mem=\($0.memoryMib)M" : "" } ?? ""
        return "cpu=\(record.cpus)\(memory),node=\(record.nodeCount)"
    }

    /// `cpu=2,mem=20M`, by number of the TRES. What a job holds has its energy too, which nobody measures.
    private static func tres(_ text: String, energy: Bool = false) -> Document {
        let numbers = ["cpu": 1, "mem": 2, "energy": 3, "node": 4, "billing": 5]
        var entries: [(id: Int, document: Document)] = []
        for word in text.split(separator: ",") {
            let parts = word.split(separator: "=", maxSplits: 1)
            guard parts.count == 2 else { continue }
            let names = parts[0].split(separator: "/", maxSplits: 1)
            let count = Int64(parts[1].prefix { $0.isNumber }) ?? 0
            let id = numbers[String(names[0])] ?? 1001
            entries.append(
                (
                    id,
                    [
                        "type": .text(String(names[0])), "name": names.count > 1 ? .text(String(names[1])) : .null,
                        "id": .number(id), "count": .int(count),
                    ]
                ))
        }
        if energy, !entries.isEmpty {
            entries.append((3, ["type": "energy", "name": .null, "id": 3, "count": .null]))
            entries.sort { $0.id < $1.id }
        }
        return .list(entries.map(\.document))
    }
}
