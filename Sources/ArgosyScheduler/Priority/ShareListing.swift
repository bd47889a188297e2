public import ArgosyDomain

/// A line of sshare, in numbers.
public struct ShareLine: Hashable, Sendable {
    /// Position in the records.
    public var association: Int
    /// Steps below the root, for indenting.
    public var depth: Int
    public var account: String
    public var user: String
    public var partition: String
    /// Empty for the root: it has none.
    public var rawShares: String
    public var normShares: Double
    /// Billing-seconds, decayed, rounded down.
    public var rawUsage: UInt64
    public var normUsage: Double
    public var effectiveUsage: Double
    /// Nil where sshare prints nothing: accounts under Fair Tree.
    public var fairShare: Double?
    /// Nil where sshare prints nothing; infinite: `inf`.
    public var levelFS: Double?
    public var grpTRESMins: TRESCounts
    /// TRES-minutes used, decayed.
    public var grpTRESRaw: TRESCounts
    /// TRES-minutes that running jobs may still use.
    public var tresRunMins: TRESCounts
}

extension AccountingBook {
    /// Every association in the order of sshare: each account with its users, then the accounts below it, by name.
    public func shares(_ fairShare: FairShare, at now: Timestamp) -> [ShareLine] {
        var children: [Int: [Int]] = [:]
        for chain in records.chains where chain.count > 1 { children[chain[1], default: []].append(chain[0]) }
        var lines: [ShareLine] = []
        var stack = records.chains.filter { $0.count == 1 }.map { (position: $0[0], depth: 0) }
        stack.reverse()
        while let (position, depth) = stack.popLast() {
            lines.append(line(position, depth, fairShare, now))
            let next = (children[position] ?? []).sorted { key($0) < key($1) }
            stack += next.reversed().map { ($0, depth + 1) }
        }
        return lines
    }

    private func key(_ position: Int) -> (Int, String, String, Int) {
        let association = records.associations[position]
        let name = association.isUser ? association.user : association.account
        return (association.isUser ? 0 : 1, name, association.partition, position)
    }

    private func line(_ position: Int, _ depth: Int, _ fairShare: FairShare, _ now: Timestamp) -> ShareLine {
        let association = records.associations[position]
        let row = fairShare.rows[position]
        let isRoot = records.chains[position].count == 1
        return ShareLine(
            association: position, depth: depth, account: association.account, user: association.user,
            partition: association.partition, rawShares: isRoot ? "" : association.shares.text,
            normShares: row.normShares,
            rawUsage: ExactMath.whole(usage.raw(association: position, at: now)), normUsage: row.normUsage,
            effectiveUsage: row.effectiveUsage,
            fairShare: fairShare.isFairTree && !association.isUser ? nil : row.factor,
            levelFS: row.levelFS, grpTRESMins: association.limits.grpTRESMins, grpTRESRaw: minutes(position, now),
            tresRunMins: runMinutes(position, now))
    }

    private func minutes(_ position: Int, _ now: Timestamp) -> TRESCounts {
        TRESCounts(
            records.tres.all.map { tres in
                .init(tres.id, ExactMath.whole(usage.tresSeconds(association: position, tres.id, at: now) / 60))
            })
    }

    private func runMinutes(_ position: Int, _ now: Timestamp) -> TRESCounts {
        let seconds = runSeconds(association: position, at: now)
        return TRESCounts(records.tres.all.map { .init($0.id, seconds[$0.id] / 60) })
    }
}
