import ArgosyDomain
import ArgosySystem
import Glibc
import Testing

@testable import ArgosyContainer

let missingForImages = missing ?? (access("/usr/bin/skopeo", X_OK) == 0 ? nil : "needs skopeo")

@Suite(.enabled(if: missingForImages == nil, "\(missingForImages ?? "")"), .serialized)
struct ImageStoreTests {
    /// An OCI layout with two layers: busybox; then a whiteout of /opt/kmsg and an opaque /etc with its mark last.
    func makeLayout(_ path: String, architecture: String = ImageConfiguration.architecture) throws {
        try makeTree(path + "/tree")
        try shell(
            """
            cd \(path); mkdir -p top/opt top/etc layout/blobs/sha256 b
            touch top/opt/.wh.kmsg top/etc/.wh..wh..opq; echo new > top/etc/new
            mkdir -p top/usr/share; echo deep > top/usr/share/$(printf 'n%.0s' $(seq 120))
            tar -C tree -c . | gzip > b/0; tar -C top --format=pax -cf b/1.tar opt etc usr
            # A name may come twice.
            echo newer > top/etc/new; tar -C top --format=pax -rf b/1.tar etc/new; zstd -q b/1.tar -o b/1
            add() { d=$(sha256sum < $1 | cut -d' ' -f1); cp $1 layout/blobs/sha256/$d; echo $d; }
            s() { stat -c %s $1; }
            l0=$(add b/0); l1=$(add b/1)
            d0=$(zcat b/0 | sha256sum | cut -d' ' -f1); d1=$(sha256sum < b/1.tar | cut -d' ' -f1)
            echo "{\\"architecture\\":\\"\(architecture)\\",\\"os\\":\\"linux\\",\\"config\\":{\\"Env\\":[\\"PATH=/bin\\",\\"A=b\\"],\\"WorkingDir\\":\\"/opt\\"},\\"rootfs\\":{\\"type\\":\\"layers\\",\\"diff_ids\\":[\\"sha256:$d0\\",\\"sha256:$d1\\"]}}" > b/c
            c=$(add b/c); t=application/vnd.oci.image
            echo "{\\"schemaVersion\\":2,\\"mediaType\\":\\"$t.manifest.v1+json\\",\\"config\\":{\\"mediaType\\":\\"$t.config.v1+json\\",\\"digest\\":\\"sha256:$c\\",\\"size\\":$(s b/c)},\\"layers\\":[{\\"mediaType\\":\\"$t.layer.v1.tar+gzip\\",\\"digest\\":\\"sha256:$l0\\",\\"size\\":$(s b/0)},{\\"mediaType\\":\\"$t.layer.v1.tar+zstd\\",\\"digest\\":\\"sha256:$l1\\",\\"size\\":$(s b/1)}]}" > b/m
            m=$(add b/m)
            echo "{\\"schemaVersion\\":2,\\"manifests\\":[{\\"mediaType\\":\\"$t.manifest.v1+json\\",\\"digest\\":\\"sha256:$m\\",\\"size\\":$(s b/m),\\"annotations\\":{\\"org.opencontainers.image.ref.name\\":\\"v1\\"}}]}" > layout/index.json
            echo '{"imageLayoutVersion":"1.0.0"}' > layout/oci-layout
            chmod -R a+rX layout
            """)
    }

    func store(_ path: String, _ change: (inout ImageSettings) -> Void = { _ in }) throws -> ImageStore {
        var settings = ImageSettings()
        settings.timeout = .seconds(120)
        change(&settings)
        return try ImageStore(directory: path + "/cache", helper: [probe, "convert"], settings: settings)
    }

