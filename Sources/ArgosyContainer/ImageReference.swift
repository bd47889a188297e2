/// Where a job's image comes from, as the user wrote it.
///
///     docker://registry:5000/team/app:1.2      a registry (also with @sha256:...; without docker:// too)
///     oci:/path/to/layout[:tag]                an OCI image layout directory
///     sqsh:/path/image.sqsh                    a squashfs file that root owns
///     dir:/path/tree                           a directory tree
public enum ImageReference: Hashable, Sendable, CustomStringConvertible {
    case registry(name: String)
    case layout(path: String, tag: String)
    case squashfs(path: String)
    case directory(path: String)

    /// Throws `ImageError` for what is none of them; enroot's `host#repository:tag` is understood.
    public init(_ text: String) throws(ImageError) {
        guard text.utf8.count < 4096, text.utf8.allSatisfy({ $0 > 32 && $0 != 127 }) else {
            throw Self.bad(text, "it has spaces or control characters, or is too long")
        }
        let (scheme, rest) = Self.split(text)
        switch scheme {
        case "docker": self = .registry(name: try Self.registryName(rest, text))
        case "oci":
            let (path, tag) = Self.tag(rest)
            self = .layout(path: try Self.absolute(path, text), tag: tag)
        case "sqsh": self = .squashfs(path: try Self.absolute(rest, text))
        case "dir": self = .directory(path: try Self.absolute(rest, text))
        default: throw Self.bad(text, "\(scheme): images are not supported")
        }
    }

    /// Has manifest and layers (and so a digest).
    public var hasDigest: Bool {
        switch self {
        case .registry, .layout: true
        case .squashfs, .directory: false
        }
    }

    /// Canonical; `ImageReference` reads it again.
    public var description: String {
        switch self {
        case .registry(let name): "docker://" + name
        case .layout(let path, let tag): "oci:" + path + (tag.isEmpty ? "" : ":" + tag)
        case .squashfs(let path): "sqsh:" + path
        case .directory(let path): "dir:" + path
        }
    }

    /// "host:port" (or "host") of the registry; nil where there is none or it is Docker's.
    var registryHost: String? {
        guard case .registry(let name) = self, let slash = name.firstIndex(of: "/") else { return nil }
        let host = name[..<slash]
        return host.contains(".") || host.contains(":") || host == "localhost" ? String(host) : nil
    }

    /// What skopeo takes; with `digest`, exactly that manifest where the place can name one.
    func skopeoName(digest: String? = nil) -> String {
        guard case .registry(let name) = self, let digest else { return description }
        return "docker://" + Self.repository(name) + "@" + digest
    }

    private static func repository(_ name: String) -> String {
        let base = name.split(separator: "@", maxSplits: 1)[0]
        return tag(String(base)).path
    }

    private static func split(_ text: String) -> (scheme: String, rest: String) {
        for scheme in ["docker://", "oci:", "sqsh:", "dir:", "sif:", "shub://", "library://"]
        where text.hasPrefix(scheme) {
            return (String(scheme.prefix { $0 != ":" }), String(text.dropFirst(scheme.count)))
        }
        if text.hasPrefix("/") {
            for ending in [".sqsh", ".sqfs", ".squashfs"] where text.hasSuffix(ending) { return ("sqsh", text) }
            return ("dir", text)
        }
        return ("docker", text)
    }

    /// The part after the last colon, when no slash follows it.
    private static func tag(_ text: String) -> (path: String, tag: String) {
        guard let colon = text.lastIndex(of: ":"), !text[colon...].contains("/") else { return (text, "") }
        return (String(text[..<colon]), String(text[text.index(after: colon)...]))
    }

    private static func registryName(_ text: String, _ whole: String) throws(ImageError) -> String {
        let name = String(text.map { $0 == "#" ? "/" : $0 })
        let allowed = name.utf8.allSatisfy { byte in
            (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
                || "._-/:@[]".utf8.contains(byte)
        }
        guard allowed, let first = name.utf8.first, first != UInt8(ascii: "-"), first != UInt8(ascii: "/") else {
            throw bad(whole, "it is not a registry's image name")
        }
        if repository(name).isEmpty { throw bad(whole, "it names no repository") }
        // A tag beside a digest says nothing more, and skopeo refuses both together.
        guard let at = name.firstIndex(of: "@") else { return name }
        let digest = String(name[name.index(after: at)...])
        guard isDigest(digest) else { throw bad(whole, "\(digest) is not a sha256 digest") }
        return repository(name) + "@" + digest
    }

    private static func absolute(_ path: String, _ whole: String) throws(ImageError) -> String {
        guard path.hasPrefix("/") else { throw bad(whole, "its path is not absolute") }
        return path
    }

    static func isDigest(_ text: String) -> Bool {
        text.hasPrefix("sha256:") && text.utf8.count == 71
            && text.utf8.dropFirst(7).allSatisfy { (48...57).contains($0) || (97...102).contains($0) }
    }

    private static func bad(_ text: String, _ why: String) -> ImageError {
        ImageError(
            .badReference,
            "image \"\(text)\": \(why); write docker://host/name:tag, oci:/path[:tag], sqsh:/path or dir:/path")
    }
}
