public import ArgosyDomain
import ArgosySystem
import Glibc

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

    /// Takes over what a configuration's key of ours says; other keys change nothing.
    public mutating func apply(key: String, value: String) {
        switch key.lowercased() {
        case "containerregistriesconf": registriesConf = value
        case "containerinsecureregistries": insecureRegistries = value.split(separator: ",").map(String.init)
        default: break
        }
    }
}

/// Finds out which image a tag means now: done once, at submission; the digest is what runs.
public struct ImageResolver: Sendable {
    public var settings: ImageSettings
    public init(settings: ImageSettings = ImageSettings()) { self.settings = settings }

    /// Digest ("sha256:...") of the manifest for this machine's architecture; empty for `sqsh:` and `dir:`, whose file or
    /// directory is only checked. Runs skopeo with the submitter's identity and credentials; blocks for seconds.
    /// - Throws: `ImageError` in words for the user.
    public func resolve(_ reference: ImageReference, as identity: Identity) throws(ImageError) -> String {
        switch reference {
        case .squashfs(let path):
            try Self.checkSquashfs(path, as: identity)
            return ""
        case .directory(let path):
            _ = try Self.open(path, flags: Files.pathOnly | O_DIRECTORY, as: identity)
            return ""
        case .registry, .layout: return try resolveManifest(reference, as: identity)
        }
    }

    private func resolveManifest(_ reference: ImageReference, as identity: Identity) throws(ImageError) -> String {
        let skopeo = Skopeo(settings: settings, identity: identity)
        let raw = try skopeo.inspect(reference, digest: nil, configuration: false)
        let json = try Self.parse(raw, reference)
        let architecture = ImageConfiguration.architecture
        let name = reference.description
        if let chosen = try ImageManifest.choose(json, architecture: architecture, name) { return chosen }
        _ = try ImageManifest(json, name: name)
        let configuration = try Self.parse(skopeo.inspect(reference, digest: nil, configuration: true), reference)
        _ = try ImageConfiguration(configuration, architecture: architecture, name: name)
        return "sha256:" + SHA256.hex(SHA256.hash(raw))
    }

    static func parse(_ bytes: [UInt8], _ reference: ImageReference) throws(ImageError) -> JSON {
        do {
            return try JSON(bytes)
        } catch {
            throw ImageError(.malformed, "image \(reference): its manifest or configuration is not JSON")
        }
    }

    /// The kernel will parse it as root, so only root may have made it; the user must be able to read it.
    static func checkSquashfs(_ path: String, as identity: Identity) throws(ImageError) {
        let file = try open(path, flags: O_RDONLY | O_NONBLOCK, as: identity)
        var status = stat()
        guard fstat(file.raw, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw ImageError(.badReference, "image \(path) is not a file")
        }
        guard status.st_uid == 0, status.st_mode & 0o022 == 0 else {
            throw ImageError(
                .notAllowed,
                "image \(path) must belong to root and be writable by root only, because the kernel mounts it; "
                    + "ask the administrator to install it, or use oci:, dir: or a registry")
        }
    }

    static func open(_ path: String, flags: Int32, as identity: Identity) throws(ImageError) -> Descriptor {
        do {
            return try Files.openAs(Credentials(identity), path, flags: flags)
        } catch {
            let code: ImageError.Code =
                switch error.code {
                case ENOENT, ENOTDIR: .notFound
                case EACCES, EPERM: .denied
                default: .failed
                }
            throw ImageError(code, "image \(path): \(error.reason) (as user \(identity.user))")
        }
    }
}
