internal import ArgosyWire

/// Requests of jobs' relays that wait for the controller. Channels are renumbered: the controller sees one number space
/// for the node, each relay has its own.
struct RelayCalls {
    struct Call {
        var id: AttemptID
        /// The relay's own number.
        var channel: UInt64
        var request: WireRelayedRequest
        var isSent: Bool
    }
    private var calls: [UInt64: Call] = [:]
    private var nextChannel: UInt64 = 1
    static let most = 4096

    /// The request as it goes up; nil when too many wait.
    mutating func add(_ id: AttemptID, channel: UInt64, uid: UInt32, _ body: [UInt8], isSent: Bool)
        -> WireRelayedRequest?
    {
        guard calls.count < Self.most else { return nil }
        var request = WireRelayedRequest()
        request.job = id.job.rawValue
        request.attempt = id.attempt.rawValue
        request.channel = nextChannel
        request.uid = uid
        request.request = .init(body)
        calls[nextChannel] = Call(id: id, channel: channel, request: request, isSent: isSent)
        nextChannel += 1
        return request
    }

    /// The call that a reply is for, which is thereby answered.
    mutating func answered(_ channel: UInt64) -> Call? { calls.removeValue(forKey: channel) }

    /// Nobody waits for the answer any more: what tells the controller, if it was asked already.
    mutating func abandoned(_ id: AttemptID, channel: UInt64) -> WireRelayedRequest? {
        guard let (number, call) = calls.first(where: { $0.value.id == id && $0.value.channel == channel }) else {
            return nil
        }
        calls.removeValue(forKey: number)
        guard call.isSent else { return nil }
        var request = call.request
        request.request = .init()
        return request
    }

    /// Those not sent yet, in order; they count as sent now.
    mutating func takeUnsent() -> [WireRelayedRequest] {
        let waiting = calls.filter { !$0.value.isSent }.keys.sorted()
        for channel in waiting { calls[channel]?.isSent = true }
        return waiting.compactMap { calls[$0]?.request }
    }

    /// Those whose answer can no longer come.
    mutating func takeSent() -> [Call] {
        let lost = calls.filter { $0.value.isSent }.keys.sorted()
        return lost.compactMap { calls.removeValue(forKey: $0) }
    }

    mutating func forget(_ id: AttemptID) { calls = calls.filter { $0.value.id != id } }
}
