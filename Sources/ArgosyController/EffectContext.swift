internal import ArgosyCore
internal import ArgosyDomain

/// The rows that a turn's effects speak of, as they were when it was decided: an order says only which attempt it is
/// for, and by the time it is sent the core has gone on.
struct EffectContext: Sendable {
    struct StepKey: Hashable, Sendable {
        var key: AttemptKey
        var step: StepID
    }
    private(set) var jobs: [AttemptKey: JobRow] = [:]
    private(set) var steps: [StepKey: StepRow] = [:]
    /// Of heterogeneous jobs, by their leader, which comes first.
    private(set) var components: [JobID: [JobRow]] = [:]

    init(_ effects: [Effect], core: borrowing ControllerCore) {
        var view: CoreView?
        func current() -> CoreView {
            let made = view ?? core.view
            view = made
            return made
        }
        for effect in effects {
            switch effect {
            case .order(_, _, let order):
                switch order.body {
                case .prepare, .launch(.batch), .setLimit: note(order.key, current())
                case .launch(let step): note(order.key, step, current())
                case .signal, .terminate, .suspend, .resume, .notify: break
                }
            case .reply(_, .allocated(let job, let attempt, _)): note(AttemptKey(job, attempt), current())
            case .reply, .acknowledge, .administratorsChanged, .planWanted, .nodeRefused, .mail, .runProgram,
                .triggerFired:
                break
            }
        }
    }

    private mutating func note(_ key: AttemptKey, _ view: CoreView) {
        guard jobs[key] == nil, let row = view.job(key.job) else { return }
        jobs[key] = row
        guard row.hetLeader == row.id else { return }
        var parts = [row]
        // Their ids follow the leader's.
        while let part = view.job(JobID(row.id.rawValue + UInt32(parts.count))), part.hetLeader == row.id {
            parts.append(part)
        }
        components[key.job] = parts
    }

    private mutating func note(_ key: AttemptKey, _ step: StepID, _ view: CoreView) {
        note(key, view)
        steps[StepKey(key: key, step: step)] = view.steps(of: key.job).first { $0.step == step && $0.key == key }
    }

    mutating func merge(_ later: EffectContext) {
        jobs.merge(later.jobs) { $1 }
        steps.merge(later.steps) { $1 }
        components.merge(later.components) { $1 }
    }
}
