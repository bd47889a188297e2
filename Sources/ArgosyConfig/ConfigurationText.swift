/// The text of one configuration file, as the loader read it.
public struct ConfigurationText: Sendable, Equatable {
    /// Shown in diagnostics: the path as the administrator knows it.
    public var file: String
    public var text: String
    public init(file: String, text: String) {
        self.file = file
        self.text = text
    }
}

/// Something to tell the administrator about a line of the configuration.
///
/// A warning leaves a usable configuration; with an error a daemon must not start and a command must not guess.
public struct Diagnostic: Sendable, Equatable, CustomStringConvertible {
    public enum Severity: String, Sendable { case warning, error }
    public var file: String
    /// From 1; 0 when the whole file is meant.
    public var line: Int
    public var severity: Severity
    public var message: String
    public init(file: String, line: Int, severity: Severity, message: String) {
        self.file = file
        self.line = line
        self.severity = severity
        self.message = message
    }
    /// `file:line: error: message`
    public var description: String {
        "\(file)\(line > 0 ? ":\(line)" : ""): \(severity.rawValue): \(message)"
    }
}

/// What came of reading a configuration: always a value, with all that was wrong with it.
public struct ParsedConfiguration: Sendable {
    public var configuration: ClusterConfiguration
    /// In the order of the lines.
    public var diagnostics: [Diagnostic]
    public init(configuration: ClusterConfiguration, diagnostics: [Diagnostic] = []) {
        self.configuration = configuration
        self.diagnostics = diagnostics
    }
    public var errors: [Diagnostic] { diagnostics.filter { $0.severity == .error } }
    public var warnings: [Diagnostic] { diagnostics.filter { $0.severity == .warning } }
}
