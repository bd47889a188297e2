// sinfo: partitions and nodes, lines of nodes that look alike in all that is shown.

import ArgosyDomain
import ArgosyWire

struct SinfoOptions: CommandSettings {
    var showsHelp = false
    var showsUsage = false
    var showsVersion = false
    var header = true
    var reservations = false
    var long = false
    var byNode = false
    var summarize = false
    var reasons = false
    var exact = false
    var all = false
    var hides = false
    var format: String?
    var longFormat: String?
    var document: DocumentFormat?
    var nodes: [String] = []
    var partitions: [String] = []
    /// Each with words that must all be true of a node.
    var states: [[String]] = []
    var responding: Bool?
    var iterate: UInt32 = 0
    var sort: String?
    var clusters: [String] = []
}

enum Sinfo {
    typealias Row = Option<SinfoOptions>

    static let description = CommandDescription(
        name: "sinfo", synopsis: "[OPTIONS]", options: options, variables: [.timeFormat])

    static let options: [Row] =
        [
            Row("all", "a", .none, env: ["SINFO_ALL"], "show all partitions, hidden ones too") { o, _ in o.all = true },
            Row("dead", "d", "show only non-responding nodes") { o, _ in o.responding = false },
            Row("exact", "e", "group nodes only on exact match of configuration") { o, _ in o.exact = true },
            Row("format", "o", .required, "format", env: ["SINFO_FORMAT"], "format specification") {
                $0.format = $1
                $0.longFormat = nil
            },
            Row("Format", "O", .required, "format", "format specification by names") {
                $0.longFormat = $1
                $0.format = nil
            },
            .accepted("federation", nil, .none, env: ["SINFO_FEDERATION"]),
            .accepted("future", "F", .none),
            Row("hide", "hide partitions that are configured as hidden") { o, _ in o.hides = true },
            Row("iterate", "i", .required, "seconds", "report again every so many seconds") {
                o, text throws(OptionError) in
                guard let seconds = UInt32(text), seconds > 0 else {
                    throw OptionError("Error: invalid entry for --iterate=\(text)")
                }
                o.iterate = seconds
            },
            Row("json", nil, .none, "every node, for programs, as JSON") { o, _ in o.document = .json },
            Row("list-reasons", "R", "list reason nodes are down or drained") { o, _ in o.reasons = true },
            .accepted("local", nil, .none, env: ["SINFO_LOCAL"]),
            Row("long", "l", "long output - displays more information") { o, _ in o.long = true },
            Row(
                "clusters", "M", .required, "cluster(s)", env: ["SLURM_CLUSTERS"], "clusters to ask: this one, or all"
            ) {
                $0.clusters = commaList($1)
            },
            Row("cluster", nil, .required, "cluster(s)", "same as --clusters") { $0.clusters = commaList($1) },
            Row("Node", "N", "Node-centric format") { o, _ in o.byNode = true },
            .accepted("noconvert", nil, .none),
            Row("nodes", "n", .required, "nodes", "report on specific node(s)") { o, text throws(OptionError) in
                do throws(Hostlist.Malformed) { o.nodes = try Hostlist.expand(text) } catch {
                    throw OptionError(error.description)
                }
            },
            Row("noheader", "h", "no headers on output") { o, _ in o.header = false },
            Row("partition", "p", .required, "partition", env: ["SINFO_PARTITION"], "report on specific partition") {
                $0.partitions = commaList($1)
            },
            Row("reservation", "T", "show only reservation information") { o, _ in o.reservations = true },
            Row("responding", "r", "report only responding nodes") { o, _ in o.responding = true },
            Row("sort", "S", .required, "fields", env: ["SINFO_SORT"], "comma separated list of fields to sort on") {
                $0.sort = $1
            },
            Row("states", "t", .required, "node_state", "specify the what states of nodes to view") {
                o, text throws(OptionError) in o.states = try states(text)
            },
            Row("summarize", "s", "report state summary only") { o, _ in o.summarize = true },
            Row("verbose", "v", "verbosity level") { _, _ in },
            Row("yaml", nil, .none, "every node, for programs, as YAML") { o, _ in o.document = .yaml },
        ] + informationOptions(helpLetter: nil)

    /// Comma separated; words joined by `&` must all be true.
    static func states(_ text: String) throws(OptionError) -> [[String]] {
        var states: [[String]] = []
        for word in commaList(text.lowercased()) {
            if word == "all" { return [] }
            let parts = word.split(separator: "&").map(String.init)
            for part in parts where !NodeStateText.words.contains(part) {
                throw OptionError(
                    "Bad state string: \"\(part)\"\nsinfo: error: valid states: \(NodeStateText.validWords)")
            }
            states.append(parts)
        }
        return states
    }

