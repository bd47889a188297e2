// sinfo --json: a node as Slurm's data parser v0.0.38 shows it.

import ArgosyWire

enum NodeDocument {
    static func answer(_ nodes: [WireNodeInfo]) -> Document {
        .answer(accounting: false, ["nodes": .list(nodes.map(document))])
    }

    /// Members and their order are Slurm's.
    static func document(_ node: WireNodeInfo) -> Document {
        .members([
            "architecture": .set(node.arch), "burstbuffer_network_address": .unset, "boards": 1,
            "boot_time": .time(node.bootUs), "comment": .set(node.comment), "cores": .number(node.coresPerSocket),
            "cpu_binding": 0, "cpu_load": .number(node.loadHundredths), "extra": .set(node.extra),
            "free_memory": .number(node.freeMemoryMib), "cpus": .number(node.cpus),
            "last_busy": .time(node.lastBusyUs), "features": .set(node.features),
            "active_features": .set(node.features), "gres": .set(node.gresText.isEmpty ? node.gres : node.gresText),
            "gres_drained": "N/A", "gres_used": .set(node.gresUsed), "mcs_label": .unset, "name": .text(node.name),
            "next_state_after_reboot": "invalid", "address": .text(node.address),
            "hostname": .text(node.hostname.isEmpty ? node.name : node.hostname),
            "state": .text(node.state.lowercased()), "state_flags": .texts(node.flags),
            "next_state_after_reboot_flags": [], "operating_system": .set(node.os), "owner": .null,
            "partitions": .texts(node.partitions), "port": .number(node.port), "real_memory": .number(node.memoryMib),
            "reason": .set(node.reason), "reason_changed_at": .time(node.reason.isEmpty ? 0 : node.reasonUs),
            "reason_set_by_user": node.reason.isEmpty ? .null : .text(node.reasonUser),
            "slurmd_start_time": .time(node.daemonStartUs), "sockets": .number(node.sockets),
            "threads": .number(node.threadsPerCore), "temporary_disk": .number(node.tmpDiskMib),
            "weight": .number(node.weight),
            "tres": .text("cpu=\(node.cpus),mem=\(Memory.short(node.memoryMib)),billing=\(node.cpus)"),
            "slurmd_version": .set(node.version.isEmpty ? "" : slurmVersion),
            "alloc_memory": .number(node.memoryAllocatedMib), "alloc_cpus": .number(node.cpusAllocated),
            "idle_cpus": .number(node.cpus - min(node.cpus, node.cpusAllocated)), "tres_used": used(node),
            "tres_weighted": .double(Double(node.cpusAllocated)),
        ])
    }

    private static func used(_ node: WireNodeInfo) -> Document {
        guard node.cpusAllocated > 0 else { return .null }
        let memory = node.memoryAllocatedMib > 0 ? ",mem=\(Memory.short(node.memoryAllocatedMib))" : ""
        return .text("cpu=\(node.cpusAllocated)\(memory)")
    }
}
