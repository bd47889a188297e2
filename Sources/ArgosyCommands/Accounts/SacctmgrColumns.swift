// Columns of `sacctmgr show`: their names, widths and values, and lines made of them.

import ArgosyDomain
import ArgosyWire

/// One line that can be shown: whichever records belong to it.
struct SacctmgrRow: Sendable {
    var account: Account?
    var user: User?
    /// With inherited limits, or without.
    var association: Association?
    var depth = 0
    var qos: QOS?
    var tres: TRES?
    var transaction: AccountingTransaction?
    var texts: [String: String] = [:]
}

struct SacctmgrColumn: Sendable {
    /// Over the column, and the word that `format=` takes (with any beginning).
    var title: String
    var words: [String]
    var least: Int
    var width: Int
    var value: @Sendable (SacctmgrRow, FieldWriter) -> String

    init(
        _ title: String, _ width: Int, words: [String] = [], least: Int = 1,
        _ value: @escaping @Sendable (SacctmgrRow, FieldWriter) -> String
    ) {
        self.title = title
        self.width = width
        self.words = words.isEmpty ? [title] : words
        self.least = least
        self.value = value
    }

    func isMeant(by word: String) -> Bool {
        word.count >= least && words.contains { $0.lowercased().hasPrefix(word.lowercased()) }
    }
}

enum SacctmgrColumns {
    typealias Column = SacctmgrColumn

    private static func limit(
        _ title: String, _ width: Int, _ field: AssociationField?, _ qosField: QOSField?, _ kind: FieldKind,
        words: [String] = [], least: Int = 1
    ) -> Column {
        Column(title, width, words: words, least: least) { row, writer in
            if let association = row.association, let field { return writer.text(association.value(of: field), kind) }
            if let qos = row.qos, let qosField { return writer.text(qos.value(of: qosField), kind) }
            return ""
        }
    }

    /// The count of one TRES of a limit: `MaxNodes`.
    private static func one(
        _ title: String, _ width: Int, _ id: TRESID, _ field: AssociationField?, _ qosField: QOSField?, least: Int = 1
    ) -> Column {
        Column(title, width, least: least) { row, _ in
            let value =
                row.association.flatMap { field.flatMap($0.value(of:)) }
                ?? row.qos.flatMap { qosField.flatMap($0.value(of:)) }
            guard case .counts(let changes)? = value, let found = changes.first(where: { $0.id == id })?.count else {
                return ""
            }
            return id == .mem ? TRESCounts.memoryText(found) : "\(found)"
        }
    }

    /// `format=` takes the first that a word means.
    static let all: [Column] = records + associationLimits + qosLimits

