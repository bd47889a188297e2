// Slurm's configuration syntax to a ClusterConfiguration.
//
// Rules kept: keys in any case; a key given twice, the later wins (but for those that collect); DEFAULT lines change
// what later NodeName and PartitionName lines start from; a wrong value is an error that says what is allowed; a key we
// do not know, or know and do not act on, is a warning; nothing is read but the text given. Bounds: `maxTextBytes` a
// file, `maxIncludeDepth`, `Hostlist.maxHosts` nodes.

import ArgosyDomain

/// Text in, configuration and diagnostics out.
///
///     let parsed = ConfigurationParser.parse(.init(file: "argosy.conf", text: "NodeName=n[1-4] CPUs=8"))
///     parsed.configuration.nodes.count  // 4
public struct ConfigurationParser {
    public static let maxTextBytes = 16 << 20
    public static let maxIncludeDepth = 8

    /// Finds the text of an `Include PATH` line met in `file`; a text says why there is none.
    public typealias Include = (_ path: String, _ file: String) -> Result<ConfigurationText, IncludeFailure>
    public struct IncludeFailure: Error, Sendable {
        public var why: String
        public init(_ why: String) { self.why = why }
    }

    var configuration = ClusterConfiguration()
    var diagnostics: [Diagnostic] = []
    var nodeDefaults = NodeLine()
    var partitionDefaults = ClusterConfiguration.Partition(name: "DEFAULT")
    var partitionDefaultNodes: String?
    var nodeIndex: [String: Int] = [:]
    var partitionLines: [PartitionLine] = []
    var nodeSets: [NodeSetLine] = []
    var defaultNodePort: UInt16 = 6818
    /// As of the lines so far: `%c` of an Include.
    private var clusterName = ""

    /// Reads `text` and what it includes.
    public static func parse(
        _ text: ConfigurationText,
        include: Include = { path, _ in .failure(IncludeFailure("\(path) was not looked for")) }
    ) -> ParsedConfiguration {
        var parser = ConfigurationParser()
        let lines = parser.collect(text, include: include, depth: 0)
        parser.readDefaultPort(lines)
        for line in lines { parser.read(line) }
        parser.finish(file: text.file)
        return ParsedConfiguration(configuration: parser.configuration, diagnostics: parser.diagnostics)
    }

    mutating func warn(_ line: ConfigurationLine, _ message: String) {
        diagnostics.append(.init(file: line.file, line: line.number, severity: .warning, message: message))
    }

    mutating func fail(_ line: ConfigurationLine, _ message: String) {
        diagnostics.append(.init(file: line.file, line: line.number, severity: .error, message: message))
    }

    private mutating func collect(_ text: ConfigurationText, include: Include, depth: Int) -> [ConfigurationLine] {
        if text.text.utf8.count > Self.maxTextBytes {
            let limit = "the file is larger than \(Self.maxTextBytes >> 20) MiB"
            diagnostics.append(.init(file: text.file, line: 0, severity: .error, message: limit))
            return []
        }
        return ConfigurationLines.read(text).flatMap { line -> [ConfigurationLine] in
            for pair in line.pairs where pair.key.lowercased() == "clustername" { clusterName = pair.value.lowercased() }
            guard let written = line.include else { return [line] }
            let path = written.split(separator: "%c", omittingEmptySubsequences: false).joined(separator: clusterName)
            guard depth < Self.maxIncludeDepth else {
                fail(line, "Include \(path): files include each other more than \(Self.maxIncludeDepth) deep")
                return []
            }
            switch include(path, line.file) {
            case .success(let found): return collect(found, include: include, depth: depth + 1)
            case .failure(let failure):
                fail(line, "Include \(path): \(failure.why)")
                return []
            }
        }
    }

    /// SlurmdPort is the Port of every node line, wherever it stands.
    private mutating func readDefaultPort(_ lines: [ConfigurationLine]) {
        for pair in lines.flatMap(\.pairs) where pair.key.lowercased() == "slurmdport" {
            if let port = UInt16(pair.value), port > 0 { defaultNodePort = port }
        }
    }

    private mutating func read(_ line: ConfigurationLine) {
        if let rest = line.rest { fail(line, "\"\(rest)\" is not Key=Value") }
        guard let first = line.pairs.first else { return }
        switch first.key.lowercased() {
        case "nodename": readNodes(line)
        case "partitionname": readPartition(line)
        case "nodeset": readNodeSet(line)
        case "downnodes": readDownNodes(line)
        case "frontendname", "switchname", "blockname":
            let place = first.key.lowercased() == "switchname" ? "; they belong into topology.conf" : ""
            warn(line, "\(first.key) lines are not acted on\(place)")
        default:
            for pair in line.pairs { readGlobal(pair, line) }
        }
    }

    /// What needs all lines: names of node sets and partitions, a controller, a partition.
    private mutating func finish(file: String) {
        resolvePartitions()
        checkGRESTypes(file)
        if configuration.controllers.isEmpty {
            diagnostics.append(
                .init(
                    file: file, line: 0, severity: .warning,
                    message: "SlurmctldHost is not set; localhost is taken. Write SlurmctldHost=NAME(ADDRESS)"))
            configuration.controllers = [.init(name: "localhost", address: "localhost")]
        }
    }

    /// Slurm gives nodes no GRES that GresTypes does not list; here they work, but say so.
    private mutating func checkGRESTypes(_ file: String) {
        let types = configuration.gresTypes
        var missing: [String] = []
        for node in configuration.nodes {
            for item in (try? GRESText.items(node.gres)) ?? [] where !types.contains(item.name) {
                if !missing.contains(item.name) { missing.append(item.name) }
            }
        }
        guard !missing.isEmpty else { return }
        let all = (types + missing).joined(separator: ",")
        diagnostics.append(
            .init(
                file: file, line: 0, severity: .warning,
                message: "nodes have GRES \(missing.joined(separator: ",")), which GresTypes does not list; "
                    + "write GresTypes=\(all)"))
    }
}
