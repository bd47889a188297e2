// A command line of sacctmgr as it is read: entities, conditions and settings, each word by any beginning that Slurm
// takes.

import ArgosyDomain

enum SacctmgrEntity: Sendable, CaseIterable {
    case account, association, cluster, configuration, coordinator, event, federation, problem, qos, reservation
    case resource, runawayJobs, stats, transaction, tres, user, wckey, job

    /// Words in the order they are tried, and the fewest letters that mean them.
    static let words: [(word: String, least: Int, entity: SacctmgrEntity)] = [
        ("accounts", 2, .account), ("associations", 2, .association), ("clusters", 2, .cluster),
        ("configuration", 3, .configuration), ("coordinators", 3, .coordinator), ("events", 1, .event),
        ("federations", 1, .federation), ("jobs", 1, .job), ("problems", 1, .problem), ("qos", 1, .qos),
        ("resources", 3, .resource), ("reservations", 3, .reservation), ("resv", 4, .reservation),
        ("runawayjobs", 2, .runawayJobs), ("orphans", 1, .runawayJobs), ("lostjobs", 1, .runawayJobs),
        ("stats", 1, .stats), ("transactions", 1, .transaction), ("txns", 2, .transaction), ("tres", 4, .tres),
        ("users", 1, .user), ("wckeys", 1, .wckey),
    ]

    init?(_ text: String) {
        let wanted = text.lowercased()
        let exact = Self.words.first { $0.word == wanted }
        guard let found = exact ?? Self.words.first(where: { $0.word.hasPrefix(wanted) && wanted.count >= $0.least })
        else { return nil }
        self = found.entity
    }
}

/// `KEY=VALUE`, `KEY+=VALUE`, `KEY-=VALUE`, or a word alone.
struct SacctmgrSpec: Sendable {
    var key: String
    var mode: FieldValue.Mode
    /// Nil: a word alone.
    var value: String?
    /// As written.
    var whole: String

    init(_ text: String) {
        whole = text
        guard let equals = text.firstIndex(of: "=") else {
            (key, mode, value) = (text.lowercased(), .set, nil)
            return
        }
        var key = text[..<equals]
        mode = .set
        if key.hasSuffix("+") { mode = .add }
        if key.hasSuffix("-") { mode = .remove }
        if mode != .set { key = key.dropLast() }
        self.key = key.lowercased()
        value = Self.unquoted(String(text[text.index(after: equals)...]))
    }

    /// A shell's quotes are gone; those of the interactive mode and of files are not.
    private static func unquoted(_ text: String) -> String {
        guard let first = text.first, first == "'" || first == "\"", text.count > 1, text.last == first else {
            return text
        }
        return String(text.dropFirst().dropLast())
    }

    /// Any of `words` by a beginning of at least so many letters.
    func means(_ word: String, _ least: Int = 1) -> Bool { key.count >= least && word.lowercased().hasPrefix(key) }

    /// Names, comma separated, in small letters, each once.
    var names: [String] {
        var found: [String] = []
        for part in (value ?? "").split(separator: ",") {
            let name = part.lowercased()
            if !found.contains(name) { found.append(name) }
        }
        return found
    }
}

/// `where` and `set` apart.
struct SacctmgrWords: Sendable {
    var conditions: [SacctmgrSpec] = []
    var settings: [SacctmgrSpec] = []
    var hasSet = false

    init(_ words: [String]) {
        var setting = false
        for word in words {
            switch word.lowercased() {
            case "where": setting = false
            case "set": (setting, hasSet) = (true, true)
            case "and": continue
            default:
                let spec = SacctmgrSpec(word)
                if setting { settings.append(spec) } else { conditions.append(spec) }
            }
        }
    }
}

/// Which records a command is about.
struct SacctmgrConditions: Sendable {
    var names: [String] = []
    var accounts: [String] = []
    var users: [String] = []
    var clusters: [String] = []
    var partitions: [String] = []
    var parents: [String] = []
    var descriptions: [String] = []
    var organizations: [String] = []
    var defaultAccounts: [String] = []
    var adminLevel: AdminLevel?
    var qos: [String] = []
    var defaultQOS: [String] = []
    var ids: [UInt32] = []
    var format: String?
    var start: Int64?
    var end: Int64?
    var actors: [String] = []
    var actions: [String] = []
    var types: [String] = []
    var flags: Set<String> = []
    /// Of events.
    var nodeNames: Set<String> = []
    var states: [String] = []
    var reasons: [String] = []
    var wckeys: [String] = []
    /// Anything that says which records: removing without is refused.
    var isEmpty = true

    /// What `show` knows beside conditions.
    static let flagWords: [(word: String, least: Int)] = [
        ("withassoc", 5), ("withcoordinators", 5), ("withdeleted", 5), ("withrawqoslevel", 5), ("withsubaccounts", 5),
        ("withclusters", 5), ("withfed", 5), ("wopinfo", 4), ("woplimits", 4), ("wolimits", 3), ("onlydefaults", 1),
        ("tree", 4), ("all_clusters", 4), ("all_time", 4),
    ]
}

