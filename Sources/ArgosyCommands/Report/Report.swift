// Lines of a report: which there are, and in what columns.

import ArgosyDomain
import ArgosyWire

/// One line: texts by the column's name.
struct ReportLine: Sendable {
    var texts: [String: String] = [:]
    var depth = 0
    var order = 0.0
}

struct ReportColumn: Sendable {
    /// What `format=` takes, by a beginning of `least` letters.
    var name: String
    var least: Int
    var title: String
    var width: Int
    /// Where times are told with their share of the total.
    var wide: Int?

    init(_ name: String, _ least: Int, _ title: String, _ width: Int, wide: Int? = nil) {
        self.name = name
        self.least = least
        self.title = title
        self.width = width
        self.wide = wide
    }
}

struct Report {
    let question: ReportQuestion
    let found: WireUsageReport
    let records: RecordSet
    let options: SreportOptions
    private let tres: [TRES]

    init(
        _ question: ReportQuestion, _ found: WireUsageReport, _ records: RecordSet, _ options: SreportOptions
    ) throws {
        self.question = question
        self.found = found
        self.records = records
        self.options = options
        tres = try Self.chosen(options.tres, records.tres)
        if question.kind.isJobSizes, options.tres.count > 1 {
            throw ReportRefusal(
                text: " Job report only supports a single --tres type.\n"
                    + " Generate a separate report for each TRES type.\n")
        }
    }

    private static func chosen(_ names: [String], _ table: TRESTable) throws -> [TRES] {
        if names.contains(where: { $0.lowercased() == "all" }) { return table.all }
        if names.isEmpty { return table.all.filter { $0.id == .cpu } }
        let wanted = names.map { $0.lowercased() }
        let chosen = table.all.filter { wanted.contains($0.text.lowercased()) }
        if chosen.isEmpty {
            // A resource that this cluster has none of yet is one all the same.
            guard wanted.contains(where: { $0.contains("/") }) else {
                throw ReportRefusal(text: "sreport: fatal: No valid TRES given\n")
            }
        }
        return chosen
    }

    func text() throws -> String {
        let columns = try columns()
        var text = options.header ? heading : ""
        var table = ReportTable(columns: columns, style: options.style, isTree: question.flags.contains("tree"))
        table.header = options.header
        table.isWide = options.time.isWide
        text += table.render(lines())
        return text
    }

    // MARK: - The heading

    private var heading: String {
        let rule = String(repeating: "-", count: 80) + "\n"
        let (from, to) = (Times.stamp(question.start * 1_000_000), Times.stamp((question.end - 1) * 1_000_000))
        var time = "\(from) - \(to)"
        let title: String
        switch question.kind {
        case .utilization: title = "Cluster Utilization"
        case .accountByUser: title = "Cluster/Account/User Utilization"
        case .userByAccount: title = "Cluster/User/Account Utilization"
        case .userByWCKey: title = "Cluster/User/WCKey Utilization"
        case .wckeyByUser: title = "Cluster/WCKey/User Utilization"
        case .sizesByAccount, .sizesByAccountAndWCKey: title = "Job Sizes"
        case .sizesByWCKey: title = "Job Sizes by Wckey"
        case .reservation: title = "Reservation Utilization"
        case .top: title = "Top \(question.topCount) Users"
        }
        if question.kind != .utilization, question.kind != .reservation {
            time += " (\(question.end - question.start) secs)"
        }
        return rule + "\(title) \(time)\n" + unit + rule
    }

    private var unit: String {
        if question.kind.isJobSizes {
            let kind = options.tres.isEmpty ? "" : "TRES type is \(options.tres.joined(separator: ","))\n"
            if question.flags.contains("printjobcount") { return kind + "Units are in number of jobs ran\n" }
            return kind + "Time reported in \(options.time.word)\n"
        }
        if options.time == .percent { return "Usage reported in Percentage of Total\n" }
        let what = options.tres.isEmpty && question.kind != .reservation ? "CPU" : "TRES"
        return "Usage reported in \(what) \(options.time.word)\n"
    }

    // MARK: - Columns