    static func run(_ arguments: [String]) -> Int32 {
        var options = SinfoOptions()
        var exitCode: Int32 = 0
        do throws(OptionError) {
            try OptionParser(self.options).parse(environment: Process.variable, into: &options)
        } catch { Console.error("sinfo", error.message) }
        guard description.parse(arguments, into: &options, exitCode: &exitCode) != nil else { return exitCode }
        if options.all, !options.partitions.isEmpty {
            Console.error("sinfo", "Conflicting options, -a and -p, specified. Please choose one or the other.")
            return 1
        }
        if options.reservations {
            return RepeatedListing(command: "sinfo", complaint: "slurm_load_reservations", seconds: options.iterate).run
            {
                Console.print(ReservationText.table(try ReservationCommand.list(), header: options.header))
            }
        }
        return RepeatedListing(command: "sinfo", complaint: "slurm_load_partitions", seconds: options.iterate).run {
            try list(options)
        }
    }

    private static func list(_ options: SinfoOptions) throws {
        let session = try Session()
        guard case .partitions(let partitions)? = try session.ask(.listPartitions(.init())).body,
            case .nodes(let nodes)? = try session.ask(.listNodes(.init())).body
        else { throw Failure("Invalid reply of the controller") }
        if let format = options.document {
            return Console.print(format.text(NodeDocument.answer(nodes.nodes)) + (format == .json ? "\n" : ""))
        }
        if !options.clusters.isEmpty {
            try Clusters.check(options.clusters, own: nodes.cluster, command: "sinfo")
            if options.header { Console.print("CLUSTER: \(nodes.cluster)\n") }
        }
        if options.long || options.iterate > 0 {
            Console.print(Times.dateLine(nodes.nowUs > 0 ? nodes.nowUs / 1_000_000 : Times.now()) + "\n")
        }
        // Root sees the hidden ones too.
        let seesAll = options.all || ownUID() == 0 && !options.hides || !options.partitions.isEmpty
        Console.print(try render(partitions.partitions.filter { seesAll || !$0.hidden }, nodes.nodes, options))
    }

    static func render(
        _ partitions: [WirePartitionInfo], _ nodes: [WireNodeInfo], _ options: SinfoOptions
    ) throws(OptionError) -> String {
        let chosen = nodes.filter { matches($0, options) }
        let shown = partitions.filter { options.partitions.isEmpty || options.partitions.contains($0.name) }
        let columns = columns(options, shown, chosen)
        var groups = NodeGrouping(columns: columns.columns.map(\.field), options: options).groups(shown, chosen)
        try NodeSorting.sort(&groups, options.sort ?? (options.byNode ? "N" : "#P,-t"), partitions)
        return columns.render(groups, header: options.header)
    }

    private static func columns(
        _ options: SinfoOptions, _ partitions: [WirePartitionInfo], _ nodes: [WireNodeInfo]
    ) -> ChosenColumns<NodeGroup> {
        let columns: ChosenColumns<NodeGroup>
        if let names = options.longFormat, names.lowercased() != "all" {
            columns = ColumnFormat.names(names, NodeFields.all)
            for word in columns.unknown { Console.error("sinfo", "Invalid job format specification: \(word)") }
            return columns
        }
        let format = options.longFormat == nil ? options.format ?? standardFormat(options) : "%all"
        if format.lowercased() == "%all" { return ColumnFormat.letters(NodeFields.allFormat, NodeFields.all) }
        let widest = max(9, partitions.map { $0.name.count + ($0.isDefault ? 1 : 0) }.max() ?? 0)
        let nodeWidth = max(9, nodes.map(\.name.count).max() ?? 0)
        let sized =
            options.format == nil
            ? format.replacing("#P", "\(widest)P").replacing("#N", "\(nodeWidth)N") : format
        columns = ColumnFormat.letters(sized, NodeFields.all)
        for word in columns.unknown where !word.isEmpty {
            Console.complain("Invalid node format specification: \(word)\n")
        }
        return columns
    }

    private static func standardFormat(_ options: SinfoOptions) -> String {
        switch (options.summarize, options.reasons, options.byNode, options.long) {
        case (true, _, _, _): "%#P %.5a %.10l %.16F %N"
        case (_, true, _, false): "%20E %9u %19H %N"
        case (_, true, _, true): "%20E %12U %19H %6t %N"
        case (_, _, true, false): "%#N %.6D %.#P %6t"
        case (_, _, true, true): "%#N %.6D %.#P %.11T %4c %.8z %.6m %.8d %.6w %.8f %20E"
        case (_, _, false, false): "%#P %.5a %.10l %.6D %.6t %N"
        case (_, _, false, true): "%#P %.5a %.10l %.10s %.4r %.8h %.10g %.6D %.11T %N"
        }
    }

    static func matches(_ node: WireNodeInfo, _ options: SinfoOptions) -> Bool {
        if options.reasons, node.reason.isEmpty || !NodeStateText.isOut(node) { return false }
        if let responding = options.responding, node.flags.contains("NOT_RESPONDING") == responding { return false }
        if !options.nodes.isEmpty, !options.nodes.contains(node.name) { return false }
        return options.states.isEmpty
            || options.states.contains { all in all.allSatisfy { NodeStateText.matches(node, $0) } }
    }
}
