// Jobs that somebody sits in front of: salloc ends them itself, sattach looks at their steps.
import ArgosyDomain

extension ControllerCore {
    /// Where a running step's nodes are, for somebody who wants its stdio beside its own srun.
    mutating func attach(to id: JobID, _ step: StepID, by caller: Caller, reply handle: ReplyHandle) {
        guard let record = record(id), let spec = tables.specs[id.rawValue] else {
            refuse(handle, Refusals.invalidJob(id))
            return
        }
        if let refusal = accessRefusal(spec, caller) {
            refuse(handle, refusal)
            return
        }
        guard let row = tables.steps[id.rawValue]?.first(where: { $0.step == step }), row.key == record.key else {
            refuse(
                handle,
                Refusal(.invalidJobID, "Invalid job id specified", detail: "job \(id) has no step \(step.rawValue)"))
            return
        }
        guard !row.state.isEnded else {
            refuse(handle, Refusals.alreadyEnded(id))
            return
        }
        reply(
            handle,
            .stepCreated(id, record.attempt, step, layout: row.layout, firstRanks: row.firstRanks))
    }

    /// The command in an interactive allocation has ended with `exit`: so has the job.
    mutating func finishInteractive(_ id: JobID, _ exit: ExitStatus, by caller: Caller, reply handle: ReplyHandle) {
        guard let record = record(id), let spec = tables.specs[id.rawValue] else {
            refuse(handle, Refusals.invalidJob(id))
            return
        }
        if let refusal = accessRefusal(spec, caller) {
            refuse(handle, refusal)
            return
        }
        guard !record.isBatch, record.state == .running || record.state == .suspended else {
            refuse(handle, record.state == .pending ? Refusals.pending(id) : Refusals.alreadyEnded(id))
            return
        }
        let (state, reason) = endingState(of: record, exit: exit)
        change(id) { $0.exit = state == .outOfMemory ? .outOfMemory : exit }
        complete(id, as: state, reason, "", grace: configuration.killWait)
        for component in components(of: id.rawValue) where component != id {
            guard let part = self.record(component), part.state == .running || part.state == .suspended else { continue }
            change(component) { $0.exit = exit }
            complete(component, as: state, reason, "", grace: configuration.killWait)
        }
        reply(handle, .done)
    }
}
