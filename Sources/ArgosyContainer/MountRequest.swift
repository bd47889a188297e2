/// A mount a user asked for.
public struct MountRequest: Hashable, Sendable {
    public var source: String
    public var target: String
    public var readOnly: Bool
    /// Left out when the source is not there.
    public var optional: Bool

    public init(source: String, target: String, readOnly: Bool = false, optional: Bool = false) {
        self.source = source
        self.target = target
        self.readOnly = readOnly
        self.optional = optional
    }

    /// `SRC:DST[:ro|rw]`, or `SRC` alone for the same place inside. Throws with what is wrong.
    public static func parse(_ text: String) throws(HolderFailure) -> MountRequest {
        func wrong(_ why: String) -> HolderFailure {
            HolderFailure("mount \"\(text)\": \(why); write it like /data:/data:ro", userFault: true)
        }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard let source = parts.first, parts.count <= 3 else { throw wrong("it has more than three parts") }
        var request = MountRequest(source: source, target: parts.count > 1 ? parts[1] : source)
        if parts.count == 3 {
            guard parts[2] == "ro" || parts[2] == "rw" else { throw wrong("\"\(parts[2])\" is neither ro nor rw") }
            request.readOnly = parts[2] == "ro"
        }
        guard request.source.hasPrefix("/"), request.target.hasPrefix("/") else {
            throw wrong("a path is not absolute")
        }
        try request.checkTarget()
        return request
    }

    /// Where the container's own mounts are, users' may not be.
    func checkTarget() throws(HolderFailure) {
        let parts = target.split(separator: "/")
        guard let first = parts.first, !parts.contains("..") else {
            throw HolderFailure("mount target \(target) is the root or has \"..\" in it", userFault: true)
        }
        // Homes of tests and scratch directories may lie below it.
        if parts.starts(with: ["dev", "shm"]) && parts.count > 2 { return }
        if ["proc", "sys", "dev"].contains(first) || parts.starts(with: ["run", "argosy"]) {
            throw HolderFailure(
                "mount target \(target) lies in /\(parts.prefix(first == "run" ? 2 : 1).joined(separator: "/")), "
                    + "which belongs to the container itself; choose another", userFault: true)
        }
    }
}
