// Options about identity, and those that are checked and then change nothing here.

import ArgosyClient
import ArgosyConfig
import Glibc

extension JobOptionTable {
    static func identity(prefix: String) -> [Row] {
        [
            Row("uid", nil, .required, "user", "user to run the job as (root only)") {
                options, text throws(OptionError) in
                try TakenValue.checkRoot("--uid")
                guard let user = Names.user(text) else { throw JobValue.invalid("--uid") }
                options.user = user
            },
            Row("gid", nil, .required, "group", "group to run the job as (root only)") {
                options, text throws(OptionError) in
                try TakenValue.checkRoot("--gid")
                guard let gid = Names.group(text) else { throw JobValue.invalid("--gid") }
                options.gid = gid
            },
            Row(
                "get-user-env", nil, .optional, "timeout", env: prefix == "SBATCH_" ? ["SBATCH_GET_USER_ENV"] : [],
                "load the user's login environment under the one that sbatch was called in"
            ) { options, text throws(OptionError) in
                let digits = text.prefix { $0.isASCII && $0.isNumber }
                guard ["", "S", "L"].contains(text[digits.endIndex...].uppercased()) else {
                    throw JobValue.invalid("--get-user-env")
                }
                options.loginEnvironment = text
            },
        ]
    }

    /// Checked as Slurm checks them; then without effect.
    static func taken(prefix: String) -> [Row] {
        func row(
            _ long: String, _ short: Character? = nil, _ argument: Row.Argument = .required, env: Bool = true,
            variable: String? = nil,
            _ check: @escaping @Sendable (inout JobOptions, String) throws(OptionError) -> Void = {
                _, _ throws(OptionError) in
            }
        ) -> Row {
            let variable = prefix + (variable ?? long.uppercased().replacing("-", "_"))
            return Row(
                long, short, argument, "value", env: env ? [variable] : [], "", standing: .accepted, check)
        }
        return [
            row("acctg-freq") { _, text throws(OptionError) in try TakenValue.checkFrequency(text) },
            row("bb", env: prefix != "SBATCH_", variable: "BURST_BUFFER"),
            row("bbf", env: false) { _, text throws(OptionError) in
                guard FileBytes.read(path: text, limit: BatchScript.maxBytes) != nil else {
                    throw OptionError("Invalid --bbf specification")
                }
            },
            row("cluster-constraint", env: false),
            row("cpu-freq", env: prefix == "SLURM_", variable: "CPU_FREQ_REQ") { options, text throws(OptionError) in
                options.cpuFrequency = try TakenValue.cpuFrequency(text)
            },
            row("gpu-bind") { options, text throws(OptionError) in
                options.gpuBinding = try TakenValue.gpuBinding(text)
            },
            row("gpu-freq") { options, text throws(OptionError) in
                options.gpuFrequency = try TakenValue.gpuFrequency(text)
            },
            row("gres-flags") { _, text throws(OptionError) in
                guard ["disable-binding", "enforce-binding"].contains(text.lowercased()) else {
                    throw JobValue.invalid("--gres-flags")
                }
            },
            row("mcs-label", env: false),
            row("mem-bind") { options, text throws(OptionError) in
                options.memoryBinding = try TakenValue.memoryBinding(text)
            },
            row("network"),
            row("no-kill", "k", .optional) { _, text throws(OptionError) in
                guard ["", "off", "set", "yes", "1", "0", "no"].contains(text.lowercased()) else {
                    throw JobValue.invalid("--no-kill")
                }
            },
            row("power"),
            row("profile") { options, text throws(OptionError) in options.profile = try TakenValue.profile(text) },
            row("wait-all-nodes") { options, text throws(OptionError) in
                guard text == "0" || text == "1" else { throw JobValue.invalid("--wait-all-nodes") }
                options.waitsForAllNodes = text == "1"
            },
        ]
    }
}

/// Grammars of values that are looked at and not much more; the texts of refusals are Slurm's.
enum TakenValue {
    static func checkRoot(_ option: String) throws(OptionError) {
        guard getuid() == 0 else { throw OptionError("\(option) only permitted by root user", status: 255) }
    }

    /// RLIMIT numbers; nil: all.
    static func limits(_ text: String) throws(OptionError) -> [UInt32]? {
        if text.isEmpty || text.uppercased() == "ALL" { return nil }
        if text.uppercased() == "NONE" { return [] }
        let numbers: [String: UInt32] = [
            "CPU": 0, "FSIZE": 1, "DATA": 2, "STACK": 3, "CORE": 4, "RSS": 5, "NPROC": 6, "NOFILE": 7, "MEMLOCK": 8,
            "AS": 9,
        ]
        var found: [UInt32] = []
        for word in text.split(separator: ",") {
            let name = word.uppercased().hasPrefix("RLIMIT_") ? word.uppercased().dropFirst(7) : word.uppercased()[...]
            guard let number = numbers[String(name)] else {
                throw OptionError("Bad rlimit name: \(word)\n--propagate=\(text) is not valid.")
            }
            found.append(number)
        }
        return found
    }

