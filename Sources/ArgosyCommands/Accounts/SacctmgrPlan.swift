// What a command of sacctmgr would change, worked out against the records as they are: operations for the controller, and
// the texts Slurm prints beside them. Pure, so that tests need no controller.

import ArgosyDomain

struct SacctmgrPlan: Sendable {
    /// To standard output, before anything is asked or done.
    var text = ""
    /// To standard error.
    var complaint = ""
    var operations: [AccountingOperation] = []
    /// Asked before anything else where -i is not given.
    var question = ""
    var exitCode: Int32 = 0
    /// What stands before the controller's refusal.
    var failure = " Error with request:"

    /// Named in a refusal.
    var cluster = ""

    var isRefused: Bool { exitCode != 0 }

    static func refused(_ complaint: String, text: String = "") -> SacctmgrPlan {
        var plan = SacctmgrPlan()
        plan.complaint = complaint
        plan.text = text
        plan.exitCode = 1
        return plan
    }
}

struct SacctmgrPlanner: Sendable {
    var records: RecordSet
    var reader: FieldReader
    var writer: FieldWriter

    init(_ records: RecordSet) {
        self.records = records
        reader = FieldReader(records: records)
        writer = FieldWriter(records: records)
    }

    static let notInOptions = " Use keyword 'where' to modify condition\n"

    // MARK: - Settings

    /// What the specs set of an association; those that are none of its words are left in `others`.
    func change<Field>(
        _ specs: [SacctmgrSpec], _ words: [FieldWord<Field>], others: inout [SacctmgrSpec], complaint: inout String,
        hint: Bool
    ) -> [FieldSetting<Field>] {
        var change: [FieldSetting<Field>] = []
        for spec in specs {
            guard let value = spec.value, let word = Self.find(spec.key, words) else {
                others.append(spec)
                continue
            }
            do throws(WrongSetting) {
                change.append(
                    FieldSetting(
                        word.field, try reader.value(word.kind, word.word, spec.mode, value, whole: spec.whole)))
            } catch {
                if !error.error.isEmpty { complaint += "sacctmgr: error: \(error.error)\n" }
                if !error.text.isEmpty { complaint += error.text + "\n" }
                // A wrong list of others to preempt, or factor, is told once, as Slurm does.
                if !error.isOption || ["Preempt", "UsageFactor", "UsageThreshold", "LimitFactor"].contains(word.word) {
                    continue
                }
                complaint += " Unknown option: \(spec.whole)\n" + (hint ? Self.notInOptions : "")
            }
        }
        return change
    }

    /// The word itself, else the first that begins so.
    static func find<Field>(_ key: String, _ words: [FieldWord<Field>]) -> FieldWord<Field>? {
        words.first { $0.word.lowercased() == key } ?? words.first { $0.isMeant(by: key) }
    }

    /// `  Fairshare     = 5`: what `add` and `modify cluster` print.
    func settings(_ change: AssociationChange, parent: String? = nil) -> String {
        var text = ""
        for word in AccountingWords.association where !word.isOld {
            if word.field == .priority, let parent { text += "  Parent        = \(parent)\n" }
            guard let setting = change.last(where: { $0.field == word.field }) else { continue }
            let value = writer.text(setting.value, word.kind, settings: true)
            text += "  \(pad(word.shown, 14))= \(value.isEmpty ? "NONE" : value)\n"
        }
        return text
    }

    func settings(_ change: QOSChange) -> String {
        var text = ""
        for word in AccountingWords.qos where !word.isOld {
            guard let setting = change.last(where: { $0.field == word.field }) else { continue }
            let value = writer.text(setting.value, word.kind, settings: true)
            let name = word.field == .maxJobsPerUser ? "MaxJobsPerUser " : pad(word.shown, 25)
            text += "  \(name)= \(value.isEmpty ? "NONE" : value)\n"
        }
        return text
    }

    /// Clusters there is none of are refused: one controller serves one.
    func wrongCluster(_ names: [String]) -> String {
        names.filter { $0 != records.cluster }.map {
            " This cluster '\($0)' doesn't exist.\n        Contact your admin to add it to accounting.\n"
        }.joined()
    }

    static func cut(_ text: String, _ width: Int) -> String { pad(String(text.prefix(width)), width) }
}
