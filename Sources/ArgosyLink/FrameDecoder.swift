internal import ArgosyTransport
internal import NIOCore

/// Cuts a byte stream into frame bodies; anything that is not a frame ends the connection with a `TransportError`.
struct FrameDecoder: ByteToMessageDecoder {
    typealias InboundOut = ByteBuffer
    let limit: Int

    func decode(context: ChannelHandlerContext, buffer: inout ByteBuffer) throws -> DecodingState {
        guard let header = buffer.getBytes(at: buffer.readerIndex, length: Frame.headerSize) else {
            return .needMoreData
        }
        let size = try Frame.bodySize(header: header, limit: limit)
        guard buffer.readableBytes >= Frame.headerSize + size else { return .needMoreData }
        buffer.moveReaderIndex(forwardBy: Frame.headerSize)
        guard let body = buffer.readSlice(length: size) else { return .needMoreData }
        context.fireChannelRead(wrapInboundOut(body))
        return .continue
    }

    func decodeLast(context: ChannelHandlerContext, buffer: inout ByteBuffer, seenEOF: Bool) throws -> DecodingState {
        try decode(context: context, buffer: &buffer)
    }
}

extension ByteBuffer {
    /// A whole frame around `body`.
    init(frame body: [UInt8]) {
        self.init()
        reserveCapacity(Frame.headerSize + body.count)
        writeBytes(Frame.header(bodySize: body.count))
        writeBytes(body)
    }
    /// All that is left to read.
    var remainingBytes: [UInt8] { Array(readableBytesView) }
}
