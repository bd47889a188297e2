// Reference mode from end to end: read the trace, simulate, write the schedule, tell the numbers.
public import ArgosyScheduler
internal import ArgosySystem
import Glibc

public enum ReferenceMode {
    /// One run, as the command line says it.
    public struct Request: Sendable {
        /// A log in the Standard Workload Format, plain or gzip; "-" is standard input.
        public var trace: String
        public var policy: ReferencePolicy
        /// Instead of what the trace says.
        public var processors: Int32?
        /// The first so many jobs only.
        public var limit: Int?
        public var estimate = Workload.Estimate.request
        /// Where to write the schedule as CSV.
        public var schedule: String?

        public init(trace: String, policy: ReferencePolicy) {
            self.trace = trace
            self.policy = policy
        }
    }

    /// - Parameter progress: told now and then how many jobs have arrived, of how many.
    /// - Throws: what `SWFReader.read` throws; `unusable` when no job is left; `unwritable`.
    public static func run(
        _ request: Request, progress: ((Int, Int) -> Void)? = nil
    ) throws(TraceError) -> SimulationReport {
        let began = Clocks.wall
        var workload = try SWFReader.read(request.trace, processors: request.processors)
        workload.prepare(limit: request.limit, estimate: request.estimate)
        guard !workload.jobs.isEmpty else {
            throw TraceError(
                .unusable,
                "\(request.trace) has no job that a machine of \(workload.processors) processors can run"
                    + " (\(workload.dropped) lines dropped)")
        }
        let total = workload.jobs.count
        let schedule = ReferenceSimulation(workload, policy: request.policy).run { progress?($0, total) }
        var report = SimulationReport(
            trace: request.trace, policy: request.policy.name, estimate: request.estimate, workload: workload,
            schedule: schedule)
        if let path = request.schedule { try write(schedule.csv(of: workload), to: path) }
        report.wallSeconds = Clocks.wall - began
        report.cpuSeconds = Clocks.processor
        return report
    }

    static func write(_ bytes: [UInt8], to path: String) throws(TraceError) {
        do throws(SystemError) {
            let file = try Files.open(path, flags: O_WRONLY | O_CREAT | O_TRUNC, mode: 0o644)
            try Files.write(bytes, to: file.raw, name: path)
        } catch { throw TraceError(.unwritable, "cannot write \(path): \(error.reason)") }
    }
}

/// What a run costs, in seconds.
enum Clocks {
    static var wall: Double { read(CLOCK_MONOTONIC) }
    /// Of this process, from its first instruction on.
    static var processor: Double { read(CLOCK_PROCESS_CPUTIME_ID) }

    private static func read(_ clock: clockid_t) -> Double {
        var now = timespec()
        clock_gettime(clock, &now)
        return Double(now.tv_sec) + Double(now.tv_nsec) / 1e9
    }
}
