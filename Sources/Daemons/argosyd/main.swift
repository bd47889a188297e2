import ArgosyNode
import ArgosySystem
import ArgumentParser
import Glibc
import Logging

/// The node daemon: `argosyd -D -N node1 -f /etc/argosy/argosy.conf`.
struct Argosyd: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "argosyd", abstract: "Runs jobs on this node for argosyctld.", version: "argosy 0.1.0")

    @Flag(name: .customShort("D"), help: "Stay in the foreground, log to stderr (always so; service managers want it).")
    var foreground = false
    @Option(name: .customShort("N"), help: ArgumentHelp("Serve as this node.", valueName: "nodename"))
    var node: String?
    @Option(name: .customShort("f"), help: ArgumentHelp("Configuration file.", valueName: "file"))
    var file: String?
    @Flag(name: .customShort("v"), help: "Log more; twice: still more.")
    var verbosity: Int

    func run() throws {
        var logger = Logger(label: "argosyd") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = verbosity == 0 ? .info : verbosity == 1 ? .debug : .trace
        do {
            let parsed = try ConfigurationFile.load(file)
            try NodeService.run(parsed.configuration, name: node, logger: logger)
        } catch {
            logger.critical("\(error)")
            throw ExitCode(1)
        }
    }
}

Argosyd.main()
