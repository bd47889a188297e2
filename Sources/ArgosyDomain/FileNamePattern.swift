/// Slurm's patterns in the names of output and input files: `slurm-%A_%a.out`, `out.%4t`.
///
/// A number between the percent sign and the letter pads a number with zeros (at most 9 wide, as sbatch(1) says). A
/// backslash anywhere in the name means that nothing in it is a pattern; `%%` is a percent sign.
public struct FileNamePattern: Sendable {
    /// What the letters stand for. `task` is the rank; a batch script is rank 0.
    public struct Values: Sendable, Equatable {
        public var job: UInt32
        /// Job id and index of an array task; nil: not of an array.
        public var array: (job: UInt32, task: UInt32)?
        /// "batch" for the batch script.
        public var step: String
        public var node: String
        public var nodeIndex: UInt32
        public var task: UInt32
        public var user: String
        public var jobName: String
        public init(
            job: UInt32, array: (job: UInt32, task: UInt32)? = nil, step: String = "batch", node: String = "",
            nodeIndex: UInt32 = 0, task: UInt32 = 0, user: String = "", jobName: String = ""
        ) {
            self.job = job
            self.array = array
            self.step = step
            self.node = node
            self.nodeIndex = nodeIndex
            self.task = task
            self.user = user
            self.jobName = jobName
        }
        public static func == (a: Self, b: Self) -> Bool {
            a.job == b.job && a.array?.job == b.array?.job && a.array?.task == b.array?.task && a.step == b.step
                && a.node == b.node && a.nodeIndex == b.nodeIndex && a.task == b.task && a.user == b.user
                && a.jobName == b.jobName
        }
    }

    public let text: String
    public init(_ text: String) { self.text = text }

    /// Where a batch script writes that names no file.
    public static func batchDefault(isArrayTask: Bool) -> FileNamePattern {
        FileNamePattern(isArrayTask ? "slurm-%A_%a.out" : "slurm-%j.out")
    }

    /// Whether each task (or each node) has a file of its own.
    public var differsByTask: Bool { !isLiteral && letters.contains { "tTnN".contains($0) } }

    /// The file's name for `values`; an unknown letter stays as written.
    public func expand(_ values: Values) -> String {
        if isLiteral { return String(text.filter { $0 != "\\" }) }
        var result = ""
        var rest = text[...]
        while let percent = rest.firstIndex(of: "%") {
            result += rest[..<percent]
            let digits = rest[rest.index(after: percent)...].prefix { $0.isASCII && $0.isNumber }
            guard digits.endIndex < rest.endIndex else {
                result += rest[percent...]
                return result
            }
            let letter = rest[digits.endIndex]
            let end = rest.index(after: digits.endIndex)
            result += Self.value(of: letter, width: Int(digits) ?? 0, values) ?? String(rest[percent..<end])
            rest = rest[end...]
        }
        return result + rest
    }

    /// `expand` made absolute: relative names count from `directory`.
    public func path(_ values: Values, in directory: String) -> String {
        let name = expand(values)
        return name.hasPrefix("/") ? name : (directory.hasSuffix("/") ? directory : directory + "/") + name
    }

    private var isLiteral: Bool { text.contains("\\") }

    private var letters: [Character] {
        var found: [Character] = []
        var rest = text[...]
        while let percent = rest.firstIndex(of: "%") {
            let tail = rest[rest.index(after: percent)...].drop { $0.isASCII && $0.isNumber }
            guard let letter = tail.first else { break }
            found.append(letter)
            rest = tail.dropFirst()
        }
        return found
    }

    private static func value(of letter: Character, width: Int, _ values: Values) -> String? {
        func padded(_ number: UInt32) -> String {
            let digits = String(number)
            return String(repeating: "0", count: max(0, min(width, 9) - digits.count)) + digits
        }
        switch letter {
        case "%": return "%"
        case "j": return padded(values.job)
        case "J": return values.step == "batch" ? padded(values.job) : padded(values.job) + "." + values.step
        case "A": return padded(values.array?.job ?? values.job)
        // Slurm's NO_VAL when the job is not of an array.
        case "a": return padded(values.array?.task ?? 4_294_967_294)
        case "b": return padded((values.array?.task ?? 0) % 10)
        case "s": return UInt32(values.step).map(padded) ?? values.step
        case "t": return padded(values.task)
        case "n": return padded(values.nodeIndex)
        case "N": return values.node
        case "u": return values.user
        case "x": return values.jobName
        default: return nil
        }
    }
}
