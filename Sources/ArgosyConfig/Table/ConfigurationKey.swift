// One documented key of a configuration file: what it is called, what may stand behind it, what it is when nobody says,
// and what becomes of it here.

/// A row of `ConfigurationTable`.
public struct ConfigurationKey: Sendable {
    /// What becomes of a value.
    public enum State: Hashable, Sendable {
        case honoured
        /// Read and shown, changes nothing; because of what.
        case noEffect(String)
        /// No key: what `scontrol show config` tells about the running cluster among them.
        case fact

        public var isHonoured: Bool { self == .honoured }
    }

    /// What values look like, as written and as `scontrol show config` shows them.
    public enum Kind: Hashable, Sendable {
        case text
        /// An absolute path; NONE where none is meant.
        case path
        /// Shown Yes, No.
        case yesNo
        /// Shown yes, no.
        case flag
        /// Shown with one decimal and a sign.
        case percent
        /// Shown 1, 0.
        case oneZero
        case number(ClosedRange<UInt64>)
        /// Shown with the unit behind it; UNLIMITED and INFINITE may stand for a number.
        case measure(String)
        /// Minutes or days-hours:minutes:seconds; shown as the latter.
        case time
        case port
        /// MiB, or a number with a unit; UNLIMITED.
        case memory
        /// Shown with the user's id.
        case user
        /// One of these, shown as here.
        case choice([String])
        /// Some of these, with commas between, shown in this order.
        case flags([String])
        case debugLevel
    }

    /// As documented.
    public var name: String
    public var kind: Kind
    /// What `scontrol show config` says when the file does not; nil: the key is not shown.
    public var shown: String?
    public var state: State
    /// The name it is shown under, where that is another.
    public var shownName: String?

    init(_ name: String, _ kind: Kind, _ shown: String?, _ state: State = .honoured, as shownName: String? = nil) {
        self.name = name
        self.kind = kind
        self.shown = shown
        self.state = state
        self.shownName = shownName
    }
}

extension ConfigurationKey {
    static let debugLevels = [
        "quiet", "fatal", "error", "info", "verbose", "debug", "debug2", "debug3", "debug4", "debug5",
    ]

    /// Refuses what the key's kind cannot be.
    func check(_ text: String) throws(WrongValue) {
        switch kind {
        case .text, .user: break
        case .path:
            guard text.hasPrefix("/") || ["none", "(null)"].contains(text.lowercased()) else {
                throw WrongValue(allowed: "must be an absolute path")
            }
        case .yesNo, .oneZero, .flag:
            guard SlurmText.boolean(text) != nil else { throw WrongValue(allowed: "must be YES or NO") }
        case .number(let range):
            guard !Self.isBoundless(text) else { return }
            _ = try ConfigurationParser.count(text, range)
        case .percent:
            guard let number = Double(text), (0...10_000).contains(number) else {
                throw WrongValue(allowed: "must be a number of percent")
            }
        case .measure:
            guard !Self.isBoundless(text) else { return }
            _ = try ConfigurationParser.count(text, 0...0xffff_fffe)
        case .time:
            guard text == "-1" || Self.isBoundless(text) || SlurmText.seconds(text) != nil else {
                throw WrongValue(allowed: "must be minutes, hours:minutes:seconds or days-hours:minutes:seconds")
            }
        case .port: _ = try ConfigurationParser.port(String(text.split(separator: "-").first ?? ""))
        case .memory: _ = try ConfigurationParser.mebibytes(text)
        case .choice(let words):
            guard words.contains(where: { $0.lowercased() == text.lowercased() }) else {
                throw WrongValue(allowed: "must be one of \(words.joined(separator: " "))")
            }
        case .flags(let words):
            for item in ConfigurationParser.list(text)
            where !words.contains(where: { $0.lowercased() == item.lowercased() }) {
                throw WrongValue(allowed: "\(item) is not one of \(words.joined(separator: " "))")
            }
        case .debugLevel:
            let level = SlurmText.number(text).map { $0 < 10 } ?? Self.debugLevels.contains(text.lowercased())
            guard level else {
                throw WrongValue(allowed: "must be 0 to 9 or one of \(Self.debugLevels.joined(separator: " "))")
            }
        }
    }

    /// A value as `scontrol show config` writes it.
    ///
    /// - Parameter uid: of a user's name, where it is known.
    public func rendered(_ text: String, uid: (String) -> UInt32?) -> String {
        switch kind {
        case .text, .number, .port: return text
        case .path: return text.lowercased() == "none" ? "(null)" : text
        case .yesNo: return SlurmText.boolean(text) == true ? "Yes" : "No"
        case .flag: return SlurmText.boolean(text) == true ? "yes" : "no"
        case .percent:
            let tenths = (Double(text) ?? 0) * 10
            let whole = tenths.isFinite ? UInt64(min(max(tenths, 0), 1e12)) : 0
            return "\(whole / 10).\(whole % 10)%"
        case .oneZero: return SlurmText.boolean(text) == true ? "1" : "0"
        case .measure(let unit): return Self.isBoundless(text) ? text.uppercased() : "\(text) \(unit)"
        case .time:
            guard let seconds = SlurmText.seconds(text) else { return text.uppercased() }
            return Self.clock(seconds)
        case .memory:
            guard let size = SlurmText.mebibytes(text), size > 0 else { return "UNLIMITED" }
            return "\(size)"
        case .user:
            let name = String(text.prefix { $0 != "(" })
            if let number = UInt32(name) { return "\(name)(\(number))" }
            return uid(name).map { "\(name)(\($0))" } ?? name
        case .choice(let words): return words.first { $0.lowercased() == text.lowercased() } ?? text
        case .flags(let words):
            let given = ConfigurationParser.list(text).map { $0.lowercased() }
            let found = words.filter { given.contains($0.lowercased()) }
            return found.isEmpty ? text : found.joined(separator: ",")
        case .debugLevel:
            let level = SlurmText.number(text).flatMap { Int(exactly: $0) } ?? -1
            return Self.debugLevels.indices.contains(level) ? Self.debugLevels[level] : text.lowercased()
        }
    }

    static func isBoundless(_ text: String) -> Bool { ["UNLIMITED", "INFINITE"].contains(text.uppercased()) }

    /// `[days-]hours:minutes:seconds`
    static func clock(_ seconds: UInt64) -> String {
        func two(_ number: UInt64) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let days = seconds / 86_400
        let rest = "\(two(seconds / 3600 % 24)):\(two(seconds / 60 % 60)):\(two(seconds % 60))"
        return days > 0 ? "\(days)-\(rest)" : rest
    }
}
