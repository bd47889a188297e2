// What reports need beside rows.
public import ArgosyDomain
import ArgosyScheduler

extension CoreView {
    /// What the job holds or held, billing included; empty when it never started.
    public func tres(of row: JobRow) -> TRESCounts {
        guard let allocation = row.allocation else { return TRESCounts() }
        var tres = Held(allocation, records: tables.book.records).tres
        let index = tables.partitions.firstIndex { $0.name == row.partition } ?? 0
        tres.set(.billing, tables.billing(UInt16(index)).count(tres))
        return tres
    }

    /// What the cluster's nodes have in all, and each node by name.
    public var configuredTRES: (all: TRESCounts, nodes: [String: TRESCounts]) {
        var (all, nodes): (TRESCounts, [String: TRESCounts]) = (TRESCounts(), [:])
        for node in tables.configuration.nodes {
            var tres: TRESCounts = [.node: 1, .cpu: UInt64(node.cpus), .mem: node.memoryMiB]
            tres.set(.billing, UInt64(node.cpus))
            nodes[node.name] = tres
            all += tres
        }
        return (all, nodes)
    }

    /// Ascending by number.
    public var triggers: [Trigger] { tables.triggers }

    public func crontab(of uid: UInt32) -> Crontab? { tables.crontabs.first { $0.uid == uid } }
}
