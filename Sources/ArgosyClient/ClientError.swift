import ArgosyDomain
internal import ArgosyWire

/// The controller (or a node) could not be asked, or gave no sensible answer. Refusals are `ArgosyDomain.Refusal`.
public struct ClientError: Error, Sendable, Equatable, CustomStringConvertible {
    public enum Kind: Sendable { case unreachable, lostReply, `protocol`, authentication, interrupted }
    public var kind: Kind
    /// Slurm's text.
    public var message: String
    /// What was tried, why it failed, what to do; may be empty.
    public var detail: String
    public init(_ kind: Kind, _ message: String, detail: String = "") {
        self.kind = kind
        self.message = message
        self.detail = detail
    }
    public var description: String { detail.isEmpty ? message : "\(message): \(detail)" }

    static let connectFailure = "Unable to contact slurm controller (connect failure)"
    static let receiveFailure = "Unable to contact slurm controller (receive failure)"
}

func refusal(_ wire: WireRefusal) -> Refusal {
    Refusal(Refusal.Code(rawValue: wire.code) ?? .malformed, wire.message, detail: wire.detail)
}
