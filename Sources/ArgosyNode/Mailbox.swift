internal import Glibc
internal import Synchronization

/// Facts for the daemon's one thread, from any other; a descriptor becomes readable when something is in it.
final class Mailbox<Item: Sendable>: Sendable {
    private let items = Mutex<[Item]>([])
    /// Poll this.
    let readEnd: Int32
    private let writeEnd: Int32

    init() {
        var ends: [Int32] = [-1, -1]
        _ = pipe(&ends)
        for end in ends {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
        (readEnd, writeEnd) = (ends[0], ends[1])
    }

    deinit {
        close(readEnd)
        close(writeEnd)
    }

    func post(_ item: Item) {
        let wasEmpty = items.withLock { list in
            list.append(item)
            return list.count == 1
        }
        if wasEmpty { _ = write(writeEnd, [1], 1) }
    }

    /// Everything posted so far, in order.
    func drain() -> [Item] {
        var bytes = [UInt8](repeating: 0, count: 64)
        while read(readEnd, &bytes, bytes.count) > 0 {}
        return items.withLock { list in
            defer { list = [] }
            return list
        }
    }
}
