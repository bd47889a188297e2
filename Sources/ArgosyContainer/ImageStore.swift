public import ArgosyDomain
import ArgosySystem
import Glibc

// The node's cache. Below `directory`:
//   layers/<digest>.sqfs            one squashfs per layer, root's, made once and never changed
//   manifests/<digest>/             manifest.json, config.json, users/<uid>: whom the registry has given it
//   locks/<digest>, tmp/            one fetch at a time for each image; what is being made
//
// Nothing enters before its digest was checked: skopeo writes as the user into the user's own directory; each blob is
// copied from there into a file of root's while it is hashed, and only that copy is read by the converter, which runs
// as nobody without network, in a pid namespace of its own, so that nothing of it is left with the result open.

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
    let helper: [String]

    /// - Parameters:
    ///   - directory: `<spool>/cache`; root's, made if missing. What an earlier life left half done is removed.
    ///   - helper: runs `ConvertMain`: argosystepd's path and "convert".
    public init(directory: String, helper: [String], settings: ImageSettings = ImageSettings()) throws(ImageError) {
        self.directory = directory
        self.helper = helper
        self.settings = settings
        try Self.explained("image cache \(directory)") { () throws(SystemError) in
            for name in ["layers", "manifests", "locks", "tmp"] {
                try Files.makeDirectories(directory + "/" + name, mode: 0o711)
            }
            for name in try Files.list(directory + "/tmp") { Self.removeOthers(directory + "/tmp/" + name) }
        }
    }

    /// Layers of the image with `digest` (as `ImageResolver` found it), fetched as `identity` unless they are cached and
    /// this user has shown before that the registry gives it the image. Blocks; several threads may call it, one image
    /// is fetched once at a time.
    /// - Throws: `ImageError` in words for the user.
    public func ensure(
        _ reference: ImageReference, digest: String, as identity: Identity
    ) throws(ImageError) -> LayerStack {
        switch reference {
        case .directory(let path): return LayerStack(source: .directory(path))
        case .squashfs(let path):
            try ImageResolver.checkSquashfs(path, as: identity)
            return LayerStack(source: .squashfs([path]))
        case .registry, .layout: break
        }
        guard ImageReference.isDigest(digest) else {
            throw ImageError(.badReference, "image \(reference): \"\(digest)\" is not a sha256 digest")
        }
        let lock = try lock(digest)
        defer { withExtendedLifetime(lock) {} }
        if let stack = try cached(digest, reference) {
            if !isKnown(identity.uid, digest) { try proveAccess(reference, digest, identity) }
            return stack
        }
        try ImageFetch(store: self, reference: reference, digest: digest, identity: identity).run()
        guard let stack = try cached(digest, reference) else {
            throw ImageError(.failed, "image \(reference): a layer vanished from the cache \(directory)")
        }
        return stack
    }

    // MARK: paths

    func layerPath(_ digest: String) -> String { directory + "/layers/" + digest.dropFirst(7) + ".sqfs" }
    func manifestDirectory(_ digest: String) -> String { directory + "/manifests/" + digest.dropFirst(7) }

    /// A new directory in tmp for `uid` alone.
    func temporary(uid: UInt32, gid: UInt32) throws(ImageError) -> String {
        let path = directory + "/tmp/\(UInt64.random(in: 0 ... .max))"
        try Self.explained("image cache") { () throws(SystemError) in
            guard mkdir(path, 0o700) == 0 else { throw SystemError("mkdir", path, code: errno) }
            guard chown(path, uid, gid) == 0 else { throw SystemError("chown", path, code: errno) }
        }
        return path
    }

    /// Removes a directory whose owner may be writing to it: its content as that owner, whom links lead nowhere new.
    static func removeOthers(_ path: String) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        var spec = ProcessSpec(
            path: "rm", arguments: ["rm", "-rf", "--one-file-system", path], environment: ["PATH=/usr/bin:/bin"])
        spec.credentials = Credentials(uid: status.st_uid, gid: status.st_gid)
        _ = try? Spawn.start(spec).wait()
        rmdir(path)
    }

    // MARK: what is there

    private func cached(_ digest: String, _ reference: ImageReference) throws(ImageError) -> LayerStack? {
        let path = manifestDirectory(digest)
        guard let manifestBytes = try? Files.read(path + "/manifest.json", max: ImageManifest.maxBytes),
            let configBytes = try? Files.read(path + "/config.json", max: ImageManifest.maxBytes)
        else { return nil }
        let manifest = try ImageManifest(ImageResolver.parse(manifestBytes, reference), name: reference.description)
        let config = try ImageConfiguration(
            ImageResolver.parse(configBytes, reference), architecture: ImageConfiguration.architecture,
            name: reference.description)
        let layers = manifest.layers.map { layerPath($0.digest) }
        guard layers.allSatisfy({ access($0, F_OK) == 0 }) else { return nil }
        return LayerStack(
            source: .squashfs(layers), environment: config.environment, workingDirectory: config.workingDirectory)
    }

    private func isKnown(_ uid: UInt32, _ digest: String) -> Bool {
        access(manifestDirectory(digest) + "/users/\(uid)", F_OK) == 0
    }

    private func proveAccess(_ reference: ImageReference, _ digest: String, _ identity: Identity) throws(ImageError) {
        let raw = try Skopeo(settings: settings, identity: identity)
            .inspect(reference, digest: digest, configuration: false)
        let json = try ImageResolver.parse(raw, reference)
        // Of a layout, what is read may be an index that leads to the manifest.
        let chosen = try ImageManifest.choose(
            json, architecture: ImageConfiguration.architecture, reference.description)
        guard (chosen ?? "sha256:" + SHA256.hex(SHA256.hash(raw))) == digest else {
            throw ImageError(.changed, "image \(reference) has changed since the job was submitted; submit it again")
        }
        try remember(identity.uid, digest)
    }

    func remember(_ uid: UInt32, _ digest: String) throws(ImageError) {
        let path = manifestDirectory(digest) + "/users/\(uid)"
        try Self.explained("image cache") { () throws(SystemError) in try Files.replace(path, with: []) }
    }

    private func lock(_ digest: String) throws(ImageError) -> FileLock {
        let path = directory + "/locks/" + digest.dropFirst(7)
        let deadline = BootClock.now + settings.timeout
        while BootClock.now < deadline {
            let held = try Self.explained("image cache") { () throws(SystemError) in try FileLock.tryLock(path) }
            if let held { return held }
            usleep(50000)
        }
        throw ImageError(.timeout, "another job's fetch of the same image did not finish in time")
    }

    static func explained<Result>(
        _ what: String, _ body: () throws(SystemError) -> Result
    ) throws(ImageError) -> Result {
        do {
            return try body()
        } catch {
            throw ImageError(error.code == ENOSPC || error.code == EDQUOT ? .noSpace : .failed, "\(what): \(error)")
        }
    }
}
