// The Standard Workload Format (Feitelson and others, "Standards for the Parallel Workloads Archive"): one job a line, 18
// numbers, -1 for unknown; lines that start with ';' are comments, some of them "; Name: value" about the machine.
//
// Parsed from a buffer of whole lines by hand: a simulation of a trace takes about as long as reading it.
import Glibc

/// Reads logs in the Standard Workload Format.
public struct SWFReader {
    /// Longer lines are no log.
    static let maxLine = 1 << 20
    /// Fields of a line that are read; queue is the last of interest.
    private static let fields = 15
    /// Times beyond (34,000 years, in seconds) are no times; sums of what is left cannot overflow.
    private static let maxTime: Int64 = 1 << 40
    /// Of those, how many a line must have: up to the requested time.
    private static let neededFields = 9

    private let name: String
    private var line = 0
    private var workload: Workload
    private var header = Header()
    private var isInHeader = true
    private let givenProcessors: Int32?

    /// What the comments at the top tell of the machine.
    private struct Header {
        var processors: Int32?
        var nodes: Int32?
        var jobs: Int32?
    }

    private init(name: String, processors: Int32?) {
        self.name = name
        givenProcessors = processors
        workload = Workload(processors: processors ?? 0)
    }

    /// The jobs of a log, in the log's order (see `Workload.prepare`).
    ///
    /// - Parameters:
    ///   - path: plain or gzip; "-" is standard input.
    ///   - processors: instead of the header's MaxProcs or MaxNodes.
    /// - Throws: `unreadable`, `corrupt`, `malformed` with the line's number, `unusable` without a number of processors.
    public static func read(_ path: String, processors: Int32? = nil) throws(TraceError) -> Workload {
        let input = try TraceInput(path)
        var reader = SWFReader(name: input.name, processors: processors)
        var buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 17, alignment: 16)
        defer { buffer.deallocate() }
        var filled = 0
        while true {
            let space = UnsafeMutableRawBufferPointer(rebasing: buffer[filled..<(buffer.count - 1)])
            let count = try input.read(into: space)
            filled += count
            if count == 0, filled > 0, buffer[filled - 1] != newline {
                buffer[filled] = newline
                filled += 1
            }
            let used = try reader.parse(UnsafeRawBufferPointer(rebasing: buffer[..<filled]))
            if count == 0 { break }
            filled -= used
            buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: buffer[used..<used + filled]))
            if filled == buffer.count - 1 { buffer = try reader.grown(buffer) }
        }
        try reader.endHeader()
        return reader.workload
    }

    private func grown(
        _ buffer: UnsafeMutableRawBufferPointer
    ) throws(TraceError) -> UnsafeMutableRawBufferPointer {
        guard buffer.count < Self.maxLine else {
            throw TraceError(.malformed, "\(name), line \(line + 1): longer than a line of a log can be; is it text?")
        }
        let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: buffer.count * 2, alignment: 16)
        larger.copyMemory(from: UnsafeRawBufferPointer(buffer))
        buffer.deallocate()
        return larger
    }
}

private let newline = UInt8(ascii: "\n")

/// Blanks between fields.
private func isBlank(_ byte: UInt8) -> Bool { byte == 32 || byte == 9 || byte == 13 }

// MARK: Lines

extension SWFReader {
    /// Takes the whole lines of `bytes`; returns how many bytes they are.
    private mutating func parse(_ bytes: UnsafeRawBufferPointer) throws(TraceError) -> Int {
        guard let last = bytes.lastIndex(of: newline), let base = bytes.baseAddress else { return 0 }
        let text = base.assumingMemoryBound(to: UInt8.self)
        // Room for the fields of a line, made once.
        let values = UnsafeMutablePointer<Int64>.allocate(capacity: Self.fields)
        defer { values.deallocate() }
        var at = 0
        while at <= last {
            line += 1
            while isBlank(text[at]) { at += 1 }
            if text[at] == newline {
                at += 1
            } else if text[at] == UInt8(ascii: ";") {
                let end = Self.endOfLine(text, at, last)
                if isInHeader { readComment(UnsafeBufferPointer(start: text + at + 1, count: end - at - 1)) }
                at = end + 1
            } else {
                if isInHeader { try endHeader() }
                at = try readJob(text, at, last, values) + 1
            }
        }
        return last + 1
    }

