// Partitions that share nodes, directly or through others: what waits for one of them is in the way of all. Partitions of
// different groups have nothing to do with each other.
import ArgosyDomain

struct PartitionGroups {
    /// By partition: the first one of its group.
    private var first: [Int]

    init(_ snapshot: PlanningSnapshot) {
        first = Array(snapshot.partitions.indices)
        guard first.count > 1 else { return }
        var owner = [Int](repeating: -1, count: (snapshot.partitions.compactMap { $0.nodes.last?.int }.max() ?? -1) + 1)
        for (number, partition) in snapshot.partitions.enumerated() {
            for node in partition.nodes {
                if owner[node.int] < 0 { owner[node.int] = number } else { join(owner[node.int], number) }
            }
        }
        for number in first.indices { first[number] = root(number) }
    }

    func group(of partition: Int) -> Int { first[partition] }

    /// Of a job in several of them that of the first.
    func group(of shape: Shape) -> Int {
        guard let partition = shape.partitions.first, first.indices.contains(partition) else { return 0 }
        return first[partition]
    }

    /// The partitions of each group, by its first.
    var members: [(group: Int, partitions: [Int])] {
        first.indices.filter { first[$0] == $0 }.map { group in (group, first.indices.filter { first[$0] == group }) }
    }

    private func root(_ number: Int) -> Int {
        var number = number
        while first[number] != number { number = first[number] }
        return number
    }

    private mutating func join(_ one: Int, _ other: Int) {
        let (a, b) = (root(one), root(other))
        first[max(a, b)] = min(a, b)
    }
}
