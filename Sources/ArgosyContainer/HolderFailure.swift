import ArgosySystem

/// Why a container could not be made, in words for the job's owner and the administrator.
public struct HolderFailure: Error, Hashable, Sendable, CustomStringConvertible {
    public let description: String
    /// A mount or the image was at fault, not the node.
    public let isUserFault: Bool

    public init(_ description: String, userFault: Bool) {
        self.description = description
        isUserFault = userFault
    }
}

/// Runs `body`; a system error becomes "what: error".
func explained<Result>(
    _ what: @autoclosure () -> String, userFault: Bool = false, _ body: () throws(SystemError) -> Result
) throws(HolderFailure) -> Result {
    do {
        return try body()
    } catch {
        throw HolderFailure("\(what()): \(error)", userFault: userFault)
    }
}
