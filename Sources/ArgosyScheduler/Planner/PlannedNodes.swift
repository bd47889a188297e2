// Which nodes planned jobs will be on: told after the fact, for people to read. Bins and whole nodes are intervals of one
// pool, never more at a time than the pool has nodes; given out in the order of their starts, each finds a node that is
// free for all its time.
import ArgosyDomain

struct PlannedNodes {
    private let cluster: Cluster
    private var nodeOfBin: [[Int32]]
    private let holds: [NodeHold]
    /// Positions of whole nodes of all holds one after the other: by hold where its own begin, and how many it has.
    private var wholeNodes: [Int32] = []
    private var wholeStart: [Int32]
    private var wholeCount: [Int32]
    private var lists: [[Int32]: Int32] = [:]
    private lazy var names = NodeNames(cluster.snapshot.nodes.map(\.name))
    /// By hold and, of one node alone, by position of the node: its list; -2: not made yet.
    private var listOfHold: [Int32]
    private var listOfNode: [Int32]
    private(set) var texts: [String] = []

    private struct Claim {
        var start: Int64
        var end: Int64
        var bin: Int32
        var hold: Int
        var count: Int32
    }

    init(_ cluster: Cluster, _ holds: [NodeHold]) {
        self.cluster = cluster
        self.holds = holds
        wholeStart = Array(repeating: 0, count: holds.count)
        wholeCount = wholeStart
        listOfHold = Array(repeating: -2, count: holds.count)
        listOfNode = Array(repeating: -2, count: cluster.snapshot.nodes.count)
        nodeOfBin = cluster.pools.map { $0.bins.map(\.node) }
        var claims = Array(repeating: [Claim](), count: cluster.pools.count)
        for (number, hold) in holds.enumerated() {
            wholeStart[number] = Int32(wholeNodes.count)
            for part in hold.parts where part.isWhole {
                wholeNodes += repeatElement(-1, count: Int(part.count))
                claims[Int(part.pool)].append(
                    Claim(start: hold.start, end: hold.end, bin: -1, hold: number, count: part.count))
            }
        }
        for (number, pool) in cluster.pools.enumerated() {
            for (index, bin) in pool.bins.enumerated() where bin.node < 0 && !bin.isEmpty {
                claims[number].append(Claim(start: bin.start, end: bin.end, bin: Int32(index), hold: -1, count: 1))
            }
            if !claims[number].isEmpty { give(number, pool, claims[number]) }
        }
    }

    private mutating func give(_ number: Int, _ pool: Pool, _ claims: [Claim]) {
        var free = Heap<Int32>()
        var busy = Heap<BusyNode>()
        var since: [Int32: Int64] = [:]
        for bin in pool.bins where bin.node >= 0 { since[bin.node] = bin.end }
        for (node, end) in cluster.wholeUntil(number) { since[node] = max(since[node] ?? .min, end) }
        for node in pool.nodes {
            if let end = since[node] { busy.push(BusyNode(end: end, node: node)) } else { free.push(node) }
        }
        let order = claims.indices.sorted { a, b in
            (claims[a].start, claims[a].hold, claims[a].bin, a) < (claims[b].start, claims[b].hold, claims[b].bin, b)
        }
        for index in order {
            let claim = claims[index]
            while let next = busy.first, next.end <= claim.start {
                _ = busy.pop()
                free.push(next.node)
            }
            for _ in 0..<claim.count {
                guard let node = free.pop() else { break }
                busy.push(BusyNode(end: claim.end, node: node))
                if claim.bin >= 0 {
                    nodeOfBin[number][Int(claim.bin)] = node
                } else {
                    wholeNodes[Int(wholeStart[claim.hold] + wholeCount[claim.hold])] = node
                    wholeCount[claim.hold] += 1
                }
            }
        }
    }

    /// Position in `texts` of the list of nodes of a hold.
    mutating func list(_ number: Int) -> Int32 {
        if listOfHold[number] == -2 { listOfHold[number] = makeList(number) }
        return listOfHold[number]
    }

    private mutating func list(ofNode node: Int) -> Int32 {
        if listOfNode[node] >= 0 { return listOfNode[node] }
        listOfNode[node] = Int32(texts.count)
        texts.append(cluster.snapshot.nodes[node].name)
        return listOfNode[node]
    }

    private mutating func makeList(_ number: Int) -> Int32 {
        if holds[number].parts.count == 1, let part = holds[number].parts.first, !part.isWhole {
            let node = nodeOfBin[Int(part.pool)][Int(part.bin)]
            return node < 0 ? -1 : list(ofNode: Int(node))
        }
        let start = Int(wholeStart[number])
        var nodes = Array(wholeNodes[start..<start + Int(wholeCount[number])])
        for part in holds[number].parts where !part.isWhole {
            let node = nodeOfBin[Int(part.pool)][Int(part.bin)]
            if node >= 0 { nodes.append(node) }
        }
        if nodes.isEmpty { return -1 }
        if nodes.count == 1 { return list(ofNode: Int(nodes[0])) }
        let made = Int32(texts.count)
        nodes.sort()
        if let known = lists[nodes] { return known }
        texts.append(names.list(nodes))
        lists[nodes] = made
        return made
    }

    private struct BusyNode: Comparable {
        var end: Int64
        var node: Int32
        static func < (a: BusyNode, b: BusyNode) -> Bool { (a.end, a.node) < (b.end, b.node) }
    }
}

/// A binary heap, least first.
struct Heap<Element: Comparable> {
    private var items: [Element] = []
    var first: Element? { items.first }
    var count: Int { items.count }

    mutating func push(_ item: Element) {
        items.append(item)
        var child = items.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            if !(items[child] < items[parent]) { return }
            items.swapAt(child, parent)
            child = parent
        }
    }

    mutating func pop() -> Element? {
        guard let top = items.first, let last = items.popLast() else { return nil }
        if items.isEmpty { return top }
        items[0] = last
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < items.count && items[child] < items[least] {
                least = child
            }
            if least == parent { return top }
            items.swapAt(least, parent)
            parent = least
        }
    }
}
