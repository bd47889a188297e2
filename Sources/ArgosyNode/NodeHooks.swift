internal import ArgosyConfig
internal import ArgosyDomain
internal import ArgosySystem

/// What the configuration says of a node's programs and devices.
struct NodeHooks: Sendable {
    /// Patterns, in the order given.
    var prologs: [String] = []
    var epilogs: [String] = []
    var timeout: Duration?
    var healthCheck = ""
    var healthInterval = Duration.zero
    var healthStates: [String] = ["ANY"]
    var unkillableTimeout = Duration.seconds(60)
    var unkillableProgram = ""
    var rebootProgram = ""
    /// Jobs see no device of a GRES but their own.
    var constrainsDevices = false
    var configurationFile = ""

    init() {}

    init(_ configuration: ClusterConfiguration) {
        for entry in configuration.entries { read(entry.key.lowercased(), entry.value) }
    }

    private mutating func read(_ key: String, _ value: String) {
        switch key {
        case "prolog": prologs += Self.programs(value)
        case "epilog": epilogs += Self.programs(value)
        case "prologepilogtimeout": timeout = Self.seconds(value)
        case "healthcheckprogram": healthCheck = Self.programs(value).first ?? ""
        case "healthcheckinterval": healthInterval = Self.seconds(value) ?? .zero
        case "healthchecknodestate": healthStates = value.uppercased().split(separator: ",").map(String.init)
        case "unkillablesteptimeout": unkillableTimeout = Self.seconds(value) ?? .seconds(60)
        case "unkillablestepprogram": unkillableProgram = Self.programs(value).first ?? ""
        case "rebootprogram": rebootProgram = value.lowercased() == "(null)" ? "" : value
        case "constraindevices": constrainsDevices = ["yes", "true", "1"].contains(value.lowercased())
        default: break
        }
    }

    private static func programs(_ text: String) -> [String] {
        text.isEmpty || text.lowercased() == "(null)" ? [] : [text]
    }

    private static func seconds(_ text: String) -> Duration? {
        UInt32(text.split(separator: " ").first ?? "").flatMap { $0 >= 65534 ? nil : .seconds(Int64($0)) }
    }

    /// Whether the health of a node with or without jobs is looked at now.
    func checksHealth(isBusy: Bool) -> Bool {
        healthStates.contains { state in
            switch state {
            case "ALLOC", "MIXED": isBusy
            case "IDLE", "NONDRAINED_IDLE": !isBusy
            case "START_ONLY": false
            default: true
            }
        }
    }
}
