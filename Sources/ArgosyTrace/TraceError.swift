/// Why a trace cannot be read or simulated, in a sentence that says what to do.
public struct TraceError: Error, Equatable, CustomStringConvertible {
    public enum Code: Sendable {
        /// The file cannot be opened or read.
        case unreadable
        /// It is gzip, and damaged or cut short.
        case corrupt
        /// A line is not what the format says.
        case malformed
        /// It was read, but lacks what a simulation needs.
        case unusable
        /// An output file cannot be written.
        case unwritable
    }
    public let code: Code
    public let message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }
}
