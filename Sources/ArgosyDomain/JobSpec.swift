/// Who a job belongs to, as the controller resolved it at submission.
public struct Identity: Hashable, Sendable {
    public var uid: UInt32
    public var gid: UInt32
    /// Supplementary groups, without `gid`.
    public var groups: [UInt32]
    public var user: String
    public var group: String
    public var home: String
    public var shell: String
    public init(
        uid: UInt32, gid: UInt32, groups: [UInt32] = [], user: String, group: String, home: String = "/",
        shell: String = "/bin/sh"
    ) {
        self.uid = uid
        self.gid = gid
        self.groups = groups
        self.user = user
        self.group = group
        self.home = home
        self.shell = shell
    }
}

/// The container a job's tasks run in; one per job and node.
public struct ContainerSpec: Hashable, Sendable {
    /// As the user wrote it: `docker://`, `oci:`, `sqsh:` or `dir:`.
    public var image: String
    /// Manifest digest ("sha256:...") found at submission; empty for `dir:` and `sqsh:`.
    public var digest = ""
    /// `SRC:DST[:ro|rw]`
    public var mounts: [String] = []
    public var workdir = ""
    public var writable = false
    public var mountHome = true
    public init(image: String) { self.image = image }
}

/// Array task indices: first...last by step.
public struct IndexRange: Hashable, Sendable {
    public var first: UInt32
    public var last: UInt32
    public var step: UInt32
    public init(first: UInt32, last: UInt32, step: UInt32 = 1) {
        self.first = first
        self.last = last
        self.step = max(step, 1)
    }
}

public struct ArraySpec: Hashable, Sendable {
    /// Sorted, without overlap.
    public var indices: [IndexRange]
    /// 0: no limit.
    public var maxRunning: UInt32
    public var text: String
    public init(indices: [IndexRange], maxRunning: UInt32 = 0, text: String = "") {
        self.indices = indices
        self.maxRunning = maxRunning
        self.text = text
    }
}

public struct ResourceLimit: Hashable, Sendable {
    public var resource: UInt32
    public var soft: UInt64
    public var hard: UInt64
    public init(resource: UInt32, soft: UInt64, hard: UInt64) {
        self.resource = resource
        self.soft = soft
        self.hard = hard
    }
}

/// What a job asks for. Immutable once submitted (an update replaces it), so it is shared, never copied.
///
/// Counts of 0 and empty strings mean "not given", as on the wire; `ArgosyCore` fills in defaults at admission.
public final class JobSpec: Sendable {
    public struct Fields: Hashable, Sendable {
        public var name = ""
        public var identity: Identity
        public var account = ""
        public var qos = ""
        public var partition = ""
        public var minNodes: UInt32 = 0
        public var maxNodes: UInt32 = 0
        public var tasks: UInt32 = 0
        public var tasksPerNode: UInt32 = 0
        public var cpusPerTask: UInt32 = 0
        public var memoryPerNodeMiB: UInt64 = 0
        public var memoryPerCPUMiB: UInt64 = 0
        public var timeLimit = TimeLimit.notGiven
        public var workDirectory = "/"
        public var stdinPath = ""
        public var stdoutPath = ""
        public var stderrPath = ""
        public var appendOutput = false
        /// Hex SHA-256 of the stored script; empty: an interactive job.
        public var scriptDigest = ""
        public var environmentDigest = ""
        public var arguments: [String] = []
        public var command = ""
        public var submitHost = ""
        public var submitLine = ""
        public var comment = ""
        public var requeue = true
        public var exclusive = false
        public var hold = false
        public var nodeList = ""
        public var exclude = ""
        public var array: ArraySpec?
        public var container: ContainerSpec?
        public var begin = Timestamp.unset
        public var umask: UInt32 = 0o022
        public var limits: [ResourceLimit] = []
        public var dependency = ""
        public var nice: Int32 = 0
        public var killOnClientLoss = false
        public var resources = ResourceOptions()
        /// `--deadline`: the job must have ended by then.
        public var deadline = Timestamp.unset
        /// `--time-min`: the limit may be shortened down to this to start sooner.
        public var timeMin = TimeLimit.notGiven
        /// `--priority`; nil: computed. 0: held.
        public var priority: UInt32?
        /// `--kill-on-invalid-dep`; nil: as configured.
        public var killOnInvalidDependency: Bool?
        public var wckey = ""
        /// Session of the process that submitted it.
        public var submitSID: UInt32 = 0
        public var adminComment = ""
        /// The script gets what the user's login shell sets, under its own environment.
        public var getsUserEnvironment = false
        /// `--mail-type`, and to whom; an empty user: the submitter.
        public var mailTypes: MailTypes = []
        public var mailUser = ""
        /// `--signal`
        public var warning: WarningSignal?
        /// `--delay-boot`, minutes.
        public var delayBoot: UInt32?
        /// `--reboot`
        public var reboot = false
        /// Of a line of a crontab: when it runs, as written there; empty otherwise.
        public var cron = ""
        /// Of a heterogeneous job: components as submitted, the leader first; empty otherwise. The leader carries the others.
        public var components: [JobSpec.Fields] = []
        public init(identity: Identity) { self.identity = identity }
    }
    public let fields: Fields
    public init(_ fields: Fields) { self.fields = fields }
    public var isBatch: Bool { !fields.scriptDigest.isEmpty }
}
