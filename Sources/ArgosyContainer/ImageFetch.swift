import ArgosyDomain
import ArgosySystem
import Glibc

/// One fetch of one image into the cache.
struct ImageFetch {
    let store: ImageStore
    let reference: ImageReference
    let digest: String
    let identity: Identity

    func run() throws(ImageError) {
        let users = try store.temporary(uid: identity.uid, gid: identity.gid)
        defer { ImageStore.removeOthers(users) }
        try Skopeo(settings: store.settings, identity: identity).copy(reference, digest: digest, to: users)
        let image = users + "/image"
        let manifestBytes = try small(image + "/manifest.json", digest, ifWrong: .changed)
        let manifest = try ImageManifest(
            ImageResolver.parse(manifestBytes, reference), name: reference.description)
        try checkSize(manifest)
        let configBytes = try small(image + "/" + manifest.configDigest.dropFirst(7), manifest.configDigest)
        _ = try ImageConfiguration(
            ImageResolver.parse(configBytes, reference), architecture: ImageConfiguration.architecture,
            name: reference.description)
        for layer in manifest.layers where access(store.layerPath(layer.digest), F_OK) != 0 {
            try LayerImport(store: store, layer: layer, name: reference.description)
                .run(from: image + "/" + layer.digest.dropFirst(7))
        }
        try record(manifestBytes, configBytes)
    }

    private func checkSize(_ manifest: ImageManifest) throws(ImageError) {
        let settings = store.settings
        guard manifest.layers.count <= settings.maxLayers, !manifest.layers.isEmpty else {
            throw ImageError(
                .tooLarge,
                "image \(reference) has \(manifest.layers.count) layers; 1 to \(settings.maxLayers) are allowed")
        }
        var total: UInt64 = 0
        for layer in manifest.layers {
            let (sum, overflow) = total.addingReportingOverflow(layer.size)
            total = overflow ? .max : sum
        }
        guard total <= settings.maxImageBytes else {
            throw ImageError(
                .tooLarge, "image \(reference) has \(total >> 20) MiB; \(settings.maxImageBytes >> 20) MiB are allowed")
        }
    }

    /// A small file of the user's that must have `digest`.
    private func small(
        _ path: String, _ digest: String, ifWrong code: ImageError.Code = .malformed
    ) throws(ImageError) -> [UInt8] {
        let bytes = try ImageStore.explained("image \(reference)") { () throws(SystemError) in
            try Files.read(LayerImport.openUsers(path), max: ImageManifest.maxBytes, name: path)
        }
        guard "sha256:" + SHA256.hex(SHA256.hash(bytes)) == digest else {
            throw ImageError(
                code,
                code == .changed
                    ? "image \(reference) has changed since the job was submitted; submit it again"
                    : "image \(reference): what was fetched does not have the digest \(digest)")
        }
        return bytes
    }

    private func record(_ manifest: [UInt8], _ config: [UInt8]) throws(ImageError) {
        let path = store.manifestDirectory(digest)
        try ImageStore.explained("image cache") { () throws(SystemError) in
            try Files.makeDirectories(path + "/users", mode: 0o700)
            try Files.replace(path + "/config.json", with: config)
            try Files.replace(path + "/manifest.json", with: manifest)
        }
        try store.remember(identity.uid, digest)
    }
}

/// One layer, from the user's file to the cache.
struct LayerImport {
    let store: ImageStore
    let layer: ImageManifest.Layer
    let name: String

    func run(from path: String) throws(ImageError) {
        let settings = store.settings
        let ours = try store.temporary(uid: 0, gid: 0)
        defer { ImageStore.removeOthers(ours) }
        let blob = try copyHashed(from: path, to: ours + "/blob")
        let work = try store.temporary(uid: settings.converterUID, gid: settings.converterGID)
        defer { ImageStore.removeOthers(work) }
        try convert(blob, to: work + "/layer.sqfs")
        try adopt("layer.sqfs", of: work)
    }

