// --cpu-bind, --mem-bind and --gpu-bind: words with a list behind some of them, as `verbose,map_cpu:0,2`.

import ArgosyWire

enum BindingText {
    static func cpu(_ text: String) throws(OptionError) -> WireBinding? {
        let wrong = OptionError(
            "unrecognized --cpu-bind argument \"\(text)\"\nsrun: fatal: Failed to parse --cpu-bind= values.")
        return try parse(
            text, lists: ["map_cpu", "mask_cpu", "map_ldom", "mask_ldom"],
            words: [
                "none": "none", "no": "none", "rank": "rank", "rank_ldom": "rank_ldom", "socket": "sockets",
                "sockets": "sockets", "core": "cores", "cores": "cores", "thread": "threads", "threads": "threads",
                "ldom": "ldoms", "ldoms": "ldoms", "board": "boards", "boards": "boards", "one_thread": "threads",
            ], wrong)
    }

    static func memory(_ text: String) throws(OptionError) -> WireBinding? {
        try parse(
            text, lists: ["map_mem", "mask_mem"],
            words: [
                "none": "none", "no": "none", "rank": "rank", "local": "local", "sort": "", "nosort": "", "prefer": "",
                "p": "",
            ], OptionError("unrecognized --mem-bind argument \"\(text)\"", status: 255))
    }

    /// Words by comma up to the first that takes a list, which takes all the rest.
    private static func parse(
        _ text: String, lists: [String], words: [String: String], _ wrong: OptionError
    ) throws(OptionError) -> WireBinding? {
        var binding = WireBinding()
        var rest = text[...]
        while !rest.isEmpty {
            let word = rest.prefix { $0 != "," && $0 != ":" }
            let lower = word.lowercased()
            let after = rest[word.endIndex...]
            if lists.contains(lower) {
                guard after.first == ":", after.count > 1 else { throw wrong }
                (binding.type, binding.list) = (lower, list(after.dropFirst(), isMask: lower.hasPrefix("mask")))
                return binding
            }
            guard after.first != ":" else { throw wrong }
            switch lower {
            case "v", "verbose": binding.verbose = true
            case "q", "quiet": binding.quiet = true
            default:
                guard let type = words[lower] else { throw wrong }
                if !type.isEmpty { binding.type = type }
            }
            rest = after.dropFirst()
        }
        return binding
    }

    /// Masks are told without their 0x.
    private static func list(_ text: Substring, isMask: Bool) -> String {
        guard isMask else { return String(text) }
        return text.split(separator: ",").map { $0.hasPrefix("0x") ? String($0.dropFirst(2)) : String($0) }
            .joined(separator: ",")
    }

    static func gpu(_ text: String) throws(OptionError) -> String {
        var word = text[...]
        for prefix in ["verbose,", "v,", "gpu:"] where word.lowercased().hasPrefix(prefix) {
            word = word.dropFirst(prefix.count)
        }
        let kind = word.lowercased().prefix { $0 != ":" }
        let takesList = ["map_gpu", "mask_gpu", "per_task", "single"].contains(kind)
        guard takesList ? word.contains(":") : ["none", "closest"].contains(kind) && !word.contains(":") else {
            throw OptionError("Invalid --gpu-bind argument: gpu:\(word)", status: 255)
        }
        return text
    }

    static let memoryHelp = """
        Memory bind options:
            --mem-bind=         Where the tasks' memory comes from
                quiet, verbose  say nothing (default), or what each task got
                none            leave it to the system (default)
                local           near the processor that asks
                rank            of the locality with the task's number on the node
                map_mem:<list>  of the n-th locality of the list for the n-th task
                mask_mem:<list> of the localities of the n-th hexadecimal mask
                help            show this help message

        """
}

/// Limits as --propagate names them.
enum LimitNames {
    /// With their numbers (RLIMIT_*).
    static let numbers: [(name: String, resource: UInt32)] = [
        ("CPU", 0), ("FSIZE", 1), ("DATA", 2), ("STACK", 3), ("CORE", 4), ("RSS", 5), ("NPROC", 6), ("NOFILE", 7),
        ("MEMLOCK", 8), ("AS", 9),
    ]

    static func checked(_ text: String) throws(OptionError) -> String {
        if ["ALL", "NONE"].contains(text.uppercased()) { return text.uppercased() }
        for word in text.split(separator: ",") where resource(word) == nil {
            throw OptionError("Bad rlimit name: \(word)\nsrun: error: --propagate=\(text) is not valid.")
        }
        return text
    }

    private static func resource(_ word: Substring) -> UInt32? {
        let name = word.uppercased().hasPrefix("RLIMIT_") ? word.dropFirst(7) : word
        return numbers.first { $0.name == name.uppercased() }?.resource
    }

    /// Of this process's limits those that `text` names.
    static func chosen(
        _ text: String, of limits: [(resource: UInt32, soft: UInt64, hard: UInt64)]
    ) -> [(resource: UInt32, soft: UInt64, hard: UInt64)] {
        switch text.uppercased() {
        case "ALL": return limits
        case "NONE": return []
        default:
            let named = Set(text.split(separator: ",").compactMap { resource($0) })
            return limits.filter { named.contains($0.resource) }
        }
    }
}
