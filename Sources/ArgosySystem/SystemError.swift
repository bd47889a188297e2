import CArgosyShim
import Glibc

/// A system call that failed: which, on what, with which errno.
public struct SystemError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What was tried, in a word or two: "open", "chdir", "exec", "join cgroup".
    public let stage: String
    /// What it was tried on; may be empty.
    public let subject: String
    /// The errno value.
    public let code: Int32

    public init(_ stage: String, _ subject: String = "", code: Int32) {
        self.stage = stage
        self.subject = subject
        self.code = code
    }

    /// "No such file or directory", as strerror(3) has it.
    public var reason: String {
        var buffer = [UInt8](repeating: 0, count: 256)
        let length = buffer.withUnsafeMutableBytes { argosy_strerror(code, $0.baseAddress, $0.count) }
        return String(decoding: buffer.prefix(Int(length)), as: UTF8.self)
    }

    public var description: String {
        subject.isEmpty ? "\(stage): \(reason)" : "\(stage) \(subject): \(reason)"
    }
}

/// `result`, or a `SystemError` of the current errno when it is negative.
@discardableResult
func check<Result: SignedInteger>(
    _ result: Result, _ stage: String, _ subject: @autoclosure () -> String = ""
) throws(SystemError) -> Result {
    guard result < 0 else { return result }
    throw SystemError(stage, subject(), code: errno)
}

/// For the shim's calls: `result`, or a `SystemError` when it is a negative errno.
@discardableResult
func checkShim<Result: SignedInteger>(
    _ result: Result, _ stage: String, _ subject: @autoclosure () -> String = ""
) throws(SystemError) -> Result {
    guard result < 0 else { return result }
    throw SystemError(stage, subject(), code: Int32(-result))
}
