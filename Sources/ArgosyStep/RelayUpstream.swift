internal import Dispatch
internal import Glibc
internal import Synchronization

/// The relay's line up to argosyd: many waiting calls over one stream.
final class RelayUpstream: Sendable {
    /// argosyd is gone (or was): a call may or may not have been heard.
    struct Lost: Error {}

    private final class Call: Sendable {
        let done = DispatchSemaphore(value: 0)
        let reply = Mutex<[UInt8]?>(nil)
    }
    private struct State {
        var nextChannel: UInt64 = 1
        var calls: [UInt64: Call] = [:]
        var isLost = false
    }
    private let socket: Int32
    private let state = Mutex(State())
    private let sending = Mutex(())

    init(socket: Int32) { self.socket = socket }

    /// How often it is looked whether the asker still waits.
    private static let lookMS = 250

    /// Sends a request and waits for its reply, however long that takes, while `isAsked` says that somebody wants it.
    func call(_ request: [UInt8], while isAsked: () -> Bool) throws(Lost) -> [UInt8] {
        let call = Call()
        let channel: UInt64? = state.withLock { state in
            guard !state.isLost else { return nil }
            defer { state.nextChannel += 1 }
            state.calls[state.nextChannel] = call
            return state.nextChannel
        }
        guard let channel, send(RelayFrames.encode(channel: channel, request)) else { throw Lost() }
        while call.done.wait(timeout: .now() + .milliseconds(Self.lookMS)) == .timedOut {
            if isAsked() { continue }
            // The controller lets go of what waits there: a step that nobody would read.
            state.withLock { _ = $0.calls.removeValue(forKey: channel) }
            _ = send(RelayFrames.encode(channel: channel, []))
            throw Lost()
        }
        guard let reply = call.reply.withLock({ $0 }) else { throw Lost() }
        return reply
    }

    private func send(_ bytes: [UInt8]) -> Bool {
        sending.withLock { _ in
            var sent = 0
            while sent < bytes.count {
                let count = bytes.withUnsafeBytes {
                    Glibc.send(socket, $0.baseAddress?.advanced(by: sent), $0.count - sent, Int32(MSG_NOSIGNAL))
                }
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { return false }
                sent += count
            }
            return true
        }
    }

    /// Hands out replies until argosyd goes away; then every waiting call fails.
    func run() {
        var frames = RelayFrames()
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = recv(socket, &buffer, buffer.count, 0)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            frames.append(Array(buffer[..<count]))
            while let (channel, body) = (try? frames.next()) ?? nil { answer(channel, body) }
        }
        let waiting = state.withLock { state in
            state.isLost = true
            defer { state.calls = [:] }
            return Array(state.calls.values)
        }
        for call in waiting { call.done.signal() }
    }

    private func answer(_ channel: UInt64, _ body: [UInt8]) {
        guard let call = state.withLock({ $0.calls.removeValue(forKey: channel) }) else { return }
        call.reply.withLock { $0 = body }
        call.done.signal()
    }
}
