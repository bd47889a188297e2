import ArgosyConfig
import ArgosyController
import ArgosyDomain
import ArgosyLink
import ArgosyStore
import ArgosyTransport
import ArgosyWire
import Glibc
import Logging
import SwiftProtobuf
import Synchronization
import Testing

/// A directory that goes when the test does.
final class TemporaryDirectory: Sendable {
    let path: String
    init() {
        var template = Array("/tmp/argosy-ctl-XXXXXX".utf8CString)
        path = template.withUnsafeMutableBufferPointer { buffer in
            buffer.baseAddress.flatMap { mkdtemp($0) }.map { String(cString: $0) } ?? "/tmp"
        }
    }
    deinit { Processes.run(["/bin/rm", "-rf", path]) }
}

enum Processes {
    /// Starts a program; its output goes to `log`.
    static func start(_ arguments: [String], log: String = "/dev/null") -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 2, log, O_WRONLY | O_CREAT | O_APPEND, 0o644)
        posix_spawn_file_actions_addopen(&actions, 1, log, O_WRONLY | O_CREAT | O_APPEND, 0o644)
        var pid: pid_t = 0
        let pointers = arguments.map { strdup($0) } + [nil]
        defer { for pointer in pointers { free(pointer) } }
        let status = posix_spawn(&pid, arguments[0], &actions, nil, pointers, environ)
        return status == 0 ? pid : -1
    }
    @discardableResult
    static func wait(_ pid: pid_t) -> Int32 {
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0 && errno == EINTR {}
        return status
    }
    @discardableResult
    static func run(_ arguments: [String]) -> Int32 {
        let pid = start(arguments)
        return pid < 0 ? -1 : wait(pid)
    }
    /// The daemon built beside this test.
    static var argosyctld: String? {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &buffer, 4095)
        let own = String(decoding: buffer.prefix(max(count, 0)).map(UInt8.init(bitPattern:)), as: UTF8.self)
        var directory = own
        while let slash = directory.lastIndex(of: "/"), slash > directory.startIndex {
            directory = String(directory[..<slash])
            let candidate = directory + "/argosyctld"
            if access(candidate, X_OK) == 0 { return candidate }
        }
        return nil
    }
}

func writeFile(_ path: String, _ text: String) {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
    defer { close(descriptor) }
    let bytes = Array(text.utf8)
    _ = write(descriptor, bytes, bytes.count)
}

func readFile(_ path: String) -> String {
    let descriptor = open(path, O_RDONLY)
    guard descriptor >= 0 else { return "" }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: 1 << 20)
    let count = read(descriptor, &bytes, bytes.count)
    return String(decoding: bytes.prefix(max(count, 0)), as: UTF8.self)
}

/// True as soon as `condition` is; false when it is not within `seconds`.
func eventually(_ seconds: Double = 40, _ condition: () -> Bool) -> Bool {
    let end = time(nil) + Int(seconds)
    while time(nil) <= end {
        if condition() { return true }
        usleep(10_000)
    }
    return condition()
}

/// A command's side of the unix socket.
struct Client {
    struct Closed: Error {}
    let connection: Connection
    init(_ path: String) throws { connection = try .connect(unix: path) }

    func send(_ body: WireRequest.OneOf_Body) throws {
        var request = WireRequest()
        request.version = 1
        request.body = body
        try connection.send(try request.serializedBytes())
    }
    func receive(_ seconds: Int = 20) throws -> WireReply? {
        guard let bytes = try connection.receive(limit: 64 << 20, timeout: .seconds(seconds)) else { return nil }
        return try WireReply(serializedBytes: bytes)
    }
    func call(_ body: WireRequest.OneOf_Body) throws -> WireReply {
        try send(body)
        guard let reply = try receive() else { throw Closed() }
        return reply
    }
    func submit(_ name: String = "job", token: String = "", _ change: (inout WireSubmitJob) -> Void = { _ in }) throws
        -> WireReply
    {
        try call(.submit(submission(name, token: token, change)))
    }
    func jobs() throws -> [WireJobInfo] { try call(.listJobs(WireListJobs())).jobs.jobs }
    func accounting() throws -> [WireJobInfo] {
        var query = WireListAccounting()
        query.allUsers = true
        return try call(.accounting(query)).accounting.jobs
    }
}

