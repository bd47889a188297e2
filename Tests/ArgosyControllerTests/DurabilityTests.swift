import ArgosyWire
import Glibc
import Synchronization
import Testing

@Suite struct DurabilityTests {
    @Test func `a submission is listed, cancelled and accounted`() throws {
        let running = try TestController()
        let client = try running.client()
        let reply = try client.submit("first")
        #expect(reply.submitted.job == 1, "\(reply)")
        #expect(reply.commit > 0)
        let listed = try client.jobs()
        #expect(listed.map(\.job) == [1])
        #expect(listed.first?.state == "PENDING" && listed.first?.spec.name == "first")
        var cancel = WireCancelJobs()
        cancel.jobs = [WireJobSelector.with { $0.job = 1 }]
        #expect(try client.call(.cancel(cancel)).cancelled.outcomes.count == 1)
        #expect(try client.jobs().first?.state == "CANCELLED")
        #expect(try client.accounting().map(\.state) == ["CANCELLED"])
    }

    @Test func `a restart finds what was answered and a token finds its job`() throws {
        let directory = TemporaryDirectory()
        do {
            let client = try TestController(directory).client()
            _ = client
        }
        var first: UInt32 = 0
        do {
            let running = try TestController(directory)
            first = try running.client().submit("kept", token: "t1").submitted.job
        }
        let running = try TestController(directory)
        let client = try running.client()
        #expect(try client.jobs().map(\.spec.name) == ["kept"])
        #expect(try client.submit("kept", token: "t1").submitted.job == first)
        #expect(try client.submit("other", token: "t2").submitted.job == first + 1)
    }

    /// Sixteen clients submit through five kills: every acknowledged id is there afterwards, none was given twice.
    @Test func `kill -9 loses no acknowledged job and gives no id twice`() throws {
        guard let binary = Processes.argosyctld else {
            Issue.record("argosyctld is not built beside the tests; swift build --product argosyctld")
            return
        }
        let directory = TemporaryDirectory()
        let conf = directory.path + "/argosy.conf"
        let socket = directory.path + "/ctl.sock"
        writeFile(
            conf,
            """
            ClusterName=test
            SlurmctldHost=localhost
            SlurmctldPort=\(20_000 + Int(getpid()) % 20_000)
            SlurmUser=root
            ArgosySocket=\(socket)
            StateSaveLocation=\(directory.path)/state
            MaxJobCount=1000000
            NodeName=n1 CPUs=4 RealMemory=1000
            PartitionName=debug Nodes=n1 Default=YES

            """)
        let log = directory.path + "/log"
        let start = { Processes.start([binary, "-D", "-f", conf], log: log) }
        var pid = start()
        defer {
            kill(pid, SIGTERM)
            Processes.wait(pid)
        }
        try #require(eventually { (try? Client(socket)) != nil }, "\(readFile(log))")
        let acknowledged = Mutex<[(id: UInt32, name: String)]>([])
        let isDone = Atomic<Bool>(false)
        let threads = (0..<16).map { number in
            Thread {
                var serial = 0
                while !isDone.load(ordering: .relaxed) {
                    guard let client = try? Client(socket) else {
                        usleep(5_000)
                        continue
                    }
                    while !isDone.load(ordering: .relaxed) {
                        serial += 1
                        let name = "j\(number)-\(serial)"
                        guard let reply = try? client.submit(name) else { break }
                        if reply.submitted.job > 0 { acknowledged.withLock { $0.append((reply.submitted.job, name)) } }
                    }
                }
            }
        }
        for round in 0..<5 {
            let before = acknowledged.withLock { $0.count }
            #expect(eventually { acknowledged.withLock { $0.count } > before + 40 }, "round \(round): \(readFile(log))")
            kill(pid, SIGKILL)
            Processes.wait(pid)
            pid = start()
        }
        isDone.store(true, ordering: .relaxed)
        for thread in threads { thread.join() }
        try #require(eventually { (try? Client(socket)) != nil })
        let kept = Dictionary(try Client(socket).jobs().map { ($0.job, $0.spec.name) }, uniquingKeysWith: { $1 })
        let told = acknowledged.withLock { $0 }
        #expect(told.count > 200)
        #expect(Set(told.map(\.id)).count == told.count, "an id was given twice")
        let lost = told.filter { kept[$0.id] != $0.name }
        #expect(lost.isEmpty, "lost: \(lost.prefix(5)) of \(told.count)")
    }

    @Test func `a second controller is kept off with the first one's process id`() throws {
        let running = try TestController()
        let binary = try #require(Processes.argosyctld)
        let conf = running.directory.path + "/argosy.conf"
        writeFile(
            conf,
            """
            ClusterName=test
            SlurmctldHost=localhost
            ArgosySocket=\(running.directory.path)/other.sock
            StateSaveLocation=\(running.configuration.stateSaveLocation)
            NodeName=n1 CPUs=4
            PartitionName=debug Nodes=n1 Default=YES

            """)
        let log = running.directory.path + "/log"
        let status = Processes.wait(Processes.start([binary, "-D", "-f", conf], log: log))
        #expect(status != 0)
        #expect(readFile(log).contains("another argosyctld (process \(getpid())) uses"), "\(readFile(log))")
    }

    @Test func `a wrong configuration is named by file and line`() throws {
        let binary = try #require(Processes.argosyctld)
        let directory = TemporaryDirectory()
        let conf = directory.path + "/argosy.conf"
        writeFile(conf, "ClusterName=test\nSlurmctldPort=many\n")
        let log = directory.path + "/log"
        #expect(Processes.wait(Processes.start([binary, "-D", "-f", conf], log: log)) != 0)
        #expect(readFile(log).contains("\(conf):2"), "\(readFile(log))")
    }
}

/// A thread for tests that block.
final class Thread: Sendable {
    private final class Body: Sendable {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }
    private let handle: pthread_t
    init(_ run: @escaping @Sendable () -> Void) {
        var handle = pthread_t()
        pthread_create(
            &handle, nil,
            { raw in
                if let raw { Unmanaged<Body>.fromOpaque(raw).takeRetainedValue().run() }
                return nil
            }, Unmanaged.passRetained(Body(run)).toOpaque())
        self.handle = handle
    }
    func join() { pthread_join(handle, nil) }
}
