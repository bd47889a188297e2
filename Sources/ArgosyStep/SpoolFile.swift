internal import Glibc

/// Small files of root's own directories, written whole or not at all.
public enum SpoolFile {
    public struct Failure: Error, Sendable, CustomStringConvertible {
        public let path: String
        public let what: String
        public let code: Int32
        public init(path: String, what: String, code: Int32) {
            self.path = path
            self.what = what
            self.code = code
        }
        public var description: String { "\(what) \(path): \(String(cString: strerror(code)))" }
    }

    /// Replaces `path`. Survives `kill -9`, not power loss: run directories are of one boot.
    public static func write(_ bytes: [UInt8], to path: String, mode: UInt32 = 0o600) throws(Failure) {
        let temporary = path + ".new"
        unlink(temporary)
        let file = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode)
        guard file >= 0 else { throw Failure(path: temporary, what: "create", code: errno) }
        defer { close(file) }
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.write(file, $0.baseAddress?.advanced(by: written), $0.count - written)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw Failure(path: temporary, what: "write", code: errno) }
            written += count
        }
        guard rename(temporary, path) == 0 else { throw Failure(path: path, what: "rename", code: errno) }
    }

    /// Nil when there is no such file.
    public static func read(_ path: String) -> [UInt8]? {
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = Glibc.read(file, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            if count < 0 { return nil }
            if count == 0 { return bytes }
            bytes += chunk[..<count]
        }
    }

    public static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    /// Makes a directory; it may exist.
    public static func makeDirectory(_ path: String, mode: UInt32) throws(Failure) {
        if mkdir(path, mode) != 0, errno != EEXIST { throw Failure(path: path, what: "mkdir", code: errno) }
        if chmod(path, mode) != 0 { throw Failure(path: path, what: "chmod", code: errno) }
    }

    /// Makes a directory and its parents (0755).
    public static func makePath(_ path: String) throws(Failure) {
        var end = path.index(after: path.startIndex)
        while let slash = path[end...].firstIndex(of: "/") {
            if mkdir(String(path[..<slash]), 0o755) != 0, errno != EEXIST {
                throw Failure(path: String(path[..<slash]), what: "mkdir", code: errno)
            }
            end = path.index(after: slash)
        }
        if mkdir(path, 0o755) != 0, errno != EEXIST { throw Failure(path: path, what: "mkdir", code: errno) }
    }

    /// Names in a directory but "." and "..", sorted.
    public static func list(_ path: String) -> [String] {
        guard let directory = opendir(path) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// Removes a directory of root's with what is in it; follows no link. Depth is that of the run directory.
    public static func removeTree(_ path: String) {
        for name in list(path) {
            let child = path + "/" + name
            if unlink(child) != 0, errno == EISDIR || errno == EPERM { removeTree(child) }
        }
        rmdir(path)
    }

    public static func remove(_ path: String) { unlink(path) }
}
