public import ArgosyDomain

/// What scontrol asks for beside changes of jobs and states of nodes.
public enum ControlRequest: Hashable, Sendable {
    /// `create`: there must be none of the name yet. Settings as on a PartitionName line, in the order given.
    case setPartition(name: String, settings: [Setting], create: Bool)
    /// No job may use it.
    case deletePartition(name: String)
    case setNodes([NodeIndex], NodeSettings)
    /// The jobs, in this order, before all others of the same user, account, partition and QOS.
    case moveToTop([JobSelection.Item])
    /// Nil: all steps of the job.
    case stepLimit(JobID, StepID?, JobChanges.LimitChange)

    public struct Setting: Hashable, Sendable {
        public var key: String
        public var value: String
        public init(key: String, value: String) {
            self.key = key
            self.value = value
        }
    }
}

/// What can be changed of a node until the controller starts again. Nil: as it was.
public struct NodeSettings: Hashable, Sendable {
    public var weight: UInt32?
    public var features: [String]?
    public var activeFeatures: [String]?
    public var gres: String?
    public var comment: String?
    public var extra: String?
    public var address: String?
    public var hostname: String?
    /// Without a change of state.
    public var reason: String?
    public init() {}
}