    private static let records: [Column] = [
        Column("Account", 10, words: ["Account", "Acct"], least: 2) { row, _ in
            row.association?.account ?? row.account?.name ?? row.texts["account"] ?? ""
        },
        Column("Action", 20, least: 4) { row, _ in row.transaction?.action ?? "" },
        Column("Actor", 10, least: 4) { row, _ in row.transaction?.actor ?? "" },
        Column("Admin", 9, words: ["AdminLevel"], least: 2) { row, _ in row.user?.adminLevel.name ?? "" },
        Column("Cluster", 10, words: ["Cluster", "Name"], least: 2) { row, writer in
            row.association == nil ? row.texts["cluster"] ?? "" : writer.records.cluster
        },
        Column("Cluster Nodes", 20, words: ["ClusterNodes"], least: 8) { row, writer in
            row.texts["clusternodes"] ?? writer.records.clusterNodes
        },
        Column("% Allowed", 10, words: ["Allowed"], least: 2) { _, _ in "0" },
        Column("Class", 9, words: ["Classification"], least: 3) { _, _ in "" },
        Column("Features", 20, least: 3) { _, _ in "" },
        Column("FedState", 12, least: 5) { _, _ in "NA" },
        Column("FedStateRaw", 11, least: 9) { _, _ in "0" },
        Column("Federation", 10, least: 4) { _, _ in "" },
        Column("NodeCount", 9, least: 5) { row, _ in row.texts["nodecount"] ?? "0" },
        Column("PluginIDSelect", 14, least: 2) { _, _ in "109" },
        Column("CPU Cnt", 7, words: ["CPUCount", "Count"], least: 2) { row, _ in row.texts["cpu"] ?? "" },
        Column("Duration", 13, least: 2) { row, _ in row.texts["duration"] ?? "" },
        Column("Event", 7, least: 2) { row, _ in row.texts["event"] ?? "" },
        Column("EventRaw", 8, least: 6) { row, _ in row.texts["eventraw"] ?? "" },
        Column("NodeName", -15, words: ["NodeNames", "NodeList"], least: 5) { row, _ in
            row.texts["node"] ?? row.texts["nodenames"] ?? ""
        },
        Column("Reason", 30, least: 1) { row, _ in row.texts["reason"] ?? "" },
        Column("State", 6, least: 2) { row, _ in row.texts["state"] ?? "" },
        Column("StateRaw", 8, least: 6) { row, _ in row.texts["stateraw"] ?? "0" },
        Column("TimeStart", 19, words: ["TimeStart", "Start"], least: 2) { row, _ in row.texts["start"] ?? "" },
        Column("TimeEnd", 19, words: ["TimeEnd", "End"], least: 3) { row, _ in row.texts["end"] ?? "" },
        Column("UnusedWall", 10, least: 2) { row, _ in row.texts["unusedwall"] ?? "" },
        Column("Assoc", 10, words: ["Associations"], least: 2) { row, _ in row.texts["associations"] ?? "" },
        Column("Coord Accounts", 20, words: ["Coordinators"], least: 3) { row, writer in
            coordinators(row, writer.records)
        },
        Column("Comment", 20, least: 4) { row, _ in row.association?.comment ?? "" },
        Column("ControlHost", 15, least: 8) { _, writer in writer.records.controlHost },
        Column("ControlPort", 12, least: 8) { _, writer in "\(writer.records.controlPort)" },
        Column("Def Acct", 10, words: ["DefaultAccount"], least: 8) { row, _ in row.user?.defaultAccount ?? "" },
        Column("Def QOS", 9, words: ["DefaultQOS"], least: 8) { row, writer in
            writer.text(row.association?.value(of: .defaultQOS), .qosName)
        },
        Column("Def WCKey", 10, words: ["DefaultWCKey"], least: 8) { row, _ in row.user?.defaultWCKey ?? "" },
        Column("Descr", 20, words: ["Description"], least: 3) { row, _ in
            row.account?.description ?? row.qos?.description ?? ""
        },
        Column("Share", 9, words: ["FairShare", "Shares"], least: 1) { row, _ in row.association?.shares.text ?? "" },
        Column("Flags", 20, least: 2) { row, _ in row.qos?.flags.text ?? row.texts["flags"] ?? "" },
        Column("GraceTime", 10, least: 3) { row, writer in writer.text(row.qos?.value(of: .graceTime), .seconds) },
        Column("ID", 6, words: ["ID", "TransactionID"], least: 2) { row, _ in
            row.association.map { "\($0.id)" } ?? row.qos.map { "\($0.id)" } ?? row.tres.map { "\($0.id.rawValue)" }
                ?? row.transaction.map { "\($0.id)" } ?? row.texts["id"] ?? ""
        },
        Column("Info", 20, least: 2) { row, _ in row.transaction?.info ?? "" },
        Column("LFT", 6) { row, _ in row.texts["lft"] ?? "" },
        Column("Name", 10, least: 2) { row, _ in row.qos?.name ?? row.tres?.name ?? row.texts["name"] ?? "" },
        Column("Org", 20, words: ["Organization"], least: 1) { row, _ in row.account?.organization ?? "" },
        Column("ParentID", 8, least: 7) { row, _ in row.association?.parent.map { "\($0)" } ?? "" },
        Column("ParentName", 10, least: 7) { row, writer in
            guard let association = row.association, !association.isUser else { return "" }
            return writer.records.parentName(association)
        },
        Column("Partition", 10, least: 4) { row, _ in row.association?.partition ?? row.texts["partition"] ?? "" },
        Column("Priority", 10, least: 2) { row, writer in
            writer.text(row.association?.value(of: .priority) ?? row.qos?.value(of: .priority), .number)
        },
        Column("Problem", 40, least: 3) { row, _ in row.texts["problem"] ?? "" },
        Column("QOS", 20, words: ["QOSLevel"], least: 3) { row, writer in
            writer.text(row.association?.value(of: .qos), .qosList)
        },
        Column("QOS_RAW", 10, words: ["QOSRAWLevel", "QOS_RAW"], least: 4) { row, _ in
            row.association?.qos?.map { "\($0)" }.joined(separator: ",") ?? ""
        },
        Column("RGT", 6) { row, _ in row.texts["rgt"] ?? "" },
        Column("RPC", 5) { _, _ in "9728" },
        Column("Type", 8, least: 2) { row, _ in row.tres?.type ?? row.texts["type"] ?? "" },
        Column("Time", 19, words: ["TimeStamp"], least: 4) { row, _ in
            Times.stamp(row.transaction?.time.microseconds ?? 0)
        },
        Column("TRES", 20, least: 2) { row, writer in row.texts["tres"] ?? writer.records.clusterTRES },
        Column("User", 10, words: ["User", "Names"], least: 1) { row, _ in
            row.association?.user ?? row.user?.name ?? row.texts["user"] ?? ""
        },
        Column("Where", 20, least: 2) { row, _ in row.transaction?.target ?? "" },
        Column("WCKey", 10, least: 2) { row, _ in row.texts["wckey"] ?? "" },
        Column("WCKeys", 20, least: 6) { _, _ in "" },
    ]

