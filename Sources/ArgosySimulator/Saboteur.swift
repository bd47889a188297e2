/// Deliberate bugs, each at the boundary between core or ledger and the world, where a shell could have it. The code under
/// test has no switch for them; the simulation must notice every one.
public enum Saboteur: String, CaseIterable, Sendable {
    /// Answers leave before what they promise is durable.
    case replyBeforeCommit
    /// Orders leave before the placement is durable.
    case effectsBeforeCommit
    /// Nodes' reports are acknowledged before they are durable.
    case acknowledgeBeforeCommit
    /// The end of the batch script is taken for an empty cgroup.
    case coresReturnedEarly
    /// Reports count for the current attempt, whichever they are of.
    case attemptIgnored
    /// Reports and broken links of an earlier registration count as the present one's.
    case incarnationIgnored
    /// What is ordered again at a registration gets lost.
    case resentOrdersDropped
    /// Nodes keep no record of orders they took.
    case duplicateOrdersExecuted
    /// A failed commit is answered with errors, but the core goes on.
    case commitFailureIgnored
    /// The id high-water mark is not read at a start.
    case highWaterMarkForgotten
    /// Nodes obey orders of an earlier controller or registration.
    case staleOrdersObeyed
    /// Attempts that nobody knows are not told to end.
    case terminateForgotten
    /// Nodes register as if they had nothing.
    case heldAttemptsConcealed
    /// Tokens of submissions are not read at a start.
    case tokensForgotten
    /// Nodes forget reports once sent.
    case reportsNotRepeated
}
