// Fair Tree: users are ranked, not measured. From the root down, siblings are ordered by Level FS (their part of the
// level's shares divided by their part of its usage); whoever stands in a better account stands before everybody in a
// worse one. The first of n users gets n/n, the next (n-1)/n, ... Equal ones share the better rank: tied accounts are
// walked as one, with their children mixed, and an account tied with a user before it hands that tie to its first child.
// The rules are those of Slurm's page on Fair Tree; the ties are checked against Slurm 22.05.

import ArgosyDomain

enum FairTree {
    static func rows(_ tree: ShareTree) -> [FairShare.Row] {
        var rows = tree.associations.indices.map { row(tree, $0) }
        for position in rows.indices where tree.associations[position].shares == .parent {
            // A user without shares of its own shows those of its account.
            guard tree.associations[position].isUser, let parent = tree.parents[position] else { continue }
            rows[position].normShares = rows[parent].normShares
        }
        var ranking = Ranking(tree: tree, levelFS: tree.associations.indices.map { sortKey(tree, rows, $0) })
        for root in tree.associations.indices where tree.parents[root] == nil {
            ranking.walk(tree.children[root], tied: false)
        }
        for (position, rank) in ranking.ranks {
            rows[position].factor = Double(rank) / Double(ranking.users)
        }
        return rows
    }

    private static func row(_ tree: ShareTree, _ position: Int) -> FairShare.Row {
        let shares = tree.levelShare(position)
        let usage =
            tree.parents[position].map { tree.usage[$0] > 0 ? tree.usage[position] / tree.usage[$0] : 0 } ?? 1
        return FairShare.Row(
            rawShares: tree.associations[position].shares, normShares: shares ?? 0,
            normUsage: tree.normUsage(position), effectiveUsage: usage, factor: 0,
            levelFS: shares.map { levelFS(shares: $0, usage: usage) })
    }

    private static func levelFS(shares: Double, usage: Double) -> Double {
        if shares == 0 { return 0 }
        return usage == 0 ? .infinity : shares / usage
    }

    /// A user with its parent's shares stands before all its siblings.
    private static func sortKey(_ tree: ShareTree, _ rows: [FairShare.Row], _ position: Int) -> Double {
        rows[position].levelFS ?? .infinity
    }

    private struct Ranking {
        let tree: ShareTree
        let levelFS: [Double]
        let users: Int
        private(set) var ranks: [(position: Int, rank: Int)] = []
        private var left: Int
        private var rank: Int

        init(tree: ShareTree, levelFS: [Double]) {
            self.tree = tree
            self.levelFS = levelFS
            users = tree.associations.reduce(0) { $0 + ($1.isUser ? 1 : 0) }
            left = users
            rank = users
        }

        mutating func walk(_ siblings: [Int], tied isFirstTied: Bool) {
            let order = siblings.sorted(by: comesBefore)
            var next = 0
            while next < order.count {
                let position = order[next]
                let isTied = next == 0 ? isFirstTied : levelFS[order[next - 1]] == levelFS[position]
                if tree.associations[position].isUser {
                    if !isTied { rank = left }
                    ranks.append((position, rank))
                    left -= 1
                    next += 1
                } else {
                    // Users come before accounts of the same Level FS, so all equal ones from here on are accounts.
                    let end = order[next...].firstIndex { levelFS[$0] != levelFS[position] } ?? order.endIndex
                    walk(order[next..<end].flatMap { tree.children[$0] }, tied: isTied)
                    next = end
                }
            }
        }

        private func comesBefore(_ a: Int, _ b: Int) -> Bool {
            if levelFS[a] != levelFS[b] { return levelFS[a] > levelFS[b] }
            let users = (tree.associations[a].isUser, tree.associations[b].isUser)
            return users.0 != users.1 ? users.0 : a < b
        }
    }
}
