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
    public init(_ text: String) throws(ImageError) { throw ImageError(.badReference, "") }

    public var description: String { "" }

    /// Has manifest and layers (and so a digest).
    public var hasDigest: Bool {
        switch self {
        case .registry, .layout: true
        case .squashfs, .directory: false
        }
    }
}

/// Why an image cannot be used, in words for the job's owner.
public struct ImageError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Code: Hashable, Sendable {
        /// The user's doing: does not parse, is not there, may not be read, other architecture, too large.
        case badReference, notFound, denied, wrongArchitecture, notAllowed, tooLarge, malformed, changed
        /// The node's or registry's: no skopeo, cache full, time out.
        case toolMissing, noSpace, timeout, failed
    }
    public let code: Code
    public let description: String
    public init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }
    /// The node itself cannot run container jobs: drain it.
    public var isNodeFault: Bool { code == .toolMissing || code == .noSpace }
}
