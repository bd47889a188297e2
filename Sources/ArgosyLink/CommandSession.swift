internal import ArgosyDomain
internal import ArgosySystem
internal import ArgosyWire
internal import NIOCore
internal import NIOPosix
internal import SwiftProtobuf

/// One command connection: requests in, replies out in the same order, whenever each is ready.
///
/// On a unix socket the kernel has said who it is. On TCP the greeting's nonce, the term and the message's digest must be
/// in each request's credential, which MUNGE lets be opened once; each reply carries one of this controller.
final class CommandSession: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    enum Mode {
        case local(CommandPeer)
        case remote(address: String, nonce: [UInt8])
    }
    private struct Pending {
        var slot: ReplySlot
        var bytes: [UInt8]?
    }

    private let shared: CommandShared
    private let mode: Mode
    private var pending: [Pending] = []
    /// Answered, but their client's end is still of interest.
    private var watched: [ReplySlot] = []
    /// TCP: messages whose credentials are not opened yet; one at a time, to keep their order.
    private var unopened: [[UInt8]] = []
    private var isOpening = false
    private var isAdmitted = false
    private var isClosed = false
    private var isReading = true
    private var unwritten = 0
    private var lastActive = NIODeadline.now()
    private var lastTaken = NIODeadline.now()
    private var timer: RepeatedTask?

    init(_ shared: CommandShared, mode: Mode) {
        self.shared = shared
        self.mode = mode
    }

    private var countKey: String? {
        switch mode {
        case .local(let peer): peer.uid == 0 ? nil : "uid \(peer.uid)"
        case .remote(let address, _): address
        }
    }

    func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive { begin(context) }
    }
    func channelActive(context: ChannelHandlerContext) { begin(context) }

    private func begin(_ context: ChannelHandlerContext) {
        guard timer == nil, !isClosed else { return }
        let interval = TimeAmount(min(shared.configuration.idle, shared.configuration.slow) / 4)
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        timer = context.eventLoop.scheduleRepeatedTask(initialDelay: interval, delay: interval) { _ in
            let (session, context) = bound.value
            session.checkTimes(context)
        }
        isAdmitted = shared.admit(countKey)
        if case .remote(_, let nonce) = mode { greet(nonce, context) }
        guard !isAdmitted else { return }
        refuse(
            Refusal(
                .busy, "Too many connections",
                detail: "the controller has \(shared.configuration.maxConnections) connections, or"
                    + " \(shared.configuration.maxConnectionsPerPeer) of yours; try again when some have ended"),
            context)
    }

    private func greet(_ nonce: [UInt8], _ context: ChannelHandlerContext) {
        var greeting = WireGreeting()
        greeting.version = 1
        greeting.cluster = shared.configuration.cluster
        greeting.term = shared.configuration.term
        greeting.nonce = .init(nonce)
        if let body: [UInt8] = try? greeting.serializedBytes() { write(body, context) }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isClosed else { return }
        lastActive = .now()
        let body = unwrapInboundIn(data).remainingBytes
        switch mode {
        case .local(let peer): take(body, from: peer, context)
        case .remote:
            // An empty frame only asks to be greeted.
            if body.isEmpty { return }
            unopened.append(body)
            openNext(context)
        }
        throttle(context)
    }

    private func take(_ body: [UInt8], from peer: CommandPeer, _ context: ChannelHandlerContext) {
        guard let request = try? WireRequest(serializedBytes: body) else {
            return refuse(Refusal(.malformed, "Invalid request", detail: "the message cannot be read"), context)
        }
        guard request.version == 1 else {
            return refuse(
                Refusal(
                    .unsupportedVersion, "Incompatible versions of client and server code",
                    detail: "the request is of version \(request.version), this controller speaks version 1"), context)
        }
        let slot = makeSlot(context)
        pending.append(Pending(slot: slot))
        shared.service?.received(request, from: peer, reply: slot)
    }

    private func makeSlot(_ context: ChannelHandlerContext) -> ReplySlot {
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        let loop = context.eventLoop
        let identity = SlotIdentity()
        let limit = shared.configuration.maxReply
        let slot = ReplySlot(
            deliver: { reply in
                let body = Self.encode(reply, limit: limit)
                loop.execute {
                    let (session, context) = bound.value
                    session.fill(identity.id, body, context)
                }
            },
            close: {
                loop.execute {
                    let (session, context) = bound.value
                    session.close(context, "the controller lost what it was watched for")
                }
            })
        identity.id = slot.id
        return slot
    }

    private static func encode(_ reply: WireReply, limit: Int) -> [UInt8] {
        var reply = reply
        reply.version = 1
        if let body: [UInt8] = try? reply.serializedBytes(), body.count <= limit { return body }
        let refusal = Refusal(
            .tooLarge, "The answer is too large",
            detail: "it is over \(limit >> 20) MiB; ask for fewer jobs (by id, user, partition or time)")
        reply.body = .refusal(WireRefusal(refusal))
        return (try? reply.serializedBytes()) ?? []
    }

    // MARK: - Replies

    private func fill(_ id: UInt64, _ body: [UInt8], _ context: ChannelHandlerContext) {
        guard !isClosed, let index = pending.firstIndex(where: { $0.slot.id == id }) else { return }
        lastActive = .now()
        guard case .remote(_, let nonce) = mode else {
            pending[index].bytes = body
            return flush(context)
        }
        shared.blocking.runIfActive(eventLoop: context.eventLoop) { [shared] in
            try CommandSigning(shared.configuration, nonce: nonce).sign(body)
        }
        .assumeIsolated().whenComplete { [self] result in
            switch result {
            case .success(let signed):
                guard let index = pending.firstIndex(where: { $0.slot.id == id }) else { return }
                pending[index].bytes = signed
                flush(context)
            case .failure(let error): close(context, "cannot sign a reply: \(error)")
            }
        }
    }

    private func flush(_ context: ChannelHandlerContext) {
        while let first = pending.first, let bytes = first.bytes {
            pending.removeFirst()
            if first.slot.isWatched { watched.append(first.slot) }
            write(bytes, context)
        }
        throttle(context)
    }

    private func write(_ body: [UInt8], _ context: ChannelHandlerContext) {
        unwritten += body.count
        let size = body.count
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(frame: body))).assumeIsolated().whenComplete { [self] _ in
            unwritten -= size
            lastTaken = .now()
        }
    }

    /// Stops reading while too much waits to be answered or taken.
    private func throttle(_ context: ChannelHandlerContext) {
        let waiting = pending.count + unopened.count
        let wanted = waiting < shared.configuration.maxInFlight && unwritten <= shared.configuration.maxReply
        guard wanted != isReading else { return }
        isReading = wanted
        context.channel.setOption(.autoRead, value: wanted).whenFailure { _ in }
    }

    // MARK: - TCP

    private func openNext(_ context: ChannelHandlerContext) {
        guard case .remote(let address, let nonce) = mode, !isOpening, !unopened.isEmpty, !isClosed else { return }
        isOpening = true
        let body = unopened.removeFirst()
        shared.blocking.runIfActive(eventLoop: context.eventLoop) { [shared] in
            try CommandSigning(shared.configuration, nonce: nonce).open(body, origin: address)
        }
        .assumeIsolated().whenComplete { [self] result in
            isOpening = false
            guard !isClosed else { return }
            switch result {
            case .success(let (message, peer)): take(message, from: peer, context)
            case .failure(let error):
                refuse(
                    Refusal(.accessDenied, "Protocol authentication error", detail: "\(error)"), context)
            }
            openNext(context)
        }
    }

    // MARK: - Ends

    /// Says why and closes: after a message like that nothing on this connection can be understood.
    private func refuse(_ refusal: Refusal, _ context: ChannelHandlerContext) {
        guard !isClosed else { return }
        var reply = WireReply()
        reply.version = 1
        reply.refusal = WireRefusal(refusal)
        let body = Self.encode(reply, limit: .max)
        guard case .remote(_, let nonce) = mode else {
            write(body, context)
            return close(context, refusal.description)
        }
        shared.blocking.runIfActive(eventLoop: context.eventLoop) { [shared] in
            try CommandSigning(shared.configuration, nonce: nonce).sign(body)
        }
        .assumeIsolated().whenComplete { [self] result in
            if case .success(let signed) = result, !isClosed { write(signed, context) }
            close(context, refusal.description)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        refuse(Refusal(.malformed, "Invalid message", detail: "\(error)"), context)
    }

    private func checkTimes(_ context: ChannelHandlerContext) {
        let now = NIODeadline.now()
        if unwritten > 0 && now - lastTaken > TimeAmount(shared.configuration.slow) {
            close(context, "it does not take its replies")
        } else if pending.isEmpty && watched.isEmpty && now - lastActive > TimeAmount(shared.configuration.idle) {
            close(context, "idle")
        }
        if unwritten == 0 { lastTaken = now }
    }

    private func close(_ context: ChannelHandlerContext, _ why: String) {
        guard !isClosed else { return }
        shared.logger.debug("closing a command connection", metadata: ["why": "\(why)"])
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        guard !isClosed else { return }
        isClosed = true
        timer?.cancel()
        if isAdmitted { shared.release(countKey) }
        for entry in pending where entry.bytes == nil || entry.slot.isWatched { shared.service?.clientLost(entry.slot) }
        for slot in watched { shared.service?.clientLost(slot) }
        pending = []
        watched = []
        context.fireChannelInactive()
    }
}

/// A slot's id, known right after the slot is made.
private final class SlotIdentity: @unchecked Sendable {
    /// Written once, before the slot is given to anybody.
    var id: UInt64 = 0
}
