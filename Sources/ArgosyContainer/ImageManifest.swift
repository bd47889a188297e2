import ArgosySystem

/// A manifest, or the index that leads to one: OCI image specification 1.0 and Docker's schema 2, which agree in what is
/// read here.
struct ImageManifest {
    enum Compression: String { case none, gzip, zstd }
    struct Layer {
        var digest: String
        var size: UInt64
        var compression: Compression
    }
    var configDigest: String
    var layers: [Layer]

    static let maxBytes = 4 << 20

    /// Digest of this machine's manifest in an index; nil when `json` is no index.
    static func choose(_ json: JSON, architecture: String, _ name: String) throws(ImageError) -> String? {
        guard let entries = json["manifests"]?.elements else { return nil }
        var found: [String] = []
        for entry in entries {
            guard let platform = entry["platform"], let os = platform["os"]?.text,
                let other = platform["architecture"]?.text, let digest = entry["digest"]?.text,
                ImageReference.isDigest(digest)
            else { continue }
            if os == "linux" && other == architecture { return digest }
            if os != "unknown" { found.append(os + "/" + other) }
        }
        throw wrongArchitecture(name, has: found.isEmpty ? "none" : found.joined(separator: ", "), architecture)
    }

    static func wrongArchitecture(_ name: String, has: String, _ wanted: String) -> ImageError {
        ImageError(
            .wrongArchitecture,
            "image \(name) is for \(has), but the nodes are linux/\(wanted); choose an image built for linux/\(wanted)")
    }

    init(_ json: JSON, name: String) throws(ImageError) {
        guard let config = json["config"]?["digest"]?.text, ImageReference.isDigest(config),
            let layers = json["layers"]?.elements
        else {
            throw ImageError(
                .malformed, "image \(name) has a manifest of an old or unknown kind; push it again with a current tool")
        }
        configDigest = config
        self.layers = []
        for layer in layers {
            guard let digest = layer["digest"]?.text, ImageReference.isDigest(digest),
                let size = layer["size"]?.unsigned
            else { throw ImageError(.malformed, "image \(name) has a layer without a sha256 digest and size") }
            let type = layer["mediaType"]?.text ?? ""
            guard let compression = Self.compression(type) else {
                throw ImageError(.malformed, "image \(name) has a layer of the unsupported type \(type)")
            }
            self.layers.append(Layer(digest: digest, size: size, compression: compression))
        }
    }

    private static func compression(_ type: String) -> Compression? {
        switch type {
        case "application/vnd.oci.image.layer.v1.tar", "application/vnd.docker.image.rootfs.diff.tar": Compression.none
        case "application/vnd.oci.image.layer.v1.tar+gzip", "application/vnd.docker.image.rootfs.diff.tar.gzip": .gzip
        case "application/vnd.oci.image.layer.v1.tar+zstd": .zstd
        default: nil
        }
    }
}

/// What is used of an image's configuration.
struct ImageConfiguration {
    var environment: [String]
    var workingDirectory: String

    /// Checks that it is for Linux and `architecture`.
    init(_ json: JSON, architecture: String, name: String) throws(ImageError) {
        let os = json["os"]?.text ?? "linux"
        let other = json["architecture"]?.text ?? ""
        guard os == "linux", other == architecture else {
            throw ImageManifest.wrongArchitecture(name, has: "\(os)/\(other.isEmpty ? "unknown" : other)", architecture)
        }
        environment = json["config"]?["Env"]?.elements?.compactMap(\.text).filter { $0.contains("=") } ?? []
        workingDirectory = json["config"]?["WorkingDir"]?.text ?? ""
    }

    /// Go's name of this machine's architecture, as images have it.
    static var architecture: String {
        switch Machine.kernel().architecture {
        case "x86_64": "amd64"
        case "aarch64": "arm64"
        case let other: other
        }
    }
}
