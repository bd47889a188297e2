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
    var format: String?
    var longFormat: String?
    var nodes: Set<String> = []
    var partitions: [String] = []
    var states: [String] = []
    var responding: Bool?
    var iterate: UInt32 = 0
    var sort: String?
}

enum Sinfo {
    typealias Row = Option<SinfoOptions>

    static let description = CommandDescription(name: "sinfo", synopsis: "[OPTIONS]", options: options)

    static let options: [Row] =
        [
            Row("dead", "d", "show only non-responding nodes") { o, _ in o.responding = false },
            Row("exact", "e", "group nodes only on exact match of configuration") { o, _ in o.exact = true },
            Row("format", "o", .required, "format", env: ["SINFO_FORMAT"], "format specification") { $0.format = $1 },
            Row("Format", "O", .required, "format", "format specification by names") { $0.longFormat = $1 },
            Row("iterate", "i", .required, "seconds", "report again every so many seconds") {
                o, text throws(OptionError) in
                o.iterate = try JobValue.count(text, "--iterate")
            },
            Row("list-reasons", "R", "list reason nodes are down or drained") { o, _ in o.reasons = true },
            Row("long", "l", "long output - displays more information") { o, _ in o.long = true },
            Row("Node", "N", "Node-centric format") { o, _ in o.byNode = true },
            Row("nodes", "n", .required, "nodes", "report on specific node(s)") { o, text throws(OptionError) in
                do throws(Hostlist.Malformed) { o.nodes = Set(try Hostlist.expand(text)) } catch {
                    throw OptionError(error.description)
                }
            },
            Row("noheader", "h", "no headers on output") { o, _ in o.header = false },
            Row("partition", "p", .required, "partition", env: ["SINFO_PARTITION"], "report on specific partition") {
                $0.partitions = commaList($1)
            },
            Row("responding", "r", "report only responding nodes") { o, _ in o.responding = true },
            Row("states", "t", .required, "node_state", "specify the what states of nodes to view") {
                o, text throws(OptionError) in
                o.states = try states(text)
            },
            Row("summarize", "s", "report state summary only") { o, _ in o.summarize = true },
            Row("verbose", "v", "verbosity level") { _, _ in },
            .accepted("all", "a", .none), .accepted("federation", nil, .none), .accepted("future", "F", .none),
            .accepted("hide", nil, .none), .accepted("local", nil, .none), .accepted("noconvert", nil, .none),
            .accepted("sort", "S"),
            .refused("cluster", "M", .required, "one controller serves one cluster; choose it with SLURM_CONF"),
            .refused("json", nil, .none, "choose fields with -o or -O"),
            .refused("yaml", nil, .none, "choose fields with -o or -O"),
            Row("reservation", "T", "show only reservation information") { o, _ in o.reservations = true },
        ] + informationOptions(helpLetter: nil)

