internal import ArgosyDomain
internal import ArgosyStep
internal import ArgosySystem
internal import ArgosyWire
internal import Logging

// Connections of srun, on their way to the step they name.
extension NodeDaemon {
    /// Hands the socket to the step, or keeps it until the step is there: srun and the controller's order race.
    func route(_ client: IOPort.Client, until deadline: Duration) {
        guard let attempt = attempts[client.id], attempt.phase == .ready || attempt.phase == .preparing else {
            return client.refuse("job \(client.id.job) is not running on node \(context.node)")
        }
        guard client.uid == 0 || client.uid == attempt.uid else {
            logger.warning(
                "stdio of another's job refused", metadata: ["attempt": "\(client.id)", "uid": "\(client.uid)"])
            return client.refuse("job \(client.id.job) is not yours")
        }
        guard let step = attempt.steps[client.step] else {
            guard !attempt.endedSteps.contains(client.step) else {
                return client.refuse("step \(client.id.job).\(client.step) has ended on node \(context.node)")
            }
            if waitingClients.count < 256 { waitingClients.append(WaitingClient(client: client, until: deadline)) }
            return
        }
        switch step.phase {
        case .running where step.socket >= 0: hand(client.socket, toStepAt: step.socket, client.id, client.step)
        case .running: attempts[client.id]?.steps[client.step]?.waitingClients.append(client.socket)
        case .cleaning, .ended: client.refuse("step \(client.id.job).\(client.step) has ended on node \(context.node)")
        }
    }

    func hand(_ client: Descriptor, toStepAt socket: Int32, _ id: AttemptID, _ step: StepID) {
        var message = StepMessage(.connection)
        message.job = id.job.rawValue
        message.attempt = id.attempt.rawValue
        message.step = step.rawValue
        _ = ControlSocket.send(message, to: socket, descriptor: client.raw)
    }

    /// A step appeared: those who waited for it.
    func routeWaitingClients() {
        let waiting = waitingClients
        waitingClients = []
        for entry in waiting { route(entry.client, until: entry.until) }
    }
}
