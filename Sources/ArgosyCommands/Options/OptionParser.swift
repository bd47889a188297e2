// getopt_long's grammar over an option table: `-N2`, `-N 2`, `-lN2`, `--nodes=2`, `--nodes 2`, unambiguous
// abbreviations, `--` to end options. Texts of errors are getopt's.

struct OptionParser<Settings> {
    let table: [Option<Settings>]
    /// srun and sbatch: what follows the first operand belongs to the program.
    var stopsAtOperand = false

    init(_ table: [Option<Settings>], stopsAtOperand: Bool = false) {
        self.table = table
        self.stopsAtOperand = stopsAtOperand
    }

    /// Reads `arguments` (without the command's name) into `settings`; returns the operands.
    func parse(_ arguments: [String], into settings: inout Settings) throws(OptionError) -> [String] {
        var operands: [String] = []
        var index = 0
        while index < arguments.count {
            let argument = arguments[index]
            index += 1
            if argument == "--" { return operands + arguments[index...] }
            if argument.hasPrefix("--") {
                try parseLong(argument.dropFirst(2), arguments, &index, &settings)
            } else if argument.hasPrefix("-"), argument != "-" {
                try parseLetters(argument.dropFirst(), arguments, &index, &settings)
            } else if stopsAtOperand {
                return [argument] + arguments[index...]
            } else {
                operands.append(argument)
            }
        }
        return operands
    }

    /// Sets what variables of the environment say.
    func parse(environment: (String) -> String?, into settings: inout Settings) throws(OptionError) {
        for option in table {
            for name in option.variables {
                guard let value = environment(name) else { continue }
                // A flag's variable means the flag when it is empty, "yes" or a number other than 0.
                if option.argument == .none, !Self.isOn(value) { continue }
                try option.set(&settings, option.argument == .none ? "" : value)
                break
            }
        }
    }

    private static func isOn(_ value: String) -> Bool {
        value.isEmpty || value.lowercased() == "yes" || Int64(value).map { $0 != 0 } ?? false
    }

    private func parseLong(
        _ text: Substring, _ arguments: [String], _ index: inout Int, _ settings: inout Settings
    ) throws(OptionError) {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let option = try find(String(parts[0]), in: text)
        let value = parts.count == 2 ? String(parts[1]) : nil
        switch option.argument {
        case .none:
            guard value == nil else {
                throw OptionError("option '--\(option.long)' doesn't allow an argument", isUsage: true)
            }
            try option.set(&settings, "")
        case .optional: try option.set(&settings, value ?? "")
        case .required:
            if let value { return try option.set(&settings, value) }
            guard index < arguments.count else {
                throw OptionError("option '--\(option.long)' requires an argument", isUsage: true)
            }
            index += 1
            try option.set(&settings, arguments[index - 1])
        }
    }

    /// By its full name, else the only one that begins so.
    private func find(_ name: String, in text: Substring) throws(OptionError) -> Option<Settings> {
        if !name.isEmpty, let option = table.first(where: { $0.long == name }) { return option }
        let candidates = table.filter { !name.isEmpty && $0.long.hasPrefix(name) }
        if candidates.count == 1 { return candidates[0] }
        if candidates.isEmpty { throw OptionError("unrecognized option '--\(text)'", isUsage: true) }
        let names = candidates.map { "'--\($0.long)'" }.sorted().joined(separator: " ")
        throw OptionError("option '--\(text)' is ambiguous; possibilities: \(names)", isUsage: true)
    }

    private func parseLetters(
        _ letters: Substring, _ arguments: [String], _ index: inout Int, _ settings: inout Settings
    ) throws(OptionError) {
        var rest = letters
        while let letter = rest.popFirst() {
            guard let option = table.first(where: { $0.short == letter }) else {
                throw OptionError("invalid option -- '\(letter)'", isUsage: true)
            }
            switch option.argument {
            case .none: try option.set(&settings, "")
            case .optional:
                try option.set(&settings, String(rest))
                return
            case .required:
                if rest.isEmpty {
                    guard index < arguments.count else {
                        throw OptionError("option requires an argument -- '\(letter)'", isUsage: true)
                    }
                    rest = arguments[index][...]
                    index += 1
                }
                try option.set(&settings, String(rest))
                return
            }
        }
    }
}
