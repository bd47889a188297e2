import ArgosyDomain

/// How many running jobs hold each node.
struct HeldNodes: Sendable {
    private var uses: [UInt32] = []
    private(set) var distinct = 0
    /// Every job's nodes added up.
    private(set) var total = 0

    func holds(_ node: NodeIndex) -> Bool { node.int < uses.count && uses[node.int] > 0 }

    mutating func count(_ nodes: [NodeIndex], start: Bool) {
        for node in nodes {
            if start { take(node.int) } else { release(node.int) }
        }
    }

    private mutating func take(_ node: Int) {
        if node >= uses.count { uses += Array(repeating: 0, count: node + 1 - uses.count) }
        if uses[node] == 0 { distinct += 1 }
        uses[node] += 1
        total += 1
    }

    private mutating func release(_ node: Int) {
        guard node < uses.count, uses[node] > 0 else { return }
        uses[node] -= 1
        total -= 1
        if uses[node] == 0 { distinct -= 1 }
    }
}
