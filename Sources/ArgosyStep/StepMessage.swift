/// What `argosyd`, a step daemon and its unprivileged child say to each other over SEQPACKET sockets: one fixed layout
/// of 512 bytes, so that root reads nothing whose shape another process decides.
///
///     0 u32 "ARSM"   4 u16 version   6 u16 kind   8 u32 job   12 u32 attempt   16 u32 step   20 u32 rank
///     24 i64 a   32 i64 b   40 i64 c   48 u16 bytes of text   50... text (UTF-8, the rest zero)
///
/// All little-endian. Descriptors travel beside it (SCM_RIGHTS).
public struct StepMessage: Equatable, Sendable {
    public static let size = 512
    public static let maxText = size - 50
    private static let magic: UInt32 = 0x4d53_5241
    private static let version: UInt16 = 1

    /// Raw values are the layout: never renumber.
    public enum Kind: UInt16, Sendable, CaseIterable {
        /// Step daemon to argosyd, first message. a: its pid.
        case hello = 1
        case started = 2
        /// exit.pb is written.
        case ended = 3
        /// To the step daemon. a: number; b: 1 to tell only the tasks themselves, not what they started.
        case signal = 4
        /// a: grace in milliseconds.
        case terminate = 5
        /// With one descriptor: a checked connection of srun or a relay. On to the child.
        case connection = 6
        /// To the child. rank; a: code, b: signal, c: pid; text "oom" when the cgroup counted a kill.
        case taskExited = 7
        /// To the child: nothing more comes. a: 1 oom, b: 1 timed out.
        case finished = 8
        /// To the child: shown to srun as a failure of this node.
        case failure = 9
        /// Child to step daemon: srun is there.
        case clientConnected = 10
        /// Child to step daemon: srun went away before the end.
        case clientLost = 11
        /// Child to step daemon: all output was delivered (or nobody wants it); it exits.
        case drained = 12
        /// To the child: a line for the stderr of `rank`, from the step daemon itself.
        case note = 13
        /// To the step daemon: everything stands still, the time limit too; and goes on.
        case suspend = 14
        case resume = 15
        /// To the step daemon. a: milliseconds left of the job's time limit; 0: none.
        case limit = 16
    }

    public var kind: Kind
    public var job: UInt32 = 0
    public var attempt: UInt32 = 0
    public var step: UInt32 = 0
    public var rank: UInt32 = 0
    public var a: Int64 = 0
    public var b: Int64 = 0
    public var c: Int64 = 0
    /// Cut at `maxText` bytes when sent.
    public var text = ""
    public init(_ kind: Kind) { self.kind = kind }

    /// Exactly `size` bytes.
    public var bytes: [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(Self.size)
        func put(_ value: some FixedWidthInteger) {
            withUnsafeBytes(of: value.littleEndian) { result.append(contentsOf: $0) }
        }
        put(Self.magic)
        put(Self.version)
        put(kind.rawValue)
        for number in [job, attempt, step, rank] { put(number) }
        for number in [a, b, c] { put(number) }
        let shown = Array(text.utf8.prefix(Self.maxText))
        put(UInt16(shown.count))
        result += shown
        result += [UInt8](repeating: 0, count: Self.size - result.count)
        return result
    }

    /// Nil for anything that is not exactly such a message.
    public init?(_ bytes: [UInt8]) {
        guard bytes.count == Self.size else { return nil }
        func get<Number: FixedWidthInteger>(_ offset: Int, _: Number.Type) -> Number {
            var value: Number = 0
            for index in (0..<MemoryLayout<Number>.size).reversed() {
                value = value << 8 | Number(truncatingIfNeeded: bytes[offset + index])
            }
            return value
        }
        let length = Int(get(48, UInt16.self))
        guard get(0, UInt32.self) == Self.magic, get(4, UInt16.self) == Self.version,
            let kind = Kind(rawValue: get(6, UInt16.self)), length <= Self.maxText
        else { return nil }
        self.kind = kind
        job = get(8, UInt32.self)
        attempt = get(12, UInt32.self)
        step = get(16, UInt32.self)
        rank = get(20, UInt32.self)
        a = get(24, Int64.self)
        b = get(32, Int64.self)
        c = get(40, Int64.self)
        text = String(decoding: bytes[50..<50 + length], as: UTF8.self)
    }
}
