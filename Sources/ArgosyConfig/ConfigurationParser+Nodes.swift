// NodeName, NodeSet and DownNodes lines.

import ArgosyDomain

/// What a NodeName line said, before it is multiplied by its host list. Nil: not said.
struct NodeLine {
    var address: String?
    var hostname: String?
    var port: String?
    var cpus: Int?
    var boards: Int?
    var sockets: Int?
    var socketsPerBoard: Int?
    var coresPerSocket: Int?
    var threadsPerCore: Int?
    var memoryMiB: UInt64?
    var weight: UInt32?
    var features: [String]?
    var gres: String?
    var state: String?
    var reason: String?

    /// What was given, completed as Slurm does: CPUs is the product unless said, Sockets what CPUs leave.
    func node(name: String, address: String?, hostname: String?, port: UInt16) -> ClusterConfiguration.Node {
        let threads = threadsPerCore ?? 1
        let cores = coresPerSocket ?? 1
        let given = sockets ?? socketsPerBoard.map { $0 * (boards ?? 1) }
        let sockets = given ?? max(1, (cpus ?? 1) / max(1, cores * threads))
        var node = ClusterConfiguration.Node(
            name: name, address: address ?? hostname ?? name, port: port, cpus: cpus ?? sockets * cores * threads,
            sockets: sockets, coresPerSocket: cores, threadsPerCore: threads, memoryMiB: memoryMiB ?? 1)
        node.hostname = hostname ?? name
        node.weight = weight ?? 1
        node.features = features ?? []
        node.gres = gres ?? ""
        node.state = state ?? "UNKNOWN"
        node.reason = reason ?? ""
        return node
    }
}

struct NodeSetLine {
    var name: String
    var nodes: String?
    var feature: String?
}

extension ConfigurationParser {
    static let nodeStates = ["UNKNOWN", "DOWN", "DRAIN", "FAIL", "FAILING", "CLOUD", "FUTURE", "IDLE", "RESUME"]

    mutating func readNodes(_ line: ConfigurationLine) {
        let name = line.pairs[0].value
        var description = nodeDefaults
        for pair in line.pairs.dropFirst() {
            do throws(WrongValue) {
                if try !Self.set(pair.key.lowercased(), pair.value, in: &description) {
                    warn(line, "\(pair.key) of NodeName=\(name) is not acted on")
                }
            } catch { fail(line, "\(pair.key)=\(pair.value): \(error.allowed)") }
        }
        if name.uppercased() == "DEFAULT" {
            nodeDefaults = description
            return
        }
        do throws(Hostlist.Malformed) { try add(name, description, line) } catch {
            fail(line, "NodeName=\(name): \(error)")
        }
    }

    private mutating func add(
        _ name: String, _ description: NodeLine, _ line: ConfigurationLine
    ) throws(Hostlist.Malformed) {
        let names = try Hostlist.expand(name)
        let addresses = try spread(description.address, over: names, "NodeAddr", line)
        let hostnames = try spread(description.hostname, over: names, "NodeHostname", line)
        let ports = try spread(description.port, over: names, "Port", line, single: true)
        for (index, name) in names.enumerated() {
            if nodeIndex[name] != nil {
                fail(line, "node \(name) is described twice")
                continue
            }
            guard configuration.nodes.count < Hostlist.maxHosts else {
                fail(line, "more than \(Hostlist.maxHosts) nodes")
                return
            }
            nodeIndex[name] = configuration.nodes.count
            configuration.nodes.append(
                description.node(
                    name: name, address: addresses?[index], hostname: hostnames?[index],
                    port: port(ports?[index], line)))
        }
    }

    /// A list of the same length as `names`, or one value for all where `single` allows that (or there is one name).
    private mutating func spread(
        _ text: String?, over names: [String], _ key: String, _ line: ConfigurationLine, single: Bool = false
    ) throws(Hostlist.Malformed) -> [String]? {
        guard let text else { return nil }
        let values = try Hostlist.expand(text)
        if values.count == names.count { return values }
        if values.count == 1, single || key == "NodeAddr" || key == "NodeHostname" {
            return names.map { _ in values[0] }
        }
        fail(line, "\(key)=\(text) names \(values.count) values for \(names.count) nodes; give one for each")
        return nil
    }

    private mutating func port(_ text: String?, _ line: ConfigurationLine) -> UInt16 {
        guard let text else { return defaultNodePort }
        if let port = UInt16(text), port > 0 { return port }
        fail(line, "Port=\(text): must be a port from 1 to 65535")
        return defaultNodePort
    }

    /// False: a key that node lines may have and that does nothing here.
    private static func set(_ key: String, _ text: String, in node: inout NodeLine) throws(WrongValue) -> Bool {
        switch key {
        case "nodeaddr": node.address = text
        case "nodehostname": node.hostname = text
        case "port": node.port = text
        case "cpus", "procs": node.cpus = Int(try count(text, 1...65535))
        case "boards": node.boards = Int(try count(text, 1...1024))
        case "sockets": node.sockets = Int(try count(text, 1...65535))
        case "socketsperboard": node.socketsPerBoard = Int(try count(text, 1...65535))
        case "corespersocket": node.coresPerSocket = Int(try count(text, 1...65535))
        case "threadspercore": node.threadsPerCore = Int(try count(text, 1...64))
        case "realmemory": node.memoryMiB = try mebibytes(text)
        case "weight": node.weight = UInt32(try count(text, 0...0xffff_fffe))
        case "feature", "features": node.features = text.split(separator: ",").map(String.init)
        case "gres":
            _ = try GRESText.items(text)
            node.gres = text
        case "reason": node.reason = text
        case "state":
            let state = text.uppercased()
            guard nodeStates.contains(state) else {
                throw WrongValue(allowed: "must be one of \(nodeStates.joined(separator: " "))")
            }
            node.state = state
        default: return false
        }
        return true
    }

    mutating func readNodeSet(_ line: ConfigurationLine) {
        var set = NodeSetLine(name: line.pairs[0].value)
        for pair in line.pairs.dropFirst() {
            switch pair.key.lowercased() {
            case "nodes": set.nodes = pair.value
            case "feature": set.feature = pair.value
            default: warn(line, "\(pair.key) of NodeSet=\(set.name) is not acted on")
            }
        }
        if set.nodes == nil, set.feature == nil { fail(line, "NodeSet=\(set.name) needs Nodes= or Feature=") }
        nodeSets.append(set)
    }

    mutating func readDownNodes(_ line: ConfigurationLine) {
        var state = "DOWN"
        var reason = ""
        for pair in line.pairs.dropFirst() {
            switch pair.key.lowercased() {
            case "state": state = pair.value.uppercased()
            case "reason": reason = pair.value
            default: warn(line, "\(pair.key) of DownNodes is not acted on")
            }
        }
        do throws(Hostlist.Malformed) {
            for name in try Hostlist.expand(line.pairs[0].value) {
                guard let index = nodeIndex[name] else {
                    fail(line, "DownNodes names \(name), which no NodeName line above describes")
                    continue
                }
                configuration.nodes[index].state = state
                configuration.nodes[index].reason = reason
            }
        } catch { fail(line, "DownNodes: \(error)") }
    }
}
