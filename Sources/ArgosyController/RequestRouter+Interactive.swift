// Requests of salloc and sattach.
internal import ArgosyCore
internal import ArgosyDomain
internal import ArgosyLink
internal import ArgosyWire

extension RequestRouter {
    func attachStep(_ request: WireAttachStep, _ caller: Caller, _ slot: ReplySlot) {
        let job = caller.relayedFor?.job.rawValue ?? request.job
        // Inside a job its own steps are all there is to see.
        guard job == request.job || request.job == 0 else {
            return refuse(
                slot,
                Refusal(
                    .accessDenied, "Access/permission denied",
                    detail: "inside job \(job) only its own steps can be attached to"))
        }
        send(slot) { .stepAttachRequested(JobID(job), StepID(request.step), by: caller, reply: $0) }
    }

    func finishJob(_ request: WireFinishJob, _ caller: Caller, _ slot: ReplySlot) {
        let exit = ExitStatus(code: request.exit.code, signal: request.exit.signal)
        send(slot) { .interactiveJobFinished(JobID(request.job), exit, by: caller, reply: $0) }
    }
}
