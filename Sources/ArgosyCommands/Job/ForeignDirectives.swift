// Lines of a script for other batch systems: what PBS (`#PBS`) and LSF (`#BSUB`) mean by their letters, in Slurm's words.
// Only what has a counterpart; the rest is passed over, as sbatch does.

enum ForeignDirectives {
    static func words(_ script: [UInt8]) throws(OptionError) -> [String] {
        var words: [String] = []
        for (_, line) in BatchScript.heading(script) {
            for (mark, read) in [("#PBS", Self.pbs), ("#BSUB", Self.lsf)] {
                let bytes = Array(mark.utf8)
                guard line.starts(with: bytes), let after = line.dropFirst(bytes.count).first, after == 32 || after == 9
                else { continue }
                words += try read(try BatchScript.words(Array(line.dropFirst(bytes.count))))
            }
        }
        return words
    }

    /// Calls `mean` with each letter and its argument. `flags` take none.
    private static func letters(
        _ words: [String], taking: String, flags: String, _ mean: (Character, String) throws(OptionError) -> [String]
    ) throws(OptionError) -> [String] {
        var result: [String] = []
        var rest = words[...]
        while let word = rest.popFirst() {
            guard word.hasPrefix("-"), word.count > 1 else { continue }
            var letters = word.dropFirst()
            while let letter = letters.popFirst() {
                if flags.contains(letter) {
                    result += try mean(letter, "")
                } else if taking.contains(letter) {
                    let value = letters.isEmpty ? rest.popFirst() ?? "" : String(letters)
                    result += try mean(letter, value)
                    letters = ""
                } else {
                    Console.complain("sbatch: invalid option -- '\(letter)'\n")
                    throw OptionError("Unrecognized command line parameter ?")
                }
            }
        }
        return result
    }

    private static func pbs(_ words: [String]) throws(OptionError) -> [String] {
        try letters(words, taking: "aAcCeJjklmMNopqrSutvW", flags: "hIVXz") { letter, value throws(OptionError) in
            switch letter {
            case "a": ["--begin=\(value)"]
            case "A": ["--account=\(value)"]
            case "e": ["--error=\(path(value))"]
            case "h": ["--hold"]
            case "J", "t": ["--array=\(value)"]
            case "l": resources(value)
            case "m": ["--mail-type=\(mail(value))"]
            case "M": ["--mail-user=\(value)"]
            case "N": ["--job-name=\(value)"]
            case "o": ["--output=\(path(value))"]
            case "p": ["--nice=\(-(Int(value) ?? 0))"]
            case "q": ["--partition=\(value)"]
            case "r": [value.lowercased() == "n" ? "--no-requeue" : "--requeue"]
            case "v": ["--export=ALL,\(value)"]
            case "W": wait(value)
            default: []
            }
        }
    }

    /// `host:path`: the host is gone before the file is.
    private static func path(_ value: String) -> String {
        value.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).last.map(String.init) ?? value
    }

    private static func mail(_ value: String) -> String {
        let kinds = value.compactMap { ["b": "BEGIN", "e": "END", "a": "FAIL"][$0] }
        return kinds.isEmpty ? "NONE" : kinds.joined(separator: ",")
    }

    private static func wait(_ value: String) -> [String] {
        value.hasPrefix("depend=") ? ["--dependency=\(value.dropFirst(7))"] : []
    }

    /// `nodes=2:ppn=4,walltime=1:00:00,mem=4gb`
    private static func resources(_ list: String) -> [String] {
        var words: [String] = []
        for item in list.split(separator: ",") {
            let parts = item.split(separator: "=", maxSplits: 1)
            guard parts.count == 2 else { continue }
            let value = String(parts[1])
            switch parts[0] {
            case "walltime": words.append("--time=\(value)")
            case "nodes", "select": words += nodes(value)
            case "ncpus": words.append("--mincpus=\(value)")
            case "mpiprocs": words.append("--ntasks-per-node=\(value)")
            case "mem": words.append("--mem=\(value.uppercased().replacing("B", ""))")
            case "pmem", "pvmem": words.append("--mem-per-cpu=\(value.uppercased().replacing("B", ""))")
            case "file": words.append("--tmp=\(value.uppercased().replacing("B", ""))")
            case "nice": words.append("--nice=\(value)")
            case "host": words.append("--nodelist=\(value)")
            case "naccelerators", "accelerator_count": words.append("--gres=gpu:\(value)")
            default: break
            }
        }
        return words
    }

    /// `2:ppn=4`, or names of hosts with plus signs between them.
    private static func nodes(_ value: String) -> [String] {
        var words: [String] = []
        var names: [Substring] = []
        for chunk in value.split(separator: "+") {
            for (place, part) in chunk.split(separator: ":").enumerated() {
                let pair = part.split(separator: "=", maxSplits: 1)
                if pair.count == 2, ["ppn", "mpiprocs"].contains(pair[0]) {
                    words.append("--ntasks-per-node=\(pair[1])")
                } else if pair.count == 2, pair[0] == "ncpus" {
                    words.append("--mincpus=\(pair[1])")
                } else if place == 0, part.allSatisfy(\.isNumber) {
                    words.append("--nodes=\(part)")
                } else if place == 0, pair.count == 1 {
                    names.append(part)
                }
            }
        }
        return names.isEmpty ? words : words + ["--nodelist=\(names.joined(separator: ","))"]
    }

    private static func lsf(_ words: [String]) throws(OptionError) -> [String] {
        try letters(words, taking: "ceJmMnoqWwRPubiLTgGkEsDCFSvpQa", flags: "xhINHrBKYZ") {
            letter, value throws(OptionError) in
            switch letter {
            case "e": ["--error=\(value)"]
            case "i": ["--input=\(value)"]
            case "J": ["--job-name=\(value)"]
            case "m": ["--nodelist=\(value.split(separator: " ").joined(separator: ","))"]
            case "M": ["--mem-per-cpu=\(value)"]
            case "n": ["--ntasks=\(value.split(separator: ",").first ?? "")"]
            case "o": ["--output=\(value)"]
            case "P": ["--account=\(value)"]
            case "q": ["--partition=\(value)"]
            case "W": ["--time=\(minutes(value))"]
            case "x": ["--exclusive"]
            case "H": ["--hold"]
            case "r": ["--requeue"]
            default: []
            }
        }
    }

    /// `hours:minutes`, which Slurm would take for minutes and seconds.
    private static func minutes(_ value: String) -> String {
        let parts = value.split(separator: "/")[0].split(separator: ":")
        return parts.count == 2 ? "\(parts[0]):\(parts[1]):00" : value
    }
}