/// A word that is no condition of the entity.
struct UnknownCondition: Error { var whole: String }

extension SacctmgrConditions {
    init(_ specs: [SacctmgrSpec], of entity: SacctmgrEntity) throws(UnknownCondition) {
        for spec in specs { try take(spec, entity) }
    }

    private mutating func take(_ spec: SacctmgrSpec, _ entity: SacctmgrEntity) throws(UnknownCondition) {
        guard spec.value != nil else {
            if let flag = Self.flagWords.first(where: { spec.means($0.word, $0.least) }) {
                flags.insert(flag.word)
                return
            }
            names += spec.whole.split(separator: ",").map { $0.lowercased() }
            isEmpty = false
            return
        }
        if entity == .event, takeEvent(spec) { return }
        if spec.means("format", 2) {
            format = spec.value
            return
        }
        isEmpty = false
        if spec.means("clusters", entity == .cluster ? 2 : 1), entity != .coordinator { return clusters += spec.names }
        if entity == .association, spec.means("accts", 3) { return accounts += spec.names }
        switch entity {
        case .account where spec.means("names", 1) || spec.means("accounts", 2) || spec.means("accts", 4):
            names += spec.names
        case .user where spec.means("names", 1) || spec.means("users", 1): names += spec.names
        case .cluster, .qos, .federation, .resource, .wckey:
            guard spec.means("names", 1) else { return try takeOther(spec, entity) }
            names += spec.names
        case .tres, .reservation:
            guard spec.means("names", 1) else { return try takeOther(spec, entity) }
            names += spec.names
        case .coordinator where spec.means("names", 1) || spec.means("users", 1): names += spec.names
        default: try takeOther(spec, entity)
        }
    }

    /// Conditions of events alone.
    private mutating func takeEvent(_ spec: SacctmgrSpec) -> Bool {
        let list = (spec.value ?? "").lowercased().split(separator: ",").map(String.init)
        if spec.means("nodes", 2) {
            nodeNames.formUnion((try? Hostlist.expand(spec.value ?? "")) ?? [])
        } else if spec.means("states", 4) {
            states += list
        } else if spec.means("reasons", 1) {
            reasons += list
        } else if spec.means("events", 1), !spec.means("end", 1) {
            if let first = list.first { flags.insert("event=\("cluster".hasPrefix(first) ? "cluster" : "node")") }
        } else {
            return false
        }
        return true
    }

    private mutating func takeOther(_ spec: SacctmgrSpec, _ entity: SacctmgrEntity) throws(UnknownCondition) {
        if entity == .user, spec.means("wckeys", 1) {
            wckeys += spec.names
        } else if spec.means("accounts", 3) || spec.means("accts", 4) || spec.means("acct", 3) {
            accounts += spec.names
        } else if spec.means("users", 1) {
            users += spec.names
        } else if spec.means("partitions", 3) {
            partitions += (spec.value ?? "").split(separator: ",").map(String.init)
        } else if spec.means("parents", 3) {
            parents += spec.names
        } else if spec.means("descriptions", 1), !spec.means("defaultaccount", 8), !spec.means("defaultqos", 8) {
            descriptions += (spec.value ?? "").split(separator: ",").map(String.init)
        } else if spec.means("organizations", 1) {
            organizations += (spec.value ?? "").split(separator: ",").map(String.init)
        } else if spec.means("defaultaccounts", 8) {
            defaultAccounts += spec.names
        } else if spec.means("defaultqos", 8) {
            defaultQOS += spec.names
        } else if spec.means("adminlevel", 2) {
            adminLevel = AdminLevel(text: spec.value ?? "")
        } else if spec.means("qoslevel", 1), entity != .tres {
            qos += spec.names
        } else if spec.means("ids", 1) {
            ids += (spec.value ?? "").split(separator: ",").compactMap { UInt32($0) }
        } else {
            try takeTimes(spec, entity)
        }
    }

    private mutating func takeTimes(_ spec: SacctmgrSpec, _ entity: SacctmgrEntity) throws(UnknownCondition) {
        let parser = MomentParser(now: Times.now(), future: false)
        if spec.means("start", 1), let time = parser.parse(spec.value ?? "") {
            start = time
        } else if spec.means("end", 1), let time = parser.parse(spec.value ?? "") {
            end = time
        } else if entity == .transaction, spec.means("actors", 4) {
            actors += spec.names
        } else if entity == .transaction, spec.means("actions", 4) {
            actions += (spec.value ?? "").lowercased().split(separator: ",").map(String.init)
        } else if entity == .tres, spec.means("types", 1) {
            types += spec.names
        } else if entity == .qos, spec.means("preemptmode", 8) {
            flags.insert("preemptmode=\((spec.value ?? "").lowercased())")
        } else if entity == .event || entity == .reservation || entity == .resource || entity == .wckey {
            // Conditions of records there are none of.
        } else {
            throw UnknownCondition(whole: spec.whole)
        }
    }
}
