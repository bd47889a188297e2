// Programs of the site that the controller runs for jobs: PrologSlurmctld, EpilogSlurmctld, the mailer. Each on a thread of a
// small pool; no more than `limit` wait at a time, mail beyond that is dropped.
internal import ArgosyCore
internal import ArgosyDomain
internal import ArgosySystem
internal import Glibc
internal import Logging
internal import NIOPosix
internal import Synchronization

final class SitePrograms: Sendable {
    private static let limit = 1000
    private let life: LifeSettings
    private let cluster: String
    private let configurationFile: String
    private let pool: NIOThreadPool
    private let inbox: Mailbox<Input>
    private let logger: Logger
    private let waiting = Atomic<Int>(0)

    init(
        life: LifeSettings, cluster: String, configurationFile: String, pool: NIOThreadPool, inbox: Mailbox<Input>,
        logger: Logger
    ) {
        self.life = life
        self.cluster = cluster
        self.configurationFile = configurationFile
        self.pool = pool
        self.inbox = inbox
        self.logger = logger
    }

    func run(_ program: JobProgram) {
        let path = program.kind == .prolog ? life.prologSlurmctld : life.epilogSlurmctld
        let context = program.kind == .prolog ? "prolog_slurmctld" : "epilog_slurmctld"
        var environment = JobProgram.environment(of: program.row, cluster)
        environment += ["SLURM_SCRIPT_CONTEXT=\(context)"] + common
        let variables = environment
        let timeout = life.prologEpilogTimeout
        submit { [inbox, logger] in
            var failure = ""
            for file in SiteProgram.files(matching: path) where failure.isEmpty {
                failure = SiteProgram(path: file, environment: variables, timeout: timeout).run()
            }
            if !failure.isEmpty {
                logger.error("\(context) failed", metadata: ["job": "\(program.key.job)", "why": "\(failure)"])
            }
            if program.kind == .prolog { inbox.push(.event(.programEnded(program.key, failure: failure))) }
        }
    }

    func send(_ mail: MailNote) {
        guard access(life.mailProgram, X_OK) == 0 else {
            logger.debug("no mail program", metadata: ["path": "\(life.mailProgram)", "subject": "\(mail.subject)"])
            return
        }
        guard waiting.load(ordering: .relaxed) < Self.limit else {
            logger.warning("too many mails wait: dropped", metadata: ["subject": "\(mail.subject)"])
            return
        }
        let program = SiteProgram(
            path: life.mailProgram, arguments: ["-s", mail.subject, mail.user], environment: mail.environment + common,
            timeout: .seconds(60))
        submit { [logger] in
            let failure = program.run()
            if !failure.isEmpty { logger.warning("mail was not sent", metadata: ["why": "\(failure)"]) }
        }
    }

    private var common: [String] {
        let conf = configurationFile.isEmpty ? [] : ["SLURM_CONF=\(configurationFile)"]
        return ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"] + conf
    }

    private func submit(_ body: @escaping @Sendable () -> Void) {
        waiting.add(1, ordering: .relaxed)
        pool.submit { [self] state in
            waiting.subtract(1, ordering: .relaxed)
            if case .active = state { body() }
        }
    }
}
