internal import Glibc

/// A file that only takes up room, and is given up when the file system is full, so that what ends work can still be
/// recorded after submissions are refused. Filled with zeros: a sparse file would reserve nothing.
struct SpaceReserve: Sendable {
    let path: String
    let size: Int
    /// Bytes that must be free beside it.
    let least: UInt64

    /// True while the reserve stands and the file system has `least` bytes to give; refills it when there is room again.
    var hasRoom: Bool {
        guard available >= least else { return false }
        if isWhole { return true }
        guard available >= least + UInt64(size) else { return false }
        refill()
        return isWhole
    }

    /// Gives the room up.
    func release() { unlink(path) }

    func refill() {
        guard !isWhole, available >= UInt64(size) else { return }
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        let zeros = [UInt8](repeating: 0, count: 1 << 16)
        var left = size
        while left > 0 {
            let count = write(descriptor, zeros, min(left, zeros.count))
            guard count > 0 else {
                unlink(path)
                return
            }
            left -= count
        }
    }

    private var isWhole: Bool {
        var facts = stat()
        return stat(path, &facts) == 0 && facts.st_size >= size
    }

    private var available: UInt64 {
        var facts = statvfs()
        guard statvfs(String(path.prefix(upTo: path.lastIndex(of: "/") ?? path.endIndex)), &facts) == 0 else {
            return 0
        }
        return UInt64(facts.f_bavail) * UInt64(facts.f_frsize)
    }
}
