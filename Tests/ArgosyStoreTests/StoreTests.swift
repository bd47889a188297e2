import ArgosyCore
import ArgosyDomain
import ArgosyStore
import Glibc
import Testing

/// One after the other: a limit on the size of files is the whole process's.
@Suite(.serialized) struct StoreTests {
    private let directory = TemporaryDirectory()
    private func open(_ change: (inout SQLiteStore.Options) -> Void = { _ in }) throws -> SQLiteStore {
        var options = SQLiteStore.Options()
        options.reserve = 1 << 16
        options.least = 0
        change(&options)
        return try SQLiteStore(directory: directory.path + "/a/b", options: options)
    }
    private func row(_ id: UInt32, uid: UInt32 = 7, _ change: (inout JobRow) -> Void = { _ in }) -> JobRow {
        var fields = JobSpec.Fields(identity: Identity(uid: uid, gid: 1, user: "u\(uid)", group: "g"))
        fields.name = "job\(id)"
        fields.scriptDigest = "d\(id)"
        var row = JobRow(id: JobID(id), spec: JobSpec(fields), partition: "p", submit: Timestamp(seconds: Int64(id)))
        change(&row)
        return row
    }
    private func commit(_ store: SQLiteStore, _ changes: [RowChange], term: Term, blobs: [Blob] = []) throws {
        var batch = CommitBatch(time: Timestamp(seconds: 99))
        batch.changes = changes
        batch.blobs = blobs
        try store.commit(batch, term: term)
    }

    @Test func `rows come back whole, by what is live`() throws {
        let store = try open()
        let term = try store.beginTerm()
        let allocation = Allocation(
            nodes: [.init(index: NodeIndex(0), name: "n1", cpus: CPUSet([0, 2]), memoryMiB: 9, tasks: 1)],
            cpusPerTask: 2)
        let kept = row(2) {
            $0.state = .running
            $0.allocation = allocation
            $0.nodesHeld = [0]
            $0.token = "t"
            $0.endingState = .timeout
            $0.deadline = .never
            $0.batchLaunched = true
        }
        var step = StepRow(
            key: AttemptKey(JobID(2), Attempt(0)), step: .batch, layout: allocation,
            request: StepRequest(job: JobID(2)), start: Timestamp(seconds: 3))
        step.nodesRunning = [0]
        step.timedOut = true
        var node = NodeRow(name: "n1")
        node.incarnation = Incarnation(bootID: "b", registration: 4)
        node.isDrained = true
        node.lastReport = 12
        let partition = PartitionRow(name: "main", state: "DOWN", configured: "UP")
        try commit(
            store,
            [
                .job(row(1)), .job(kept), .jobRemoved(JobID(1)), .step(step), .node(node), .partition(partition),
                .lastJobID(JobID(2)),
            ], term: term, blobs: [Blob(digest: "d2", bytes: [1, 2])])
        let state = try store.load { _ in NodeIndex(0) }
        #expect(state.jobs.map(\.id) == [JobID(2)])
        let job = try #require(state.jobs.first)
        #expect(job.allocation == allocation && job.token == "t" && job.endingState == .timeout)
        #expect(job.deadline == .never && job.batchLaunched && job.nodesHeld == [0])
        #expect(job.spec.fields == kept.spec.fields)
        #expect(state.steps.first?.step == .batch && state.steps.first?.nodesRunning == [0])
        #expect(state.steps.first?.timedOut == true)
        #expect(state.nodes.first?.incarnation == node.incarnation && state.nodes.first?.lastReport == 12)
        #expect(state.nodes.first?.isDrained == true)
        #expect(state.partitions == [partition])
        #expect(state.lastJobID == JobID(2) && state.lastTime == Timestamp(seconds: 99))
        #expect(try store.blob("d2") == [1, 2] && store.blob("no") == nil)
    }

    @Test func `a removed job stays in accounting`() throws {
        let store = try open()
        let term = try store.beginTerm()
        let ended = row(1) {
            $0.state = .completed
            $0.end = Timestamp(seconds: 50)
        }
        try commit(store, [.job(ended), .jobRemoved(JobID(1)), .job(row(2, uid: 8))], term: term)
        #expect(try store.accounting(AccountingQuery()).map(\.job.id.rawValue) == [1, 2])
        var query = AccountingQuery()
        query.uids = [8]
        #expect(try store.accounting(query).map(\.job.id.rawValue) == [2])
        query = AccountingQuery()
        query.since = Timestamp(seconds: 51)
        #expect(try store.accounting(query).map(\.job.id.rawValue) == [2])
        query = AccountingQuery()
        query.states = [.completed]
        #expect(try store.accounting(query).map(\.job.id.rawValue) == [1])
        query = AccountingQuery()
        query.until = Timestamp(seconds: 1)
        #expect(try store.accounting(query).map(\.job.id.rawValue) == [1])
    }

    @Test func `an older term cannot commit`() throws {
        let store = try open()
        let old = try store.beginTerm()
        let new = try store.beginTerm()
        #expect(new > old)
        let error = #expect(throws: StoreError.self) { try commit(store, [.job(row(1))], term: old) }
        #expect(error?.code == .fenced)
        try commit(store, [.job(row(2))], term: new)
        #expect(try store.load { _ in nil }.jobs.map(\.id) == [JobID(2)])
    }

