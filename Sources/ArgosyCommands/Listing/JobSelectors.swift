// Job ids as users write them: `12`, `12_3`, `12_[1-3,7]`, `12.0` where a step may be meant.

import ArgosyConfig
import ArgosyWire

struct JobIdentifier: Equatable {
    var job: UInt32
    /// Of an array; empty: all of it.
    var indices: [(first: UInt32, last: UInt32, step: UInt32)] = []
    /// After the point.
    var step: UInt32?

    static func == (a: Self, b: Self) -> Bool {
        a.job == b.job && a.step == b.step && a.text == b.text
    }

    var text: String {
        let tasks = ArrayText.text(indices)
        let single = indices.count == 1 && indices[0].first == indices[0].last
        return "\(job)" + (indices.isEmpty ? "" : single ? "_\(tasks)" : "_[\(tasks)]") + (step.map { ".\($0)" } ?? "")
    }

    /// Nil when it is none of the forms.
    init?(_ text: String) {
        let points = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        if points.count == 2 {
            switch points[1] {
            case "batch": step = 0xffff_fffb
            case "extern": step = 0xffff_fffc
            case "interactive": step = 0xffff_fffa
            default:
                guard let number = SlurmText.number(points[1]), number < 0xffff_0000 else { return nil }
                step = UInt32(number)
            }
        }
        let parts = points[0].split(separator: "_", maxSplits: 1, omittingEmptySubsequences: false)
        guard let number = SlurmText.number(parts[0]), number > 0, number <= UInt64(UInt32.max) else { return nil }
        job = UInt32(number)
        guard parts.count == 2, parts[1] != "*" else { return }
        guard !parts[1].contains("%"), let array = ArrayText.parse(String(parts[1])) else { return nil }
        indices = array.indices.map { ($0.first, $0.last, $0.step) }
    }

    var selector: WireJobSelector {
        var selector = WireJobSelector()
        selector.job = job
        selector.indices = indices.map { range in
            var wire = WireIndexRange()
            (wire.first, wire.last, wire.step) = range
            return wire
        }
        return selector
    }

    /// Whether it names `info`'s job, or the array it is of.
    func means(_ info: WireJobInfo) -> Bool {
        if job == info.job && indices.isEmpty { return true }
        guard info.arrayJob == job, info.arrayJob != 0 else { return false }
        return indices.isEmpty || !info.arrayPending.isEmpty
            || indices.contains {
                $0.first <= info.arrayTask && info.arrayTask <= $0.last
                    && (info.arrayTask - $0.first) % max(1, $0.step) == 0
            }
    }

    /// A list with commas, in which brackets hold commas too.
    static func list(_ text: String) throws(OptionError) -> [JobIdentifier] {
        var identifiers: [JobIdentifier] = []
        for word in words(text) {
            guard let identifier = JobIdentifier(word) else { throw OptionError("Invalid job id: \(word)") }
            identifiers.append(identifier)
        }
        return identifiers
    }

    static func words(_ text: String) -> [String] {
        var words = [""]
        var depth = 0
        for character in text {
            if character == "[" { depth += 1 }
            if character == "]" { depth -= 1 }
            if depth == 0, character == "," || character == " " {
                words.append("")
            } else {
                words[words.count - 1].append(character)
            }
        }
        return words.filter { !$0.isEmpty }
    }
}

/// Words of a list with commas.
func commaList(_ text: String) -> [String] { text.split(separator: ",").map(String.init) }
