import ArgosyDomain
import CArgosyShim
import Glibc

/// Files: small whole ones, and files opened with somebody else's rights.
public enum Files {
    /// O_PATH: names a file without opening it.
    public static let pathOnly: Int32 = 0o10000000

    /// Opens `path` as `credentials` would: a short-lived child with all its groups does it, so that links, permissions
    /// and quota are judged for the user and never for root.
    ///
    /// - Parameters:
    ///   - directory: entered first, so that a relative `path` starts there (also as the user).
    ///   - flags: of open(2); O_CLOEXEC is added.
    ///   - umask: of a new file.
    ///   - timeout: gives up with ETIMEDOUT (a dead NFS server, the user's own FUSE).
    /// - Throws: `SystemError`, stage "chdir" or "open".
    public static func openAs(
        _ credentials: Credentials, _ path: String, flags: Int32, mode: UInt32 = 0o666, umask: UInt32 = 0o022,
        directory: String? = nil, timeout: Duration = .seconds(30)
    ) throws(SystemError) -> Descriptor {
        let memory = CMemory()
        var plan = argosy_open_plan()
        plan.path = memory.string(path)
        plan.directory = directory.map { memory.string($0) }
        plan.uid = credentials.uid
        plan.gid = credentials.gid
        plan.groups = memory.array(credentials.groups)
        plan.group_count = credentials.groups.count
        plan.flags = flags
        plan.mode = mode
        plan.umask = umask
        plan.timeout_ms = Int32(clamping: timeout.milliseconds)
        let result = argosy_open_as(&plan)
        withExtendedLifetime(memory) {}
        guard result < 0 else { return Descriptor(adopting: result) }
        let stage = Spawn.stageName(plan.stage)
        throw SystemError(stage, stage == "chdir" ? directory ?? "" : path, code: -result)
    }

    public static func open(_ path: String, flags: Int32, mode: UInt32 = 0o600) throws(SystemError) -> Descriptor {
        Descriptor(adopting: try check(Glibc.open(path, flags | O_CLOEXEC, mode), "open", path))
    }

    /// The whole of a small file. Throws EFBIG beyond `max` bytes.
    public static func read(_ path: String, max: Int = 1 << 20) throws(SystemError) -> [UInt8] {
        try read(open(path, flags: O_RDONLY), max: max, name: path)
    }

    /// What is left to read of a descriptor. Throws EFBIG beyond `max` bytes.
    public static func read(_ file: Descriptor, max: Int, name: String = "") throws(SystemError) -> [UInt8] {
        var content: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: min(max + 1, 65536))
        while true {
            let count = Glibc.read(file.raw, &buffer, buffer.count)
            if count < 0 && errno == EINTR { continue }
            try check(count, "read", name)
            if count == 0 { return content }
            content += buffer.prefix(count)
            if content.count > max { throw SystemError("read", name, code: EFBIG) }
        }
    }

    /// A small text file without its last newline.
    public static func readText(_ path: String, max: Int = 1 << 20) throws(SystemError) -> String {
        var bytes = try read(path, max: max)
        if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Writes all of `bytes` to an open descriptor.
    public static func write(_ bytes: some Collection<UInt8>, to file: Int32, name: String = "") throws(SystemError) {
        var rest = Array(bytes)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            rest = rest.dropFirst(try check(count, "write", name))
        }
    }

    /// Writes to an existing file such as those of /proc and cgroups, in one write.
    public static func writeExisting(_ path: String, _ text: String) throws(SystemError) {
        let file = try open(path, flags: O_WRONLY)
        let bytes = Array(text.utf8)
        try check(Glibc.write(file.raw, bytes, bytes.count), "write", path)
    }

    /// Replaces a file as a whole: a crash leaves the old one or the new one. Not synced (for /run).
    public static func replace(_ path: String, with bytes: [UInt8], mode: UInt32 = 0o600) throws(SystemError) {
        let temporary = path + ".new"
        unlink(temporary)
        let file = try open(temporary, flags: O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: mode)
        try check(fchmod(file.raw, mode), "chmod", temporary)
        try write(bytes, to: file.raw, name: temporary)
        try check(rename(temporary, path), "rename", path)
    }

    /// Makes a directory and those above it; an existing one is fine, its mode stays.
    public static func makeDirectories(_ path: String, mode: UInt32 = 0o755) throws(SystemError) {
        if mkdir(path, mode) == 0 || errno == EEXIST { return }
        guard errno == ENOENT, let slash = path.lastIndex(of: "/"), slash != path.startIndex else {
            throw SystemError("mkdir", path, code: errno)
        }
        try makeDirectories(String(path[..<slash]), mode: mode)
        if mkdir(path, mode) != 0 && errno != EEXIST { throw SystemError("mkdir", path, code: errno) }
    }

    /// Names in a directory, sorted, without "." and "..".
    public static func list(_ path: String) throws(SystemError) -> [String] {
        guard let directory = opendir(path) else { throw SystemError("list", path, code: errno) }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// Removes a tree, following no links and crossing no mounts. Only for directories nobody else can write to.
    public static func removeTree(_ path: String) throws(SystemError) {
        var status = stat()
        if lstat(path, &status) != 0 {
            if errno == ENOENT { return }
            throw SystemError("stat", path, code: errno)
        }
        if status.st_mode & S_IFMT == S_IFDIR {
            for name in try list(path) { try removeTree(path + "/" + name) }
            try check(rmdir(path), "rmdir", path)
        } else {
            try check(unlink(path), "unlink", path)
        }
    }
}

extension Duration {
    /// Whole milliseconds, rounded up so that waiting never ends early.
    var milliseconds: Int64 { microseconds == .max ? .max / 2_000_000 : (microseconds + 999) / 1000 }
}