    @Test func `a second store of a directory is refused until the first is gone`() throws {
        let first: Term
        do {
            let store = try open()
            let error = #expect(throws: StoreError.self) { _ = try open() }
            #expect(error?.code == .locked)
            #expect(error?.message.contains("process \(getpid())") == true)
            first = try store.beginTerm()
        }
        let store = try open()
        #expect(try store.beginTerm() == Term(first.rawValue + 1))
    }

    @Test func `a new state directory begins beyond the terms of one that was wiped`() throws {
        let wiped = try SQLiteStore(directory: directory.path + "/wiped")
        for _ in 0..<3 { _ = try wiped.beginTerm() }
        // Terms follow the clock at the first start: those of a directory made before 2026 are smaller.
        #expect(try wiped.beginTerm().rawValue > 1_767_225_600)
    }

    @Test func `clearing forgets everything`() throws {
        do {
            let store = try open()
            try commit(store, [.job(row(1))], term: try store.beginTerm())
        }
        let store = try open { $0.clear = true }
        #expect(try store.load { _ in nil }.jobs.isEmpty)
    }

    @Test func `a live job on a node that is gone is named`() throws {
        let store = try open()
        let held = row(5) {
            $0.state = .running
            $0.allocation = Allocation(
                nodes: [.init(index: NodeIndex(0), name: "gone", cpus: CPUSet([0]), memoryMiB: 0, tasks: 1)],
                cpusPerTask: 1)
        }
        try commit(store, [.job(held)], term: try store.beginTerm())
        let error = #expect(throws: StoreError.self) { _ = try store.load { _ in nil } }
        #expect(error?.code == .unknownNode && error?.message.contains("job 5 holds node gone") == true)
    }

    /// On a file system of 3 MiB: a commit that does not fit fails whole, the reserve then lets small ones through.
    @Test func `a full disk fails the commit whole and leaves room for completions`() throws {
        let mount = directory.path + "/small"
        mkdir(mount, 0o700)
        guard Glibc.mount("tmpfs", mount, "tmpfs", 0, "size=3m") == 0 else {
            try Test.cancel("cannot mount a small tmpfs: \(String(cString: strerror(errno)))")
        }
        defer { umount2(mount, 2) }
        var options = SQLiteStore.Options()
        options.reserve = 1 << 20
        options.least = 1 << 18
        let store = try SQLiteStore(directory: mount + "/state", options: options)
        let term = try store.beginTerm()
        try commit(store, [.job(row(1))], term: term)
        #expect(store.hasRoom)
        let big = Blob(digest: "big", bytes: [UInt8](repeating: 7, count: 4 << 20))
        let error = #expect(throws: StoreError.self) {
            try commit(store, [.job(row(2)), .lastJobID(JobID(2))], term: term, blobs: [big])
        }
        #expect(error?.code == .full)
        #expect(error?.message.contains("No space left on device") == true)
        let after = try store.load { _ in nil }
        #expect(after.jobs.map(\.id) == [JobID(1)] && after.lastJobID == JobID(0))
        try commit(store, [.job(row(1) { $0.state = .completed })], term: term)
        #expect(try store.load { _ in nil }.jobs.first?.state == .completed)
        #expect(store.hasRoom, "the reserve is filled again once there is room")
    }

    @Test func `a store that cannot be written fails the commit and works again afterwards`() throws {
        let mount = directory.path + "/crowded"
        mkdir(mount, 0o755)
        guard Glibc.mount("tmpfs", mount, "tmpfs", 0, "size=4m") == 0 else {
            try Test.cancel("cannot mount a small tmpfs: \(String(cString: strerror(errno)))")
        }
        defer { umount2(mount, 2) }
        var options = SQLiteStore.Options()
        options.reserve = 0
        options.least = 0
        let store = try SQLiteStore(directory: mount + "/state", options: options)
        let term = try store.beginTerm()
        try commit(store, [.job(row(1))], term: term)
        // Somebody else takes all the room.
        let filler = Glibc.open(mount + "/filler", O_WRONLY | O_CREAT, 0o600)
        let page = [UInt8](repeating: 1, count: 4096)
        while Glibc.write(filler, page, page.count) > 0 {}
        Glibc.close(filler)
        let blob = Blob(digest: "x", bytes: [UInt8](repeating: 1, count: 1 << 20))
        let error = #expect(throws: StoreError.self) {
            try commit(store, [.job(row(2))], term: term, blobs: [blob])
        }
        #expect(error?.code == .io || error?.code == .full, "\(String(describing: error))")
        // Without a reserve there is no room to open it again in before the other has gone.
        unlink(mount + "/filler")
        #expect(try store.load { _ in nil }.jobs.map(\.id) == [JobID(1)])
        try commit(store, [.job(row(2))], term: term, blobs: [blob])
        #expect(try store.load { _ in nil }.jobs.count == 2)
    }
}

final class TemporaryDirectory: Sendable {
    let path: String
    init() {
        var template = Array("/tmp/argosy-store-XXXXXX".utf8CString)
        path = template.withUnsafeMutableBufferPointer { buffer in
            buffer.baseAddress.flatMap { mkdtemp($0) }.map { String(cString: $0) } ?? "/tmp"
        }
    }
    deinit {
        let arguments: [UnsafeMutablePointer<CChar>?] =
            ["/bin/rm", "-rf", path].map { (text: String) in strdup(text) } + [nil]
        var pid: pid_t = 0
        if posix_spawn(&pid, "/bin/rm", nil, nil, arguments, environ) == 0 { waitpid(pid, nil, 0) }
        for argument in arguments { free(argument) }
    }
}
