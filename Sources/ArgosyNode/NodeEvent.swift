internal import ArgosyDomain
internal import ArgosyLink
internal import ArgosySystem
internal import ArgosyWire

/// What reaches the daemon's thread from others.
enum NodeEvent: Sendable {
    case link(NodeLinkEvent)
    case prepared(AttemptID, Result<Preparation.Outcome, Preparation.Failure>)
    /// Nothing runs in the attempt's cgroup any more.
    case emptied(AttemptID, Usage)
    case stepCleaned(AttemptID, StepID, Usage)
    case ioConnection(IOPort.Client)
    /// Its processes outlived UnkillableStepTimeout.
    case unkillable(AttemptID)
    /// `failure` is empty when the epilog succeeded.
    case epilogEnded(AttemptID, failure: String)
    case healthChecked(failure: String)
    case stop
}

/// The controller as the daemon sees it: `NodeLinkClient`, or a script in tests.
protocol ControllerLink: Sendable {
    /// False: not connected; what must arrive is sent again after the next welcome.
    @discardableResult func send(_ frame: WireNodeToController) -> Bool
    func start()
    func stop()
    /// The controller turned out not to be the one to obey.
    func reconnect()
}

extension NodeLinkClient: ControllerLink {}
