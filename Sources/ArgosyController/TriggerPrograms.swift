// Runs programs of triggers, each as the user whose it is, without waiting for them.
internal import ArgosyDomain
internal import ArgosySystem
internal import Glibc
internal import Logging
internal import NIOPosix
internal import Synchronization

final class TriggerPrograms: Sendable {
    /// Running at once; more are refused and logged.
    private static let limit = 32
    /// Slurm's: a program that takes longer is ended.
    private static let patience = Duration.seconds(300)

    private let users: Users
    private let logger: Logger
    private let running = Atomic<Int>(0)

    init(users: Users, logger: Logger) {
        self.users = users
        self.logger = logger
    }

    func run(_ trigger: Trigger, _ argument: String) {
        guard running.add(1, ordering: .relaxed).newValue <= Self.limit else {
            running.subtract(1, ordering: .relaxed)
            return logger.error(
                "too many trigger programs run; this one is left out",
                metadata: ["trigger": "\(trigger.id)", "program": "\(trigger.program)"])
        }
        detachThread { [self] in
            perform(trigger, argument)
            running.subtract(1, ordering: .relaxed)
        }
    }

    private func perform(_ trigger: Trigger, _ argument: String) {
        do {
            let child = try Spawn.start(try spec(trigger, argument))
            let end = MachineClock.boot + Self.patience.microseconds
            while try child.poll() == nil {
                if MachineClock.boot > end { try child.signal(SIGKILL) }
                usleep(100_000)
            }
        } catch {
            logger.error(
                "cannot run a trigger's program",
                metadata: ["trigger": "\(trigger.id)", "program": "\(trigger.program)", "error": "\(error)"])
        }
    }

    /// Words of the program's text are its first arguments, as with Slurm.
    private func spec(_ trigger: Trigger, _ argument: String) throws -> ProcessSpec {
        let words = trigger.program.split(separator: " ").map(String.init)
        var spec = ProcessSpec(path: words.first ?? trigger.program, arguments: words + [argument])
        let identity = users.identity(uid: trigger.uid, gid: trigger.gid)
        spec.environment = [
            "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "SHELL=/bin/sh",
            "USER=\(identity?.user ?? trigger.user)", "LOGNAME=\(identity?.user ?? trigger.user)",
            "HOME=\(identity?.home ?? "/")",
        ]
        spec.workingDirectory = "/"
        // A controller that is not root can only be itself.
        if geteuid() == 0 {
            spec.credentials = Credentials(
                uid: trigger.uid, gid: identity?.gid ?? trigger.gid, groups: identity?.groups ?? [])
        }
        return spec
    }
}
