// Which nodes share a line of sinfo, and in what order the lines come.

import ArgosyDomain
import ArgosyWire

struct NodeGrouping {
    var columns: [Field<NodeGroup>]
    var options: SinfoOptions

    /// Fields that add up or name nodes do not tell them apart.
    private static let collected: Set<Character> = ["D", "N", "n", "o", "F", "A", "C", "e", "O"]
    /// Nor do these, unless asked to: least and most of them are shown.
    private static let loose: Set<Character> = ["c", "m", "d", "w", "X", "Y", "Z", "z"]
    private static let looseNames: Set<String> = ["Port"]

    /// Nodes that show the same in every column that tells them apart; partitions too. A partition without any comes
    /// as a line of its own, unless lines are of nodes.
    func groups(_ partitions: [WirePartitionInfo], _ nodes: [WireNodeInfo]) -> [NodeGroup] {
        let telling = columns.filter { field in
            guard let letter = field.letter else { return options.exact || !Self.looseNames.contains(field.name) }
            return !Self.collected.contains(letter) && (options.exact || !Self.loose.contains(letter))
        }
        var groups: [NodeGroup] = []
        var index: [String: Int] = [:]
        for partition in partitions {
            let members = nodes.filter { $0.partitions.contains(partition.name) }
            for node in members {
                let one = NodeGroup(partition: partition, nodes: [node])
                var key = telling.map { $0.value(one) }.joined(separator: "\u{1}")
                if options.byNode { key += "\u{2}\(node.name)\u{2}\(partition.name)" }
                if let place = index[key] {
                    if !groups[place].nodes.contains(where: { $0.name == node.name }) {
                        groups[place].nodes.append(node)
                    }
                } else {
                    index[key] = groups.count
                    groups.append(one)
                }
            }
            guard members.isEmpty, !options.byNode, !options.reasons else { continue }
            let empty = NodeGroup(partition: partition, nodes: [])
            let key = telling.map { $0.value(empty) }.joined(separator: "\u{1}")
            if index[key] == nil {
                index[key] = groups.count
                groups.append(empty)
            }
        }
        return groups
    }
}

/// `#P,-t`: letters of fields, `-` before those that descend; `#P` is the configuration's order of partitions.
enum NodeSorting {
    static func sort(
        _ groups: inout [NodeGroup], _ text: String, _ partitions: [WirePartitionInfo]
    ) throws(OptionError) {
        let places = Dictionary(
            partitions.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
        typealias Key = (letter: Character, configured: Bool, descends: Bool)
        var keys: [Key] = []
        for word in commaList(text) {
            for letter in word where !"#+-".contains(letter) {
                keys.append((letter, word.contains("#"), word.contains("-")))
            }
        }
        let ordered = groups.enumerated().sorted { a, b in
            for key in keys {
                let order =
                    key.letter == "P" && key.configured
                    ? compare(
                        places[a.element.partition?.name ?? ""] ?? -1, places[b.element.partition?.name ?? ""] ?? -1)
                    : compare(a.element, b.element, key.letter)
                if order != 0 { return key.descends ? order > 0 : order < 0 }
            }
            return a.offset < b.offset
        }
        groups = ordered.map(\.element)
    }

    private static func compare<Value: Comparable>(_ left: Value, _ right: Value) -> Int {
        left == right ? 0 : left < right ? -1 : 1
    }

    private static func compare(_ a: NodeGroup, _ b: NodeGroup, _ letter: Character) -> Int {
        switch letter {
        case "N", "n":
            let (left, right) = (naturalKey(a.first.name), naturalKey(b.first.name))
            return left == right ? 0 : left < right ? -1 : 1
        case "t", "T": return compare(NodeStateText.rank(a.first), NodeStateText.rank(b.first))
        case "m": return compare(a.first.memoryMib, b.first.memoryMib)
        case "P": return compare(a.partition?.name ?? "", b.partition?.name ?? "")
        case "H": return compare(a.first.reasonUs, b.first.reasonUs)
        case "l": return compare(a.partition?.maxTimeMinutes ?? 0, b.partition?.maxTimeMinutes ?? 0)
        default: break
        }
        guard let field = NodeFields.all.first(where: { $0.letter == letter }) else { return 0 }
        let (left, right) = (field.value(a), field.value(b))
        if let x = Int(left.prefix { $0.isNumber }), let y = Int(right.prefix { $0.isNumber }), x != y {
            return compare(x, y)
        }
        return compare(left, right)
    }

    /// `n10` after `n9`: the name without its last number, and the number.
    private static func naturalKey(_ name: String) -> (String, Int) {
        let digits = name.reversed().prefix { $0.isASCII && $0.isNumber }.count
        return (String(name.dropLast(digits)), Int(name.suffix(digits)) ?? 0)
    }
}
