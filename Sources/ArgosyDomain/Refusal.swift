/// Why a request was not done: an ordinary value, shown to the user.
///
/// `code` is for programs, `message` is Slurm's text where Slurm has one, `detail` says what, why and what to do next.
public struct Refusal: Error, Hashable, Sendable, CustomStringConvertible {
    /// Raw values travel on the wire: never renumber.
    public enum Code: UInt32, CaseIterable, Sendable {
        case invalidJobID = 1, accessDenied = 2, invalidPartition = 3, nodesNotAvailable = 4, badTaskCount = 5
        case invalidTimeLimit = 6, invalidNodeName = 7, jobAlreadyComplete = 8, invalidArray = 9, badImage = 10
        case storeFull = 11, storeFailed = 12, malformed = 13, tooLarge = 14, notSupported = 15
        case stepNodesBusy = 16, jobNotRunning = 17, controllerStopping = 18, unsupportedVersion = 19
        case memoryTooLarge = 20, partitionDown = 21, launchFailed = 22, invalidScript = 23, busy = 24
        case invalidUser = 25, invalidState = 26, cancelled = 27, invalidAccount = 28, invalidQOS = 29
        case accountingPolicy = 30
        case dependency = 40, invalidGRES = 41, invalidFeature = 42, invalidLicense = 43, invalidReservation = 44
        case reservationAccess = 45, reservationBusy = 46, reservationNotUsable = 47, reservationOverlap = 48
        case invalidTime = 49, invalidNice = 50, jobNotPending = 51, invalidTimeMin = 52
    }
    public var code: Code
    public var message: String
    public var detail: String
    public init(_ code: Code, _ message: String, detail: String = "") {
        self.code = code
        self.message = message
        self.detail = detail
    }
    public var description: String { detail.isEmpty ? message : "\(message): \(detail)" }
}
