import ArgosySystem
import Glibc

/// Everything that belongs to one development cluster, by name: all of it follows from its directory.
struct DevCluster: Sendable {
    static let defaultDirectory = "/run/argosy-dev"
    /// Addresses 11 and up of a /24.
    static let maxNodes = 200

    let directory: String
    /// Six digits that tell the clusters of one machine apart.
    let tag: String
    private let digest: [UInt8]

    init(directory: String) {
        self.directory = directory
        digest = SHA256.hash(Array(directory.utf8))
        tag = String(SHA256.hex(digest).prefix(6))
    }

    var name: String { directory == Self.defaultDirectory ? "dev" : "dev-\(tag)" }
    static func node(_ index: Int) -> String { "n\(index)" }

    // Files.
    var configuration: String { directory + "/argosy.conf" }
    var registries: String { directory + "/registries.conf" }
    var bin: String { directory + "/bin" }
    var logs: String { directory + "/log" }
    var run: String { directory + "/run" }
    var state: String { directory + "/state" }
    var socket: String { directory + "/argosyctld.sock" }
    /// Of a controller that is not root.
    var socketDirectory: String { directory + "/ctl" }
    var munge: String { directory + "/munge" }
    var mungeSocket: String { munge + "/socket" }
    /// Says that the directory is ours to remove.
    var marker: String { directory + "/.argosy-dev" }
    var networkFile: String { run + "/network" }
    func log(of daemon: String) -> String { "\(logs)/\(daemon).log" }
    func pidFile(of daemon: String) -> String { "\(run)/\(daemon).pid" }

    // Network. Interface names have 15 bytes.
    var bridge: String { "argosy-\(tag)" }
    func namespace(_ index: Int) -> String { "argosy-\(tag)-n\(index)" }
    func namespaceFile(_ index: Int) -> String { "/run/netns/" + namespace(index) }
    func link(_ index: Int) -> String { "av\(tag)-\(index)" }

    /// Where to look for a free network, best first: the same directory gets the same addresses again.
    func candidateSubnets() -> [DevSubnet] {
        (0..<16).map { attempt in
            let first = UInt8(16 + Int(digest[4 + attempt % 8]) % 224)
            return DevSubnet(second: first, third: digest[12 + attempt])
        }
    }

    /// Those that have a pid file, nodes first: the order of stopping.
    func startedDaemons() -> [String] {
        let names = ((try? Files.list(run)) ?? []).filter { $0.hasSuffix(".pid") }.map { String($0.dropLast(4)) }
        let nodes = names.filter { $0 != "munged" && $0 != "argosyctld" }
        return nodes.sorted { ($0.count, $0) < ($1.count, $1) } + ["argosyctld", "munged"].filter(names.contains)
    }
}

/// 10.second.third.0/24
struct DevSubnet: Equatable {
    var second: UInt8
    var third: UInt8
    var prefix: String { "10.\(second).\(third)" }
    /// The bridge's own: the controller listens there.
    var gateway: String { prefix + ".1" }
    func address(_ node: Int) -> String { "\(prefix).\(10 + node)" }
}