    private static func states(_ text: String) throws(OptionError) -> [String] {
        var states: [String] = []
        for word in commaList(text.lowercased()) {
            if word == "all" { continue }
            guard NodeStateText.words.contains(word) else {
                throw OptionError(
                    "Bad state string: \(word)\nValid node states include: \(NodeStateText.words.joined(separator: ","))"
                )
            }
            states.append(word)
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
        if options.long || options.iterate > 0 {
            Console.print(Times.dateLine(nodes.nowUs > 0 ? nodes.nowUs / 1_000_000 : Times.now()) + "\n")
        }
        Console.print(try render(partitions.partitions, nodes.nodes, options))
    }

    static func render(
        _ partitions: [WirePartitionInfo], _ nodes: [WireNodeInfo], _ options: SinfoOptions
    ) throws(OptionError) -> String {
        let chosen = nodes.filter { matches($0, options) }
        let format = options.format ?? standardFormat(options)
        let columns: [Column<NodeGroup>]
        var shown = partitions.filter { options.partitions.isEmpty || options.partitions.contains($0.name) }
        if let names = options.longFormat {
            columns = try ColumnFormat.names(names, NodeFields.all)
        } else {
            let widest = max(9, shown.map { $0.name.count + ($0.isDefault ? 1 : 0) }.max() ?? 0)
            let nodeWidth = max(8, chosen.map(\.name.count).max() ?? 0)
            let sized = format.replacing("%#P", "%\(widest)P").replacing("%#N", "%\(nodeWidth)N")
            columns = try ColumnFormat.letters(sized, NodeFields.all)
        }
        // Without a word of partitions a node is shown once.
        if !columns.contains(where: { "aghlLpPrRsSBIM".contains($0.field.letter ?? "-") }), options.partitions.isEmpty,
            !options.byNode || options.format != nil
        {
            shown = []
        }
        return ArgosyCommands.render(columns, groups(shown, chosen, columns, options), header: options.header)
    }

    private static func standardFormat(_ options: SinfoOptions) -> String {
        switch (options.summarize, options.reasons, options.byNode, options.long) {
        case (true, _, _, _): "%#P %.5a %.10l %.16F  %N"
        case (_, true, _, false): "%20E %9u %19H %N"
        case (_, true, _, true): "%20E %12U %19H %6t %N"
        case (_, _, true, false): "%#N %.6D %#P %6t "
        case (_, _, true, true): "%#N %.6D %#P %.11T %.4c %.8z %.6m %.8d %.6w %.8f %20E "
        case (_, _, false, false): "%#P %.5a %.10l %.6D %.6t %N"
        case (_, _, false, true): "%#P %.5a %.10l %.10s %.4r %.8h %.10g %.6D %.11T %N"
        }
    }

    static func matches(_ node: WireNodeInfo, _ options: SinfoOptions) -> Bool {
        if options.reasons, node.reason.isEmpty { return false }
        if let responding = options.responding, node.flags.contains("NOT_RESPONDING") == responding { return false }
        if !options.nodes.isEmpty, !options.nodes.contains(node.name) { return false }
        return options.states.isEmpty || options.states.contains { NodeStateText.matches(node, $0) }
    }

    /// Nodes of a partition that show the same text in every column that is about nodes.
    private static func groups(
        _ partitions: [WirePartitionInfo], _ nodes: [WireNodeInfo], _ columns: [Column<NodeGroup>],
        _ options: SinfoOptions
    ) -> [NodeGroup] {
        // Fields that add up or name nodes do not tell them apart.
        let collected: Set<Character> = ["D", "N", "n", "o", "F", "A", "C"]
        let loose: Set<Character> = options.exact ? [] : ["c", "m", "d", "e", "O", "w", "X", "Y", "Z"]
        let telling = columns.map(\.field).filter { field in
            guard let letter = field.letter else { return true }
            return !collected.contains(letter) && !loose.contains(letter)
        }
        var groups: [NodeGroup] = []
        let places: [WirePartitionInfo?] = partitions.isEmpty ? [nil] : partitions.map { $0 }
        for partition in places {
            var index: [String: Int] = [:]
            let members = nodes.filter { node in partition.map { node.partitions.contains($0.name) } ?? true }
            for node in members {
                let one = NodeGroup(partition: partition, nodes: [node])
                let key = options.byNode ? node.name : telling.map { $0.value(one) }.joined(separator: "\u{1}")
                if let place = index[key] {
                    groups[place].nodes.append(node)
                } else {
                    index[key] = groups.count
                    groups.append(one)
                }
            }
            let filtered =
                !options.states.isEmpty || !options.nodes.isEmpty || options.reasons || options.responding != nil
            if members.isEmpty, let partition, !options.byNode, !filtered {
                groups.append(NodeGroup(partition: partition, nodes: []))
            }
        }
        return options.byNode ? groups.sorted { order($0, $1) } : groups
    }

    private static func order(_ a: NodeGroup, _ b: NodeGroup) -> Bool {
        (a.first.name.count, a.first.name) < (b.first.name.count, b.first.name)
    }
}
