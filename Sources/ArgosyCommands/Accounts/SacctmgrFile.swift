// The flat file of `sacctmgr dump` and `load`: a cluster line, then accounts and users below the parent named last.

import ArgosyDomain
import ArgosyWire

enum SacctmgrFile {
    private static let head = """
        # To edit this file start with a cluster line for the new cluster
        # Cluster - 'cluster_name':MaxTRESPerJob=node=50
        # Followed by Accounts you want in this fashion (root is created by default)...
        # Parent - 'root'
        # Account - 'cs':MaxTRESPerJob=node=5:MaxJobs=4:MaxTRESMinsPerJob=cpu=20:FairShare=399:MaxWallDurationPerJob=40:Description='Computer Science':Organization='LC'
        # Any of the options after a ':' can be left out and they can be in any order.
        # If you want to add any sub accounts just list the Parent THAT HAS ALREADY
        # BEEN CREATED before the account line in this fashion...
        # Parent - 'cs'
        # Account - 'test':MaxTRESPerJob=node=1:MaxJobs=1:MaxTRESMinsPerJob=cpu=1:FairShare=1:MaxWallDurationPerJob=1:Description='Test Account':Organization='Test'
        # To add users to a account add a line like this after a Parent - 'line'
        # User - 'lipari':MaxTRESPerJob=node=2:MaxJobs=3:MaxTRESMinsPerJob=cpu=4:FairShare=1:MaxWallDurationPerJob=1

        """

    // MARK: - Writing

    /// The lines without the head: what is also shown.
    static func lines(_ records: RecordSet) -> [String] {
        let writer = FieldWriter(records: records)
        guard let root = records.association(.root) else { return [] }
        let shares = root.value(of: .shares) == nil ? ":Fairshare=1" : ""
        var lines = ["Cluster - '\(records.cluster)'" + shares + settings(root, writer)]
        for entry in records.hierarchy(records.associations) where !entry.association.isUser {
            let below = records.hierarchy(records.associations.filter { $0.parent == entry.association.id })
                .map(\.association)
            if below.isEmpty { continue }
            lines.append("Parent - '\(entry.association.account)'")
            lines += below.filter(\.isUser).map { user($0, records, writer) }
            lines += below.filter { !$0.isUser }.map { account($0, records, writer) }
        }
        return lines
    }

    static func text(_ records: RecordSet) -> String { head + lines(records).map { $0 + "\n" }.joined() }

    private static func account(_ association: Association, _ records: RecordSet, _ writer: FieldWriter) -> String {
        let account = records.account(association.account)
        return "Account - '\(association.account)':Description='\(account?.description ?? "")'"
            + ":Organization='\(account?.organization ?? "")'" + settings(association, writer)
    }

    private static func user(_ association: Association, _ records: RecordSet, _ writer: FieldWriter) -> String {
        let user = records.user(association.user)
        var line = "User - '\(association.user)'"
        if !association.partition.isEmpty { line += ":Partition='\(association.partition)'" }
        let account = user?.defaultAccount ?? ""
        line += ":DefaultAccount='\(account.isEmpty ? "(null)" : account)'"
        if let level = user?.adminLevel, level != .none { line += ":AdminLevel='\(level.name)'" }
        if let list = user?.coordinates, !list.isEmpty { line += ":Coordinator='\(list.joined(separator: ","))'" }
        return line + settings(association, writer)
    }

    private static func settings(_ association: Association, _ writer: FieldWriter) -> String {
        var text = ""
        for word in AccountingWords.association where !word.isOld && word.field != .comment {
            guard let value = association.value(of: word.field) else { continue }
            let shown: String
            switch word.kind {
            case .minutes: if case .number(let number?) = value { shown = "\(number)" } else { shown = "" }
            case .qosName, .qosList: shown = "'\(writer.text(value, word.kind))'"
            default: shown = writer.text(value, word.kind)
            }
            text += ":\(word.shown == "DefQOS" ? "DefaultQOS" : word.word == "QosLevel" ? "QOS" : word.shown)=\(shown)"
        }
        return text
    }

    // MARK: - Reading

    struct Malformed: Error { var why: String }

