// A command line of several components: options, a lone colon, more options; what follows the last options is the script
// or command of all.

struct OptionGroups {
    var groups: [[String]] = []
    var operands: [String] = []

    init(_ arguments: [String], _ table: [Option<JobOptions>]) throws(OptionError) {
        let parser = OptionParser(table, stopsAtOperand: true)
        var rest = arguments
        while true {
            var options = JobOptions()
            let operands = try parser.parse(rest, into: &options)
            groups.append(Array(rest.dropLast(operands.count)))
            guard operands.first == ":" else {
                self.operands = operands
                return
            }
            rest = Array(operands.dropFirst())
        }
    }
}

/// What a heterogeneous job is told of what was asked for each component.
enum HeterogeneousVariables {
    static func told(_ components: [JobOptions]) -> [String] {
        var told: [String] = []
        for (place, component) in components.enumerated() {
            for entry in component.told {
                let name = entry.prefix { $0 != "=" }
                let isOfAll =
                    name.hasPrefix("SLURM_SUBMIT_") || name == "SLURM_PRIO_PROCESS" || name == "SLURM_EXPORT_ENV"
                if isOfAll {
                    if place == 0 { told.append(entry) }
                } else {
                    told.append("\(name)_HET_GROUP_\(place)\(entry.dropFirst(name.count))")
                }
            }
        }
        return told
    }
}

/// `--export-file`: variables with a NUL behind each, in a file or behind a descriptor that the caller opened.
enum ExportFile {
    static func read(_ text: String) throws(Failure) -> [String] {
        let limit = 16 << 20
        let bytes = Int32(text).map { FileBytes.read($0, limit: limit) } ?? FileBytes.read(path: text, limit: limit)
        guard let bytes else { throw Failure("Could not open user environment file \(text)") }
        return bytes.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }.filter { $0.contains("=") }
    }
}
