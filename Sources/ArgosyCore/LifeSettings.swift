// Keys of the configuration that say how jobs live: requeueing, limits, programs of the site, mail.
public import ArgosyConfig
import ArgosyDomain

/// Read from the configuration's entries; what is not given has Slurm's default.
public struct LifeSettings: Sendable {
    /// Exit codes after which a batch job runs again, or waits in SPECIAL_EXIT.
    var requeueExit: [ClosedRange<UInt32>] = []
    var requeueExitHold: [ClosedRange<UInt32>] = []
    /// How long a requeued batch job waits; Slurm lets the credentials of the first attempt expire.
    var requeueDelay = Duration.zero
    /// What a job may run beyond its limit; nil: for ever.
    public private(set) var overTimeLimit: Duration? = .zero
    public private(set) var prologSlurmctld = ""
    public private(set) var epilogSlurmctld = ""
    public private(set) var mailProgram = "/bin/mail"
    public private(set) var mailDomain = ""
    public private(set) var prologEpilogTimeout: Duration?

    public init(_ configuration: ClusterConfiguration) {
        // A cluster without any configuration has no credentials that must expire.
        if !configuration.entries.isEmpty { requeueDelay = .seconds(121) }
        for entry in configuration.entries { read(entry.key.lowercased(), entry.value) }
    }

    private mutating func read(_ key: String, _ value: String) {
        switch key {
        case "requeueexit": requeueExit = Self.codes(value)
        case "requeueexithold": requeueExitHold = Self.codes(value)
        case "overtimelimit":
            overTimeLimit = value.uppercased() == "UNLIMITED" ? nil : UInt32(value).map { .seconds(Int64($0) * 60) } ?? .zero
        case "prologslurmctld": prologSlurmctld = Self.program(value)
        case "epilogslurmctld": epilogSlurmctld = Self.program(value)
        case "mailprog": mailProgram = value
        case "maildomain": mailDomain = value
        case "prologepilogtimeout": prologEpilogTimeout = UInt32(value).map { .seconds(Int64($0)) }
        case "authinfo":
            for part in value.lowercased().split(separator: ",") where part.hasPrefix("cred_expire=") {
                if let seconds = UInt32(part.dropFirst(12)) { requeueDelay = .seconds(Int64(seconds) + 1) }
            }
        default: break
        }
    }

    private static func program(_ text: String) -> String { text.lowercased() == "(null)" ? "" : text }

    /// "1-10,18"
    static func codes(_ text: String) -> [ClosedRange<UInt32>] {
        text.split(separator: ",").compactMap { part in
            let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { UInt32($0) }
            guard let first = ends.first ?? nil, let last = ends.last ?? nil, first <= last else { return nil }
            return first...last
        }
    }
}

extension [ClosedRange<UInt32>] {
    func has(_ code: UInt32) -> Bool { contains { $0.contains(code) } }
}
