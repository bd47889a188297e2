/// Why an image cannot be used, in words for the job's owner.
public struct ImageError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Code: Hashable, Sendable {
        /// The user's doing: does not parse, is not there, may not be read, other architecture, too large.
        case badReference, notFound, denied, wrongArchitecture, notAllowed, tooLarge, malformed, changed
        /// The node's or registry's: no skopeo, cache full, time out.
        case toolMissing, noSpace, timeout, failed
    }
    public let code: Code
    public let description: String

    public init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }

    /// The node itself cannot run container jobs: drain it.
    public var isNodeFault: Bool { code == .toolMissing || code == .noSpace }
}
