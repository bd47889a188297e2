// `scontrol reconfigure` and SIGHUP: reads the configuration again and hands it to everybody, the core last of those who
// answer and first of those who may speak of new nodes.
internal import ArgosyConfig
internal import ArgosyDomain
internal import ArgosyStore
internal import Logging
internal import Synchronization

final class ConfigurationDesk: Sendable {
    private let live: LiveConfiguration
    private let read: (@Sendable () throws -> ParsedConfiguration)?
    private let desk: NodeDesk
    private let inbox: Mailbox<Input>
    private let logger: Logger
    /// One at a time.
    private let busy = Atomic<Bool>(false)

    init(
        live: LiveConfiguration, read: (@Sendable () throws -> ParsedConfiguration)?, desk: NodeDesk,
        inbox: Mailbox<Input>, logger: Logger
    ) {
        self.live = live
        self.read = read
        self.desk = desk
        self.inbox = inbox
        self.logger = logger
    }

    /// Blocks while files are read; `done` is told what to tell the administrator once the core goes by them, or why
    /// everything is as it was.
    func reconfigure(_ done: @escaping @Sendable (Result<[String], Refusal>) -> Void) {
        guard !busy.exchange(true, ordering: .acquiringAndReleasing) else {
            return done(.failure(Refusal(.busy, "The configuration is being read already")))
        }
        do throws(Refusal) {
            let (configuration, notes) = try next()
            let before = live.now
            live.set(configuration)
            inbox.push(
                .reconfigured(configuration) { [self] error in
                    if error == nil { desk.adopt(configuration) } else { live.set(before) }
                    finish(error, notes, done)
                })
        } catch { fail(error, done) }
    }

    private func next() throws(Refusal) -> (configuration: ClusterConfiguration, notes: [String]) {
        guard let read else {
            throw Refusal(.notSupported, "Requested operation not supported", detail: "there is no file to read again")
        }
        let parsed: ParsedConfiguration
        do { parsed = try read() } catch { throw Self.unusable("\(error)") }
        guard parsed.errors.isEmpty else {
            throw Self.unusable(parsed.errors.map(\.description).joined(separator: "\n"))
        }
        for warning in parsed.warnings { logger.warning("\(warning)") }
        return parsed.configuration.following(live.now)
    }

    private static func unusable(_ why: String) -> Refusal {
        Refusal(.malformed, "Invalid configuration; the one before stays", detail: why)
    }

    private func finish(
        _ error: StoreError?, _ notes: [String], _ done: @Sendable (Result<[String], Refusal>) -> Void
    ) {
        if let error { return fail(ReplyTable.refusal(error), done) }
        busy.store(false, ordering: .releasing)
        for note in notes { logger.warning("\(note)") }
        logger.notice("goes by the configuration as it is now", metadata: ["file": "\(live.file)"])
        done(.success(notes))
    }

    private func fail(_ refusal: Refusal, _ done: @Sendable (Result<[String], Refusal>) -> Void) {
        busy.store(false, ordering: .releasing)
        logger.error("the configuration stays as it was", metadata: ["why": "\(refusal.message): \(refusal.detail)"])
        done(.failure(refusal))
    }
}
