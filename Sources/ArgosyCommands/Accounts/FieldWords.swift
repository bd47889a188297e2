// The words sacctmgr takes for what can be set of an association or a QOS, and how their values are read and shown. One
// row each.

import ArgosyDomain

/// How a value is written.
enum FieldKind: Sendable {
    case number, shares, minutes, seconds, counts, real, qosName, qosList, flags, preemptMode, text
    /// A limit of one TRES under a word of its own: `GrpCPUs`.
    case one(TRESID)
}

/// One word of `set` and where it goes.
struct FieldWord<Field: Hashable & Sendable>: Sendable {
    var word: String
    /// Fewest letters that mean it.
    var least: Int
    var field: Field
    var kind: FieldKind
    /// In the list of settings that `add` prints.
    var shown: String
    /// Rows of older words are read, not shown.
    var isOld = false

    init(_ word: String, _ least: Int, _ field: Field, _ kind: FieldKind, shown: String? = nil) {
        self.word = word
        self.least = least
        self.field = field
        self.kind = kind
        self.shown = shown ?? word
        if case .one = kind { isOld = true }
        if shown == "" { isOld = true }
    }

    func isMeant(by key: String) -> Bool { key.count >= least && word.lowercased().hasPrefix(key.lowercased()) }
}

enum AccountingWords {
    typealias AssociationWord = FieldWord<AssociationField>
    typealias QOSWord = FieldWord<QOSField>

    /// Looked through in order; shown in this order.
    static let association: [AssociationWord] = [
        .init("FairShare", 1, .shares, .shares, shown: "Fairshare"), .init("Shares", 1, .shares, .shares, shown: ""),
        .init("GrpJobs", 4, .grpJobs, .number), .init("GrpJobsAccrue", 8, .grpJobsAccrue, .number),
        .init("GrpSubmitJobs", 4, .grpSubmitJobs, .number), .init("GrpTRES", 7, .grpTRES, .counts),
        .init("GrpTRESMins", 8, .grpTRESMins, .counts), .init("GrpTRESRunMins", 8, .grpTRESRunMins, .counts),
        .init("GrpWall", 4, .grpWall, .minutes), .init("GrpCPUs", 7, .grpTRES, .one(.cpu)),
        .init("GrpCPUMins", 8, .grpTRESMins, .one(.cpu)), .init("GrpCPURunMins", 7, .grpTRESRunMins, .one(.cpu)),
        .init("GrpMemory", 4, .grpTRES, .one(.mem)), .init("GrpNodes", 4, .grpTRES, .one(.node)),
        .init("MaxJobs", 4, .maxJobs, .number), .init("MaxJobsAccrue", 8, .maxJobsAccrue, .number),
        .init("MaxSubmitJobs", 4, .maxSubmitJobs, .number),
        .init("MaxTRESPerJob", 7, .maxTRESPerJob, .counts, shown: "MaxTRES"),
        .init("MaxTRESPerNode", 11, .maxTRESPerNode, .counts),
        .init("MaxTRESMinsPerJob", 8, .maxTRESMinsPerJob, .counts, shown: "MaxTRESMins"),
        .init("MaxCPUMinsPerJob", 8, .maxTRESMinsPerJob, .one(.cpu)),
        .init("MaxCPUsPerJob", 7, .maxTRESPerJob, .one(.cpu)),
        .init("MaxNodesPerJob", 4, .maxTRESPerJob, .one(.node)),
        .init("MaxWallDurationPerJob", 4, .maxWall, .minutes, shown: "MaxWall"),
        .init("MinPrioThreshold", 4, .minPrioThresh, .number), .init("Priority", 3, .priority, .number),
        .init("QosLevel", 1, .qos, .qosList, shown: "QOS"), .init("QOS", 1, .qos, .qosList, shown: ""),
        .init("DefaultQOS", 8, .defaultQOS, .qosName, shown: "DefQOS"), .init("Comment", 3, .comment, .text),
    ]

