// Partitions change while the controller runs: an operator opens and closes them.
import ArgosyDomain

extension ControllerCore {
    mutating func update(
        partition name: String, _ state: PartitionState, by caller: Caller, reply handle: ReplyHandle
    ) {
        guard caller.isOperator else {
            refuse(handle, Refusals.accessDenied("only root and SlurmUser may change partitions"))
            return
        }
        guard let index = configuration.partitions.firstIndex(where: { $0.name == name }) else {
            let names = configuration.partitions.map(\.name).joined(separator: ", ")
            refuse(
                handle,
                Refusal(
                    .invalidPartition, "Invalid partition name specified",
                    detail: "partition \(name) is not configured; there are: \(names)"))
            return
        }
        tables.partitions[index].state = state.rawValue
        let configured = configuration.partitions[index].state
        turn.changes.append(.partition(PartitionRow(name: name, state: state.rawValue, configured: configured)))
        noteUnplanned()
        wantPlan()
        reply(handle, .done)
    }

    mutating func loadPartitions(_ rows: [PartitionRow]) {
        for (index, configured) in configuration.partitions.enumerated() {
            guard let row = rows.first(where: { $0.name == configured.name }), row.configured == configured.state
            else { continue }
            tables.partitions[index].state = row.state
        }
    }
}
