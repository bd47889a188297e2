import Testing

@testable import ArgosyTrace

@Suite struct SWFReaderTests {
    private func read(_ text: String, processors: Int32? = 8) throws -> Workload {
        try read(Array(text.utf8), processors: processors)
    }

    private func read(_ bytes: [UInt8], processors: Int32? = 8) throws -> Workload {
        let folder = try TemporaryFolder()
        return try SWFReader.read(try folder.file("trace", bytes), processors: processors)
    }

    /// The message of what reading throws, without the folder's name.
    private func complaint(_ bytes: [UInt8], processors: Int32? = 8) throws -> (TraceError.Code, String) {
        let folder = try TemporaryFolder()
        let path = try folder.file("trace", bytes)
        do {
            _ = try SWFReader.read(path, processors: processors)
        } catch {
            return (error.code, error.message.split(separator: folder.path + "/").joined())
        }
        Issue.record("nothing was thrown")
        return (.unusable, "")
    }

    @Test func `a job is what the rules of the reference mode say`() throws {
        // id submit wait run allocated cpu memory asked request memory status user group program queue
        let workload = try read(
            """
            1 5 -1 30 2 -1 -1 4 60 -1 1 7 8 -1 9
            2 6 -1 30 2 -1 -1 -1 -1 -1 1
            3 7 -1 90 2 -1 -1 0 60 -1 1
            4 -1 -1 30 2 -1 -1 -1 60
            5 8 -1 0 2 -1 -1 -1 60
            6 8 -1 30 -1 -1 -1 -1 60
            7 8 -1 30 9 -1 -1 -1 60
            8 8.9 -1 30.5 9 1.25 -1 8 -1.0
            """)
        #expect(workload.jobs.map(\.id) == [1, 2, 3, 8])
        #expect(workload.jobs.map(\.submit) == [5, 6, 7, 8])
        #expect(workload.jobs.map(\.run) == [30, 30, 60, 30])
        #expect(workload.jobs.map(\.request) == [60, 30, 60, 30])
        #expect(workload.jobs.map(\.processors) == [4, 2, 2, 8])
        #expect(workload.jobs.map(\.user) == [7, -1, -1, -1])
        #expect(workload.jobs.map(\.group) == [8, -1, -1, -1])
        #expect(workload.jobs.map(\.queue) == [9, -1, -1, -1])
        #expect(workload.dropped == 4)
        #expect(workload.killed == 1)
    }

    @Test func `comments, blank lines and any blanks between fields are fine`() throws {
        let workload = try read(
            "; a\n\n  \t\r\n\t1  2\t3 4 1 6 7 1 9 \r\n;MaxProcs: 5\n2 3 3 4 1 6 7 1 9", processors: 8)
        #expect(workload.jobs.map(\.id) == [1, 2])
        #expect(workload.processors == 8)
    }

    @Test(arguments: [
        ("; MaxProcs: 16\n; MaxNodes: 4\n", 16), ("; MaxNodes: 4\n; MaxProcs: 16\n", 16), (";MaxNodes:4\n", 4),
        (";   MaxNodes: 4\n; MaxProcs: -1\n", 4), ("; MaxProcs: 16 (batch)\n; MaxProcs: 8\n", 16),
    ])
    func `the machine is MaxProcs, else MaxNodes`(header: String, processors: Int32) throws {
        #expect(try read(header + "1 2 3 4 1 6 7 1 9\n", processors: nil).processors == processors)
    }