    static let qos: [QOSWord] = [
        .init("Description", 1, .description, .text, shown: ""), .init("Flags", 2, .flags, .flags),
        .init("GraceTime", 3, .graceTime, .seconds), .init("GrpJobs", 4, .grpJobs, .number),
        .init("GrpJobsAccrue", 8, .grpJobsAccrue, .number), .init("GrpSubmitJobs", 4, .grpSubmitJobs, .number),
        .init("GrpTRES", 7, .grpTRES, .counts), .init("GrpTRESMins", 8, .grpTRESMins, .counts),
        .init("GrpTRESRunMins", 8, .grpTRESRunMins, .counts), .init("GrpWall", 4, .grpWall, .minutes),
        .init("GrpCPUs", 7, .grpTRES, .one(.cpu)), .init("GrpCPUMins", 8, .grpTRESMins, .one(.cpu)),
        .init("GrpCPURunMins", 7, .grpTRESRunMins, .one(.cpu)), .init("GrpMemory", 4, .grpTRES, .one(.mem)),
        .init("GrpNodes", 4, .grpTRES, .one(.node)),
        .init("MaxJobsAccruePerAccount", 17, .maxJobsAccruePerAccount, .number),
        .init("MaxJobsAccruePA", 15, .maxJobsAccruePerAccount, .number, shown: ""),
        .init("MaxJobsAccruePerUser", 8, .maxJobsAccruePerUser, .number),
        .init("MaxJobsAccruePU", 15, .maxJobsAccruePerUser, .number, shown: ""),
        .init("MaxJobsPerAccount", 11, .maxJobsPerAccount, .number),
        .init("MaxJobsPA", 9, .maxJobsPerAccount, .number, shown: ""),
        .init("MaxJobsPerUser", 4, .maxJobsPerUser, .number),
        .init("MaxJobsPU", 9, .maxJobsPerUser, .number, shown: ""),
        .init("MaxSubmitJobsPerAccount", 17, .maxSubmitJobsPerAccount, .number),
        .init("MaxSubmitJobsPA", 15, .maxSubmitJobsPerAccount, .number, shown: ""),
        .init("MaxSubmitJobsPerUser", 4, .maxSubmitJobsPerUser, .number),
        .init("MaxSubmitJobsPU", 15, .maxSubmitJobsPerUser, .number, shown: ""),
        .init("MaxTRESPerAccount", 11, .maxTRESPerAccount, .counts),
        .init("MaxTRESPA", 9, .maxTRESPerAccount, .counts, shown: ""),
        .init("MaxTRESPerJob", 7, .maxTRESPerJob, .counts), .init("MaxTRESPerNode", 11, .maxTRESPerNode, .counts),
        .init("MaxTRESPerUser", 11, .maxTRESPerUser, .counts),
        .init("MaxTRESPU", 9, .maxTRESPerUser, .counts, shown: ""),
        .init("MaxTRESRunMinsPerAccount", 18, .maxTRESRunMinsPerAccount, .counts),
        .init("MaxTRESRunMinsPA", 16, .maxTRESRunMinsPerAccount, .counts, shown: ""),
        .init("MaxTRESRunMinsPerUser", 18, .maxTRESRunMinsPerUser, .counts),
        .init("MaxTRESRunMinsPU", 16, .maxTRESRunMinsPerUser, .counts, shown: ""),
        .init("MinTRESPerJob", 7, .minTRESPerJob, .counts),
        .init("MaxTRESMinsPerJob", 8, .maxTRESMinsPerJob, .counts, shown: "MaxTRESMins"),
        .init("MaxCPUsPerUser", 11, .maxTRESPerUser, .one(.cpu)), .init("MaxCPUsPU", 9, .maxTRESPerUser, .one(.cpu)),
        .init("MaxCPUMinsPerJob", 8, .maxTRESMinsPerJob, .one(.cpu)),
        .init("MaxCPUsPerJob", 7, .maxTRESPerJob, .one(.cpu)),
        .init("MaxNodesPerUser", 12, .maxTRESPerUser, .one(.node)),
        .init("MaxNodesPU", 10, .maxTRESPerUser, .one(.node)),
        .init("MaxNodesPerJob", 4, .maxTRESPerJob, .one(.node)), .init("MinCPUs", 4, .minTRESPerJob, .one(.cpu)),
        .init("MaxWallDurationPerJob", 4, .maxWall, .minutes, shown: "MaxWall"),
        .init("MinPrioThreshold", 4, .minPrioThresh, .number), .init("Preempt", 3, .preempt, .qosList),
        .init("PreemptMode", 8, .preemptMode, .preemptMode),
        .init("PreemptExemptTime", 8, .preemptExemptTime, .seconds), .init("Priority", 3, .priority, .number),
        .init("UsageFactor", 6, .usageFactor, .real), .init("UsageThreshold", 6, .usageThreshold, .real),
        .init("LimitFactor", 6, .limitFactor, .real),
    ]
}