    private static let associationLimits: [Column] = [
        one("GrpCPUMins", 11, .cpu, .grpTRESMins, .grpTRESMins, least: 8),
        one("GrpCPURunMins", 13, .cpu, .grpTRESRunMins, .grpTRESRunMins, least: 8),
        one("GrpCPUs", 8, .cpu, .grpTRES, .grpTRES, least: 7), one("GrpMem", 7, .mem, .grpTRES, .grpTRES, least: 4),
        one("GrpNodes", 8, .node, .grpTRES, .grpTRES, least: 4),
        limit("GrpJobs", 7, .grpJobs, .grpJobs, .number, least: 4),
        limit("GrpJobsAccrue", 13, .grpJobsAccrue, .grpJobsAccrue, .number, least: 8),
        limit("GrpSubmit", 9, .grpSubmitJobs, .grpSubmitJobs, .number, words: ["GrpSubmitJobs"], least: 4),
        limit("GrpTRES", 13, .grpTRES, .grpTRES, .counts, least: 7),
        limit("GrpTRESMins", 13, .grpTRESMins, .grpTRESMins, .counts, least: 8),
        limit("GrpTRESRunMins", 13, .grpTRESRunMins, .grpTRESRunMins, .counts, least: 8),
        limit("GrpWall", 11, .grpWall, .grpWall, .minutes, least: 4),
        one("MaxCPUMins", 11, .cpu, .maxTRESMinsPerJob, .maxTRESMinsPerJob, least: 7),
        one("MaxCPUs", 8, .cpu, .maxTRESPerJob, .maxTRESPerJob, least: 7),
        limit("MaxJobs", 7, .maxJobs, nil, .number, least: 4),
        limit("MaxJobsAccrue", 13, .maxJobsAccrue, nil, .number, least: 8),
        one("MaxNodes", 8, .node, .maxTRESPerJob, .maxTRESPerJob, least: 4),
        limit("MaxSubmit", 9, .maxSubmitJobs, nil, .number, words: ["MaxSubmitJobs"], least: 4),
        limit("MaxTRES", 13, .maxTRESPerJob, .maxTRESPerJob, .counts, words: ["MaxTRESPerJob", "MaxTRESPJ"], least: 7),
        limit(
            "MaxTRESPerNode", 14, .maxTRESPerNode, .maxTRESPerNode, .counts, words: ["MaxTRESPerNode", "MaxTRESPN"],
            least: 9),
        limit(
            "MaxTRESMins", 13, .maxTRESMinsPerJob, .maxTRESMinsPerJob, .counts,
            words: ["MaxTRESMinsPerJob", "MaxTRESMinsPJ"], least: 8),
        limit("MaxWall", 11, .maxWall, .maxWall, .minutes, words: ["MaxWallDurationPerJob"], least: 4),
        limit("MinPrioThres", 12, .minPrioThresh, .minPrioThresh, .number, words: ["MinPrioThreshold"], least: 4),
    ]

