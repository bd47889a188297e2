// `scontrol show assoc_mgr`: the accounting records that the controller schedules by.

import ArgosyWire

enum AssociationText {
    private struct Wanted {
        var users: [String] = []
        var accounts: [String] = []
        var qos: [String] = []
        var flags: [String] = []
        func shows(_ kind: String) -> Bool { flags.isEmpty || flags.contains { kind.hasPrefix($0) } }
    }

    static func show(_ words: [String], oneLine: Bool) throws {
        var wanted = Wanted()
        for word in words {
            guard let equals = word.firstIndex(of: "=") else { throw Failure("No value given for option \(word)") }
            let values = commaList(String(word[word.index(after: equals)...]))
            switch word[..<equals].lowercased() {
            case let key where key.hasPrefix("user"): wanted.users += values
            case let key where key.hasPrefix("acc"): wanted.accounts += values
            case let key where key.hasPrefix("qos"): wanted.qos += values
            case let key where key.hasPrefix("fla"): wanted.flags += values.map { $0.lowercased() }
            default: throw Failure("invalid option: \(word)")
            }
        }
        guard case .associationManager(let found)? = try Session().ask(.associationManager(.init())).body else {
            return
        }
        Console.print("Current Association Manager state\n")
        if wanted.shows("users") { show(found.users, wanted) }
        if wanted.shows("assoc") { show(found.associations, found.cluster, wanted, oneLine) }
        if wanted.shows("qos") { show(found.qos, wanted, oneLine) }
    }

    private static func show(_ users: [WireManagedUser], _ wanted: Wanted) {
        let chosen = users.filter { wanted.users.isEmpty || wanted.users.contains($0.name) }
        if chosen.isEmpty { return Console.print("\nNo users currently cached in Slurm.\n\n") }
        Console.print("\nUser Records\n\n")
        for user in chosen {
            let level = user.adminLevel == "None" || user.adminLevel.isEmpty ? "None" : user.adminLevel
            Console.print(
                "UserName=\(name(user.name, user.hasUid_p ? user.uid : nil)) DefAccount=\(user.defaultAccount) "
                    + "DefWckey=\(user.defaultWckey) AdminLevel=\(level)\n")
        }
    }

    private static func name(_ name: String, _ uid: UInt32?) -> String {
        name.isEmpty ? "" : "\(name)(\(uid.map { "\($0)" } ?? "4294967294"))"
    }

    private static func show(
        _ associations: [WireManagedAssociation], _ cluster: String, _ wanted: Wanted, _ oneLine: Bool
    ) {
        let chosen = associations.filter { found in
            (wanted.users.isEmpty || wanted.users.contains(found.user))
                && (wanted.accounts.isEmpty || wanted.accounts.contains(found.account))
        }
        if chosen.isEmpty { return Console.print("\nNo associations currently cached in Slurm.\n\n") }
        Console.print("\nAssociation Records\n\n")
        for found in chosen {
            let head =
                "ClusterName=\(cluster) Account=\(found.account) "
                + "UserName=\(name(found.user, found.hasUid_p ? found.uid : nil)) Partition=\(found.partition) "
                + "Priority=0 ID=\(found.id)"
            put([head] + found.values.map(\.value), oneLine)
        }
    }

    private static func show(_ qos: [WireManagedQOS], _ wanted: Wanted, _ oneLine: Bool) {
        let chosen = qos.filter { wanted.qos.isEmpty || wanted.qos.contains($0.name) }
        if chosen.isEmpty { return Console.print("\nNo QOS currently cached in Slurm.\n\n") }
        Console.print("\nQOS Records\n\n")
        for found in chosen { put(["QOS=\(found.name)(\(found.id))"] + found.values.map(\.value), oneLine) }
    }

    private static func put(_ lines: [String], _ oneLine: Bool) {
        Console.print(lines.joined(separator: oneLine ? " " : "\n    ") + "\n")
    }
}
