// sshare: shares, usage and fair share of associations, as the tree they are.

import ArgosyDomain
import ArgosyWire

struct SshareOptions: CommandSettings {
    var showsHelp = false
    var showsUsage = false
    var showsVersion = false
    var all = false
    var accounts: [String] = []
    var users: [String] = []
    var long = false
    var partition = false
    var usersOnly = false
    var header = true
    var style = SacctmgrTable.Style.padded
    var format: String?
    var listsFields = false
    var clusters: [String] = []
}

enum Sshare {
    typealias Row = Option<SshareOptions>

    static let description = CommandDescription(name: "sshare", synopsis: "[OPTION]", options: options)

    static let options: [Row] =
        [
            Row("all", "a", "list all users") { o, _ in o.all = true },
            Row("accounts", "A", .required, "accounts", "display these accounts only (comma separated)") {
                $0.accounts = commaList($1).map { $0.lowercased() }
            },
            Row("helpformat", "e", "print a list of fields that can be specified with --format") { o, _ in
                o.listsFields = true
            },
            Row("long", "l", "include normalized usage and levels") { o, _ in o.long = true },
            Row("partition", "m", "print the partition part of the association") { o, _ in o.partition = true },
            Row("noheader", "n", "omit header from output") { o, _ in o.header = false },
            Row("", "h", .none, "same as --noheader") { o, _ in o.header = false },
            Row("format", "o", .required, "fields", "comma separated list of fields (see --helpformat)") {
                $0.format = $1
            },
            Row("parsable", "p", "'|' delimited output with a trailing '|'") { o, _ in o.style = .parsable },
            Row("parsable2", "P", "'|' delimited output without a trailing '|'") { o, _ in o.style = .parsable2 },
            Row("users", "u", .required, "users", "display these users only (comma separated)") {
                $0.users = commaList($1).map { $0.lowercased() }
            },
            Row("Users", "U", "display only user information") { o, _ in o.usersOnly = true },
            Row("verbose", "v", "display more information") { _, _ in },
            Row("clusters", "M", .required, "cluster(s)", env: ["SLURM_CLUSTERS"], "clusters to ask: this one, or all")
            {
                $0.clusters = commaList($1)
            },
            .accepted("cluster"),
        ] + informationOptions(helpLetter: nil)

    static func run(_ arguments: [String]) -> Int32 {
        var options = SshareOptions()
        description.takeEnvironment(into: &options)
        var exitCode: Int32 = 0
        // Operands mean nothing, as in Slurm.
        guard description.parse(arguments, into: &options, exitCode: &exitCode) != nil else { return exitCode }
        if options.listsFields {
            Console.print(ShareTable.list)
            return 0
        }
        do {
            let table = try ShareTable(options)
            let session = try Session()
            guard case .shares(let list)? = try session.ask(.shares(.init())).body else {
                throw Failure("Invalid reply of the controller")
            }
            try Clusters.check(options.clusters, own: list.cluster, command: "sshare")
            if options.users.isEmpty, !options.all { options.users = [list.user] }
            Console.print(table.render(chosen(list.shares, options), cluster: list.cluster))
            return 0
        } catch {
            let failure = Failure(error)
            Console.error("sshare", failure.message, detail: failure.detail)
            return 1
        }
    }

    /// Accounts, and the users that are asked for.
    static func chosen(_ shares: [WireShare], _ options: SshareOptions) -> [WireShare] {
        shares.filter { share in
            if options.usersOnly && share.user.isEmpty { return false }
            if !options.accounts.isEmpty && !options.accounts.contains(share.account) { return false }
            return share.user.isEmpty || options.all && options.users.isEmpty || options.users.contains(share.user)
        }
    }
}

struct ShareField: Sendable {
    var name: String
    var width: Int
    var value: @Sendable (WireShare, String) -> String
}

