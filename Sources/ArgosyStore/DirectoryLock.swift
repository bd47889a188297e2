internal import Glibc

/// Keeps a second controller off a state directory, for as long as the process lives.
final class DirectoryLock: Sendable {
    private let descriptor: Int32

    /// Makes the directory (0700) when it is missing. Throws `.locked` with the holder's process id.
    init(directory: String) throws(StoreError) {
        try Self.make(directory)
        let path = directory + "/lock"
        let opened = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard opened >= 0 else { throw Self.failure("cannot open \(path)") }
        guard flock(opened, LOCK_EX | LOCK_NB) == 0 else {
            let holder = Self.text(opened)
            close(opened)
            throw StoreError(
                .locked,
                "another argosyctld\(holder.isEmpty ? "" : " (process \(holder))") uses \(directory); stop it first,"
                    + " or set another StateSaveLocation")
        }
        descriptor = opened
        let pid = Array("\(getpid())\n".utf8)
        _ = ftruncate(opened, 0)
        _ = pwrite(opened, pid, pid.count, 0)
    }

    deinit { close(descriptor) }

    /// Only while the lock is held.
    func removeDatabase(_ path: String) throws(StoreError) {
        for suffix in ["", "-wal", "-shm"] where unlink(path + suffix) != 0 && errno != ENOENT {
            throw Self.failure("cannot remove \(path + suffix)")
        }
    }

    private static func make(_ directory: String) throws(StoreError) {
        var made = ""
        for part in directory.split(separator: "/", omittingEmptySubsequences: true) {
            made += (made.isEmpty && !directory.hasPrefix("/") ? "" : "/") + part
            let isLast = made.utf8.count >= directory.utf8.count - 1
            if mkdir(made, isLast ? 0o700 : 0o755) != 0 && errno != EEXIST {
                throw failure("cannot make the state directory \(directory)")
            }
        }
    }

    private static func failure(_ what: String) -> StoreError {
        let code = errno
        return StoreError(code == ENOSPC ? .full : .unavailable, "\(what): \(String(cString: strerror(code)))")
    }

    private static func text(_ descriptor: Int32) -> String {
        var bytes = [UInt8](repeating: 0, count: 32)
        let count = pread(descriptor, &bytes, bytes.count, 0)
        return String(decoding: bytes.prefix(max(count, 0)).prefix { $0 > 32 }, as: UTF8.self)
    }
}
