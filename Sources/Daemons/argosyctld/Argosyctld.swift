import ArgosyConfig
import ArgosyController
import ArgosyStore
import ArgosySystem
import ArgumentParser
import Glibc
import Logging

@main
struct Argosyctld: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "argosyctld", abstract: "The controller of an Argosy cluster.",
        discussion: "Logs to standard error. SIGTERM ends it; jobs go on, and are found again at the next start.")

    @Flag(name: .customShort("D"), help: "Stay in the foreground.")
    var foreground = false

    @Option(name: .customShort("f"), help: "The configuration file (default: ARGOSY_CONF, SLURM_CONF, /etc).")
    var file: String?

    @Flag(name: .customShort("c"), help: "Forget all stored jobs and node states first.")
    var clear = false

    @Flag(name: .customShort("V"), help: "Print the version and exit.")
    var version = false

    @Flag(name: .customShort("v"), help: "Log more; twice for all.")
    var verbosity: Int

    func run() throws {
        if version { return print("argosyctld \(Controller.version)") }
        let parsed = try usable(file)
        if !foreground { try detach(parsed.configuration) }
        let verbosity = chosenVerbosity(parsed.configuration)
        let logger = makeLogger(verbosity)
        for warning in parsed.warnings { logger.warning("\(warning)") }
        raiseLimits()
        let signals = blockSignals()
        do {
            let controller = try start(parsed.configuration, logger, verbosity)
            let signal = wait(for: signals, hangUp: { controller.reconfigure() })
            logger.notice("stopping", metadata: ["signal": "\(signal)"])
            controller.stop()
        } catch {
            logger.critical("argosyctld cannot start: \(error)")
            throw ExitCode.failure
        }
    }

    private func start(
        _ configuration: ClusterConfiguration, _ logger: Logger, _ verbosity: LogVerbosity
    ) throws -> Controller {
        var storage = SQLiteStore.Options()
        storage.clear = clear
        let store = try SQLiteStore(directory: configuration.stateSaveLocation, options: storage)
        makeDirectory(of: configuration.socketPath)
        var options = ControllerOptions()
        let path = file
        options.verbosity = verbosity
        options.readConfiguration = { try ConfigurationFile.parse(path) }
        // As in Slurm: listen on SlurmctldHost's address alone.
        let parameters = configuration.entries.last { $0.key.lowercased() == "communicationparameters" }?.value ?? ""
        if parameters.lowercased().split(separator: ",").contains("noctldinaddrany"),
            let own = configuration.controllers.first
        {
            options.host = own.address
        }
        return try Controller(configuration, store: store, options: options, logger: logger) { why in
            logger.critical("ending", metadata: ["why": "\(why)"])
            kill(getpid(), SIGTERM)
        }
    }

    private func usable(_ file: String?) throws -> ParsedConfiguration {
        do { return try ConfigurationFile.load(file) } catch {
            fail("\(error)")
            throw ExitCode.failure
        }
    }

    private func fail(_ text: String) {
        let line = Array("argosyctld: fatal: \(text)\n".utf8)
        _ = write(2, line, line.count)
    }

    /// What -v says, else SlurmctldDebug.
    private func chosenVerbosity(_ configuration: ClusterConfiguration) -> LogVerbosity {
        let names = ["info", "debug", "debug2"]
        var name = names[min(verbosity, 2)]
        if verbosity == 0,
            let entry = configuration.entries.last(where: { $0.key.lowercased() == "slurmctlddebug" })
        {
            let numbers = [
                "quiet", "fatal", "error", "info", "verbose", "debug", "debug2", "debug3", "debug4", "debug5",
            ]
            name = Int(entry.value).flatMap { numbers.indices.contains($0) ? numbers[$0] : nil } ?? entry.value
        }
        return LogVerbosity(LogVerbosity.level(ofSlurm: name) ?? .info, named: name.lowercased())
    }

    private func makeLogger(_ verbosity: LogVerbosity) -> Logger {
        LoggingSystem.bootstrap { SharedLevelLogHandler(label: $0, verbosity) }
        return Logger(label: "argosyctld")
    }

    /// Before any thread is made. Logs to SlurmctldLogFile from then on, if there is one.
    private func detach(_ configuration: ClusterConfiguration) throws {
        guard daemon(1, 1) == 0 else {
            fail("cannot go to the background: \(String(cString: strerror(errno)))")
            throw ExitCode.failure
        }
        let entry = configuration.entries.last { $0.key.lowercased() == "slurmctldlogfile" }
        let descriptor = open(entry?.value ?? "/dev/null", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o640)
        if descriptor >= 0 { dup2(descriptor, 2) }
    }

    private func makeDirectory(of socket: String) {
        guard let slash = socket.lastIndex(of: "/"), slash > socket.startIndex else { return }
        mkdir(String(socket[..<slash]), 0o755)
    }

    /// Each connection is a descriptor; the soft limit of 1024 is for programs that use select(2).
    private func raiseLimits() {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }

    /// Blocked in all threads to come, so that only `wait` sees them.
    private func blockSignals() -> sigset_t {
        signal(SIGPIPE, SIG_IGN)
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGTERM)
        sigaddset(&signals, SIGINT)
        sigaddset(&signals, SIGHUP)
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        return signals
    }

    private func wait(for signals: sigset_t, hangUp: () -> Void) -> Int32 {
        var signals = signals
        var received: Int32 = 0
        while true {
            guard sigwait(&signals, &received) == 0 else { continue }
            guard received == SIGHUP else { return received }
            hangUp()
        }
    }
}