    @Test func `a machine of unknown size is refused with what to do`() throws {
        let (code, message) = try complaint(Array("; MaxJobs: 3\n1 2 3 4 1 6 7 1 9\n".utf8), processors: nil)
        #expect(code == .unusable)
        #expect(
            message
                == "trace does not say how many processors its machine has (MaxProcs or MaxNodes); give --procs")
    }

    @Test(arguments: [
        ("1 2 3 4 1 6 7 1 9\n1 2 3 x4 5\n", "trace, line 2, field 4: \"x4\" is not a number"),
        ("1 2 3 4 1 6 7 1\n", "trace, line 1: 8 fields, but a job of the Standard Workload Format has 18; is it one?"),
        (";\n\n1 2 3 4e5 1 6 7 1 9\n", "trace, line 3, field 4: \"4e5\" is not a number"),
        ("1 2 3 - 1 6 7 1 9\n", "trace, line 1, field 4: \"-\" is not a number"),
        ("1 1234567890123456789 3 4", "trace, line 1, field 2: \"1234567890123456789\" is not a number"),
    ])
    func `a malformed line is named with its number`(text: String, expected: String) throws {
        let (code, message) = try complaint(Array(text.utf8))
        #expect(code == .malformed)
        #expect(message == expected)
    }

    @Test func `a time that cannot be one is refused`() throws {
        let (code, message) = try complaint(Array("1 2 3 4 1 6 7 1 1099511627777\n".utf8))
        #expect(code == .malformed)
        #expect(message == "trace, line 1: a time of more than 34,000 years; are the columns right?")
    }

    @Test func `a file without line ends is refused before it fills the memory`() throws {
        let (code, message) = try complaint([UInt8](repeating: 55, count: 3 << 20))
        #expect(code == .malformed)
        #expect(message == "trace, line 1: longer than a line of a log can be; is it text?")
    }

    @Test func `lines that cross the reader's pieces are whole`() throws {
        let text = (1...20_000).map { "\($0) \($0 * 3) -1 10 1 -1 -1 1 20 -1 1 5 5 1 1 -1 -1 -1\n" }.joined()
        let workload = try read(text)
        #expect(workload.jobs.map(\.id) == Array(1...20_000))
        #expect(workload.jobs.map(\.submit) == (1...20_000).map { $0 * 3 })
    }

    @Test func `jobs come in the order of submission, then id`() throws {
        var workload = try read("3 9 -1 1 1 -1 -1 1 1\n2 9 -1 1 1 -1 -1 1 1\n5 1 -1 1 1 -1 -1 1 1\n")
        workload.prepare(limit: 2, estimate: .request)
        #expect(workload.jobs.map(\.id) == [5, 2])
    }

    @Test func `a file that is not there, or no file, is named with the reason`() throws {
        #expect(throws: TraceError(.unreadable, "cannot open /nowhere/x.swf: No such file or directory")) {
            _ = try SWFReader.read("/nowhere/x.swf")
        }
        #expect(throws: TraceError(.unreadable, "cannot read /: Is a directory")) { _ = try SWFReader.read("/") }
    }

    // MARK: gzip

    /// "1 2 3 4 1 6 7 1 9\n", by gzip -n.
    private static let zipped: [UInt8] = [
        0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x03, 0x33, 0x54, 0x30, 0x52, 0x30, 0x56,
        0x30, 0x51, 0x30, 0x54, 0x30, 0x53, 0x30, 0x07, 0x92, 0x96, 0x5c, 0x00, 0x04, 0xf4, 0xe2, 0x11,
        0x12, 0x00, 0x00, 0x00,
    ]

    @Test func `gzip is told by its first bytes, and members follow each other`() throws {
        #expect(try read(Self.zipped).jobs.map(\.run) == [4])
        #expect(try read(Self.zipped + Self.zipped).jobs.count == 2)
    }

    @Test func `gzip that was cut short is corrupt, wherever it was cut`() throws {
        for count in 2..<Self.zipped.count {
            let (code, message) = try complaint(Array(Self.zipped.prefix(count)))
            #expect(code == .corrupt, "cut after \(count)")
            #expect(message == "trace is cut short: its gzip data has no end; fetch it again")
        }
    }

    @Test func `damaged gzip is corrupt`() throws {
        var bytes = Self.zipped
        bytes[bytes.count - 6] ^= 1
        let (code, message) = try complaint(bytes)
        #expect(code == .corrupt)
        #expect(message.hasPrefix("trace is damaged: its gzip data cannot be inflated ("))
    }
}
