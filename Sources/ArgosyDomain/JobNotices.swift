/// What a job's user wants to hear of by mail. Raw values are stored: never renumber.
public struct MailTypes: OptionSet, Hashable, Sendable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    public static let begin = MailTypes(rawValue: 1)
    public static let end = MailTypes(rawValue: 2)
    public static let fail = MailTypes(rawValue: 4)
    public static let requeue = MailTypes(rawValue: 8)
    public static let timeLimit = MailTypes(rawValue: 16)
    public static let timeLimit90 = MailTypes(rawValue: 32)
    public static let timeLimit80 = MailTypes(rawValue: 64)
    public static let timeLimit50 = MailTypes(rawValue: 128)
    public static let stageOut = MailTypes(rawValue: 256)
    public static let arrayTasks = MailTypes(rawValue: 512)
    public static let invalidDependency = MailTypes(rawValue: 1024)
    public static let all: MailTypes = [.begin, .end, .fail, .requeue, .stageOut, .invalidDependency]

    /// In the order in which Slurm lists them.
    private static let words: [(String, MailTypes)] = [
        ("INVALID_DEPEND", .invalidDependency), ("BEGIN", .begin), ("END", .end), ("FAIL", .fail),
        ("REQUEUE", .requeue), ("STAGE_OUT", .stageOut), ("TIME_LIMIT_50", .timeLimit50),
        ("TIME_LIMIT_80", .timeLimit80), ("TIME_LIMIT_90", .timeLimit90), ("TIME_LIMIT", .timeLimit),
        ("ARRAY_TASKS", .arrayTasks),
    ]

    /// "BEGIN,END" in any case; ALL and NONE too. Nil: a word that is none of them.
    public init?(text: String) {
        var types: MailTypes = []
        for word in text.uppercased().split(separator: ",", omittingEmptySubsequences: true) {
            if word == "ALL" {
                types.formUnion(.all)
            } else if word == "NONE" {
                types = []
            } else if let known = Self.words.first(where: { $0.0 == word }) {
                types.insert(known.1)
            } else {
                return nil
            }
        }
        self = types
    }

    /// "NONE", "BEGIN,END"
    public var text: String {
        let named = Self.words.filter { contains($0.1) }.map(\.0)
        return named.isEmpty ? "NONE" : named.joined(separator: ",")
    }
}

/// `--signal=[{R|B}:]number[@seconds]`
public struct WarningSignal: Hashable, Sendable {
    public var number: UInt32
    /// Before the end of the time limit.
    public var seconds: UInt32
    /// To the batch script's shell alone; else to all steps but that.
    public var batchOnly: Bool
    /// The job may overlap with a reservation, whose start then counts as its end.
    public var forReservation: Bool
    public init(number: UInt32, seconds: UInt32 = 60, batchOnly: Bool = false, forReservation: Bool = false) {
        self.number = number
        self.seconds = seconds
        self.batchOnly = batchOnly
        self.forReservation = forReservation
    }
}

/// Why a job waits again, as its state shows. Raw values are stored: never renumber.
public enum RequeueMark: UInt8, Sendable {
    case none = 0
    /// Requeued; until it starts. As Slurm, not shown as a state of its own once it waits.
    case requeued = 1
    /// REQUEUE_HOLD
    case held = 2
    /// SPECIAL_EXIT
    case specialExit = 3
}
