import Glibc

/// The few file operations a dev cluster needs.
enum DevFiles {
    static func read(_ path: String) -> String? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = Glibc.read(file, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { return nil }
            if count == 0 { return String(decoding: bytes, as: UTF8.self) }
            bytes += buffer[..<count]
        }
    }

    /// Replaces the file in one step: a reader sees the old text or the new.
    static func write(_ text: String, to path: String, mode: mode_t = 0o644) throws {
        let temporary = path + ".new"
        unlink(temporary)
        let file = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard file >= 0 else { throw failure("write", temporary) }
        DevConsole.write(text, to: file)
        fchmod(file, mode)
        close(file)
        guard rename(temporary, path) == 0 else { throw failure("rename to", path) }
    }

    /// Writes into a file that exists, such as one of a cgroup; a refusal is the caller's to notice later.
    static func poke(_ path: String, _ text: String) {
        let file = open(path, O_WRONLY | O_CLOEXEC)
        guard file >= 0 else { return }
        DevConsole.write(text, to: file)
        close(file)
    }

    static func makeDirectory(_ path: String, mode: mode_t = 0o755) throws {
        var parent = ""
        for part in path.split(separator: "/").dropLast() {
            parent += "/" + part
            mkdir(parent, 0o755)
        }
        guard mkdir(path, mode) == 0 || errno == EEXIST else { throw failure("make directory", path) }
        chmod(path, mode)
    }

    static func names(in path: String) -> [String] {
        guard let directory = opendir(path) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// Where a symbolic link points.
    static func link(_ path: String) -> String? {
        let buffer = UnsafeMutablePointer<CChar>.allocate(capacity: 4096)
        defer { buffer.deallocate() }
        let length = readlink(path, buffer, 4096)
        guard length > 0 else { return nil }
        return String(decoding: UnsafeRawBufferPointer(start: buffer, count: length), as: UTF8.self)
    }

    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    static func isDirectory(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// Removes a directory and all in it; follows no link.
    static func remove(_ path: String) {
        if isDirectory(path) {
            for name in names(in: path) { remove(path + "/" + name) }
            rmdir(path)
        } else {
            unlink(path)
        }
    }

    static func copy(_ source: String, to target: String, mode: mode_t) throws {
        let from = open(source, O_RDONLY | O_CLOEXEC)
        guard from >= 0 else { throw failure("read", source) }
        defer { close(from) }
        let temporary = target + ".new"
        unlink(temporary)
        let to = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard to >= 0 else { throw failure("write", temporary) }
        var copied = 1
        while copied > 0 { copied = sendfile(to, from, nil, 1 << 24) }
        let failed = copied < 0 ? failure("copy to", target) : nil
        close(to)
        if let failed { throw failed }
        chmod(temporary, mode)
        guard rename(temporary, target) == 0 else { throw failure("rename to", target) }
    }

    static func failure(_ verb: String, _ path: String) -> DevError {
        DevError("cannot \(verb) \(path): \(String(cString: strerror(errno)))")
    }
}
