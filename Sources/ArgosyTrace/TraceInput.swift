// The bytes of a trace: a file or standard input, plain or gzip by its first two bytes. Read in pieces into the caller's
// buffer, so that memory does not grow with the trace and what was just inflated is parsed while it is in the cache.
internal import ArgosySystem
internal import CZlib
import Glibc

/// A trace file being read.
final class TraceInput {
    /// For messages.
    let name: String
    private let file: Descriptor
    private let raw: UnsafeMutableRawBufferPointer
    /// Of `raw`: what is not handed out yet.
    private var waiting = 0..<0
    private var atEnd = false
    private var gzip: UnsafeMutablePointer<z_stream>?
    /// A gzip member has ended, and only another one may follow.
    private var isBetweenMembers = false

    /// - Parameter path: "-" is standard input.
    /// - Throws: `unreadable`.
    init(_ path: String) throws(TraceError) {
        name = path == "-" ? "standard input" : path
        do throws(SystemError) {
            file = path == "-" ? try Self.standardInput() : try Files.open(path, flags: O_RDONLY)
        } catch {
            throw TraceError(.unreadable, "cannot open \(name): \(error.reason)")
        }
        raw = .allocate(byteCount: 1 << 16, alignment: 16)
        try fill()
        if waiting.count >= 2, raw[0] == 0x1f, raw[1] == 0x8b { try beginGzip() }
    }

    /// A descriptor of its own; opening /dev/stdin would fail for a socket.
    private static func standardInput() throws(SystemError) -> Descriptor {
        let copy = fcntl(0, F_DUPFD_CLOEXEC, 3)
        guard copy >= 0 else { throw SystemError("open", code: errno) }
        return Descriptor(adopting: copy)
    }

    deinit {
        raw.deallocate()
        guard let gzip else { return }
        inflateEnd(gzip)
        gzip.deallocate()
    }

    /// The next bytes of the text; 0 at its end.
    /// - Throws: `unreadable`, `corrupt`.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws(TraceError) -> Int {
        guard let gzip else { return try readPlain(into: buffer) }
        return try inflate(gzip, into: buffer)
    }

    private func readPlain(into buffer: UnsafeMutableRawBufferPointer) throws(TraceError) -> Int {
        if waiting.isEmpty { try fill() }
        let count = min(waiting.count, buffer.count)
        buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: raw[waiting.lowerBound..<waiting.lowerBound + count]))
        waiting = waiting.dropFirst(count)
        return count
    }

    private func fill() throws(TraceError) {
        var filled = 0
        while filled < raw.count, !atEnd {
            let count = Glibc.read(file.raw, raw.baseAddress?.advanced(by: filled), raw.count - filled)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else {
                throw TraceError(.unreadable, "cannot read \(name): \(SystemError("read", code: errno).reason)")
            }
            filled += count
            atEnd = count == 0
        }
        waiting = 0..<filled
    }

    private func beginGzip() throws(TraceError) {
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        stream.initialize(to: z_stream())
        guard argosy_inflate_gzip(stream) == Z_OK else {
            stream.deallocate()
            throw TraceError(.unreadable, "cannot inflate \(name): out of memory")
        }
        gzip = stream
    }

    private func inflate(
        _ stream: UnsafeMutablePointer<z_stream>, into buffer: UnsafeMutableRawBufferPointer
    ) throws(TraceError) -> Int {
        stream.pointee.next_out = buffer.baseAddress?.assumingMemoryBound(to: UInt8.self)
        stream.pointee.avail_out = UInt32(clamping: buffer.count)
        while stream.pointee.avail_out > 0 {
            if waiting.isEmpty { try fill() }
            if waiting.isEmpty {
                if isBetweenMembers { break }
                throw TraceError(.corrupt, "\(name) is cut short: its gzip data has no end; fetch it again")
            }
            try inflateSome(stream)
        }
        return buffer.count - Int(stream.pointee.avail_out)
    }

    private func inflateSome(_ stream: UnsafeMutablePointer<z_stream>) throws(TraceError) {
        if isBetweenMembers {
            inflateReset(stream)
            isBetweenMembers = false
        }
        stream.pointee.next_in =
            raw.baseAddress?.advanced(by: waiting.lowerBound).assumingMemoryBound(to: UInt8.self)
        stream.pointee.avail_in = UInt32(waiting.count)
        let result = CZlib.inflate(stream, Z_NO_FLUSH)
        waiting = (waiting.upperBound - Int(stream.pointee.avail_in))..<waiting.upperBound
        switch result {
        case Z_OK, Z_BUF_ERROR: break
        case Z_STREAM_END: isBetweenMembers = true
        default:
            let why = stream.pointee.msg.map { String(cString: $0) } ?? "error \(result)"
            throw TraceError(.corrupt, "\(name) is damaged: its gzip data cannot be inflated (\(why)); fetch it again")
        }
    }
}