    /// What is missing in `records` or different from the file, as operations; `clean` removes what the file leaves out.
    static func operations(_ text: String, _ records: RecordSet) throws(Malformed) -> [AccountingOperation] {
        var operations: [AccountingOperation] = []
        var parent = "root"
        var added: Set<String> = []
        let planner = SacctmgrPlanner(records)
        for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let trimmed = line.drop { $0 == " " || $0 == "\t" }
            if trimmed.isEmpty || trimmed.first == "#" { continue }
            let parsed = try entry(String(trimmed), line: number + 1)
            switch parsed.kind {
            case "cluster", "machine":
                let change = try change(parsed, planner)
                if let root = records.association(.root), let different = different(change, root) {
                    operations.append(.modifyAssociations([.root], different, parent: nil))
                }
            case "parent":
                parent = parsed.name
                guard records.association(account: parent) != nil || added.contains(parent) else {
                    throw Malformed(why: "(\(number + 1)) Parent account '\(parent)' has not been added")
                }
            case "project", "account":
                added.insert(parsed.name)
                operations += try accountOperations(parsed, parent, planner)
            case "user": operations += try userOperations(parsed, parent, planner)
            default: throw Malformed(why: "(\(number + 1)) Misformatted line: \(trimmed)")
            }
        }
        return operations
    }

    private struct Entry {
        var kind: String
        var name: String
        var specs: [SacctmgrSpec]
        var line: Int
        func text(_ word: String, _ least: Int = 3) -> String? { specs.first { $0.means(word, least) }?.value }
    }

    private static let entryWords: [(word: String, least: Int)] = [
        ("description", 3), ("organization", 1), ("partition", 3), ("defaultaccount", 8), ("adminlevel", 2),
        ("coordinator", 2), ("classification", 2), ("defaultwckey", 8),
    ]

    /// `Account - 'name':KEY=VALUE:KEY='VA:LUE'`
    private static func entry(_ line: String, line number: Int) throws(Malformed) -> Entry {
        guard let dash = line.range(of: " - ") else {
            throw Malformed(why: "(\(number)) Misformatted line: \(line)")
        }
        var parts: [String] = []
        var (part, quote): (String, Character?) = ("", nil)
        for character in line[dash.upperBound...] {
            if let open = quote {
                if character == open { quote = nil }
                part.append(character)
            } else if character == "'" || character == "\"" {
                quote = character
                part.append(character)
            } else if character == ":" {
                parts.append(part)
                part = ""
            } else {
                part.append(character)
            }
        }
        guard quote == nil else { throw Malformed(why: "(\(number)) A quote is not closed: \(line)") }
        parts.append(part)
        let name = SacctmgrSpec("=" + parts[0]).value?.lowercased() ?? ""
        return Entry(
            kind: line[..<dash.lowerBound].lowercased(), name: name, specs: parts.dropFirst().map(SacctmgrSpec.init),
            line: number)
    }

    private static func change(_ entry: Entry, _ planner: SacctmgrPlanner) throws(Malformed) -> AssociationChange {
        let specs = entry.specs.filter { spec in
            !entryWords.contains { spec.means($0.word, $0.least) && !spec.means("defaultqos", 8) }
        }
        var (others, complaint): ([SacctmgrSpec], String) = ([], "")
        let change = planner.change(
            specs, AccountingWords.association, others: &others, complaint: &complaint, hint: false)
        complaint += others.map { " Unknown option: \($0.whole)" }.joined()
        if !complaint.isEmpty { throw Malformed(why: "(\(entry.line))\(complaint)") }
        return change
    }

    private static func accountOperations(
        _ entry: Entry, _ parent: String, _ planner: SacctmgrPlanner
    ) throws(Malformed) -> [AccountingOperation] {
        let change = try change(entry, planner)
        guard let known = planner.records.association(account: entry.name) else {
            let account = Account(
                name: entry.name, description: entry.text("description"), organization: entry.text("organization", 1))
            return [.addAccount(account, parent: parent, change)]
        }
        var operations: [AccountingOperation] = []
        let moves = planner.records.parentName(known) != parent
        if let different = different(change, known) ?? (moves ? [] : nil) {
            operations.append(.modifyAssociations([known.id], different, parent: moves ? parent : nil))
        }
        let account = planner.records.account(entry.name)
        let description = entry.text("description").flatMap { $0 == account?.description ? nil : $0 }
        let organization = entry.text("organization", 1).flatMap { $0 == account?.organization ? nil : $0 }
        if description != nil || organization != nil {
            operations.append(.modifyAccounts([entry.name], description: description, organization: organization))
        }
        return operations
    }

    /// Settings that the record does not have yet; nil: none.
    private static func different(_ change: AssociationChange, _ known: Association) -> AssociationChange? {
        let different = change.filter { setting in
            var changed = known
            changed.set(setting)
            return changed != known
        }
        return different.isEmpty ? nil : different
    }

    private static func userOperations(
        _ entry: Entry, _ account: String, _ planner: SacctmgrPlanner
    ) throws(Malformed) -> [AccountingOperation] {
        let change = try change(entry, planner)
        let partition = entry.text("partition") ?? ""
        let known = planner.records.associations.first {
            $0.user == entry.name && $0.account == account && $0.partition == partition
        }
        var operations: [AccountingOperation] = []
        if let known {
            if let different = different(change, known) {
                operations.append(.modifyAssociations([known.id], different, parent: nil))
            }
        } else {
            let level = entry.text("adminlevel", 2).flatMap { AdminLevel(text: $0) } ?? .none
            let chosen = entry.text("defaultaccount", 8).flatMap { $0 == "(null)" ? nil : $0 } ?? ""
            operations.append(.addUser(User(name: entry.name, defaultAccount: chosen, adminLevel: level)))
            operations.append(.addAssociation(user: entry.name, account: account, partition: partition, change))
        }
        if let accounts = entry.text("coordinator", 2) {
            let known = planner.records.user(entry.name)?.coordinates ?? []
            let names = accounts.split(separator: ",").map(String.init).filter { !known.contains($0) }
            if !names.isEmpty { operations.append(.addCoordinators(users: [entry.name], accounts: names)) }
        }
        return operations
    }
}

extension String {
    fileprivate func range(of part: String) -> Range<Index>? {
        var index = startIndex
        while index < endIndex {
            if self[index...].hasPrefix(part) { return index..<self.index(index, offsetBy: part.count) }
            index = self.index(after: index)
        }
        return nil
    }
}
