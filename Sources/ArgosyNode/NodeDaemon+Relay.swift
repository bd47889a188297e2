internal import ArgosyDomain
internal import ArgosyStep
internal import ArgosySystem
internal import ArgosyWire
internal import Glibc
internal import Logging

// A job's relay: started when somebody first connects, an unprivileged process of the job's uid in its `system` leaf.
// What it sends up is wrapped with job, attempt and uid, and never looked into.
extension NodeDaemon {
    func startRelay(_ id: AttemptID) {
        guard let attempt = attempts[id], attempt.phase == .ready, let listener = attempt.relay.listener,
            attempt.relay.process == nil
        else { return }
        do {
            let (ours, theirs) = try UnixSocket.pair(sequenced: false)
            var spec = ProcessSpec(
                path: context.stepDaemon,
                arguments: [
                    "argosystepd", "relay", "\(id.job)", "\(id.attempt.rawValue)", context.cgroup(id).path,
                    context.munge.socket,
                ], environment: ["PATH=/usr/bin:/bin", "SWIFT_BACKTRACE=enable=no"])
            spec.workingDirectory = "/"
            spec.credentials = Credentials(attempt.order.spec.identity.domain)
            spec.stderr = 2
            spec.keptDescriptors = [.init(from: listener.raw, to: 3), .init(from: theirs.raw, to: 4)]
            spec.cgroup = try context.cgroup(id).child("system").joinDescriptors()
            spec.dropAllCapabilities = true
            spec.noNewPrivileges = true
            attempts[id]?.relay.process = try Spawn.start(spec)
            attempts[id]?.relay.started = BootClock.now
            attempts[id]?.relay.upstream = ours
            attempts[id]?.relay.input = RelayFrames()
        } catch {
            logger.error("cannot start the relay", metadata: ["attempt": "\(id)", "why": "\(error)"])
            turnAway(from: listener)
        }
    }

    /// Closes one waiting connection: what it asks for cannot be had, and would be tried without end.
    private func turnAway(from listener: Descriptor) {
        guard let ready = try? Poll.wait([Poll.Interest(listener.raw)], timeout: .zero), ready[0].readable else {
            return
        }
        if let stranger = try? UnixSocket.accept(listener) { stranger.close() }
    }

    func relayEnded(_ id: AttemptID) {
        guard let process = attempts[id]?.relay.process else { return }
        _ = try? process.wait()
        if let relay = attempts[id]?.relay, let listener = relay.listener, BootClock.now - relay.started < .seconds(1) {
            logger.warning("a relay ended as soon as it was started", metadata: ["attempt": "\(id)"])
            turnAway(from: listener)
        }
        attempts[id]?.relay.process = nil
        attempts[id]?.relay.upstream = nil
        relayCalls.forget(id)
    }

    func hearRelay(_ id: AttemptID) {
        guard let attempt = attempts[id], let upstream = attempt.relay.upstream else { return }
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        let count = recv(upstream.raw, &buffer, buffer.count, Int32(MSG_DONTWAIT))
        if count < 0, errno == EAGAIN || errno == EINTR { return }
        guard count > 0 else {
            attempts[id]?.relay.upstream = nil
            return
        }
        attempts[id]?.relay.input.append(Array(buffer[..<count]))
        do {
            while let (channel, body) = try attempts[id]?.relay.input.next() { ask(id, attempt.uid, channel, body) }
        } catch {
            // It is the user's process: what it breaks is its own.
            attempts[id]?.relay.upstream = nil
            _ = try? attempt.relay.process?.signal(SIGKILL)
        }
    }

    private func ask(_ id: AttemptID, _ uid: UInt32, _ channel: UInt64, _ body: [UInt8]) {
        if body.isEmpty {
            if let request = relayCalls.abandoned(id, channel: channel) { send(request) }
            return
        }
        guard let request = relayCalls.add(id, channel: channel, uid: uid, body, isSent: isWelcome) else {
            return answer(id, channel, refusal("too many requests wait on node \(context.node); try again"))
        }
        if isWelcome { send(request) }
    }

    private func send(_ request: WireRelayedRequest) {
        var frame = WireNodeToController()
        frame.relayed = request
        link.send(frame)
    }

    func sendWaitingRelayCalls() { for request in relayCalls.takeUnsent() { send(request) } }

    /// The controller may have done what it was asked: only the asker can find out.
    func refuseRelayCalls(_ why: String) {
        for call in relayCalls.takeSent() { answer(call.id, call.channel, refusal(why)) }
    }

    func relay(_ reply: WireRelayedReply) {
        guard let call = relayCalls.answered(reply.channel) else { return }
        answer(call.id, call.channel, Array(reply.reply))
    }

    private func answer(_ id: AttemptID, _ channel: UInt64, _ body: [UInt8]) {
        guard let upstream = attempts[id]?.relay.upstream else { return }
        let frame = RelayFrames.encode(channel: channel, body)
        var sent = 0
        while sent < frame.count {
            let count = frame.withUnsafeBytes {
                Glibc.send(
                    upstream.raw, $0.baseAddress?.advanced(by: sent), $0.count - sent,
                    Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
            }
            if count > 0 {
                sent += count
            } else if count < 0, errno == EINTR {
                continue
            } else {
                // It does not read what it asked for: the daemon waits for no user's process.
                attempts[id]?.relay.upstream = nil
                _ = try? attempts[id]?.relay.process?.signal(SIGKILL)
                return
            }
        }
    }

    private func refusal(_ why: String) -> [UInt8] {
        var reply = WireReply()
        reply.version = 1
        reply.refusal.code = Refusal.Code.busy.rawValue
        reply.refusal.message = "Unable to contact slurm controller (connect failure)"
        reply.refusal.detail = why
        return (try? reply.serializedBytes()) ?? []
    }
}
