internal import ArgosyTransport

/// Frames out of the pieces in which a stream socket delivers them. Holds at most one frame and one read.
struct FrameAssembler {
    private var buffer: [UInt8] = []
    private var consumed = 0
    let limit: Int

    init(limit: Int = Frame.streamLimit) { self.limit = limit }

    mutating func append(_ bytes: some Sequence<UInt8>) {
        if consumed > 0 {
            buffer.removeFirst(consumed)
            consumed = 0
        }
        buffer += bytes
    }

    /// The next whole frame's body; nil until more bytes come. Throws for a bad header.
    mutating func next() throws(TransportError) -> [UInt8]? {
        guard buffer.count - consumed >= Frame.headerSize else { return nil }
        let size = try Frame.bodySize(header: buffer[consumed..<consumed + Frame.headerSize], limit: limit)
        let start = consumed + Frame.headerSize
        guard buffer.count - start >= size else { return nil }
        consumed = start + size
        return Array(buffer[start..<consumed])
    }
}

/// Bytes waiting to be written to a non-blocking descriptor.
struct WriteQueue {
    private var buffer: [UInt8] = []
    private var written = 0

    var count: Int { buffer.count - written }
    var isEmpty: Bool { count == 0 }
    var contents: [UInt8] { Array(buffer[written...]) }

    mutating func append(_ bytes: [UInt8]) {
        if written > 0, written >= buffer.count / 2 {
            buffer.removeFirst(written)
            written = 0
        }
        buffer += bytes
    }

    mutating func removeAll() {
        buffer = []
        written = 0
    }

    /// Hands what waits to `write` (which returns how much it took, or a negative errno) until it takes no more.
    /// Returns 0, or the errno of a failure other than EAGAIN.
    mutating func flush(_ write: (UnsafeRawBufferPointer) -> Int) -> Int32 {
        while !isEmpty {
            let taken = buffer.withUnsafeBytes { write(UnsafeRawBufferPointer(rebasing: $0[written...])) }
            if taken == -Int(again) || taken == 0 { return 0 }
            if taken < 0 { return Int32(-taken) }
            written += taken
        }
        removeAll()
        return 0
    }

    private var again: Int32 { 11 }  // EAGAIN
}
