/// A time a node was not at work, or (of the cluster) had the nodes it has.
public struct NodeEvent: Hashable, Sendable {
    /// Empty: the cluster.
    public var node: String
    public var start: Timestamp
    /// Unset: still.
    public var end = Timestamp.unset
    /// `DOWN`, `DOWN*`, `DRAIN`, `DOWN+DRAIN`; of the cluster empty.
    public var state: String
    public var reason: String
    public var uid: UInt32
    /// Of the node or the cluster: `cpu=4,mem=1024M,billing=4`.
    public var tres: String
    public init(node: String, start: Timestamp, state: String, reason: String, uid: UInt32, tres: String) {
        self.node = node
        self.start = start
        self.state = state
        self.reason = reason
        self.uid = uid
        self.tres = tres
    }
}

/// A user's crontab as it was written, and the jobs made of its lines.
public struct Crontab: Hashable, Sendable {
    public var uid: UInt32
    public var text: String
    public var entries: [Entry] = []
    public struct Entry: Hashable, Sendable {
        public var job: JobID
        /// In the text, the first is 0.
        public var line: UInt32
        public init(job: JobID, line: UInt32) {
            self.job = job
            self.line = line
        }
    }
    public init(uid: UInt32, text: String) {
        self.uid = uid
        self.text = text
    }
}
