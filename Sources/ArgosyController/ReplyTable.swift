// Who waits for which answer. Entering the table and the inbox is one step, so that a client that goes away is told to
// the core after its request, or its request is never told at all.
internal import ArgosyCore
internal import ArgosyDomain
internal import ArgosyLink
internal import ArgosyStore
internal import ArgosyWire
internal import Synchronization

final class ReplyTable: Sendable {
    private enum Entry {
        /// Being made ready outside the core.
        case preparing(ReplySlot)
        case inCore(ReplySlot)
        /// Answered, but the core is to hear when the client goes: an interactive job.
        case answered(ReplySlot)
        var slot: ReplySlot {
            switch self {
            case .preparing(let slot), .inCore(let slot), .answered(let slot): slot
            }
        }
    }
    private let entries = Mutex<[UInt64: Entry]>([:])
    private let inbox: Mailbox<Input>

    init(inbox: Mailbox<Input>) { self.inbox = inbox }

    /// A request that is being made ready: if its client goes before `submit`, that gives false.
    func prepare(_ slot: ReplySlot) { entries.withLock { $0[slot.id] = .preparing(slot) } }

    /// Gives the request to the core. False when its client has gone, or too many requests wait.
    func submit(_ slot: ReplySlot, prepared: Bool = false, blobs: [Blob] = [], _ event: (ReplyHandle) -> Event) -> Bool
    {
        entries.withLock { entries in
            if prepared && entries[slot.id] == nil { return true }
            guard inbox.offer(.event(event(ReplyHandle(rawValue: slot.id)), blobs: blobs)) else {
                entries[slot.id] = nil
                return false
            }
            entries[slot.id] = .inCore(slot)
            return true
        }
    }

    /// Not to be given to the core after all.
    func forget(_ slot: ReplySlot) { entries.withLock { $0[slot.id] = nil } }

    func clientLost(_ slot: ReplySlot) {
        entries.withLock { entries in
            guard let entry = entries.removeValue(forKey: slot.id) else { return }
            if case .preparing = entry { return }
            inbox.push(.event(.clientLost(ReplyHandle(rawValue: slot.id))))
        }
    }

    /// The slot to answer; watched ones stay, for `clientLost`.
    func answer(_ handle: ReplyHandle) -> ReplySlot? {
        entries.withLock { entries in
            guard let slot = entries[handle.rawValue]?.slot else { return nil }
            entries[handle.rawValue] = slot.isWatched ? .answered(slot) : nil
            return slot
        }
    }

    /// All that waits for the core is refused; `drain` runs before anything new can enter the inbox. Connections of
    /// interactive jobs are closed: a core loaded again knows of no client, so that nobody would hear of their end.
    func failAll(_ error: StoreError, drain: () -> Void) {
        let (failed, orphans) = entries.withLock { entries -> ([ReplySlot], [ReplySlot]) in
            drain()
            var failed: [ReplySlot] = []
            var orphans: [ReplySlot] = []
            for (id, entry) in entries {
                switch entry {
                case .preparing: continue
                case .inCore(let slot): failed.append(slot)
                case .answered(let slot): orphans.append(slot)
                }
                entries[id] = nil
            }
            return (failed, orphans)
        }
        for slot in failed { slot.reply(WireReply(refusal: Self.refusal(error))) }
        for slot in orphans { slot.disconnect() }
    }

    var count: Int { entries.withLock { $0.count } }

    static func refusal(_ error: StoreError) -> Refusal {
        let tail = "nothing of this request was done; if in doubt, look with squeue"
        if error.code == .full { return Refusal(.storeFull, "No space left on device", detail: "\(error); \(tail)") }
        return Refusal(.storeFailed, "The controller could not record the request", detail: "\(error); \(tail)")
    }
}

extension WireReply {
    init(refusal: Refusal) {
        self.init()
        self.refusal = WireRefusal(refusal)
    }
    init(_ body: OneOf_Body, commit: CommitNumber = CommitNumber(0)) {
        self.init()
        self.commit = commit.rawValue
        self.body = body
    }
}
