import Foundation

/// The cluster that all end-to-end tests share: four nodes of four CPUs, started by `argosy dev up` from the binaries
/// beside the test bundle, and two ordinary users. It is taken down when the test process exits.
struct Cluster: Sendable {
    static let nodes = 4
    static let cpusPerNode = 4
    static let memoryPerNodeMiB = 2000
    /// Runs the tests' jobs; is also in the group `extraGroup`.
    static let user = "argosy-e2e"
    /// Owns nothing of `user`'s.
    static let stranger = "argosy-e2e2"
    static let extraGroup = "argosy-e2e-extra"

    /// Where it lives: short, for the sake of unix socket names. `contrib/test` gives one of its own.
    static let root = ProcessInfo.processInfo.environment["ARGOSY_TEST_DIR"] ?? "/var/tmp/argosy-e2e"
    static let directory = root + "/c"
    static let images = ProcessInfo.processInfo.environment["ARGOSY_TEST_IMAGES"] ?? "/var/cache/argosy/images"
    static let binaries: String = {
        let bundle = CommandLine.arguments.first { $0.contains(".xctest") } ?? ""
        if let range = bundle.range(of: "/argosyPackageTests") { return String(bundle[..<range.lowerBound]) }
        let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        return package.path + "/.build/debug"
    }()

    static let up = """
        '\(binaries)/argosy' dev up --nodes \(nodes) --cpus \(cpusPerNode) --memory \(memoryPerNodeMiB)M \
        --dir '\(directory)'
        """

    private static let starting = Task { try await start() }

    /// The running cluster; the first caller starts it.
    static func shared() async throws -> Cluster { try await starting.value }

    /// Shell lines that point a shell at it.
    var prelude: String

    private static func start() async throws -> Cluster {
        atexit { Cluster.tearDown() }
        tearDown()
        try await check(
            """
            mkdir -p '\(root)/home' && chmod 755 '\(root)' '\(root)/home'
            groupadd \(extraGroup) || exit
            useradd --create-home --home-dir '\(root)/home/\(user)' --shell /bin/bash --user-group \
                --groups \(extraGroup) \(user) || exit
            useradd --create-home --home-dir '\(root)/home/\(stranger)' --shell /bin/bash --user-group \(stranger)
            """, "make the users")
        try await check(up, "argosy dev up", seconds: 120)
        let prelude = try await check("'\(binaries)/argosy' dev env --dir '\(directory)'", "argosy dev env")
        return Cluster(prelude: prelude.output + "\n")
    }

    @discardableResult
    private static func check(_ script: String, _ what: String, seconds: Int = 30) async throws -> Outcome {
        let outcome = await Shell.run(script, seconds: seconds)
        guard outcome.status == 0 else { throw ClusterError("\(what): \(outcome)") }
        return outcome
    }

    /// Ends everything that `start` began, also after a run that was killed. Says on stderr what is left.
    static func tearDown() {
        guard geteuid() == 0 else { return }
        let outcome = Shell.runBlocking(
            """
            [ ! -d '\(directory)' ] || '\(binaries)/argosy' dev down --clean --dir '\(directory)' >/dev/null || exit
            for user in \(user) \(stranger); do
                ! id $user >/dev/null 2>&1 || userdel --remove --force $user >/dev/null 2>&1
            done
            ! getent group \(extraGroup) >/dev/null || groupdel \(extraGroup)
            if grep -F ' \(root)/' /proc/mounts; then exit 1; fi
            rm -rf '\(root)'
            """, seconds: 90)
        guard outcome.status != 0 else { return }
        FileHandle.standardError.write(Data("end-to-end: not clean afterwards: \(outcome)\n".utf8))
    }
}

struct ClusterError: Error, CustomStringConvertible {
    var description: String
    init(_ description: String) { self.description = description }
}

/// What this machine lacks for these tests.
enum Requirement {
    /// Nil when a cluster can be started here.
    static let missing: String? = {
        guard geteuid() == 0 else { return "end-to-end tests start daemons and other users' jobs: run them as root" }
        for tool in ["ip", "nsenter", "munged", "skopeo", "tar2sqfs", "setpriv", "useradd"] {
            guard Shell.runBlocking("command -v \(tool)").status == 0 else {
                return "\(tool) is not installed; run contrib/install-deps"
            }
        }
        let program = Cluster.binaries + "/argosyctld"
        guard access(program, X_OK) == 0 else { return "\(program) is not built; run swift build" }
        let namespace = Shell.runBlocking("ip netns add argosy-probe-$$ && ip netns delete argosy-probe-$$")
        return namespace.status == 0 ? nil : "network namespaces are not permitted here: \(namespace.errors)"
    }()

    static func image(_ name: String) -> Bool {
        access("\(Cluster.images)/\(name)/index.json", R_OK) == 0
    }
    static let images = image("ompi-tiny") && image("busybox")
    static let imagesMissing = "no images in \(Cluster.images); run contrib/images/build"
}