/// The chosen columns and how they are written.
struct ShareTable {
    static let fields: [ShareField] = [
        .init(name: "Account", width: -20) { share, _ in share.account },
        .init(name: "Cluster", width: 10) { _, cluster in cluster },
        .init(name: "EffectvUsage", width: 13) { share, _ in
            // Shares of the parent have no usage to weigh.
            FieldWriter.fixed(share.effectiveUsage, 6)
        },
        .init(name: "FairShare", width: 10) { share, _ in
            share.hasFairshare ? FieldWriter.fixed(share.fairshare, 6) : ""
        },
        .init(name: "GrpTRESMins", width: 30) { share, _ in share.grpTresMins },
        .init(name: "GrpTRESRaw", width: 30) { share, _ in share.grpTresRaw },
        .init(name: "ID", width: 6) { share, _ in "\(share.id)" },
        .init(name: "LevelFS", width: 10) { share, _ in share.hasLevelFs ? FieldWriter.fixed(share.levelFs, 6) : "" },
        .init(name: "NormShares", width: 11) { share, _ in FieldWriter.fixed(share.normShares, 6) },
        .init(name: "NormUsage", width: 11) { share, _ in
            share.rawShares.isEmpty ? "" : FieldWriter.fixed(share.normUsage, 6)
        },
        .init(name: "Partition", width: 12) { share, _ in share.partition },
        .init(name: "RawShares", width: 10) { share, _ in share.rawShares },
        .init(name: "RawUsage", width: 11) { share, _ in FieldWriter.fixed(share.rawUsage, 0) },
        .init(name: "TRESRunMins", width: 30) { share, _ in share.tresRunMins },
        .init(name: "User", width: 10) { share, _ in share.user },
    ]

    /// As `--helpformat` prints them: four in a line.
    static var list: String {
        var text = ""
        for (index, field) in fields.enumerated() {
            text += pad(field.name, 17) + (index % 4 == 3 || index == fields.count - 1 ? "\n" : " ")
        }
        return text
    }

    private var columns: [(field: ShareField, width: Int)] = []
    private let style: SacctmgrTable.Style
    private let header: Bool
    private let isTree: Bool

    init(_ options: SshareOptions) throws(OptionError) {
        style = options.style
        header = options.header
        isTree = !options.usersOnly
        var names = "Account,User,RawShares,NormShares,RawUsage,EffectvUsage,FairShare"
        if options.long {
            names =
                "Account,User,RawShares,NormShares,RawUsage,NormUsage,EffectvUsage,FairShare,LevelFS,GrpTRESMins,"
                + "TRESRunMins"
        }
        if options.partition { names = names.replacing("User,", "User,Partition,") }
        for word in (options.format ?? names).split(separator: ",") {
            let parts = word.split(separator: "%", maxSplits: 1, omittingEmptySubsequences: false)
            let wanted = parts[0].lowercased()
            guard let field = Self.fields.first(where: { $0.name.lowercased().hasPrefix(wanted) }), !wanted.isEmpty
            else {
                throw OptionError("Invalid field requested: \"\(parts[0])\"")
            }
            let width = parts.count == 2 ? Int(parts[1]) : nil
            columns.append((field, min(max(width ?? field.width, -1000), 1000)))
        }
    }

    func render(_ shares: [WireShare], cluster: String) -> String {
        var text = header ? head : ""
        // The depth of each line among those shown: below the nearest one that is shown and above it in the tree.
        var above: [UInt32] = []
        for share in shares {
            while let last = above.last, last >= share.depth { above.removeLast() }
            let indent = String(repeating: " ", count: above.count)
            above.append(share.depth)
            text += line(
                columns.map { column in
                    var value = column.field.value(share, cluster)
                    if isTree, column.field.name == "Account" {
                        value = indent + value
                    }
                    return (value, column.width)
                })
        }
        return text
    }

    private var head: String {
        let titles = line(columns.map { ($0.field.name, $0.width) })
        guard style == .padded else { return titles }
        return titles + columns.map { String(repeating: "-", count: abs($0.width)) + " " }.joined() + "\n"
    }

    private func line(_ values: [(text: String, width: Int)]) -> String {
        switch style {
        case .parsable: values.map { $0.text + "|" }.joined() + "\n"
        case .parsable2: values.map(\.text).joined(separator: "|") + "\n"
        case .padded:
            values.map { text, width in
                let cut = text.count > abs(width) && width != 0 ? String(text.prefix(abs(width) - 1)) + "+" : text
                return pad(cut, abs(width), right: width > 0) + " "
            }.joined() + "\n"
        }
    }
}
