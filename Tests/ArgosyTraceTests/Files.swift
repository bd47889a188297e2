import Glibc

/// Files of the tests.
enum Files {
    static let folder = String(#filePath.split(separator: "/").dropLast().map { "/" + $0 }.joined())

    static func read(_ path: String) -> [UInt8]? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        var content: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = fread(&buffer, 1, buffer.count, file)
            if count == 0 { return content }
            content += buffer.prefix(count)
        }
    }

    static func write(_ bytes: [UInt8], to path: String) throws {
        guard let file = fopen(path, "w") else { throw Failure(path: path) }
        defer { fclose(file) }
        guard fwrite(bytes, 1, bytes.count, file) == bytes.count else { throw Failure(path: path) }
    }

    struct Failure: Error { var path: String }
}

/// A folder that goes when it is no longer used.
final class TemporaryFolder {
    let path: String

    init() throws {
        var template = Array("/tmp/argosy-trace.XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Files.Failure(path: "/tmp") }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Writes a file of the name; returns its path.
    func file(_ name: String, _ bytes: [UInt8]) throws -> String {
        try Files.write(bytes, to: path + "/" + name)
        return path + "/" + name
    }

    deinit {
        guard let folder = opendir(path) else { return }
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            unlink(path + "/" + name)
        }
        closedir(folder)
        rmdir(path)
    }
}