    private static let used = ReportColumn("used", 1, "Used", 8, wide: 17)
    private static let energy = ReportColumn("energy", 1, "Energy", 8, wide: 17)
    private static let cluster = ReportColumn("cluster", 2, "Cluster", 9)
    private static let login = ReportColumn("login", 1, "Login", 9)
    private static let proper = ReportColumn("proper", 1, "Proper Name", 15)
    private static let account = ReportColumn("accounts", 1, "Account", 15)
    private static let wckey = ReportColumn("wckey", 1, "WCKey", 15)
    private static let tresName = ReportColumn("tresname", 5, "TRES Name", 14)
    private static let tresCount = ReportColumn("trescount", 5, "TRES Count", 10)
    private static let count = ReportColumn("count", 2, "TRES Count", 10)

    private var known: [ReportColumn] {
        switch question.kind {
        case .utilization:
            [
                .init("allocated", 1, "Allocated", 8, wide: 17), Self.cluster, Self.count,
                .init("down", 1, "Down", 8, wide: 17), .init("idle", 1, "Idle", 8, wide: 17), Self.energy,
                .init("overcommitted", 1, "Over Comm", 8, wide: 17), .init("planneddown", 8, "PLND Down", 8, wide: 17),
                .init("planned", 1, "Planned", 8, wide: 17), .init("reported", 3, "Reported", 8, wide: 17),
                .init("reserved", 3, "Planned", 8, wide: 17), Self.tresCount, Self.tresName,
            ]
        case .accountByUser, .userByAccount, .top:
            [
                Self.account, Self.cluster, Self.count, Self.energy, Self.login, Self.proper, Self.tresCount,
                Self.tresName, Self.used,
            ]
        case .userByWCKey, .wckeyByUser:
            [
                Self.wckey, Self.cluster, Self.count, Self.energy, Self.login, Self.proper, Self.tresCount,
                Self.tresName, Self.used,
            ]
        case .sizesByAccount: [.init("account", 1, "Account", 9), Self.cluster]
        case .sizesByAccountAndWCKey: [.init("account", 1, "Account", -20), Self.cluster]
        case .sizesByWCKey: [.init("wckey", 1, "Wckey", 9), Self.cluster]
        case .reservation:
            [
                .init("allocated", 2, "Allocated", 20, wide: 29), .init("associations", 2, "Associations", 15),
                Self.cluster, .init("count", 2, "TRES count", 10), .init("end", 1, "End", 19),
                .init("flags", 1, "Flags", 20), .init("idle", 1, "Idle", 20, wide: 29), .init("name", 2, "Name", 9),
                .init("nodes", 2, "Nodes", 15), .init("reservationid", 1, "Id", 8), .init("start", 1, "Start", 19),
                .init("totaltime", 2, "TotalTime", 9), .init("trescount", 5, "TRES count", 10), Self.tresName,
                .init("trestime", 5, "TRES Time", 9), .init("cputime", 2, "TRES Time", 9),
            ]
        }
    }

    private var standard: String {
        let name = options.tres.isEmpty ? "" : ",tresname"
        let energy = options.tres.isEmpty ? ",energy" : ""
        switch question.kind {
        case .utilization: return "cluster\(name),allocated,down,planneddown,idle,planned,reported"
        case .accountByUser: return "cluster,accounts,login,proper\(name),used\(energy)"
        case .userByAccount, .top: return "cluster,login,proper,accounts\(name),used\(energy)"
        case .userByWCKey: return "cluster,login,proper,wckey\(name),used"
        case .wckeyByUser: return "cluster,wckey,login,proper\(name),used"
        case .sizesByAccount, .sizesByAccountAndWCKey: return "cluster,account"
        case .sizesByWCKey: return "cluster,wckey"
        case .reservation: return "cluster,name,start,end,tresname,allocated,idle"
        }
    }

    private func columns() throws -> [ReportColumn] {
        var columns: [ReportColumn] = []
        for part in (question.format ?? standard).split(separator: ",") {
            let pieces = part.split(separator: "%", maxSplits: 1, omittingEmptySubsequences: false)
            let word = pieces[0].lowercased()
            let exact = known.first { $0.name == word || $0.title.lowercased() == word }
            guard var column = exact ?? known.first(where: { $0.name.hasPrefix(word) && !word.isEmpty }) else {
                Console.complain(" Unknown field '\(pieces[0])'\n")
                continue
            }
            if pieces.count == 2, let width = Int(pieces[1]) {
                column.width = width
                column.wide = nil
            }
            if question.format == nil, question.kind == .accountByUser, column.name == "accounts",
                question.flags.contains("tree")
            {
                column.width = -20
            }
            columns.append(column)
        }
        if question.kind.isJobSizes { columns += try sizeColumns() }
        return columns
    }

    // MARK: - Lines

