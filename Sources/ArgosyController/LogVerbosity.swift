// How much the controller logs, for all its loggers at once: `scontrol setdebug` changes it while they are in use.
public import Logging
internal import Synchronization

public final class LogVerbosity: Sendable {
    private struct State {
        var level: Logger.Level
        var name: String
    }
    private let state: Mutex<State>

    /// `name`: the level in Slurm's words, as `show config` prints it.
    public init(_ level: Logger.Level, named name: String) { state = Mutex(State(level: level, name: name)) }

    public var level: Logger.Level { state.withLock { $0.level } }
    public var name: String { state.withLock { $0.name } }

    public func set(_ level: Logger.Level, named name: String) {
        state.withLock { $0 = State(level: level, name: name) }
    }

    /// Slurm has ten levels where there are seven here; nil for a word that is none of them.
    public static func level(ofSlurm name: String) -> Logger.Level? {
        switch name.lowercased() {
        case "quiet", "fatal": .critical
        case "error": .error
        case "info", "verbose": .info
        case "debug": .debug
        case "debug2", "debug3", "debug4", "debug5": .trace
        default: nil
        }
    }
}

/// Writes to standard error what the shared level lets through.
public struct SharedLevelLogHandler: LogHandler {
    private let verbosity: LogVerbosity
    private var stream: StreamLogHandler

    public init(label: String, _ verbosity: LogVerbosity) {
        self.verbosity = verbosity
        stream = StreamLogHandler.standardError(label: label)
        stream.logLevel = .trace
    }

    /// The shared one: setting it does nothing, `LogVerbosity.set` does.
    public var logLevel: Logger.Level {
        get { verbosity.level }
        // swift-log asks for a setter; one logger alone does not change what all share.
        set { _ = newValue }
    }
    public var metadata: Logger.Metadata {
        get { stream.metadata }
        set { stream.metadata = newValue }
    }
    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { stream[metadataKey: key] }
        set { stream[metadataKey: key] = newValue }
    }
    public func log(event: LogEvent) { stream.log(event: event) }
}
