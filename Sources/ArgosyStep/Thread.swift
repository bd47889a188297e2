internal import Glibc

/// A thread for calls that block.
enum Thread {
    private final class Box {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    /// Runs `body` on a thread of its own; here and now when there is none to be had.
    static func start(_ body: @escaping @Sendable () -> Void) {
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
}
