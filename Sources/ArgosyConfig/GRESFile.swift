// gres.conf: which files the devices of a node are, and which cores are near to them.
//
//     NodeName=gpu[1-8] Name=gpu Type=a100 File=/dev/nvidia[0-1] Cores=0-31
//     Name=shard Count=8
//     AutoDetect=nvml
//
// Lines without NodeName are for all nodes. Cores are counted in the order of the node's sockets. AutoDetect is accepted:
// what hwloc finds on a node is taken as found, and wins over this file where they differ in locality.

import ArgosyDomain

/// What a line of gres.conf says.
struct GRESLine: Sendable, Equatable {
    /// Nil: all.
    var nodes: [NodeIndex]?
    var name = ""
    var type = ""
    var files: [String] = []
    var count: UInt64?
    /// Positions; nil: not said.
    var cores: [Int]?
    var countOnly = false
    var file: String
    var number: Int
}

extension ParsedConfiguration {
    /// Adds what gres.conf says. Call it after the main file: its lines name nodes.
    public mutating func readGRES(_ text: ConfigurationText) {
        for line in ConfigurationLines.read(text) {
            if let rest = line.rest {
                fail(line, "\"\(rest)\" is not Key=Value")
            } else if line.include != nil {
                fail(line, "Include is not read in gres.conf; write the lines here")
            } else if let read = gresLine(line) {
                configuration.gresLines.append(read)
            }
        }
        for index in configuration.nodes.indices { checkDevices(index, text.file) }
    }

    mutating func fail(_ line: ConfigurationLine, _ message: String) {
        diagnostics.append(.init(file: line.file, line: line.number, severity: .error, message: message))
    }

    mutating func warn(_ line: ConfigurationLine, _ message: String) {
        diagnostics.append(.init(file: line.file, line: line.number, severity: .warning, message: message))
    }

    private mutating func gresLine(_ line: ConfigurationLine) -> GRESLine? {
        var read = GRESLine(file: line.file, number: line.number)
        let before = diagnostics.count
        for pair in line.pairs { readGRES(pair, into: &read, line) }
        guard diagnostics[before...].allSatisfy({ $0.severity == .warning }) else { return nil }
        if read.name.isEmpty {
            let says = line.pairs.contains { ["file", "count", "cores", "type"].contains($0.key.lowercased()) }
            if says { fail(line, "says nothing of which GRES; begin with Name=gpu, or what it is") }
            return nil
        }
        if let count = read.count, !read.files.isEmpty, count != UInt64(read.files.count), !read.countOnly {
            fail(line, "Count=\(count), but File names \(read.files.count); leave Count out")
            return nil
        }
        return read
    }

    private mutating func readGRES(_ pair: ConfigurationLine.Pair, into read: inout GRESLine, _ line: ConfigurationLine)
    {
        switch pair.key.lowercased() {
        case "nodename":
            guard let names = expand(pair, line) else { return }
            read.nodes = names.compactMap { name in
                let index = configuration.node(named: name)
                if index == nil { fail(line, "NodeName names \(name), which the main file does not describe") }
                return index
            }.sorted()
        case "name": read.name = pair.value.lowercased()
        case "type": read.type = pair.value.lowercased()
        case "file", "multiplefiles": read.files = expand(pair, line) ?? []
        case "count":
            read.count = GRESText.count(pair.value)
            if read.count == nil { fail(line, "Count=\(pair.value): must be a number, or one with K, M, G, T or P") }
        case "cores", "cpus":
            read.cores = GRESText.numbers(pair.value)
            if read.cores == nil { fail(line, "\(pair.key)=\(pair.value): must be numbers and ranges, as 0-7,16-23") }
        case "flags": read.countOnly = pair.value.lowercased().split(separator: ",").contains("countonly")
        case "autodetect":
            let known = ["nvml", "nvidia", "rsmi", "nrt", "oneapi", "off"]
            if !known.contains(pair.value.lowercased()) {
                fail(line, "AutoDetect=\(pair.value): must be one of \(known.joined(separator: " "))")
            }
        case "links", "uniqueid", "authlinks", "ignore": break
        default: warn(line, "\(pair.key) is not a key of gres.conf that is known here; ignored")
        }
    }

    mutating func expand(_ pair: ConfigurationLine.Pair, _ line: ConfigurationLine) -> [String]? {
        do throws(Hostlist.Malformed) { return try Hostlist.expand(pair.value) } catch {
            fail(line, "\(pair.key)=\(pair.value): \(error)")
            return nil
        }
    }

    /// Files for fewer devices than the node line promises are an error: jobs would wait for devices that are not there.
    private mutating func checkDevices(_ index: Int, _ file: String) {
        let node = configuration.nodes[index]
        guard let items = try? GRESText.items(node.gres) else { return }
        for item in items {
            let lines = configuration.lines(of: item, on: NodeIndex(index)).filter {
                !$0.files.isEmpty && !$0.countOnly
            }
            let files = lines.reduce(0) { $0 + $1.files.count }
            if let last = lines.last, UInt64(files) < item.count {
                diagnostics.append(
                    .init(
                        file: last.file, line: last.number, severity: .error,
                        message: "node \(node.name) has \(item.name):\(item.count), but there are files for \(files) "
                            + "only; correct Gres= of the node or File= here"))
            }
            let cores = node.sockets * node.coresPerSocket
            for line in lines where (line.cores?.last ?? 0) >= cores {
                diagnostics.append(
                    .init(
                        file: line.file, line: line.number, severity: .error,
                        message:
                            "Cores names core \(line.cores?.last ?? 0), but node \(node.name) has 0 to \(cores - 1)"))
            }
        }
    }
}