    private static let qosLimits: [Column] = [
        limit("LimitFactor", 11, nil, .limitFactor, .real, least: 6),
        limit(
            "MaxJobsAccruePA", 15, nil, .maxJobsAccruePerAccount, .number,
            words: ["MaxJobsAccruePerAccount", "MaxJobsAccruePA"], least: 15),
        limit(
            "MaxJobsAccruePU", 15, nil, .maxJobsAccruePerUser, .number,
            words: ["MaxJobsAccruePerUser", "MaxJobsAccruePU"], least: 15),
        limit("MaxJobsPA", 9, nil, .maxJobsPerAccount, .number, words: ["MaxJobsPerAccount", "MaxJobsPA"], least: 9),
        limit("MaxJobsPU", 9, nil, .maxJobsPerUser, .number, words: ["MaxJobsPerUser", "MaxJobsPU"], least: 8),
        limit(
            "MaxSubmitPA", 11, nil, .maxSubmitJobsPerAccount, .number,
            words: ["MaxSubmitJobsPerAccount", "MaxSubmitPA", "MaxSubmitJobsPA"], least: 11),
        limit(
            "MaxSubmitPU", 11, nil, .maxSubmitJobsPerUser, .number,
            words: ["MaxSubmitJobsPerUser", "MaxSubmitPU", "MaxSubmitJobsPU"], least: 10),
        limit("MaxTRESPA", 13, nil, .maxTRESPerAccount, .counts, words: ["MaxTRESPerAccount", "MaxTRESPA"], least: 9),
        limit("MaxTRESPU", 13, nil, .maxTRESPerUser, .counts, words: ["MaxTRESPerUser", "MaxTRESPU"], least: 9),
        limit(
            "MaxTRESRunMinsPA", 15, nil, .maxTRESRunMinsPerAccount, .counts,
            words: ["MaxTRESRunMinsPerAccount", "MaxTRESRunMinsPA"], least: 16),
        limit(
            "MaxTRESRunMinsPU", 15, nil, .maxTRESRunMinsPerUser, .counts,
            words: ["MaxTRESRunMinsPerUser", "MaxTRESRunMinsPU"], least: 12),
        one("MaxCPUsPU", 9, .cpu, nil, .maxTRESPerUser, least: 9),
        one("MaxNodesPU", 10, .node, nil, .maxTRESPerUser, least: 10),
        one("MinCPUs", 8, .cpu, nil, .minTRESPerJob, least: 4),
        limit("MinTRES", 13, nil, .minTRESPerJob, .counts, words: ["MinTRESPerJob"], least: 4),
        limit("Preempt", 10, nil, .preempt, .qosList, words: ["Preempt"], least: 3),
        Column("PreemptMode", 11, least: 8) { row, writer in
            guard let qos = row.qos else { return "" }
            return qos.preemptMode == nil ? "cluster" : writer.text(qos.value(of: .preemptMode), .preemptMode)
        },
        limit("PreemptExemptTime", 19, nil, .preemptExemptTime, .seconds, least: 8),
        limit("UsageFactor", 11, nil, .usageFactor, .real, least: 6),
        limit("UsageThres", 10, nil, .usageThreshold, .real, words: ["UsageThreshold"], least: 6),
    ]