/// What is wrong with a value: what stands before " Unknown option", and whether it does.
struct WrongSetting: Error {
    /// After `sacctmgr: error: `; empty: nothing.
    var error = ""
    /// As it is.
    var text = ""
    /// Followed by " Unknown option".
    var isOption = true
}

/// Reads values of `KEY=VALUE`.
struct FieldReader {
    var records: RecordSet

    func value(_ kind: FieldKind, _ word: String, _ mode: FieldValue.Mode, _ text: String, whole: String)
        throws(WrongSetting) -> FieldValue
    {
        switch kind {
        case .number: return .number(try number(text, word))
        case .shares: return .number(try shares(text, word))
        case .minutes: return .number(try minutes(text, word, whole))
        case .seconds: return .number(try seconds(text, word, whole))
        case .counts: return .counts(try counts(text))
        case .one(let id): return .counts([.init(id, try number(text, word).map { UInt64($0) })])
        case .real: return .real(try real(text, word))
        case .qosName:
            guard text != "-1", !text.isEmpty else { return .number(nil) }
            guard let id = records.qos(text.lowercased())?.id else {
                throw WrongSetting(
                    text: "You gave a bad default qos '\(text)'.  Use 'list qos' to get complete list.")
            }
            return .number(id.rawValue)
        case .qosList: return try qosList(text, mode)
        case .flags: return try flags(text, mode)
        case .preemptMode:
            if text.lowercased() == "cluster" { return .number(nil) }
            guard let mode = PreemptMode(text: text) else {
                throw WrongSetting(text: " Bad Preempt Mode given: \(whole)", isOption: false)
            }
            return .number(mode.rawValue)
        case .text: return .text(text)
        }
    }

    private func number(_ text: String, _ word: String) throws(WrongSetting) -> UInt32? {
        if text == "-1" { return nil }
        guard text.utf8.count <= 10, let value = UInt32(text), value < 0xffff_fffd else {
            throw WrongSetting(error: "Invalid value for \(word) (\(text))")
        }
        return value
    }

    private func shares(_ text: String, _ word: String) throws(WrongSetting) -> UInt32? {
        if text == "-1" { return nil }
        guard let shares = FairShares(text: text) else {
            throw WrongSetting(error: "Invalid value for \(word) (\(text))")
        }
        return shares.number
    }

    private func minutes(_ text: String, _ word: String, _ whole: String) throws(WrongSetting) -> UInt32? {
        if text == "-1" { return nil }
        guard let limit = try? JobValue.time(text).rawValue, limit < .max else {
            let name = word.hasPrefix("MaxWall") ? "MaxWall" : word
            throw WrongSetting(text: " Bad \(name) time format: \(whole)")
        }
        return limit
    }

    private func seconds(_ text: String, _ word: String, _ whole: String) throws(WrongSetting) -> UInt32? {
        if text == "-1" { return nil }
        if let plain = UInt32(text), plain < 0xffff_fffd { return plain }
        guard let limit = try? JobValue.time(text).rawValue, limit < .max / 60 else {
            throw WrongSetting(text: " Bad \(word) time format: \(whole)")
        }
        return limit * 60
    }

    private func real(_ text: String, _ word: String) throws(WrongSetting) -> Double? {
        if text == "-1" { return nil }
        guard let value = Double(text), value >= 0, value.isFinite else {
            throw WrongSetting(error: "Invalid value for \(word) (\(text))")
        }
        return value
    }

    private func counts(_ text: String) throws(WrongSetting) -> [FieldValue.TRESChange] {
        for part in text.split(separator: ",") {
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if records.tres.id(of: pair[0]) == nil {
                throw WrongSetting(error: "slurmdb_format_tres_str: no TRES known by type \(pair[0])")
            }
            if pair.count == 1 { throw WrongSetting(error: "slurmdb_format_tres_str: no TRES id found for \(part)") }
        }
        guard let changes = try? TRESCounts.changes(parsing: text, records.tres), !changes.isEmpty else {
            throw WrongSetting(error: text.isEmpty ? "" : "slurmdb_format_tres_str: no value given as TRES \(text)")
        }
        return changes.map { .init($0.id, $0.count) }
    }