    /// A port nobody listens on.
    func freePort() throws -> Int {
        let file = Descriptor(adopting: socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(file.raw, $0, size) == 0 && getsockname(file.raw, $0, &size) == 0
            }
        }
        try #require(bound)
        return Int(UInt16(bigEndian: address.sin_port))
    }

    @Test func cacheThatCannotBeMadeIsToldWithItsPath() throws {
        try withDirectory { path throws in
            try Files.replace(path + "/cache", with: [])
            #expect { try store(path) } throws: {
                "\($0)".hasPrefix("image cache \(path)/cache: ") && "\($0)".hasSuffix("Not a directory")
            }
        }
    }

    @Test func layoutIsResolvedFetchedStackedAndRun() throws {
        try withDirectory { path throws in
            try makeLayout(path)
            let reference = try ImageReference("oci:\(path)/layout:v1")
            let digest = try ImageResolver().resolve(reference, as: somebody)
            #expect(ImageReference.isDigest(digest))
            let store = try store(path)
            let stack = try store.ensure(reference, digest: digest, as: somebody)
            #expect(stack.environment == ["PATH=/bin", "A=b"] && stack.workingDirectory == "/opt")
            #expect(try Files.list(path + "/cache/tmp").isEmpty)
            // Cached now: the layout is not needed again by this user, but another must show access.
            try shell("chmod 700 \(path)/layout")
            #expect(try store.ensure(reference, digest: digest, as: somebody) == stack)
            var other = somebody
            other.uid = 64124
            #expect { try store.ensure(reference, digest: digest, as: other) } throws: {
                ($0 as? ImageError)?.code == .denied
            }
            let holder = try Holder.start(
                HolderSpec(
                    image: stack, identity: somebody, hostName: "n", stagingDirectory: path + "/staging",
                    helper: [probe, "holder"]))
            defer { _ = holder.stop() }
            // The whiteout hides kmsg; the opaque mark hides the image's passwd, not ours.
            #expect(
                try holder.run("ls /opt /etc; cat /usr/share/nnn* /etc/new").output
                    == "/etc:\ngroup\nhostname\nhosts\nnew\npasswd\nresolv.conf\n\n/opt:\nsuid\ndeep\nnewer\n")
        }
    }

    @Test func imageForAnotherMachineIsRefusedWithBothNames() throws {
        try withDirectory { path throws in
            try makeLayout(path, architecture: "s390x")
            let reference = try ImageReference("oci:\(path)/layout:v1")
            #expect { try ImageResolver().resolve(reference, as: somebody) } throws: {
                "\($0)".contains("is for linux/s390x, but the nodes are linux/\(ImageConfiguration.architecture)")
            }
        }
    }

    @Test func missingTagAndUnreadableLayoutAreTold() throws {
        try withDirectory { path throws in
            try makeLayout(path)
            #expect(throws: ImageError.self) {
                try ImageResolver().resolve(ImageReference("oci:\(path)/layout:nosuch"), as: somebody)
            }
            try shell("chmod 700 \(path)/layout")
            #expect { try ImageResolver().resolve(ImageReference("oci:\(path)/layout:v1"), as: somebody) } throws: {
                ($0 as? ImageError)?.code == .denied
            }
            #expect { try ImageResolver().resolve(ImageReference("dir:\(path)/none"), as: somebody) } throws: {
                ($0 as? ImageError)?.code == .notFound
            }
        }
    }

    @Test func layerWithAnotherContentNeverEntersTheCache() throws {
        try withDirectory { path throws in
            try makeLayout(path)
            let reference = try ImageReference("oci:\(path)/layout:v1")
            let digest = try ImageResolver().resolve(reference, as: somebody)
            try shell(
                "cd \(path); f=layout/blobs/sha256/$(sha256sum < b/0 | cut -d' ' -f1); head -c 1000 b/1 | dd conv=notrunc of=$f"
            )
            let store = try store(path)
            #expect(throws: ImageError.self) { try store.ensure(reference, digest: digest, as: somebody) }
            #expect(try Files.list(path + "/cache/layers").isEmpty)
            #expect(try Files.list(path + "/cache/tmp").isEmpty)
        }
    }

    @Test func imageChangedSinceSubmissionIsRefused() throws {
        try withDirectory { path throws in
            try makeLayout(path)
            let reference = try ImageReference("oci:\(path)/layout:v1")
            let wrong = "sha256:" + String(repeating: "0", count: 64)
            #expect { try store(path).ensure(reference, digest: wrong, as: somebody) } throws: {
                ($0 as? ImageError)?.code == .changed
            }
        }
    }

    @Test func tooLargeImagesAreRefusedAndCleanedUp() throws {
        try withDirectory { path throws in
            try makeLayout(path)
            let reference = try ImageReference("oci:\(path)/layout:v1")
            let digest = try ImageResolver().resolve(reference, as: somebody)
            let small = try store(path) { $0.maxImageBytes = 100_000 }
            #expect { try small.ensure(reference, digest: digest, as: somebody) } throws: {
                ($0 as? ImageError)?.code == .tooLarge
            }
            #expect(try Files.list(path + "/cache/tmp").isEmpty)
        }
    }

    @Test func squashfsOfTheUsersIsRefused() throws {
        try withDirectory { path throws in
            try shell("echo x > \(path)/i.sqsh; chown 64123 \(path)/i.sqsh")
            #expect { try ImageResolver().resolve(ImageReference("sqsh:\(path)/i.sqsh"), as: somebody) } throws: {
                "\($0)".contains("must belong to root")
            }
        }
    }

    @Test(.enabled(if: access("/usr/bin/docker-registry", X_OK) == 0, "needs docker-registry"))
    func registryOnLoopbackIsPulledByTagThenByDigest() throws {
        try withDirectory { path throws in
            try makeLayout(path)
            let port = try freePort()
            let config = """
                version: 0.1
                storage: {filesystem: {rootdirectory: \(path)/registry}}
                http: {addr: 127.0.0.1:\(port)}
                """
            try Files.replace(path + "/registry.yml", with: Array(config.utf8))
            let registry = try Spawn.start(
                ProcessSpec(path: "/usr/bin/docker-registry", arguments: ["r", "serve", path + "/registry.yml"]))
            defer {
                _ = try? registry.signal(SIGKILL)
                _ = try? registry.wait()
            }
            let push =
                "skopeo copy -q --preserve-digests --dest-tls-verify=false oci:\(path)/layout:v1 docker://127.0.0.1:\(port)/a/b:1"
            try shell("for i in $(seq 100); do \(push) 2>/dev/null && exit 0; sleep 0.3; done; \(push)")
            let reference = try ImageReference("127.0.0.1:\(port)#a/b:1")
            let digest = try ImageResolver().resolve(reference, as: somebody)
            #expect(try digest == ImageResolver().resolve(ImageReference("oci:\(path)/layout:v1"), as: somebody))
            let stack = try store(path).ensure(reference, digest: digest, as: somebody)
            guard case .squashfs(let layers) = stack.source else { return }
            #expect(layers.count == 2)
            #expect { try ImageResolver().resolve(ImageReference("127.0.0.1:\(port)/a/b:2"), as: somebody) } throws: {
                ($0 as? ImageError)?.code == .notFound
            }
        }
    }
}
