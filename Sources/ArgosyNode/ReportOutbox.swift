internal import ArgosyDomain
internal import ArgosyWire

/// Reports the controller has not acknowledged, in order. In memory only: after a restart the daemon finds the same
/// facts on disk and reports them again, under its new incarnation.
struct ReportOutbox {
    struct Entry {
        var sequence: UInt64
        var id: AttemptID
        var body: WireReport.OneOf_Body
    }
    private var entries: [Entry] = []
    private var nextSequence: UInt64 = 1

    mutating func append(_ id: AttemptID, _ body: WireReport.OneOf_Body) {
        entries.append(Entry(sequence: nextSequence, id: id, body: body))
        nextSequence += 1
    }

    /// Takes out those up to `sequence`.
    mutating func acknowledge(upTo sequence: UInt64) -> [Entry] {
        let done = entries.prefix { $0.sequence <= sequence }
        entries.removeFirst(done.count)
        return Array(done)
    }

    func reports(term: UInt64, _ incarnation: Incarnation) -> [WireReport] {
        entries.map { entry in
            var report = WireReport()
            report.term = term
            report.incarnation = WireIncarnation(incarnation)
            report.sequence = entry.sequence
            report.job = entry.id.job.rawValue
            report.attempt = entry.id.attempt.rawValue
            report.body = entry.body
            return report
        }
    }

    var isEmpty: Bool { entries.isEmpty }
}
