internal import ArgosyCore
internal import ArgosyDomain

extension JobRow {
    /// The state as listings show it: Slurm has flags beside its states that hide them.
    var shownState: String {
        if state == .pending, requeueMark == .specialExit { return "SPECIAL_EXIT" }
        if state == .running, isConfiguring { return "CONFIGURING" }
        return state.name
    }
}