    private func lines() -> [ReportLine] {
        switch question.kind {
        case .utilization: tres.compactMap(utilization)
        case .accountByUser: accountLines()
        case .userByAccount: byUse(userLines(apart: \.account, groups: question.flags.contains("group")), limit: .max)
        case .top:
            byUse(userLines(apart: \.account, groups: question.flags.contains("group")), limit: question.topCount)
        case .userByWCKey: byUse(userLines(apart: \.wckey, groups: false), limit: .max)
        case .wckeyByUser: wckeyLines()
        case .sizesByAccount, .sizesByAccountAndWCKey, .sizesByWCKey: sizeLines()
        case .reservation: reservationLines()
        }
    }

    private static func sum(_ list: [WireTRESSum], _ tres: TRES) -> Double {
        list.first { $0.tres == tres.id.rawValue }?.seconds ?? 0
    }

    func total(_ tres: TRES) -> Double { Self.sum(found.capacity, tres) }

    private func utilization(_ tres: TRES) -> ReportLine? {
        let reported = total(tres)
        let isCounted = found.lines.contains { Self.sum($0.used, tres) > 0 }
        guard reported > 0 || isCounted else { return nil }
        let used = found.lines.reduce(0) { $0 + Self.sum($1.used, tres) }
        let down = min(Self.sum(found.down, tres), reported)
        let plannedDown = min(Self.sum(found.plannedDown, tres), max(0, reported - down))
        let allocated = reported > 0 ? min(used, max(0, reported - down - plannedDown)) : used
        let free = max(0, reported - down - plannedDown - allocated)
        let wanted = Self.sum(found.planned, tres)
        let planned = min(wanted, free)
        let time = options.time
        var line = ReportLine()
        line.texts = [
            "cluster": found.cluster, "tresname": tres.text, "allocated": time.text(allocated, of: reported),
            "down": time.text(down, of: reported), "planneddown": time.text(plannedDown, of: reported),
            "idle": time.text(free - planned, of: reported), "planned": time.text(planned, of: reported),
            "reserved": time.text(planned, of: reported),
            "overcommitted": time.text(max(0, wanted - free), of: reported),
            "reported": time.text(reported, of: reported), "energy": "0", "trescount": count(tres),
            "count": count(tres),
        ]
        return line
    }

    private func count(_ tres: TRES) -> String { ReportTime.whole(Self.sum(found.total, tres)) }

    private func isWanted(_ line: WireUsageLine) -> Bool {
        (question.users.isEmpty || question.users.contains(line.user))
            && (question.wckeys.isEmpty || question.wckeys.contains(line.wckey))
    }

    private func line(
        _ tres: TRES, _ used: Double, account: String = "", user: String = "", name: String = "", wckey: String = ""
    ) -> ReportLine {
        var line = ReportLine()
        line.order = used
        line.texts = [
            "cluster": found.cluster, "accounts": account, "login": user, "proper": name, "wckey": wckey,
            "tresname": tres.text, "used": options.time.text(used, of: total(tres)),
            "energy": options.time.text(0, of: 0),
            "trescount": count(tres), "count": count(tres),
        ]
        return line
    }

    // MARK: Accounts

    private func accountLines() -> [ReportLine] {
        let own = found.lines.filter(isWanted)
        let accounts = records.inTreeOrderByName().filter {
            question.accounts.isEmpty || question.accounts.contains($0.account)
        }
        var lines: [ReportLine] = []
        for entry in accounts {
            let below = Set(records.subtree(entry.association).map(\.account))
            let inside = own.filter { below.contains($0.account) }
            for tres in tres {
                let used = inside.reduce(0) { $0 + Self.sum($1.used, tres) }
                guard used > 0 else { continue }
                var sum = line(tres, used, account: entry.account)
                sum.depth = entry.depth
                lines.append(sum)
            }
            let users = Dictionary(grouping: own.filter { $0.account == entry.account }, by: \.user)
            for (user, parts) in users.sorted(by: { $0.key < $1.key }) {
                for tres in tres {
                    let used = parts.reduce(0) { $0 + Self.sum($1.used, tres) }
                    guard used > 0 else { continue }
                    var one = line(tres, used, account: entry.account, user: user, name: parts[0].fullName)
                    one.depth = entry.depth + 1
                    lines.append(one)
                }
            }
        }
        return lines
    }

    // MARK: Users

    private struct UserKey: Hashable, Comparable {
        var user: String
        var other: String
        static func < (a: Self, b: Self) -> Bool { (a.user, a.other) < (b.user, b.other) }
    }

