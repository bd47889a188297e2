import Glibc
import Synchronization

/// Owns a file descriptor: closed once, at the latest when the last reference goes.
public final class Descriptor: Sendable {
    private let number: Atomic<Int32>

    /// Takes over `raw`; the caller must not close it any more.
    public init(adopting raw: Int32) { number = Atomic(raw) }

    /// The descriptor's number; -1 when closed or released.
    public var raw: Int32 { number.load(ordering: .acquiring) }

    /// Gives the number away: from now on the caller closes it.
    public func release() -> Int32 { number.exchange(-1, ordering: .acquiringAndReleasing) }

    public func close() {
        let raw = release()
        if raw >= 0 { _ = Glibc.close(raw) }
    }

    deinit { close() }
}
