public import ArgosyDomain

/// An image ready to be mounted on this node.
public struct LayerStack: Hashable, Sendable {
    public enum Source: Hashable, Sendable {
        /// squashfs files, lowest layer first.
        case squashfs([String])
        /// A tree, opened as the user when the holder starts.
        case directory(String)
    }
    public var source: Source
    /// From the image's configuration: "NAME=value".
    public var environment: [String]
    /// From the image's configuration; empty: none.
    public var workingDirectory: String
    public init(source: Source, environment: [String] = [], workingDirectory: String = "") {
        self.source = source
        self.environment = environment
        self.workingDirectory = workingDirectory
    }
}

/// The node's cache of image layers, one squashfs per layer digest, shared by all images that have it.
public final class ImageStore: Sendable {
    public let directory: String
    public let settings: ImageSettings
    /// - Parameters:
    ///   - directory: `<spool>/cache`; root's, made if missing.
    ///   - helper: this program runs `HolderMain`'s sister mode: `helper + ["convert"]` (argosystepd's path).
    public init(directory: String, helper: [String], settings: ImageSettings = ImageSettings()) throws(ImageError) {
        throw ImageError(.failed, "")
    }

    /// Layers of the image with `digest` (as `ImageResolver` found it), fetched as `identity` unless they are cached and
    /// this user has shown before that the registry gives it the image. Blocks; several threads may call it, one layer
    /// is fetched once.
    /// - Throws: `ImageError` in words for the user.
    public func ensure(_ reference: ImageReference, digest: String, as identity: Identity) throws(ImageError)
        -> LayerStack
    { throw ImageError(.failed, "") }
}
