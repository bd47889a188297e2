// Programs that run when something happens to a job, a node or the controller (strigger).

/// What a trigger is about. Raw values are stored: never renumber.
public enum TriggerResource: UInt32, CaseIterable, Sendable {
    case job = 1, node, slurmctld, slurmdbd, database, frontEnd, other
    /// As strigger shows it.
    public var name: String {
        switch self {
        case .job: "job"
        case .node: "node"
        case .slurmctld: "slurmctld"
        case .slurmdbd: "slurmdbd"
        case .database: "database"
        case .frontEnd: "front_end"
        case .other: "other"
        }
    }
}

/// What must happen. Raw values are stored: never renumber.
public enum TriggerKind: UInt32, CaseIterable, Sendable {
    case up = 1, down, drained, fail, idle, time, fini, reconfig, burstBuffer
    case primaryFailure, primaryResumedOperation, primaryResumedControl, primaryAccountingFull
    case backupFailure, backupResumedOperation, backupAssumedControl
    case dbdFailure, dbdResumedOperation, databaseFailure, databaseResumedOperation
    /// As strigger shows it.
    public var name: String {
        switch self {
        case .up: "up"
        case .down: "down"
        case .drained: "drained"
        case .fail: "fail"
        case .idle: "idle"
        case .time: "time"
        case .fini: "fini"
        case .reconfig: "reconfig"
        case .burstBuffer: "burst_buffer"
        case .primaryFailure: "primary_slurmctld_failure"
        case .primaryResumedOperation: "primary_slurmctld_resumed_operation"
        case .primaryResumedControl: "primary_slurmctld_resumed_control"
        case .primaryAccountingFull: "primary_slurmctld_acct_buffer_full"
        case .backupFailure: "backup_slurmctld_failure"
        case .backupResumedOperation: "backup_slurmctld_resumed_operation"
        case .backupAssumedControl: "backup_slurmctld_assumed_control"
        case .dbdFailure: "primary_slurmdbd_failure"
        case .dbdResumedOperation: "primary_slurmdbd_resumed_operation"
        case .databaseFailure: "primary_database_failure"
        case .databaseResumedOperation: "primary_database_resumed_operation"
        }
    }
}

public struct Trigger: Hashable, Sendable {
    public var id: UInt32
    public var resource: TriggerResource
    public var kind: TriggerKind
    /// A job's number, a hostlist, or "*" for all there are.
    public var name: String
    /// Seconds after (or, of a time limit, before) the event.
    public var offset: Int32
    public var uid: UInt32
    public var gid: UInt32
    public var user: String
    public var isPermanent: Bool
    public var program: String
    /// What it is to be run for, and when.
    public var due: [Due] = []
    /// What it was run for, while that still holds: a node that stays idle is told once.
    public var fired: [String] = []
    public struct Due: Hashable, Sendable {
        public var name: String
        public var time: Timestamp
        public init(name: String, time: Timestamp) {
            self.name = name
            self.time = time
        }
    }
    public init(
        id: UInt32 = 0, resource: TriggerResource, kind: TriggerKind, name: String, offset: Int32 = 0, uid: UInt32,
        gid: UInt32, user: String, isPermanent: Bool = false, program: String
    ) {
        self.id = id
        self.resource = resource
        self.kind = kind
        self.name = name
        self.offset = offset
        self.uid = uid
        self.gid = gid
        self.user = user
        self.isPermanent = isPermanent
        self.program = program
    }
}
