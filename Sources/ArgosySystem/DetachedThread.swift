import Glibc

/// Runs `body` on a thread of its own: for calls that block (mounts, image fetches, kills). Where the system has no
/// thread to give, it runs here and now: better slow than not at all.
public func detachThread(_ body: @escaping @Sendable () -> Void) {
    final class Box {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
    var thread = pthread_t()
    let argument = Unmanaged.passRetained(Box(body))
    let result = pthread_create(
        &thread, nil,
        { raw in
            if let raw { Unmanaged<Box>.fromOpaque(raw).takeRetainedValue().body() }
            return nil
        }, argument.toOpaque())
    if result != 0 { argument.takeRetainedValue().body() } else { pthread_detach(thread) }
}
