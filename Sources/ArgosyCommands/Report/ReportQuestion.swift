import ArgosyDomain
import ArgosyWire

/// What is asked of a report: its time, conditions and columns.
struct ReportQuestion: Sendable {
    var kind: ReportKind
    /// Seconds, whole hours.
    var start: Int64 = 0
    var end: Int64 = 0
    var accounts: [String] = []
    var users: [String] = []
    var wckeys: [String] = []
    var names: [String] = []
    var nodes: Set<String> = []
    var format: String?
    var grouping: [UInt32] = [50, 250, 500, 1000]
    var isIndividual = false
    var topCount = 10
    var flags: Set<String> = []
    var complaint = ""
    var request = WireReportUsage()

    private static let flagWords: [(word: String, least: Int)] = [
        ("all_clusters", 1), ("tree", 4), ("group", 5), ("flatview", 2), ("acctasparent", 5), ("printjobcount", 2),
        ("withdeleted", 5),
    ]

    init(_ kind: ReportKind, _ words: [String], now: Int64) throws {
        self.kind = kind
        let parser = MomentParser(now: now, future: false)
        let today = parser.parse("today") ?? 0
        let yesterday =
            parser.parse("today").flatMap { MomentParser(now: $0 - 43200, future: false).parse("today") } ?? 0
        var (from, to): (Int64?, Int64?) = (nil, nil)
        for word in words {
            let spec = SacctmgrSpec(word)
            guard let value = spec.value else {
                if let flag = Self.flagWords.first(where: { spec.means($0.word, $0.least) }) { flags.insert(flag.word) }
                continue
            }
            if spec.means("start", 1) {
                from = moment(value, parser)
            } else if spec.means("end", 1) {
                to = moment(value, parser)
            } else {
                try take(spec, value)
            }
        }
        let last = min(to ?? today, now)
        start = Self.hour(from ?? yesterday)
        end = Self.hour(last)
        if end <= start { end = start + 3600 }
        request.sinceUs = start * 1_000_000
        request.untilUs = end * 1_000_000
    }

    /// The nearest whole hour.
    private static func hour(_ seconds: Int64) -> Int64 { (seconds + 1800) / 3600 * 3600 }

    private mutating func moment(_ text: String, _ parser: MomentParser) -> Int64? {
        if let time = parser.parse(text) { return time }
        complaint += "Invalid time specification (pos=0): \(text)\n"
        return nil
    }

    private mutating func take(_ spec: SacctmgrSpec, _ value: String) throws {
        let list = value.split(separator: ",").map(String.init)
        if spec.means("accounts", 2) || spec.means("accts", 2) {
            accounts += spec.names
        } else if spec.means("users", 1) {
            users += spec.names
            request.users += spec.names
        } else if spec.means("wckeys", 2) {
            wckeys += spec.names
        } else if spec.means("names", 2) {
            names += list
        } else if spec.means("nodes", 2) {
            nodes.formUnion((try? Hostlist.expand(value)) ?? [])
            if kind.isJobSizes { request.nodes = nodes.sorted() }
        } else if spec.means("partitions", 1) {
            request.partitions += list
        } else if spec.means("jobs", 1) {
            request.jobs += ((try? JobIdentifier.list(value)) ?? []).map(\.selector)
        } else if spec.means("gids", 2) {
            request.gids += list.compactMap { UInt32($0) }
        } else if spec.means("grouping", 2) {
            isIndividual = "individual".hasPrefix(value.lowercased())
            grouping = isIndividual ? [] : list.compactMap { UInt32($0) }
        } else if spec.means("topcount", 1) {
            topCount = Int(value) ?? topCount
        } else if spec.means("format", 1) {
            format = value
        } else if spec.means("clusters", 1) {
            names += []
        } else {
            complaint += " Unknown condition: \(spec.whole)\nUse keyword set to modify value\n"
        }
    }
}
