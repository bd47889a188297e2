// What is done outside for a job by the controller: programs of the site, and mail.
import ArgosyDomain

/// A run of a site's program on the controller's machine.
public struct JobProgram: Sendable, Equatable {
    public enum Kind: Sendable, Equatable { case prolog, epilog }
    public var kind: Kind
    public var key: AttemptKey
    /// The job as it is at that moment.
    public var row: JobRow
    public init(kind: Kind, key: AttemptKey, row: JobRow) {
        self.kind = kind
        self.key = key
        self.row = row
    }
    public static func == (a: Self, b: Self) -> Bool { a.kind == b.kind && a.key == b.key }
}

/// A mail to a job's user.
public struct MailNote: Sendable, Equatable {
    /// As `--mail-user` says, or the submitter.
    public var user: String
    public var subject: String
    /// SLURM_JOB_* of the mail program.
    public var environment: [String]
    public init(user: String, subject: String, environment: [String]) {
        self.user = user
        self.subject = subject
        self.environment = environment
    }
}
