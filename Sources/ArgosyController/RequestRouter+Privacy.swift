// PrivateData: what is kept from everybody but operators. Jobs and their records are shown to their owners only, nodes to
// nobody, usage without that of other users.
internal import ArgosyCore
internal import ArgosyDomain
internal import ArgosyWire

extension RequestRouter {
    /// Whether this caller may not see what others' `what` is.
    func isPrivate(_ what: String, for caller: Caller) -> Bool {
        !caller.isOperator && parts.configuration.now.has(what, in: "PrivateData")
    }

    func visible(_ list: WireJobList, to caller: Caller) -> WireJobList {
        guard isPrivate("jobs", for: caller) else { return list }
        var own = list
        own.jobs.removeAll { $0.spec.identity.uid != caller.uid }
        return own
    }

    func visible(_ list: WireShareList, to caller: Caller) -> WireShareList {
        guard isPrivate("usage", for: caller) else { return list }
        var own = list
        own.shares.removeAll { !$0.user.isEmpty && $0.user != list.user }
        return own
    }

    func checkNodesAreVisible(to caller: Caller) throws(Refusal) {
        guard isPrivate("nodes", for: caller) else { return }
        throw Refusal(
            .accessDenied, "Access/permission denied", detail: "PrivateData=nodes keeps them to operators")
    }
}
