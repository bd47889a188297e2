// A job's relay: what srun and the other commands talk to inside a job, on the host or in its container.
//
// One unprivileged process a job and node, in the job's own cgroup, started by argosyd when somebody first connects. It
// says who asks by being who it is: argosyd knows which relay belongs to which job, and nothing that is said here can
// change that. Plain requests go up and their replies come back; a step's stdio goes from here straight to the nodes.
internal import ArgosyClient
internal import ArgosyDomain
internal import ArgosySystem
internal import ArgosyTransport
internal import ArgosyWire
internal import Glibc
internal import Synchronization

/// The mode `argosystepd relay JOB ATTEMPT CGROUP MUNGE-SOCKET`: descriptor 3 listens, 4 leads to argosyd.
public enum RelayMain {
    private static let listener: Int32 = 3
    private static let upstream: Int32 = 4

    public static func run(arguments: [String]) -> Int32 {
        guard arguments.count == 4, let job = UInt32(arguments[0]), let attempt = UInt32(arguments[1]) else {
            return 64
        }
        signal(SIGPIPE, SIG_IGN)
        // The job is told to end by SIGTERM; its last requests still want an answer. SIGKILL ends the relay.
        signal(SIGTERM, SIG_IGN)
        let relay = Relay(
            job: job, attempt: attempt, peer: RelayPeer(uid: getuid(), cgroup: arguments[2]),
            munge: Munge(socket: arguments[3]), upstream: RelayUpstream(socket: upstream))
        _ = fcntl(listener, F_SETFL, fcntl(listener, F_GETFL) | O_NONBLOCK)
        let relayUpstream = relay.upstream
        detachThread {
            relayUpstream.run()
            relay.upstreamEnded.withLock { $0 = true }
        }
        while !relay.upstreamEnded.withLock({ $0 }) { relay.acceptOne(listener) }
        // A new argosyd listens anew; what is under way here goes on.
        close(listener)
        while relay.sessions.withLock({ $0 }) > 0 { usleep(100_000) }
        return 0
    }
}

/// What the relay's threads share.
private final class Relay: Sendable {
    let job: UInt32
    let attempt: UInt32
    let peer: RelayPeer
    let munge: Munge
    let upstream: RelayUpstream
    let sessions = Mutex(0)
    let upstreamEnded = Mutex(false)
    /// One job's own sruns; more wait in the socket's queue.
    private static let mostSessions = 512

    init(job: UInt32, attempt: UInt32, peer: RelayPeer, munge: Munge, upstream: RelayUpstream) {
        self.job = job
        self.attempt = attempt
        self.peer = peer
        self.munge = munge
        self.upstream = upstream
    }

    func acceptOne(_ listener: Int32) {
        var entry = pollfd(fd: listener, events: Int16(POLLIN), revents: 0)
        guard poll(&entry, 1, 200) > 0 else { return }
        guard sessions.withLock({ $0 < Self.mostSessions }) else {
            usleep(20_000)
            return
        }
        let socket = accept(listener, nil, nil)
        guard socket >= 0 else { return }
        _ = fcntl(socket, F_SETFD, FD_CLOEXEC)
        sessions.withLock { $0 += 1 }
        detachThread { [self] in
            serve(Connection(adopting: socket))
            sessions.withLock { $0 -= 1 }
        }
    }

    private func serve(_ connection: Connection) {
        if let why = peer.objection(to: connection.descriptor) {
            complain("relay of job \(job): connection refused: \(why)")
            return
        }
        do {
            while let body = try connection.receive(limit: Frame.commandLimit) {
                let call = try WireRelayCall(serializedBytes: body)
                let request = Array(call.request)
                switch try WireRequest(serializedBytes: request).body {
                case .createStep, .attachStep: return try runStep(request, connection)
                default: break
                }
                try connection.send(ask(request, for: connection))
            }
        } catch {
            complain("relay of job \(job): \(error)")
        }
    }

    /// The controller's reply, or a refusal in its place.
    private func ask(_ request: [UInt8], for connection: Connection) throws -> [UInt8] {
        func isThere() -> Bool {
            var entry = pollfd(fd: connection.descriptor, events: 0, revents: 0)
            return poll(&entry, 1, 0) == 0
        }
        do { return try upstream.call(request, while: isThere) } catch {
            var reply = WireReply()
            reply.version = 1
            reply.refusal = Self.lost
            return try reply.serializedBytes()
        }
    }

    private static var lost: WireRefusal {
        WireRefusal(
            Refusal(
                .busy, "Unable to contact slurm controller (connect failure)",
                detail: "the node's argosyd was restarted before it answered; try again"))
    }

    // MARK: steps

    private func runStep(_ request: [UInt8], _ connection: Connection) throws {
        let reply = try WireReply(serializedBytes: try ask(request, for: connection))
        let client = FrameStream(connection)
        guard case .stepCreated(let created)? = reply.body else {
            var refused = WireIOFrame()
            refused.refused = reply.refusal
            try client.send(refused.serializedBytes())
            return try flush(client)
        }
        var first = WireIOFrame()
        first.created = created
        try client.send(first.serializedBytes())
        try pump(client, created, try StepSession.direct(created, munge: munge))
    }

    private func pump(_ client: FrameStream, _ created: WireStepCreated, _ session: StepSession) throws {
        defer { session.close() }
        while !session.isFinished {
            session.isReading = client.hasRoom
            let watch = StepSession.Watch(
                descriptor: client.descriptor, events: client.interest(reading: session.hasRoom))
            let events = try session.pump(also: [watch], timeout: nil) { event in
                switch event {
                case .frame(let frame, _): try client.send(frame.serializedBytes())
                case .lost(let node, let why): try Self.tellLoss(client, created.layout.nodes[node].name, why)
                }
            }
            let ready = events.first ?? 0
            if ready & Int16(POLLOUT) != 0 { try client.flush() }
            guard ready & Int16(POLLIN | POLLHUP | POLLERR) != 0 else { continue }
            for body in try client.receive() { try session.send(try WireIOFrame(serializedBytes: body)) }
            // srun is gone: so are its connections, which ends the step.
            if client.ended { return }
        }
        try flush(client)
    }

    /// In place of what the node would have said.
    private static func tellLoss(_ client: FrameStream, _ node: String, _ why: String) throws {
        var failure = WireIOFrame()
        failure.failure.message = why
        failure.failure.node = node
        try client.send(failure.serializedBytes())
        var finished = WireIOFrame()
        finished.finished.node = node
        try client.send(finished.serializedBytes())
    }

    private func flush(_ client: FrameStream) throws {
        while client.waiting > 0 {
            var entry = pollfd(fd: client.descriptor, events: Int16(POLLOUT), revents: 0)
            guard poll(&entry, 1, 30_000) > 0 else { return }
            try client.flush()
        }
    }
}
