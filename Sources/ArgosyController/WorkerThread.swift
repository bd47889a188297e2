internal import Glibc

/// A thread of its own for work that blocks: fsync, waiting for the next event.
final class WorkerThread: Sendable {
    private final class Work: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
    private let thread: pthread_t

    /// Stops the process when the system has no thread left to give: nothing works without.
    init(_ name: String, _ body: @escaping @Sendable () -> Void) {
        var started = pthread_t()
        let work = Unmanaged.passRetained(Work(body))
        let status = pthread_create(
            &started, nil,
            { raw in
                guard let raw else { return nil }
                Unmanaged<Work>.fromOpaque(raw).takeRetainedValue().body()
                return nil
            }, work.toOpaque())
        guard status == 0 else { fatalError("cannot start thread \(name): \(String(cString: strerror(status)))") }
        thread = started
    }

    /// Waits for its end; once.
    func join() { pthread_join(thread, nil) }
}
