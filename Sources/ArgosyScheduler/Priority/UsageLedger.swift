// What associations and QOS have used. Running jobs are added piece by piece (each PriorityCalcPeriod, and at their end);
// however the pieces are cut, the sums are the same up to rounding in the last digits.

public import ArgosyDomain

/// Usage by positions of an `AccountingRecords`. A value: copies share storage until one of them is written.
public struct UsageLedger: Sendable {
    public let records: AccountingRecords
    public private(set) var halfLife: HalfLife
    /// At which stored numbers are at face value.
    public private(set) var epoch: Timestamp
    private var associations: Rows
    private var qos: Rows

    /// Numbers of some records, one row each.
    private struct Rows: Sendable {
        var raw: [Double]
        var wall: [Double]
        /// `width` for each record: one for each TRES of the table.
        var tres: [Double]
        let width: Int
        init(count: Int, width: Int) {
            raw = Array(repeating: 0, count: count)
            wall = Array(repeating: 0, count: count)
            tres = Array(repeating: 0, count: count * width)
            self.width = width
        }
        mutating func scale(_ row: Int, by power: Int) {
            raw[row] = ExactMath.scaled(raw[row], by: power)
            wall[row] = ExactMath.scaled(wall[row], by: power)
            for place in row * width..<(row + 1) * width { tres[place] = ExactMath.scaled(tres[place], by: power) }
        }
        mutating func clear(_ row: Int) {
            raw[row] = 0
            wall[row] = 0
            for place in row * width..<(row + 1) * width { tres[place] = 0 }
        }
        mutating func add(_ row: Int, raw more: Double, wall seconds: Double) {
            raw[row] += more
            wall[row] += seconds
        }
    }

    /// - Parameters:
    ///   - epoch: any moment; the first use is near it in a new cluster.
    public init(records: AccountingRecords, halfLife: Duration, epoch: Timestamp) {
        self.records = records
        self.halfLife = HalfLife(halfLife)
        self.epoch = epoch
        associations = Rows(count: records.associations.count, width: records.tres.all.count)
        qos = Rows(count: records.qos.count, width: records.tres.all.count)
    }

    /// As stored. Usage of records that are gone is dropped; the root keeps what they had.
    public init(
        records: AccountingRecords, halfLife: Duration, epoch: Timestamp, associations: [AssociationUsage],
        qos: [QOSUsage]
    ) {
        // An epoch of the past that all stored numbers share keeps their bits.
        self.init(records: records, halfLife: halfLife, epoch: associations.map(\.asOf).min() ?? epoch)
        for usage in associations {
            guard let row = records.position(of: usage.association) else { continue }
            let factor = self.halfLife.weight(at: usage.asOf, epoch: self.epoch)
            Self.load(usage.raw, usage.wall, usage.tres, factor, into: &self.associations, row, records)
        }
        for usage in qos {
            guard let row = records.position(of: usage.qos) else { continue }
            let factor = decays(row) ? self.halfLife.weight(at: usage.asOf, epoch: self.epoch) : 1
            Self.load(usage.raw, usage.wall, usage.tres, factor, into: &self.qos, row, records)
        }
        settle(at: epoch)
    }

    /// The same usage by other records: after a change by sacctmgr. What deleted associations used stays with those
    /// above them; that of an association that moved to another account goes along from then on.
    public func moved(to records: AccountingRecords) -> UsageLedger {
        UsageLedger(
            records: records, halfLife: halfLife.duration, epoch: epoch,
            associations: self.records.associations.indices.map { stored(association: $0) },
            qos: self.records.qos.indices.map { stored(qos: $0) })
    }

    private static func load(
        _ raw: Double, _ wall: Double, _ tres: TRESUsage, _ factor: Double, into rows: inout Rows, _ row: Int,
        _ records: AccountingRecords
    ) {
        rows.raw[row] = raw * factor
        rows.wall[row] = wall * factor
        for entry in tres.entries {
            guard let place = records.tres.position(of: entry.id) else { continue }
            rows.tres[row * rows.width + place] = entry.seconds * factor
        }
    }

    private func decays(_ qos: Int) -> Bool { !records.qos[qos].flags.contains(.noDecay) }
}

extension UsageLedger {
    /// What ran: all that one job held over a time.
    public struct Piece: Sendable {
        /// Positions; -1: none.
        public var association: Int
        public var qos: Int
        /// A partition's QOS is used as well.
        public var partitionQOS: Int
        /// Billing units held, as `Billing` finds them.
        public var billing: Double
        public var tres: TRESCounts
        public var from: Timestamp
        public var to: Timestamp
        public init(
            association: Int, qos: Int, partitionQOS: Int = -1, billing: Double, tres: TRESCounts, from: Timestamp,
            to: Timestamp
        ) {
            self.association = association
            self.qos = qos
            self.partitionQOS = partitionQOS
            self.billing = billing
            self.tres = tres
            self.from = from
            self.to = to
        }
    }

    /// Adds to the job's association, all above it, and its QOS. The QOS's UsageFactor multiplies everything, as in
    /// Slurm. A piece that ends before it begins adds nothing.
    public mutating func add(_ piece: Piece) {
        guard piece.to > piece.from else { return }
        settle(at: piece.to)
        let factor = piece.qos >= 0 ? records.qos[piece.qos].usageFactor : 1
        let seconds = halfLife.weightedSeconds(from: piece.from, to: piece.to, epoch: epoch) * factor
        let plain = Double(piece.to.microseconds - piece.from.microseconds) / 1e6 * factor
        if piece.association >= 0 {
            for row in records.chains[piece.association] {
                Self.add(piece, seconds, to: &associations, row, records.tres)
            }
        }
        for row in [piece.qos, piece.partitionQOS] where row >= 0 {
            Self.add(piece, decays(row) ? seconds : plain, to: &qos, row, records.tres)
            if piece.partitionQOS == piece.qos { break }
        }
    }

