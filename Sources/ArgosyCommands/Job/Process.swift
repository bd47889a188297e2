// What a command knows of its own process: environment, directory, limits, umask, host.

import ArgosyConfig
import Glibc

enum Process {
    /// `NAME=value` in the environment's order.
    static var environment: [String] {
        var entries: [String] = []
        var next = environ
        while let entry = next.pointee {
            entries.append(String(cString: entry))
            next += 1
        }
        return entries
    }

    static func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

    /// The shell's idea of it when that is right (symbolic links kept), else the kernel's.
    static var directory: String {
        var here = stat()
        var named = stat()
        if let pwd = variable("PWD"), pwd.hasPrefix("/"), stat(".", &here) == 0, stat(pwd, &named) == 0,
            here.st_ino == named.st_ino, here.st_dev == named.st_dev
        {
            return pwd
        }
        var buffer = [CChar](repeating: 0, count: 4096)
        guard let path = getcwd(&buffer, buffer.count) else { return "/" }
        return String(cString: path)
    }

    static var host: String {
        var buffer = [CChar](repeating: 0, count: 256)
        gethostname(&buffer, 255)
        return buffer.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } ?? "" }
    }

    /// The scheduling priority, as nice(1) counts it.
    static var nice: Int32 { getpriority(__priority_which_t(0), 0) }

    static var umask: UInt32 {
        if let text = variable("SLURM_UMASK"), let value = UInt32(text, radix: 8) { return value & 0o777 }
        let mask = Glibc.umask(0)
        _ = Glibc.umask(mask)
        return UInt32(mask)
    }

    /// Soft and hard limits by number, RLIMIT_CPU (0) to RLIMIT_RTTIME (15).
    static var limits: [(resource: UInt32, soft: UInt64, hard: UInt64)] {
        (0...15).compactMap { number in
            var limit = rlimit()
            guard getrlimit(__rlimit_resource_t(number), &limit) == 0 else { return nil }
            return (UInt32(number), UInt64(limit.rlim_cur), UInt64(limit.rlim_max))
        }
    }

    /// 32 hexadecimal digits that nobody else draws.
    static func token() -> String {
        var bytes = [UInt8](repeating: 0, count: 16)
        let descriptor = open("/dev/urandom", O_RDONLY | O_CLOEXEC)
        if descriptor >= 0 {
            _ = read(descriptor, &bytes, bytes.count)
            close(descriptor)
        }
        if bytes.allSatisfy({ $0 == 0 }) {
            var now = timespec()
            clock_gettime(CLOCK_REALTIME, &now)
            return "\(getpid())-\(now.tv_sec)-\(now.tv_nsec)"
        }
        return bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    /// What a command exits with when Slurm's side of things failed.
    static var errorStatus: Int32 { variable("SLURM_EXIT_ERROR").flatMap { Int32($0) } ?? 1 }

    /// The cluster's name: inside a job its environment knows it.
    static func cluster(_ configuration: ClusterConfiguration) -> String {
        variable("ARGOSY_RELAY") == nil ? configuration.clusterName : variable("SLURM_CLUSTER_NAME") ?? ""
    }

    static func isExecutable(_ path: String) -> Bool { access(path, X_OK) == 0 }
}

func pause(milliseconds: UInt32) { usleep(milliseconds * 1000) }

/// `export`'s rules over an environment: ALL (default), NONE, or names and assignments, with ALL among them or not.
/// SLURM_ variables always go along, as in Slurm; what belongs to this process's own job's relay never does.
func exported(_ environment: [String], _ export: String?) -> [String] {
    let own = environment.filter { !$0.hasPrefix("ARGOSY_RELAY=") }
    guard let export, export.uppercased() != "ALL" else { return own }
    let slurm = own.filter { $0.hasPrefix("SLURM_") }
    if ["NONE", "NIL"].contains(export.uppercased()) { return slurm }
    var result = slurm
    let words = exportWords(export)
    if words.contains(where: { $0.uppercased() == "ALL" }) { result = own }
    for word in words where word.uppercased() != "ALL" {
        if word.contains("=") {
            let name = word.prefix { $0 != "=" } + "="
            result.removeAll { $0.hasPrefix(name) }
            result.append(word)
        } else if let entry = own.first(where: { $0.hasPrefix(word + "=") }), !result.contains(entry) {
            result.append(entry)
        }
    }
    return result
}

/// Splits at commas outside quotes; quotes around a value are taken off.
func exportWords(_ text: String) -> [String] {
    var words = [""]
    var quote: Character?
    for character in text {
        if let open = quote {
            if character == open { quote = nil } else { words[words.count - 1].append(character) }
        } else if character == "'" || character == "\"" {
            quote = character
        } else if character == "," {
            words.append("")
        } else {
            words[words.count - 1].append(character)
        }
    }
    return words.filter { !$0.isEmpty }
}
