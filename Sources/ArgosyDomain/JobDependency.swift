// What a job waits for of other jobs (`--dependency`), and how much of it is left.
//
//     afterok:12:13,afterany:20_4      all of them
//     afterok:12?afternotok:13         any of them
//     after:12+5                       5 minutes after job 12 began
//     aftercorr:20                     element by element of an array
//     singleton                        no earlier job of the same name and user is left
//
// Terms that are met leave the list; the text names the state of those that stay, as squeue's %E shows it.

public struct JobDependency: Hashable, Sendable {
    public enum Kind: String, CaseIterable, Sendable {
        case after
        case afterAny = "afterany"
        case afterBurstBuffer = "afterburstbuffer"
        case afterCorr = "aftercorr"
        case afterNotOK = "afternotok"
        case afterOK = "afterok"
        case singleton
    }
    public enum Target: Hashable, Sendable {
        /// The job; an array as a whole.
        case whole
        case element(UInt32)
    }
    public enum State: Hashable, Sendable { case unfulfilled, failed }

    public struct Term: Hashable, Sendable {
        public var kind: Kind
        public var job: JobID
        public var target = Target.whole
        /// `12_*`: the job is known to be an array.
        public var isArray = false
        /// Minutes after the start.
        public var delay: UInt32 = 0
        public var state = State.unfulfilled
        /// Of an array: an element that is gone by now ended otherwise than well.
        public var sawFailure = false
        public init(_ kind: Kind, _ job: JobID = JobID(0), target: Target = .whole, delay: UInt32 = 0) {
            self.kind = kind
            self.job = job
            self.target = target
            self.delay = delay
        }
    }
    public var terms: [Term]
    /// One of them is enough.
    public var isAny: Bool
    public init(_ terms: [Term] = [], isAny: Bool = false) {
        self.terms = terms
        self.isAny = isAny
    }
    public var isEmpty: Bool { terms.isEmpty }

    /// No time will meet it any more.
    public var isHopeless: Bool {
        !terms.isEmpty && (isAny ? terms.allSatisfy { $0.state == .failed } : terms.contains { $0.state == .failed })
    }
}

extension JobDependency {
    /// As squeue shows it: `afterok:12(unfulfilled),singleton(unfulfilled)`.
    public var text: String { text(stored: false) }

    /// With what only a restart needs to know.
    public var storedText: String { text(stored: true) }

    private func text(stored: Bool) -> String {
        terms.map { $0.text(stored: stored) }.joined(separator: isAny ? "?" : ",")
    }
}

extension JobDependency.Term {
    fileprivate func text(stored: Bool) -> String {
        let mark = stored && sawFailure ? "!" : ""
        let state = "(\(self.state == .failed ? "failed" : "unfulfilled")\(mark))"
        if kind == .singleton { return "singleton" + state }
        var name = "\(kind.rawValue):\(job)"
        if case .element(let index) = target { name += "_\(index)" } else if isArray { name += "_*" }
        return name + (delay > 0 ? "+\(delay)" : "") + state
    }
}

extension JobDependency {
    /// What is wrong with a text.
    public struct Malformed: Error, Hashable, Sendable, CustomStringConvertible {
        public var description: String
        init(_ text: some StringProtocol, _ why: String) { description = "\"\(text)\" \(why)" }
    }
    /// More jobs than this in one dependency are refused.
    public static let maxTerms = 10_000

    /// Reads what `--dependency` takes, and what `storedText` writes. Empty text: none.
    public init(parsing text: String) throws(Malformed) {
        self.init()
        if text.isEmpty { return }
        isAny = text.contains("?")
        if isAny, text.contains(where: { $0 == "," }), !Self.hasCommasInBracketsOnly(text) {
            throw Malformed(text, "mixes \",\" (all) and \"?\" (any)")
        }
        for part in Self.split(text, at: isAny ? "?" : ",") { try add(part) }
        if terms.count > Self.maxTerms { throw Malformed(text.prefix(40), "names more than \(Self.maxTerms) jobs") }
    }

    private static func hasCommasInBracketsOnly(_ text: String) -> Bool { split(text, at: ",").count == 1 }

    /// Outside brackets only.
    private static func split(_ text: some StringProtocol, at separator: Character) -> [Substring] {
        var parts: [Substring] = []
        var start = text.startIndex
        var depth = 0
        for index in text.indices {
            switch text[index] {
            case "[": depth += 1
            case "]": depth -= 1
            case separator where depth == 0:
                parts.append(Substring(text[start..<index]))
                start = text.index(after: index)
            default: break
            }
        }
        return parts + [Substring(text[start...])]
    }

    private mutating func add(_ text: Substring) throws(Malformed) {
        let words = Self.split(text, at: ":")
        let (word, state) = Self.stateful(words[0])
        guard let kind = Kind(rawValue: word.lowercased()) else {
            let kinds = Kind.allCases.map(\.rawValue).joined(separator: ", ")
            throw Malformed(text, "is no kind of dependency; there are \(kinds)")
        }
        if kind == .singleton {
            guard words.count == 1 else { throw Malformed(text, "names jobs; singleton takes none") }
            terms.append(Term(kind).in(state))
            return
        }
        guard words.count > 1 else { throw Malformed(text, "names no job; write it like \(kind.rawValue):1234") }
        for word in words.dropFirst() { try add(kind, word) }
    }

    /// `12`, `12_3`, `12_*`, `12_[1-3,7]`, each with `+minutes` and a state.
    private mutating func add(_ kind: Kind, _ word: Substring) throws(Malformed) {
        let (bare, state) = Self.stateful(word)
        let halves = bare.split(separator: "+", maxSplits: 1, omittingEmptySubsequences: false)
        let delay = halves.count == 2 ? Self.number(halves[1]) : 0
        let name = halves[0].split(separator: "_", maxSplits: 1, omittingEmptySubsequences: false)
        guard let delay, let job = Self.number(name[0]), job > 0 else { throw Malformed(word, "is no job id") }
        var term = Term(kind, JobID(job), delay: delay).in(state)
        if name.count == 1 { return terms.append(term) }
        if name[1] == "*" {
            term.isArray = true
            return terms.append(term)
        }
        for index in try Self.indices(name[1], of: word) {
            term.target = .element(index)
            terms.append(term)
        }
    }

    private static func indices(_ text: Substring, of word: Substring) throws(Malformed) -> [UInt32] {
        if let index = number(text) { return [index] }
        var found: [UInt32] = []
        guard text.hasPrefix("["), text.hasSuffix("]") else { throw Malformed(word, "is no job id") }
        for part in text.dropFirst().dropLast().split(separator: ",", omittingEmptySubsequences: false) {
            let ends = part.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false).map { number($0) }
            guard let first = ends[0], let last = ends[ends.count - 1], first <= last, last - first < maxTerms else {
                throw Malformed(word, "is no job id")
            }
            found += first...last
        }
        return found
    }

    private static func stateful(_ text: Substring) -> (Substring, String) {
        guard text.hasSuffix(")"), let open = text.firstIndex(of: "(") else { return (text, "") }
        return (text[..<open], String(text[open...]))
    }

    private static func number(_ text: Substring) -> UInt32? {
        guard !text.isEmpty, text.utf8.count <= 10, text.utf8.allSatisfy({ $0 >= 48 && $0 <= 57 }) else { return nil }
        return UInt32(text)
    }
}

extension JobDependency.Term {
    fileprivate func `in`(_ state: String) -> Self {
        var term = self
        term.state = state.hasPrefix("(failed") ? .failed : .unfulfilled
        term.sawFailure = state.hasSuffix("!)")
        return term
    }
}