    private static func add(
        _ piece: Piece, _ seconds: Double, to rows: inout Rows, _ row: Int, _ table: TRESTable
    ) {
        rows.add(row, raw: piece.billing * seconds, wall: seconds)
        for entry in piece.tres.entries {
            guard let place = table.position(of: entry.id) else { continue }
            rows.tres[row * rows.width + place] += Double(entry.count) * seconds
        }
    }

    /// Moves the epoch up when weights have grown large. By whole half-lives only, so every number keeps its bits.
    private mutating func settle(at time: Timestamp) {
        let count = halfLife.wholeHalfLives(from: epoch, to: time)
        guard count > 0 else { return }
        epoch = halfLife.moved(epoch, by: count)
        for row in associations.raw.indices { associations.scale(row, by: -count) }
        for row in qos.raw.indices where decays(row) { qos.scale(row, by: -count) }
    }

    /// Sets everything to 0 but what QOS with NoDecay have used: PriorityUsageResetPeriod.
    public mutating func reset() {
        for row in associations.raw.indices { associations.clear(row) }
        for row in qos.raw.indices where decays(row) { qos.clear(row) }
    }

    /// Sets one association's usage to 0, taking it off those above it: `sacctmgr modify ... set RawUsage=0`. What is
    /// below it is set to 0 too.
    public mutating func reset(association target: Int) {
        let gone = associations.raw[target]
        let wall = associations.wall[target]
        let width = associations.width
        let tres = Array(associations.tres[target * width..<(target + 1) * width])
        for row in records.chains[target].dropFirst() {
            associations.raw[row] = max(0, associations.raw[row] - gone)
            associations.wall[row] = max(0, associations.wall[row] - wall)
            for place in 0..<width {
                let index = row * width + place
                associations.tres[index] = max(0, associations.tres[index] - tres[place])
            }
        }
        for row in records.chains.indices where records.chains[row].contains(target) { associations.clear(row) }
    }

    public mutating func reset(qos target: Int) { qos.clear(target) }

    /// Another PriorityDecayHalfLife from `now` on: what was used so far keeps the worth it has then.
    public mutating func changeHalfLife(to duration: Duration, at now: Timestamp) {
        let factor = 1 / halfLife.weight(at: now, epoch: epoch)
        for row in associations.raw.indices {
            associations.raw[row] *= factor
            associations.wall[row] *= factor
        }
        for place in associations.tres.indices { associations.tres[place] *= factor }
        for row in qos.raw.indices where decays(row) {
            qos.raw[row] *= factor
            qos.wall[row] *= factor
            for place in row * qos.width..<(row + 1) * qos.width { qos.tres[place] *= factor }
        }
        epoch = now
        halfLife = HalfLife(duration)
    }
}

extension UsageLedger {
    /// Raw usage of an association in billing-seconds, as sshare shows it, at `now`.
    public func raw(association: Int, at now: Timestamp) -> Double {
        associations.raw[association] / halfLife.weight(at: now, epoch: epoch)
    }
    /// TRES-seconds.
    public func tresSeconds(association: Int, _ id: TRESID, at now: Timestamp) -> Double {
        Self.seconds(associations, association, id, records.tres) / halfLife.weight(at: now, epoch: epoch)
    }
    public func wallSeconds(association: Int, at now: Timestamp) -> Double {
        associations.wall[association] / halfLife.weight(at: now, epoch: epoch)
    }
    public func raw(qos row: Int, at now: Timestamp) -> Double { qos.raw[row] / fading(row, now) }
    public func tresSeconds(qos row: Int, _ id: TRESID, at now: Timestamp) -> Double {
        Self.seconds(qos, row, id, records.tres) / fading(row, now)
    }
    public func wallSeconds(qos row: Int, at now: Timestamp) -> Double { qos.wall[row] / fading(row, now) }

    /// In proportion to each other only: all fade alike, so shares of usage need no time.
    var undecayed: [Double] { associations.raw }

    private func fading(_ row: Int, _ now: Timestamp) -> Double {
        decays(row) ? halfLife.weight(at: now, epoch: epoch) : 1
    }

    private static func seconds(_ rows: Rows, _ row: Int, _ id: TRESID, _ table: TRESTable) -> Double {
        table.position(of: id).map { rows.tres[row * rows.width + $0] } ?? 0
    }

    /// For the store. Reading it back gives the same bits, as long as the half-life is the same.
    public func stored(association row: Int) -> AssociationUsage {
        var usage = AssociationUsage(association: records.associations[row].id, asOf: epoch)
        usage.raw = associations.raw[row]
        usage.wall = associations.wall[row]
        usage.tres = Self.tres(associations, row, records.tres)
        return usage
    }
    public func stored(qos row: Int) -> QOSUsage {
        var usage = QOSUsage(qos: records.qos[row].id, asOf: epoch)
        usage.raw = qos.raw[row]
        usage.wall = qos.wall[row]
        usage.tres = Self.tres(qos, row, records.tres)
        return usage
    }
    private static func tres(_ rows: Rows, _ row: Int, _ table: TRESTable) -> TRESUsage {
        let seconds = rows.tres[row * rows.width..<(row + 1) * rows.width]
        return TRESUsage(zip(table.all, seconds).compactMap { $1 == 0 ? nil : .init($0.id, $1) })
    }
}