    /// A line for each user and account (or wckey); with `groups` one for each user.
    private func userLines(apart: (WireUsageLine) -> String, groups: Bool) -> [[ReportLine]] {
        let own = found.lines.filter { line in
            isWanted(line) && (question.accounts.isEmpty || question.accounts.contains(line.account))
        }
        let sorted = Dictionary(grouping: own) { UserKey(user: $0.user, other: groups ? "" : apart($0)) }
            .sorted { $0.key < $1.key }
        return sorted.compactMap { key, parts in
            var names: [String] = []
            for part in parts where !names.contains(part.account) { names.append(part.account) }
            let lines = tres.compactMap { tres -> ReportLine? in
                let used = parts.reduce(0) { $0 + Self.sum($1.used, tres) }
                guard used > 0 else { return nil }
                return line(
                    tres, used, account: groups ? names.joined(separator: ",") : key.other, user: key.user,
                    name: parts[0].fullName, wckey: key.other)
            }
            return lines.isEmpty ? nil : lines
        }
    }

    private func byUse(_ groups: [[ReportLine]], limit: Int) -> [ReportLine] {
        Array(
            groups.enumerated().sorted { a, b in
                (b.element[0].order, a.offset) < (a.element[0].order, b.offset)
            }.prefix(limit)
        ).flatMap(\.element)
    }

    private func wckeyLines() -> [ReportLine] {
        let own = found.lines.filter(isWanted)
        var lines: [ReportLine] = []
        for (key, parts) in Dictionary(grouping: own, by: \.wckey).sorted(by: { $0.key < $1.key }) {
            for tres in tres {
                let used = parts.reduce(0) { $0 + Self.sum($1.used, tres) }
                if used > 0 { lines.append(line(tres, used, wckey: key)) }
            }
            for (user, some) in Dictionary(grouping: parts, by: \.user).sorted(by: { $0.key < $1.key }) {
                for tres in tres {
                    let used = some.reduce(0) { $0 + Self.sum($1.used, tres) }
                    guard used > 0 else { continue }
                    lines.append(line(tres, used, user: user, name: some[0].fullName, wckey: key))
                }
            }
        }
        return lines
    }

    // MARK: Sizes

    private var sizes: [(title: String, range: ClosedRange<UInt32>)] {
        if question.isIndividual {
            return Set(found.lines.map(\.cpus)).sorted().map { ("\($0) CPUs", $0...$0) }
        }
        var ranges: [(String, ClosedRange<UInt32>)] = []
        var last: UInt32 = 0
        for bound in question.grouping.sorted() where bound > last {
            ranges.append(("\(last)-\(bound - 1) CPUs", last...(bound - 1)))
            last = bound
        }
        return ranges + [(">= \(last) CPUs", last...UInt32.max)]
    }

    private func sizeColumns() throws -> [ReportColumn] {
        let sizes = sizes
        if sizes.isEmpty { throw ReportRefusal(text: " We need a grouping list to set up the print.\n") }
        return sizes.enumerated().map { ReportColumn("size\($0.offset)", 99, $0.element.title, 13, wide: 20) }
            + [ReportColumn("share", 99, "% of cluster", 12)]
    }

    private func sizeLines() -> [ReportLine] {
        guard let tres = tres.first else { return [] }
        let whole = found.lines.reduce(0) { $0 + Self.sum($1.used, tres) }
        return sizeGroups().compactMap { name, parts in
            let all = parts.reduce(0) { $0 + Self.sum($1.used, tres) }
            guard all > 0 else { return nil }
            var line = ReportLine()
            line.texts = ["cluster": found.cluster, "account": name, "wckey": name]
            for (place, size) in sizes.enumerated() {
                let inside = parts.filter { size.range.contains($0.cpus) }
                let used = inside.reduce(0) { $0 + Self.sum($1.used, tres) }
                line.texts["size\(place)"] =
                    question.flags.contains("printjobcount")
                    ? "\(inside.reduce(0) { $0 + $1.jobs })" : options.time.text(used, of: all)
            }
            line.texts["share"] = Seff.hundredths(whole > 0 ? all / whole * 100 : 0) + "%"
            return line
        }
    }

