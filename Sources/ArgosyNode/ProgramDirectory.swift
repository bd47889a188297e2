internal import ArgosyStep
internal import Glibc

/// `<spool>/bin`: the commands as jobs see them, bound into containers. One static program under all its names.
enum ProgramDirectory {
    static let names = [
        "srun", "sbatch", "salloc", "sattach", "sbcast", "squeue", "scancel", "sinfo", "sacct", "scontrol", "sacctmgr",
        "sshare", "sprio",
    ]

    /// Puts `program` there (a hard link where possible, else a copy) unless it is there already.
    /// Throws `SpoolFile.Failure`.
    static func fill(_ directory: String, from program: String) throws {
        let target = directory + "/argosy"
        if !isSame(program, target) { try install(program, as: target) }
        for name in names where readLink(directory + "/" + name) != "argosy" {
            unlink(directory + "/" + name)
            guard symlink("argosy", directory + "/" + name) == 0 else {
                throw SpoolFile.Failure(path: directory + "/" + name, what: "symlink", code: errno)
            }
        }
    }

    private static func install(_ program: String, as target: String) throws {
        let temporary = target + ".new"
        unlink(temporary)
        if link(program, temporary) != 0 {
            guard let bytes = SpoolFile.read(program) else {
                throw SpoolFile.Failure(path: program, what: "read", code: errno)
            }
            return try SpoolFile.write(bytes, to: target, mode: 0o755)
        }
        guard rename(temporary, target) == 0 else {
            throw SpoolFile.Failure(path: target, what: "rename", code: errno)
        }
        // rename(2) does nothing when both are one file already.
        unlink(temporary)
    }

    private static func isSame(_ a: String, _ b: String) -> Bool {
        var first = stat()
        var second = stat()
        guard stat(a, &first) == 0, stat(b, &second) == 0 else { return false }
        if first.st_dev == second.st_dev, first.st_ino == second.st_ino { return true }
        return first.st_size == second.st_size && first.st_mtim.tv_sec <= second.st_mtim.tv_sec
    }

    private static func readLink(_ path: String) -> String {
        var buffer = [CChar](repeating: 0, count: 256)
        let count = readlink(path, &buffer, 255)
        return count > 0 ? String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self) : ""
    }
}
