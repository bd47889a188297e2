public import ArgosyDomain

/// How images are fetched on this machine.
public struct ImageSettings: Sendable {
    /// A registries.conf for skopeo instead of the system's.
    public var registriesConf: String?
    /// "host:port" of registries spoken to without verified TLS; those on loopback are always.
    public var insecureRegistries: [String] = []
    /// Bytes of one image's layers as fetched, and of one squashfs made.
    public var maxImageBytes: UInt64 = 64 << 30
    public var maxLayers = 200
    /// For one fetch, and for converting one layer.
    public var timeout: Duration = .seconds(1800)
    /// Who converts layers; nobody.
    public var converterUID: UInt32 = 65534
    public var converterGID: UInt32 = 65534
    public init() {}
}

/// Finds out which image a tag means now: done once, at submission; the digest is what runs.
public struct ImageResolver: Sendable {
    public var settings: ImageSettings
    public init(settings: ImageSettings = ImageSettings()) { self.settings = settings }

    /// Digest ("sha256:...") of the manifest for this machine's architecture; empty for `sqsh:` and `dir:`, whose file or
    /// directory is only checked. Runs skopeo with the submitter's identity and credentials; blocks for seconds.
    /// - Throws: `ImageError` in words for the user.
    public func resolve(_ reference: ImageReference, as identity: Identity) throws(ImageError) -> String {
        throw ImageError(.failed, "")
    }
}