    /// Lines' names with what is summed in them.
    private func sizeGroups() -> [(String, [WireUsageLine])] {
        let own = found.lines.filter(isWanted)
        if question.kind == .sizesByWCKey {
            return Dictionary(grouping: own, by: \.wckey).sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        }
        let withKeys = question.kind == .sizesByAccountAndWCKey
        if question.flags.contains("flatview") {
            let wanted = own.filter { question.accounts.isEmpty || question.accounts.contains($0.account) }
            return Dictionary(grouping: wanted) { withKeys ? "\($0.account):\($0.wckey)" : $0.account }
                .sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        }
        var tops = question.accounts.isEmpty ? ["root"] : question.accounts
        if question.flags.contains("acctasparent") {
            tops = tops.flatMap { top in
                records.associations.filter { !$0.isUser && records.parentName($0) == top && $0.account != top }
                    .map(\.account).sorted()
            }
        }
        return tops.flatMap { top -> [(String, [WireUsageLine])] in
            guard let association = records.association(account: top) else { return [] }
            let below = Set(records.subtree(association).map(\.account))
            // Who has no association belongs to the cluster all the same.
            let inside = own.filter { below.contains($0.account) || top == "root" }
            guard withKeys else { return [(top, inside)] }
            return Dictionary(grouping: inside, by: \.wckey).sorted { $0.key < $1.key }
                .map { ("\(top):\($0.key)", $0.value) }
        }
    }

    // MARK: Reservations

    private func reservationLines() -> [ReportLine] {
        let wanted = found.reservations.filter { one in
            (question.names.isEmpty || question.names.contains(one.name))
                && (question.nodes.isEmpty
                    || ((try? Hostlist.expand(one.nodeList)) ?? []).contains { question.nodes.contains($0) })
        }
        return wanted.sorted { ($0.startUs, $0.name) < ($1.startUs, $1.name) }.flatMap { one in
            tres.compactMap { tres -> ReportLine? in
                let count = Self.sum(one.counts, tres)
                guard count > 0 else { return nil }
                let length = Double(one.endUs - one.startUs) / 1e6
                let (whole, used) = (count * length, Self.sum(one.used, tres))
                var line = ReportLine()
                line.texts = [
                    "cluster": found.cluster, "name": one.name, "start": Times.stamp(one.startUs),
                    "end": Times.stamp(one.endUs), "tresname": tres.text,
                    "allocated": options.time.text(used, of: whole),
                    "idle": options.time.text(max(0, whole - used), of: whole), "associations": one.associations,
                    "flags": one.flags, "nodes": one.nodeList, "reservationid": "\(one.id)",
                    "totaltime": options.time.text(length, of: length), "trescount": ReportTime.whole(count),
                    "count": ReportTime.whole(count), "trestime": options.time.text(whole, of: whole),
                    "cputime": options.time.text(whole, of: whole),
                ]
                return line
            }
        }
    }
}

extension RecordSet {
    /// Accounts from the root down, by name.
    func inTreeOrderByName() -> [(association: Association, account: String, depth: Int)] {
        hierarchy(associations.filter { !$0.isUser }).map { ($0.association, $0.association.account, $0.depth) }
    }
}

/// Columns under two lines of heading, or between bars.
struct ReportTable {
    var columns: [ReportColumn]
    var style: SacctmgrTable.Style
    var isTree: Bool
    var header = true
    var isWide = false

    private func width(_ column: ReportColumn) -> Int { isWide ? column.wide ?? column.width : column.width }

    func render(_ lines: [ReportLine]) -> String {
        var text = ""
        if header {
            text +=
                style == .padded
                ? columns.map {
                    pad(String($0.title.prefix(abs(width($0)))), abs(width($0)), right: width($0) > 0) + " "
                }
                .joined() + "\n"
                    + columns.map { String(repeating: "-", count: abs(width($0))) + " " }.joined() + "\n"
                : joined(columns.map(\.title))
        }
        for line in lines {
            let values = columns.map { column -> String in
                let value = line.texts[column.name] ?? ""
                return isTree && column.name == "accounts" ? String(repeating: " ", count: line.depth) + value : value
            }
            text +=
                style == .padded
                ? zip(columns, values).map { fit($1, width($0)) + " " }.joined() + "\n" : joined(values)
        }
        return text
    }

    private func fit(_ text: String, _ width: Int) -> String {
        let cut = text.count > abs(width) ? String(text.prefix(max(0, abs(width) - 1))) + "+" : text
        return pad(cut, abs(width), right: width > 0)
    }

    private func joined(_ values: [String]) -> String {
        style == .parsable ? values.map { $0 + "|" }.joined() + "\n" : values.joined(separator: "|") + "\n"
    }
}