    private static func coordinators(_ row: SacctmgrRow, _ records: RecordSet) -> String {
        if let account = row.account, let own = records.association(account: account.name) {
            let above = records.chain(own).map(\.account)
            return records.users.filter { user in user.coordinates.contains { above.contains($0) } }.map(\.name)
                .joined(separator: ",")
        }
        guard let user = row.user else { return "" }
        return records.accounts.map(\.name).filter { name in
            guard let own = records.association(account: name) else { return false }
            return records.chain(own).contains { user.coordinates.contains($0.account) }
        }.joined(separator: ",")
    }
}

/// Which columns, how wide, between what.
struct SacctmgrTable: Sendable {
    struct Chosen: Sendable {
        var column: SacctmgrColumn
        var width: Int
        var hasOwnWidth: Bool
    }
    enum Style: Sendable { case padded, parsable, parsable2 }
    var columns: [Chosen] = []
    var style = Style.padded
    var header = true
    /// Accounts are indented by their depth.
    var isTree = false

    /// `NAME`, `NAME%WIDTH`, comma separated. Throws the word that is no field.
    init(_ format: String, entity: SacctmgrEntity) throws(UnknownField) {
        for part in format.split(separator: ",") {
            let pieces = part.split(separator: "%", maxSplits: 1, omittingEmptySubsequences: false)
            guard let column = Self.column(String(pieces[0]), entity) else {
                throw UnknownField(word: String(pieces[0]))
            }
            let width = pieces.count == 2 ? Int(pieces[1]) : nil
            columns.append(
                Chosen(column: column, width: min(max(width ?? column.width, -1000), 1000), hasOwnWidth: width != nil))
        }
    }
    struct UnknownField: Error { var word: String }

    /// A name means another column for clusters and users than for the rest.
    private static func column(_ word: String, _ entity: SacctmgrEntity) -> SacctmgrColumn? {
        let wanted = word.lowercased()
        func exact(_ column: SacctmgrColumn) -> Bool {
            column.title.lowercased() == wanted || column.words.contains { $0.lowercased() == wanted }
        }
        let all = SacctmgrColumns.all.filter { column in
            if wanted.hasPrefix("na"), entity != .cluster, column.title == "Cluster" { return false }
            if wanted.hasPrefix("na"), entity != .user, column.title == "User" { return false }
            if wanted.hasPrefix("na"), entity == .user || entity == .cluster, column.title == "Name" { return false }
            return true
        }
        return all.first(where: exact) ?? all.first { $0.isMeant(by: wanted) }
    }

    func render(_ rows: [SacctmgrRow], _ writer: FieldWriter) -> String {
        var text = header ? head : ""
        for row in rows { text += line(columns.map { value($0, row, writer) }) }
        return text
    }

    private var head: String {
        guard style == .padded else { return line(columns.map(\.column.title)) }
        let titles = columns.map { chosen in
            Self.fit(String(chosen.column.title.prefix(abs(width(chosen)))), width(chosen)) + " "
        }
        let dashes = columns.map { String(repeating: "-", count: abs(width($0))) + " " }
        return titles.joined() + "\n" + dashes.joined() + "\n"
    }

    private func width(_ chosen: Chosen) -> Int {
        isTree && chosen.column.title == "Account" && !chosen.hasOwnWidth ? -20 : chosen.width
    }

    private func value(_ chosen: Chosen, _ row: SacctmgrRow, _ writer: FieldWriter) -> String {
        var text = chosen.column.value(row, writer)
        if isTree && chosen.column.title == "Account" { text = String(repeating: " ", count: row.depth) + text }
        return style == .padded ? Self.fit(text, width(chosen)) : text
    }

    /// Cut with a `+` where it does not fit; right-justified unless the width is negative.
    private static func fit(_ text: String, _ width: Int) -> String {
        let cut = text.count > abs(width) && width != 0 ? String(text.prefix(abs(width) - 1)) + "+" : text
        return pad(cut, abs(width), right: width > 0)
    }

    private func line(_ values: [String]) -> String {
        switch style {
        case .padded: values.map { $0 + " " }.joined() + "\n"
        case .parsable: values.map { $0 + "|" }.joined() + "\n"
        case .parsable2: values.joined(separator: "|") + "\n"
        }
    }
}
