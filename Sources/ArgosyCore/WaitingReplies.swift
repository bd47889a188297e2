import ArgosyDomain

/// Who waits for what, in the order of asking. Lives in memory only.
struct WaitingReplies: Sendable {
    struct StepWaiter: Sendable {
        var reply: ReplyHandle
        var request: StepRequest
    }
    /// The connection that keeps an interactive job alive; it also gets the `allocated` answer.
    struct Owner: Sendable {
        var reply: ReplyHandle
        var job: JobID
        var isAnswered: Bool
    }
    var owners: [Owner] = []
    var ends: [(reply: ReplyHandle, job: JobID)] = []
    var steps: [StepWaiter] = []
    /// Jobs that ended in this turn and may be somebody's wait, in order.
    var finished: [JobID] = []
}
