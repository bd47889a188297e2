// Finds and reads the cluster's configuration: the only place that knows where it lies.
//
// Order: the file named by the caller, ARGOSY_CONF, SLURM_CONF, /etc/argosy/argosy.conf, /etc/slurm/slurm.conf; with
// none of these, the defaults for this one machine. A file that is named but cannot be read is an error, never a default.

public import ArgosyConfig
import Glibc

public enum ConfigurationFile {
    public static let places = ["/etc/argosy/argosy.conf", "/etc/slurm/slurm.conf"]

    /// The configuration could not be read, or has errors. `description` is ready to print, a line each.
    public struct Unusable: Error, Sendable, CustomStringConvertible {
        public var description: String
    }

    /// The file to read: `path`, or the first that is set or exists. Nil: there is none.
    public static func find(_ path: String? = nil) -> String? {
        if let path { return path }
        for name in ["ARGOSY_CONF", "SLURM_CONF"] {
            if let value = getenv(name), value.pointee != 0 { return String(cString: value) }
        }
        return places.first { access($0, F_OK) == 0 }
    }

    /// Reads and parses, includes too; diagnostics come back with the configuration.
    ///
    /// - Parameter path: nil to look in the usual places.
    /// - Throws: `Unusable` when a file cannot be read.
    public static func parse(_ path: String? = nil) throws -> ParsedConfiguration {
        guard let path = find(path) else { return ParsedConfiguration(configuration: oneMachine()) }
        switch read(path) {
        case .failure(let failure):
            throw Unusable(
                description: "\(path): \(failure.why); name another file with ARGOSY_CONF or correct this one")
        case .success(let text):
            var parsed = ConfigurationParser.parse(text) { included, _ in
                // As in Slurm: a relative path is relative to the main file's directory.
                read(included.hasPrefix("/") ? included : directory(of: path) + included)
            }
            parsed.configuration.file = path
            try readBeside(path, "gres.conf") { parsed.readGRES($0) }
            if parsed.configuration.usesTopologyTree {
                try readBeside(path, "topology.conf") { parsed.readTopology($0) }
            }
            return parsed
        }
    }

    /// A file in the directory of the main one, which may be missing.
    private static func readBeside(_ path: String, _ name: String, _ use: (ConfigurationText) -> Void) throws {
        let file = directory(of: path) + name
        guard access(file, F_OK) == 0 else { return }
        switch read(file) {
        case .success(let text): use(text)
        case .failure(let failure):
            throw Unusable(description: "\(file): \(failure.why); make it readable or remove it")
        }
    }

    /// As `parse`, for those who only go on with a configuration without errors. Warnings are returned.
    public static func load(_ path: String? = nil) throws -> ParsedConfiguration {
        let parsed = try parse(path)
        guard parsed.errors.isEmpty else {
            throw Unusable(description: parsed.errors.map(\.description).joined(separator: "\n"))
        }
        return parsed
    }

    /// This machine as a cluster of its own.
    public static func oneMachine() -> ClusterConfiguration {
        var buffer = [CChar](repeating: 0, count: 256)
        gethostname(&buffer, 255)
        let name = buffer.withUnsafeBufferPointer { $0.baseAddress.map(String.init(cString:)) ?? "localhost" }
        let pages = UInt64(max(1, sysconf(Int32(_SC_PHYS_PAGES)))) * UInt64(max(1, sysconf(Int32(_SC_PAGESIZE))))
        return .oneMachine(
            hostname: String(name.prefix { $0 != "." }), cpus: sysconf(Int32(_SC_NPROCESSORS_ONLN)),
            memoryMiB: pages >> 20)
    }

    private static func directory(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "" }
        return String(path[...slash])
    }

    private static func read(_ path: String) -> Result<ConfigurationText, ConfigurationParser.IncludeFailure> {
        let fd = open(path, O_RDONLY | O_CLOEXEC)
        guard fd >= 0 else { return .failure(.init(String(cString: strerror(errno)))) }
        defer { close(fd) }
        var text: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65536)
        while text.count <= ConfigurationParser.maxTextBytes {
            let count = Glibc.read(fd, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            if count < 0 { return .failure(.init(String(cString: strerror(errno)))) }
            if count == 0 { break }
            text += chunk[..<count]
        }
        return .success(.init(file: path, text: String(decoding: text, as: UTF8.self)))
    }
}
