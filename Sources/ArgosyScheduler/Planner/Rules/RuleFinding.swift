// Why a job waits: one rule, one file, one reason. A rule looks at a job, its class and the cluster as the pass has left
// it, and answers with Slurm's word and a sentence with the numbers.
//
// Rules about the class are asked once for all its jobs, rules about the job for each. All that hold are told; the main
// reason is the first in the order below, which is that in which Slurm looks.
import ArgosyDomain

/// What a rule says of a job it holds.
struct RuleFinding: Hashable {
    var reason: PendingReason
    /// A clause without a full stop; several are joined by semicolons.
    var sentence: String
}

/// A rule about one job. Cheap: it is asked for every waiting job.
protocol JobRule: SendableMetatype {
    static func finding(_ job: PlanningSnapshot.Job, _ context: RuleContext) -> RuleFinding?
}

/// A rule about all jobs of a class.
protocol ClassRule: SendableMetatype {
    static func finding(_ planClass: PlanClass, _ context: RuleContext) -> RuleFinding?
}

/// What rules look at.
struct RuleContext {
    let cluster: Cluster
    var snapshot: PlanningSnapshot { cluster.snapshot }
    var tallies: NodeTallies

    func shape(_ planClass: PlanClass) -> Shape { snapshot.shapes[planClass.shape] }
}

enum Rules {
    /// In the order of precedence; limits of accounts come between these and those of the class.
    static let ofJobs: [any JobRule.Type] = [
        HeldRule.self, DependencyRule.self, ArrayLimitRule.self, BeginTimeRule.self, DeadlineRule.self,
    ]
    /// In the order of precedence.
    static let ofClasses: [any ClassRule.Type] = [
        PartitionStateRule.self, PartitionTimeRule.self, PartitionNodesRule.self, NeverRule.self,
        UnavailableNodesRule.self, ReservationRule.self, LicensesRule.self,
    ]
}

extension Int {
    /// "1 node", "3 nodes".
    func counted(_ singular: String, _ plural: String? = nil) -> String {
        "\(self) \(self == 1 ? singular : plural ?? singular + "s")"
    }
}
