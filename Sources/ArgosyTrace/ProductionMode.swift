/// The simulator's production mode: the real configuration on a virtual clock.
public enum ProductionMode {
    /// What a run of it needs, as the command line says it.
    public struct Request: Sendable {
        public var trace: String
        public var configurations: [String]
        public var processors: Int32?
        public var limit: Int?
        public var estimate: Workload.Estimate
        public var schedule: String?
        public var seed: UInt64

        public init(
            trace: String, configurations: [String], processors: Int32?, limit: Int?, estimate: Workload.Estimate,
            schedule: String?, seed: UInt64
        ) {
            self.trace = trace
            self.configurations = configurations
            self.processors = processors
            self.limit = limit
            self.estimate = estimate
            self.schedule = schedule
            self.seed = seed
        }
    }

    /// - Throws: `unusable`: this release has reference mode only.
    public static func run(_ request: Request) throws(TraceError) -> SimulationReport {
        throw TraceError(
            .unusable, "production mode (no --policy) is not in this release; give --policy, for example --policy easy")
    }
}
