// Options as a table: each command states what it takes once. The table reads the command line, `#SBATCH` lines and
// environment variables, prints --help and --usage, feeds shell completion and the test of the man pages.

/// What a command does about an option.
enum Standing: Sendable, Equatable {
    /// Its value has an effect.
    case acted
    /// Taken as Slurm takes it on a cluster where it changes nothing; not shown in --help.
    case accepted
    /// Passing over it would mislead: refused when used, with what to do instead.
    case refused(String)
}

/// One option of a command whose values go to a `Settings`.
struct Option<Settings>: Sendable {
    enum Argument: Sendable, Equatable { case none, required, optional }

    /// Without dashes; empty: only the letter.
    var long: String
    var short: Character?
    var argument: Argument
    /// What help calls the argument.
    var placeholder: String
    /// Variables of the environment that stand for it, most telling first.
    var variables: [String]
    var help: String
    var standing: Standing
    /// Puts the argument ("" where none was given) in the settings.
    var set: @Sendable (inout Settings, String) throws(OptionError) -> Void

    init(
        _ long: String, _ short: Character? = nil, _ argument: Argument = .none, _ placeholder: String = "value",
        env variables: [String] = [], _ help: String, standing: Standing = .acted,
        _ set: @escaping @Sendable (inout Settings, String) throws(OptionError) -> Void
    ) {
        self.long = long
        self.short = short
        self.argument = argument
        self.placeholder = placeholder
        self.variables = variables
        self.help = help
        self.standing = standing
        self.set = set
    }

    /// One that Slurm has and that changes nothing here.
    static func accepted(
        _ long: String, _ short: Character? = nil, _ argument: Argument = .required, env variables: [String] = []
    ) -> Self {
        .init(long, short, argument, "value", env: variables, "", standing: .accepted) { _, _ throws(OptionError) in }
    }

    /// A variable of the environment for what no option of its own says.
    static func variable(
        _ name: String, _ help: String,
        _ set: @escaping @Sendable (inout Settings, String) throws(OptionError) -> Void
    ) -> Self {
        .init("", nil, .required, "value", env: [name], help, set)
    }

    /// Not for the command line.
    var isVariable: Bool { long.isEmpty && short == nil }

    /// One that Slurm has, and that cannot be passed over.
    static func refused(
        _ long: String, _ short: Character? = nil, _ argument: Argument = .required, env variables: [String] = [],
        _ why: String
    ) -> Self {
        .init(long, short, argument, "value", env: variables, "", standing: .refused(why)) { _, _ throws(OptionError) in
            throw OptionError("--\(long) is not supported: \(why)")
        }
    }

    /// One whose argument has no name worth showing, or none at all.
    init(
        _ long: String, _ short: Character?, _ argument: Argument, _ help: String,
        _ set: @escaping @Sendable (inout Settings, String) throws(OptionError) -> Void
    ) {
        self.init(long, short, argument, "value", env: [], help, set)
    }

    /// A flag.
    init(
        _ long: String, _ short: Character?, _ help: String,
        _ set: @escaping @Sendable (inout Settings, String) throws(OptionError) -> Void
    ) {
        self.init(long, short, .none, "value", env: [], help, set)
    }

    /// A flag without a letter.
    init(
        _ long: String, _ help: String,
        _ set: @escaping @Sendable (inout Settings, String) throws(OptionError) -> Void
    ) {
        self.init(long, nil, .none, "value", env: [], help, set)
    }

    /// `-N, --nodes=min[-max]`
    var spelling: String {
        var text = short.map { "-\($0)" } ?? ""
        if long.isEmpty {
            return argument == .required ? text + " <\(placeholder)>" : text
        }
        text += (text.isEmpty ? "" : ", ") + "--\(long)"
        switch argument {
        case .none: return text
        case .required: return text + "=<\(placeholder)>"
        case .optional: return text + "[=<\(placeholder)>]"
        }
    }
}

/// A command line (or value) that cannot be used. `isUsage` adds the line that points to --help.
struct OptionError: Error, Equatable {
    var message: String
    var isUsage: Bool
    /// Of the command: 255 where Slurm's own parser gives up.
    var status: Int32
    /// Said as `sacct: fatal:`, as Slurm has it.
    var isFatal: Bool
    /// Said without the command's name before it.
    var isBare: Bool
    init(
        _ message: String, isUsage: Bool = false, status: Int32 = 1, isFatal: Bool = false, isBare: Bool = false
    ) {
        self.message = message
        self.isUsage = isUsage
        self.isFatal = isFatal
        self.status = status
        self.isBare = isBare
    }
}
