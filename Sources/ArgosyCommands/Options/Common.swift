/// What every command's settings can be told.
protocol CommandSettings: SendableMetatype {
    var showsHelp: Bool { get set }
    var showsUsage: Bool { get set }
    var showsVersion: Bool { get set }
}

/// --help, --usage, --version, as each command has them.
func informationOptions<Settings: CommandSettings>(helpLetter: Character? = "h") -> [Option<Settings>] {
    [
        Option("help", helpLetter, "show this help message") { settings, _ throws(OptionError) in
            settings.showsHelp = true
        },
        Option("usage", "display brief usage message") { settings, _ throws(OptionError) in settings.showsUsage = true
        },
        Option("version", "V", "output version information and exit") { settings, _ throws(OptionError) in
            settings.showsVersion = true
        },
    ]
}

/// A command as its table and words describe it.
struct CommandDescription<Settings: CommandSettings> {
    var name: String
    /// After the name: "[OPTIONS...] executable [args...]".
    var synopsis: String
    var options: [Option<Settings>]
    var stopsAtOperand = false
    /// Exit status of a command line that cannot be read.
    var usageStatus: Int32 = 1
    /// Variables that stand for no option.
    var variables: [OwnVariable] = []

    /// Reads a command line. Prints and returns nil with `exitCode` set when that was all there was to do.
    func parse(
        _ arguments: [String], into settings: inout Settings, exitCode: inout Int32
    ) -> [String]? {
        let operands: [String]
        do throws(OptionError) {
            operands = try OptionParser(options, stopsAtOperand: stopsAtOperand).parse(arguments, into: &settings)
        } catch {
            report(error)
            exitCode = error.isUsage ? usageStatus : error.status
            return nil
        }
        exitCode = 0
        if settings.showsHelp {
            Console.print(help)
        } else if settings.showsUsage {
            Console.print(usage)
        } else if settings.showsVersion {
            Console.print(versionText)
        } else {
            return operands
        }
        return nil
    }

    func report(_ error: OptionError) {
        if error.isBare { return Console.complain(error.message + "\n") }
        if error.isFatal { return Console.complain("\(name): fatal: \(error.message)\n") }
        guard error.isUsage else { return Console.error(name, error.message) }
        Console.complain("\(name): \(error.message)\nTry \"\(name) --help\" for more information\n")
    }

    var usage: String {
        let words = options.filter { $0.standing == .acted && !$0.long.isEmpty }.map { option -> String in
            switch option.argument {
            case .none: "[--\(option.long)]"
            case .required: "[--\(option.long) \(option.placeholder)]"
            case .optional: "[--\(option.long)[=\(option.placeholder)]]"
            }
        }
        var lines = ["Usage: \(name)"]
        for word in words + [synopsis.replacing("[OPTIONS...]", "")] where !word.isEmpty {
            if lines[lines.count - 1].count + word.count > 76 { lines.append("      ") }
            lines[lines.count - 1] += " " + word
        }
        return lines.joined(separator: "\n") + "\n"
    }

    var help: String {
        var text = "Usage: \(name) \(synopsis)\n\nOptions:\n"
        for option in options where option.standing == .acted && !option.isVariable {
            let spelling = (option.short == nil ? "      " : "  ") + option.spelling
            text += spelling.count < 34 ? pad(spelling, 34) : spelling + "\n" + pad("", 34)
            text += option.help + "\n"
        }
        return text
    }
}

extension String {
    /// All occurrences of `part` replaced; the standard library's needs regular expressions.
    func replacing(_ part: String, _ other: String) -> String {
        var result = ""
        var rest = self[...]
        while let start = rest.firstRange(of: part) {
            result += rest[..<start.lowerBound] + other
            rest = rest[start.upperBound...]
        }
        return result + rest
    }
}

extension Substring {
    func firstRange(of part: String) -> Range<Index>? {
        guard !part.isEmpty else { return nil }
        var index = startIndex
        while index < endIndex {
            if self[index...].hasPrefix(part), let end = self.index(index, offsetBy: part.count, limitedBy: endIndex) {
                return index..<end
            }
            index = self.index(after: index)
        }
        return nil
    }
}

/// Argosy's own version; Slurm's is the one it stands in for.
public let argosyVersion = "0.1.0"
let slurmVersion = "22.05.8"
let versionText = "slurm \(slurmVersion)\nargosy \(argosyVersion)\n"
