internal import ArgosyCore
internal import ArgosyDomain
internal import ArgosyLink
internal import ArgosyWire

extension RequestRouter {
    /// Answered when the core goes by what was read.
    func reconfigure(_ caller: Caller, _ slot: ReplySlot) {
        guard caller.isSuperUser else {
            return refuse(
                slot,
                Refusal(.accessDenied, "Access/permission denied", detail: "only root and SlurmUser may reconfigure"))
        }
        parts.helpers.submit { [self] state in
            guard case .active = state else { return }
            parts.changes.reconfigure { [self] result in
                switch result {
                case .failure(let refusal): refuse(slot, refusal)
                case .success(let notes):
                    var answer = WireReconfigured()
                    answer.notes = notes
                    slot.reply(WireReply(.reconfigured(answer)))
                }
            }
        }
    }
}
