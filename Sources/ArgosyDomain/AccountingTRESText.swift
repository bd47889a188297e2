// The two ways accounting writes TRES counts: by name (`cpu=4,mem=2G,gres/gpu=2`) and by number (`1=4,2=2048`).

/// What is wrong with a text of TRES counts.
public struct MalformedTRES: Error, Hashable, Sendable, CustomStringConvertible {
    public var text: String
    public var why: String
    public var description: String { "\"\(text)\": \(why); write it like cpu=4,mem=2G,gres/gpu=2" }
}

extension TRESCounts {
    public enum Order: Sendable {
        /// By number, as scontrol and squeue show them: `cpu=2,mem=2G,node=1,billing=2`
        case number
        /// By name, as sacct shows them: `billing=2,cpu=2,mem=2G,node=1`
        case name
    }

    /// As Slurm prints it: memory in the largest unit that leaves a whole number.
    public func text(_ table: TRESTable, order: Order = .number) -> String {
        var parts = entries.map { entry -> (name: String, value: String) in
            let tres = table[entry.id]
            let value = tres?.isMemory == true ? Self.memoryText(entry.count) : String(entry.count)
            return (tres?.text ?? String(entry.id.rawValue), value)
        }
        if case .name = order { parts.sort { $0.name < $1.name } }
        return parts.map { "\($0.name)=\($0.value)" }.joined(separator: ",")
    }

    /// `1=4,2=2048`: as dumps and the accounting database hold it.
    public var idText: String { entries.map { "\($0.id.rawValue)=\($0.count)" }.joined(separator: ",") }

    /// MiB as `2G`, `2500M`, `1T`.
    public static func memoryText(_ mebibytes: UInt64) -> String {
        var (value, unit) = (mebibytes, 0)
        let units = ["M", "G", "T", "P", "E"]
        while value > 0, value % 1024 == 0, unit + 1 < units.count {
            value /= 1024
            unit += 1
        }
        return "\(value)\(units[unit])"
    }

    /// Reads `cpu=4,mem=2G` or `1=4,2=2048`, or both mixed; an empty text is empty counts.
    public init(parsing text: String, _ table: TRESTable) throws(MalformedTRES) {
        let changes = try Self.changes(parsing: text, table)
        self.init(changes.compactMap { change in change.count.map { Entry(change.id, $0) } })
    }

    /// The same for limits as `sacctmgr modify ... set GrpTRES=cpu=10,mem=-1` writes them: -1 (nil here) takes a limit
    /// away. In the order written.
    public static func changes(
        parsing text: String, _ table: TRESTable
    ) throws(MalformedTRES) -> [(id: TRESID, count: UInt64?)] {
        var changes: [(id: TRESID, count: UInt64?)] = []
        for part in text.split(separator: ",") {
            guard let equals = part.firstIndex(of: "=") else {
                throw MalformedTRES(text: text, why: "\"\(part)\" has no equals sign")
            }
            let name = part[..<equals]
            guard let id = table.id(of: name) ?? UInt32(name).map({ TRESID($0) }), table[id] != nil else {
                throw MalformedTRES(text: text, why: "\"\(name)\" is no TRES of this cluster")
            }
            let value = part[part.index(after: equals)...]
            guard let count = count(value, isMemory: table[id]?.isMemory == true) else {
                throw MalformedTRES(text: text, why: "\"\(value)\" is not a count of \(name)")
            }
            changes.append((id, count.map { $0 }))
        }
        return changes
    }

    /// Applies what `changes(parsing:_:)` gave: sets counts, takes out those of nil.
    public mutating func apply(_ changes: [(id: TRESID, count: UInt64?)]) {
        for change in changes {
            if let count = change.count { set(change.id, count) } else { remove(change.id) }
        }
    }

    /// Nil: no count. A nil inside: -1, no limit.
    private static func count(_ text: Substring, isMemory: Bool) -> UInt64?? {
        if text == "-1" { return .some(nil) }
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard digits.utf8.count <= 18, let number = UInt64(digits) else { return nil }
        let unit = text[digits.endIndex...].uppercased()
        let shift: UInt64
        switch unit {
        case "": return .some(number)
        case "K", "KB": return isMemory ? .some((number + 1023) / 1024) : .some(number * 1024)
        case "M", "MB": shift = isMemory ? 0 : 20
        case "G", "GB": shift = isMemory ? 10 : 30
        case "T", "TB": shift = isMemory ? 20 : 40
        case "P", "PB": shift = isMemory ? 30 : 50
        default: return nil
        }
        let (product, overflow) = number.multipliedReportingOverflow(by: 1 << shift)
        return overflow ? nil : .some(product)
    }
}
