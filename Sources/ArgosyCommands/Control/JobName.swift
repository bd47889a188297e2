// A job as scontrol and scancel are told it: `12`, `12_3`, `12_[1-4]`, `12+1`, `12.0`.

import ArgosyWire

struct JobName {
    var identifier: JobIdentifier
    /// Of a heterogeneous job's component.
    var offset: UInt32?
    var text: String

    init?(_ text: String) {
        self.text = text
        guard let plus = text.firstIndex(of: "+") else {
            guard let identifier = JobIdentifier(text) else { return nil }
            self.identifier = identifier
            return
        }
        let rest = text[text.index(after: plus)...]
        let point = rest.firstIndex(of: ".") ?? rest.endIndex
        guard let offset = UInt32(rest[..<point]),
            let identifier = JobIdentifier(text[..<plus] + String(rest[point...]))
        else { return nil }
        self.identifier = identifier
        self.offset = offset
    }

    /// Commas within brackets do not separate.
    static func words(_ text: String) -> [String] {
        var words = [""]
        var depth = 0
        for character in text {
            if character == "[" { depth += 1 }
            if character == "]" { depth -= 1 }
            if depth == 0, character == "," {
                words.append("")
            } else {
                words[words.count - 1].append(character)
            }
        }
        return words.filter { !$0.isEmpty }
    }
}

extension JobRecord {
    /// What of this record `name` is about; nil: nothing. A waiting task of an array is shown by itself.
    func part(_ name: JobName) -> JobRecord? {
        let id = name.identifier
        if let offset = name.offset {
            return info.hetLeader == id.job && info.hetOffset == offset ? self : nil
        }
        guard !id.indices.isEmpty else { return info.job == id.job || info.arrayJob == id.job ? self : nil }
        guard info.arrayJob == id.job else { return nil }
        func isMeant(_ index: UInt32) -> Bool {
            id.indices.contains { $0.first <= index && index <= $0.last && (index - $0.first) % max(1, $0.step) == 0 }
        }
        guard !info.arrayPending.isEmpty else { return isMeant(info.arrayTask) ? self : nil }
        var shown = self
        shown.info.arrayPending = []
        for range in info.arrayPending {
            for index in stride(from: range.first, through: range.last, by: Int(max(1, range.step)))
            where isMeant(index) {
                var one = WireIndexRange()
                (one.first, one.last, one.step) = (index, index, 1)
                shown.info.arrayPending.append(one)
            }
        }
        if shown.info.arrayPending.isEmpty { return nil }
        return shown
    }
}