    /// `a,b`, or with `+` and `-` before each: then all must have one.
    private func qosList(_ text: String, _ mode: FieldValue.Mode) throws(WrongSetting) -> FieldValue {
        var mode = mode
        var ids: [UInt32] = []
        for part in text.split(separator: ",") {
            var name = part
            if let sign = name.first, sign == "+" || sign == "-", name != "-1" {
                mode = sign == "+" ? .add : .remove
                name = name.dropFirst()
            }
            if name == "-1" { return .list(.set, []) }
            guard let id = records.qos(name.lowercased())?.id else {
                let valid = records.qos.map(\.name).joined(separator: ",")
                throw WrongSetting(error: "You gave a bad qos '\(name)'. Valid QOS's are \(valid)")
            }
            ids.append(id.rawValue)
        }
        return .list(mode, ids)
    }

    private func flags(_ text: String, _ mode: FieldValue.Mode) throws(WrongSetting) -> FieldValue {
        if text == "-1" { return .flags(.set, 0) }
        var flags: QOSFlags = []
        for name in text.split(separator: ",") {
            guard let flag = QOSFlags(name: name) else {
                let valid = QOSFlags.names.map(\.name).joined(separator: ",")
                throw WrongSetting(
                    text: " Unknown QOS flag used in:\n  '\(text)'\n Valid QOS flags are\n  '\(valid)'", isOption: false
                )
            }
            flags.formUnion(flag)
        }
        return .flags(mode, flags.rawValue)
    }
}

/// Shows values as columns and settings have them.
struct FieldWriter {
    var records: RecordSet

    /// Empty when it is not set. `settings`: as `add` prints what it sets, not as columns show it.
    func text(_ value: FieldValue?, _ kind: FieldKind, settings: Bool = false) -> String {
        switch value {
        case nil, .number(nil), .real(nil): ""
        case .number(let number?): text(number, kind, settings)
        case .real(let real?): settings ? Self.fixed(real, 4) : Self.fixed(real, 6)
        case .text(let text): text
        case .counts(let changes):
            TRESCounts(changes.compactMap { change in change.count.map { .init(change.id, $0) } }).text(records.tres)
        case .list(let mode, let ids):
            (mode == .add ? "+" : mode == .remove ? "-" : "")
                + ids.map { records.name(QOSID($0)) }.sorted().joined(separator: ",")
        case .flags(_, let bits): QOSFlags(rawValue: bits).text
        }
    }

    private func text(_ number: UInt32, _ kind: FieldKind, _ settings: Bool) -> String {
        switch kind {
        case .shares: FairShares(number: number).text
        case .minutes: number == .max ? "UNLIMITED" : Times.long(Int64(number) * 60)
        case .seconds: settings ? String(number) : Times.long(Int64(number))
        case .qosName: records.name(QOSID(number))
        case .preemptMode:
            settings
                ? PreemptMode(rawValue: number)?.name ?? "" : PreemptMode(rawValue: number)?.name.lowercased() ?? ""
        case .number, .counts, .real, .qosList, .flags, .text, .one: String(number)
        }
    }

    /// `printf("%.*f")` for the range of factors and shares.
    static func fixed(_ value: Double, _ digits: Int) -> String {
        guard value.isFinite else { return value.isNaN ? "nan" : value < 0 ? "-inf" : "inf" }
        var scale = 1.0
        for _ in 0..<digits { scale *= 10 }
        let scaled = (abs(value) * scale).rounded(.toNearestOrEven)
        guard scaled < 9e18 else { return "\(value)" }
        let whole = UInt64(scaled)
        let unit = UInt64(scale)
        let fraction = String(whole % unit)
        let sign = value < 0 && whole > 0 ? "-" : ""
        if digits == 0 { return sign + String(whole) }
        return "\(sign)\(whole / unit).\(String(repeating: "0", count: digits - fraction.count))\(fraction)"
    }
}