    /// A file in the user's directory: whatever the user made of it, a regular file and no link.
    static func openUsers(_ path: String) throws(SystemError) -> Descriptor {
        let file = try Files.open(path, flags: O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
        var status = stat()
        guard fstat(file.raw, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw SystemError("open", path, code: EINVAL)
        }
        return file
    }

    private func copyHashed(from path: String, to copy: String) throws(ImageError) -> Descriptor {
        var hasher = SHA256()
        let size = layer.size
        try ImageStore.explained("image \(name)") { () throws(SystemError) in
            let source = try Self.openUsers(path)
            let target = try Files.open(copy, flags: O_WRONLY | O_CREAT | O_EXCL, mode: 0o600)
            var buffer = [UInt8](repeating: 0, count: 1 << 20)
            var total: UInt64 = 0
            while true {
                let count = Glibc.read(source.raw, &buffer, buffer.count)
                if count < 0 { throw SystemError("read", path, code: errno) }
                if count == 0 { break }
                total += UInt64(count)
                if total > size { throw SystemError("read", path, code: EFBIG) }
                buffer.withUnsafeBytes { hasher.update(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
                try Files.write(buffer[..<count], to: target.raw, name: copy)
            }
        }
        guard "sha256:" + SHA256.hex(hasher.finish()) == layer.digest else {
            throw ImageError(.malformed, "image \(name): a layer fetched does not have its digest \(layer.digest)")
        }
        return try ImageStore.explained("image cache") { () throws(SystemError) in try Files.open(copy, flags: O_RDONLY)
        }
    }

    private func convert(_ blob: Descriptor, to output: String) throws(ImageError) {
        let settings = store.settings
        var spec = ProcessSpec(
            path: store.helper.first ?? "",
            arguments: store.helper + [output, layer.compression.rawValue, "\(settings.maxImageBytes)"],
            environment: ["PATH=/usr/bin:/bin"])
        spec.stdin = blob.raw
        spec.credentials = Credentials(uid: settings.converterUID, gid: settings.converterGID)
        spec.workingDirectory = "/"
        spec.umask = 0o077
        spec.dropAllCapabilities = true
        spec.noNewPrivileges = true
        spec.newNamespaces = [.pid, .network, .ipc]
        spec.parentDeathSignal = SIGKILL
        spec.limits = [
            ResourceLimit(resource: 1, soft: settings.maxImageBytes, hard: settings.maxImageBytes),
            ResourceLimit(resource: 4, soft: 0, hard: 0),
        ]
        let outcome = try Tool.run(spec, timeout: settings.timeout)
        guard outcome.status.isSuccess else {
            let lines = outcome.messages.split(separator: "\n").suffix(3)
            let text = lines.isEmpty ? outcome.status.text : lines.joined(separator: "; ")
            let full = text.lowercased().range(ofText: "no space left") != nil
            throw ImageError(full ? .noSpace : .malformed, "image \(name): converting a layer failed: \(text)")
        }
    }

    /// The converter and all it started are gone. The directory becomes root's first, so that nobody else's processes of
    /// the converter's uid can exchange the file.
    private func adopt(_ file: String, of work: String) throws(ImageError) {
        try ImageStore.explained("image cache") { () throws(SystemError) in
            let path = work + "/" + file
            guard chown(work, 0, 0) == 0 else { throw SystemError("chown", work, code: errno) }
            let file = try Self.openUsers(path)
            var status = stat()
            guard fstat(file.raw, &status) == 0, status.st_nlink == 1, fchown(file.raw, 0, 0) == 0,
                fchmod(file.raw, 0o444) == 0, fsync(file.raw) == 0
            else { throw SystemError("take over", path, code: errno) }
            let final = store.layerPath(layer.digest)
            guard rename(path, final) == 0 else { throw SystemError("rename", final, code: errno) }
        }
    }
}
