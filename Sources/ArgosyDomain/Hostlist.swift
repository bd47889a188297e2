/// Slurm's hostlist expressions: `node[1-3,7],login`, `rack[0-1]n[01-16]`.
///
/// Numbers keep their leading zeros. Expanding is bounded: a typing error must not fill the memory.
public enum Hostlist {
    public static let maxHosts = 65536

    public struct Malformed: Error, Equatable, Sendable, CustomStringConvertible {
        public let text: String
        public let why: String
        public var description: String { "\"\(text)\" is not a host list: \(why); write it like node[1-3,7],login" }
    }

    /// The hosts of `text`, in the order written. Throws `Malformed`.
    public static func expand(_ text: String) throws(Malformed) -> [String] {
        var hosts: [String] = []
        for part in try split(text) {
            hosts += try expandOne(part, in: text)
            if hosts.count > maxHosts { throw Malformed(text: text, why: "it names more than \(maxHosts) hosts") }
        }
        return hosts
    }

    /// The shortest form of `hosts` in which neighbours that differ in their last number share a bracket; keeps order.
    public static func compress(_ hosts: [String]) -> String {
        var parts: [String] = []
        var group: (prefix: String, suffix: String, numbers: [String])?
        func flush() {
            guard let open = group else { return }
            parts.append(open.prefix + bracket(open.numbers) + open.suffix)
            group = nil
        }
        for host in hosts {
            guard let (prefix, number, suffix) = lastNumber(of: host) else {
                flush()
                parts.append(host)
                continue
            }
            if let open = group, open.prefix == prefix, open.suffix == suffix {
                group?.numbers.append(number)
            } else {
                flush()
                group = (prefix, suffix, [number])
            }
        }
        flush()
        return parts.joined(separator: ",")
    }

    /// Splits at commas outside brackets.
    private static func split(_ text: String) throws(Malformed) -> [Substring] {
        var parts: [Substring] = []
        var start = text.startIndex
        var depth = 0
        for index in text.indices {
            switch text[index] {
            case "[": depth += 1
            case "]": depth -= 1
            case "," where depth == 0:
                parts.append(text[start..<index])
                start = text.index(after: index)
            default: break
            }
            if depth < 0 || depth > 1 { throw Malformed(text: text, why: "its brackets do not match") }
        }
        if depth != 0 { throw Malformed(text: text, why: "its brackets do not match") }
        parts.append(text[start...])
        let named = parts.filter { !$0.isEmpty }
        if named.isEmpty && !text.isEmpty { throw Malformed(text: text, why: "it names no host") }
        return named
    }

    private static func expandOne(_ part: Substring, in text: String) throws(Malformed) -> [String] {
        guard let open = part.firstIndex(of: "["), let close = part[open...].firstIndex(of: "]") else {
            return [String(part)]
        }
        let tails = try expandOne(part[part.index(after: close)...], in: text)
        var hosts: [String] = []
        for range in part[part.index(after: open)..<close].split(separator: ",", omittingEmptySubsequences: false) {
            for number in try numbers(range, in: text) {
                for tail in tails { hosts.append(part[..<open] + number + tail) }
                if hosts.count > maxHosts { throw Malformed(text: text, why: "it names more than \(maxHosts) hosts") }
            }
        }
        return hosts
    }

    private static func numbers(_ range: Substring, in text: String) throws(Malformed) -> [String] {
        let ends = range.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        let areDigits = ends.allSatisfy { $0.allSatisfy { $0.isASCII && $0.isNumber } }
        guard areDigits, let from = ends.first, let first = UInt32(from), ends.count == 1 || UInt32(ends[1]) != nil
        else {
            throw Malformed(text: text, why: "\"\(range)\" is not a number or a range of numbers")
        }
        let last = ends.count == 1 ? first : UInt32(ends[1]) ?? first
        if last < first { throw Malformed(text: text, why: "the range \(range) runs backwards") }
        if last - first >= UInt32(maxHosts) { throw Malformed(text: text, why: "it names more than \(maxHosts) hosts") }
        return (first...last).map { padded($0, like: from) }
    }

    private static func padded(_ number: UInt32, like model: Substring) -> String {
        let digits = String(number)
        guard model.first == "0", digits.count < model.count else { return digits }
        return String(repeating: "0", count: model.count - digits.count) + digits
    }

    private static func lastNumber(of host: String) -> (prefix: String, number: String, suffix: String)? {
        guard let end = host.lastIndex(where: { $0.isASCII && $0.isNumber }) else { return nil }
        var start = end
        while start > host.startIndex {
            let before = host.index(before: start)
            guard host[before].isASCII, host[before].isNumber else { break }
            start = before
        }
        let number = String(host[start...end])
        guard number.count <= 9 else { return nil }
        return (String(host[..<start]), number, String(host[host.index(after: end)...]))
    }

    /// `[1-3,7]`, or the number alone.
    private static func bracket(_ numbers: [String]) -> String {
        guard numbers.count > 1 else { return numbers.first ?? "" }
        var runs: [(first: String, last: String)] = []
        for number in numbers {
            if let run = runs.last, let last = UInt32(run.last), padded(last + 1, like: run.last[...]) == number,
                run.last.count == number.count || run.last.first != "0" && number.first != "0"
            {
                runs[runs.count - 1].last = number
            } else {
                runs.append((number, number))
            }
        }
        let texts = runs.map { $0.first == $0.last ? $0.first : "\($0.first)-\($0.last)" }
        return "[\(texts.joined(separator: ","))]"
    }
}