    private static func endOfLine(_ text: UnsafePointer<UInt8>, _ at: Int, _ last: Int) -> Int {
        let found = memchr(text + at, Int32(newline), last + 1 - at)
        return found.map { text.distance(to: $0.assumingMemoryBound(to: UInt8.self)) } ?? last
    }

    /// Reads the line that begins at `at`; returns where its newline is.
    private mutating func readJob(
        _ text: UnsafePointer<UInt8>, _ start: Int, _ last: Int, _ values: UnsafeMutablePointer<Int64>
    ) throws(TraceError) -> Int {
        var at = start
        var count = 0
        while count < Self.fields {
            while isBlank(text[at]) { at += 1 }
            if text[at] == newline { break }
            guard let value = Self.number(text, &at) else { throw notANumber(text, at, last, field: count + 1) }
            values[count] = value
            count += 1
        }
        guard count >= Self.neededFields else {
            throw TraceError(
                .malformed,
                "\(name), line \(line): \(count) fields, but a job of the Standard Workload Format has 18; is it one?")
        }
        while count < Self.fields {
            values[count] = -1
            count += 1
        }
        guard values[1] <= Self.maxTime, values[3] <= Self.maxTime, values[8] <= Self.maxTime else {
            throw TraceError(
                .malformed, "\(name), line \(line): a time of more than 34,000 years; are the columns right?")
        }
        workload.append(
            LogLine(
                id: values[0], submit: values[1], run: values[3], allocated: values[4], asked: values[7],
                request: values[8], user: values[11], group: values[12], queue: values[14]))
        return Self.endOfLine(text, at, last)
    }

    /// A number up to the next blank, without its fraction; nil when it is none. The text ends with a newline.
    @inline(__always)
    private static func number(_ text: UnsafePointer<UInt8>, _ at: inout Int) -> Int64? {
        let isNegative = text[at] == UInt8(ascii: "-")
        var here = isNegative ? at + 1 : at
        let first = here
        var value: Int64 = 0
        while true {
            let digit = text[here] &- UInt8(ascii: "0")
            if digit > 9 { break }
            value = value &* 10 &+ Int64(digit)
            here += 1
        }
        // 18 digits cannot overflow.
        guard here > first, here - first <= 18 else { return nil }
        if text[here] == UInt8(ascii: ".") {
            repeat { here += 1 } while text[here] &- UInt8(ascii: "0") <= 9
        }
        guard isBlank(text[here]) || text[here] == newline else { return nil }
        at = here
        return isNegative ? -value : value
    }

    private func notANumber(
        _ text: UnsafePointer<UInt8>, _ at: Int, _ last: Int, field: Int
    ) -> TraceError {
        var end = at
        while end < last, end - at < 40, !isBlank(text[end]), text[end] != newline { end += 1 }
        let word = String(decoding: UnsafeBufferPointer(start: text + at, count: end - at), as: UTF8.self)
        let shown = word.unicodeScalars.map { $0.value < 32 || $0.value == 127 ? "?" : String($0) }.joined()
        return TraceError(.malformed, "\(name), line \(line), field \(field): \"\(shown)\" is not a number")
    }
}

// MARK: Header

extension SWFReader {
    /// `; MaxProcs: 128`; the first of a name counts.
    private mutating func readComment(_ text: UnsafeBufferPointer<UInt8>) {
        func value(_ key: String) -> Int32? {
            let words = text.split(whereSeparator: { isBlank($0) || $0 == UInt8(ascii: ":") })
            guard words.count >= 2, words[0].elementsEqual(key.utf8) else { return nil }
            return Int32(String(decoding: words[1], as: UTF8.self)).flatMap { $0 > 0 ? $0 : nil }
        }
        if header.processors == nil { header.processors = value("MaxProcs") }
        if header.nodes == nil { header.nodes = value("MaxNodes") }
        if header.jobs == nil { header.jobs = value("MaxJobs") }
    }

    private mutating func endHeader() throws(TraceError) {
        isInHeader = false
        guard let processors = givenProcessors ?? header.processors ?? header.nodes else {
            throw TraceError(
                .unusable,
                "\(name) does not say how many processors its machine has (MaxProcs or MaxNodes); give --procs")
        }
        workload.processors = processors
        // A hint that may be wrong.
        workload.jobs.reserveCapacity(Int(min(header.jobs ?? 0, 1 << 20)))
    }
}