    static func checkFrequency(_ text: String) throws(OptionError) {
        for item in text.split(separator: ",") {
            let parts = item.split(separator: "=", omittingEmptySubsequences: false)
            let known = parts.count == 1 || ["task", "energy", "network", "filesystem"].contains(parts[0].lowercased())
            guard parts.count <= 2, known, let last = parts.last, SlurmText.number(last) != nil else {
                throw OptionError("Invalid --acctg-freq specification: \(text)", status: 255)
            }
        }
    }

    static func cpuFrequency(_ text: String) throws(OptionError) -> String {
        let governors = ["conservative", "ondemand", "performance", "powersave", "schedutil", "userspace"]
        let words = text.lowercased().split(whereSeparator: { $0 == "-" || $0 == ":" })
        let known = words.allSatisfy {
            governors.contains(String($0)) || ["low", "medium", "high", "highm1"].contains($0)
                || SlurmText.number($0) != nil
        }
        guard known, (1...3).contains(words.count) else {
            throw OptionError(
                "unrecognized --cpu-freq argument \"\(text)\"\nInvalid --cpu-freq argument", status: 255)
        }
        return text
    }

    static func gpuBinding(_ text: String) throws(OptionError) -> String {
        let plain = text.lowercased().hasPrefix("verbose,") ? text.dropFirst(8) : text[...]
        let word = plain.lowercased().split(separator: ":", maxSplits: 1).first.map(String.init) ?? ""
        guard ["closest", "none", "map_gpu", "mask_gpu", "single", "per_task"].contains(word) else {
            throw OptionError("Invalid --gpu-bind argument: gpu:\(text)", status: 255)
        }
        return text
    }

    static func gpuFrequency(_ text: String) throws(OptionError) -> String {
        for item in text.lowercased().split(separator: ",") where item != "verbose" {
            let parts = item.split(separator: "=", omittingEmptySubsequences: false)
            let value = parts[parts.count - 1]
            let known = ["low", "medium", "high", "highm1"].contains(value) || SlurmText.number(value) != nil
            guard parts.count == 1 || parts.count == 2 && ["graphics", "memory"].contains(parts[0]), known else {
                throw OptionError("Invalid --gpu-freq argument: gpu:\(text)", status: 255)
            }
        }
        return text
    }

    static func memoryBinding(_ text: String) throws(OptionError) -> String {
        if text.lowercased() == "help" {
            Console.print(
                """
                Memory binding of a step's tasks, words with commas between them:
                    none, local, rank                 not bound, to the memory near the task's CPUs, by rank
                    map_mem:LIST, mask_mem:LIST       to the NUMA nodes (masks of them) in LIST, one for each task
                    prefer, sort, nosort              rather than only; sort free pages at the start or not
                    quiet, verbose, help

                """)
            throw OptionError("", status: 255)
        }
        for word in splitLists(text.lowercased()) {
            let name = word.split(separator: ":", maxSplits: 1).first.map(String.init) ?? ""
            let known = ["q", "quiet", "v", "verbose", "no", "none", "rank", "local", "prefer", "p", "sort", "nosort"]
            guard known.contains(name) || name == "map_mem" || name == "mask_mem" else {
                throw OptionError("unrecognized --mem-bind argument \"\(text)\"", status: 255)
            }
        }
        return text
    }

    /// At commas, but those in the list behind `map_mem:`, which goes on to the end.
    private static func splitLists(_ text: String) -> [String] {
        var words: [String] = []
        for word in text.split(separator: ",").map(String.init) {
            if let last = words.last, last.contains(":"), word.first?.isNumber == true {
                words[words.count - 1] += "," + word
            } else {
                words.append(word)
            }
        }
        return words
    }

    static func profile(_ text: String) throws(OptionError) -> String {
        for word in text.lowercased().split(separator: ",")
        where !["all", "none", "energy", "task", "lustre", "network"].contains(word) {
            throw OptionError("invalid --profile=\(text) option", status: 255)
        }
        return text
    }
}

/// Users and groups by /etc: the static executable has no name service.
enum Names {
    static func user(_ text: String) -> (uid: UInt32, gid: UInt32, name: String)? {
        guard let entry = PasswordFile.entry(of: text) else {
            return UInt32(text).map { ($0, 0, text) }
        }
        return (entry.uid, entry.gid, PasswordFile.name(of: entry.uid) ?? text)
    }

    static func group(_ text: String, path: String = "/etc/group") -> UInt32? {
        if let number = UInt32(text) { return number }
        guard let bytes = FileBytes.read(path: path, limit: 16 << 20) else { return nil }
        for line in bytes.split(separator: 10) {
            let fields = line.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
            if fields.count >= 3, String(decoding: fields[0], as: UTF8.self) == text {
                return UInt32(String(decoding: fields[2], as: UTF8.self))
            }
        }
        return nil
    }
}