func submission(_ name: String, token: String = "", _ change: (inout WireSubmitJob) -> Void = { _ in })
    -> WireSubmitJob
{
    var submission = WireSubmitJob()
    submission.token = token
    submission.job.name = name
    submission.job.tasks = 1
    submission.job.workDir = "/tmp"
    submission.job.script = .init(Array("#!/bin/sh\necho \(name)\n".utf8))
    submission.job.environment = ["PATH=/bin", "NAME=\(name)"]
    submission.job.arguments = [name]
    change(&submission)
    return submission
}

/// A controller inside this process, on a unix socket and, if asked, on a TCP port.
final class TestController {
    let directory: TemporaryDirectory
    let store: SQLiteStore
    let controller: Controller
    let configuration: ClusterConfiguration

    init(
        _ directory: TemporaryDirectory = TemporaryDirectory(), nodes: Int = 1, storage: SQLiteStore.Options = .init(),
        state: String? = nil, options: ControllerOptions? = nil,
        change: (inout ClusterConfiguration) -> Void = { _ in }, wrap: (SQLiteStore) -> any Store = { $0 }
    ) throws {
        self.directory = directory
        var configuration = ClusterConfiguration.test(directory.path, nodes: nodes)
        if let state { configuration.stateSaveLocation = state }
        change(&configuration)
        self.configuration = configuration
        store = try SQLiteStore(directory: configuration.stateSaveLocation, options: storage)
        var chosen = ControllerOptions()
        chosen.listensOnTCP = false
        var logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        if getenv("ARGOSY_TEST_LOG") != nil {
            logger = Logger(label: "test") { StreamLogHandler.standardError(label: $0) }
            logger.logLevel = .trace
        }
        controller = try Controller(configuration, store: wrap(store), options: options ?? chosen, logger: logger)
    }

    func client() throws -> Client { try Client(configuration.socketPath) }
    deinit { controller.stop() }
}

extension ClusterConfiguration {
    static func test(_ directory: String, nodes: Int) -> ClusterConfiguration {
        var configuration = ClusterConfiguration()
        configuration.clusterName = "test"
        configuration.stateSaveLocation = directory + "/state"
        configuration.socketPath = directory + "/ctl.sock"
        configuration.nodes = (1...nodes).map {
            Node(name: "n\($0)", address: "127.0.0.1", cpus: 4, memoryMiB: 1000)
        }
        var partition = Partition(name: "debug")
        partition.isDefault = true
        partition.nodes = (0..<nodes).map(NodeIndex.init)
        configuration.partitions = [partition]
        return configuration
    }
}

/// Stands in for MUNGE: a credential is the uid, who may read it, and the payload; each opens once.
final class TestAuthenticator: Authenticator {
    struct Refused: Error {}
    let uid: UInt32
    private let used = Mutex<Set<String>>([])
    init(uid: UInt32 = 0) { self.uid = uid }
    func seal(_ payload: [UInt8], readableBy reader: UInt32?) throws -> String {
        let random = UInt64.random(in: 0 ... .max)
        return "\(uid):\(reader.map(String.init) ?? "*"):\(random):" + payload.map { String($0) }.joined(separator: ",")
    }
    func open(_ credential: String) throws -> Vouched {
        let parts = credential.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 4, let maker = UInt32(parts[0]), parts[1] == "*" || UInt32(parts[1]) == uid,
            used.withLock({ $0.insert(credential).inserted })
        else { throw Refused() }
        return Vouched(payload: parts[3].split(separator: ",").compactMap { UInt8($0) }, uid: maker, gid: maker)
    }
}
