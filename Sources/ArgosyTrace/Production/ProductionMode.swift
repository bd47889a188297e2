// Production mode from end to end: a configuration, a trace, the controller's own core and planner.
internal import ArgosyConfig
import ArgosyDomain
internal import ArgosyScheduler
internal import ArgosySystem
import Glibc

/// The simulator's production mode: the real configuration on a virtual clock.
public enum ProductionMode {
    /// What a run of it needs, as the command line says it.
    public struct Request: Sendable {
        public var trace: String
        public var configurations: [String]
        public var processors: Int32?
        public var limit: Int?
        public var estimate: Workload.Estimate
        public var schedule: String?
        /// SVG of utilization over time and waits by class.
        public var plot: String?

        public init(
            trace: String, configurations: [String], processors: Int32?, limit: Int?, estimate: Workload.Estimate,
            schedule: String?, plot: String? = nil
        ) {
            self.trace = trace
            self.configurations = configurations
            self.processors = processors
            self.limit = limit
            self.estimate = estimate
            self.schedule = schedule
            self.plot = plot
        }
    }

    /// One report for each configuration; without any, one for the trace's own machine with the shipped defaults.
    ///
    /// - Throws: what the trace's reader throws; `unusable` for a configuration with errors; `unwritable`.
    public static func run(
        _ request: Request, progress: ((Int, Int) -> Void)? = nil
    ) throws(TraceError) -> [SimulationReport] {
        let trace = try ProductionTrace.read(
            request.trace, processors: request.processors, limit: request.limit, estimate: request.estimate)
        var reports: [SimulationReport] = []
        var curves: [PlotCurve] = []
        let files: [String?] = request.configurations.isEmpty ? [nil] : request.configurations
        for (number, file) in files.enumerated() {
            let began = Clocks.wall
            let beganProcessor = number == 0 ? 0 : Clocks.processor
            let configuration = try Self.configuration(file, trace)
            let name = file ?? "shipped defaults"
            let outcome = SimulatedCluster(configuration, planner: BackfillPlanner(), jobs: trace.jobs)
                .run(progress: progress)
            let (workload, schedule) = try settle(trace, outcome, configuration, name)
            var report = SimulationReport(
                trace: request.trace, policy: name, estimate: request.estimate, workload: workload, schedule: schedule)
            report.refused = outcome.refused
            report.neverStarted = outcome.starts.count { $0 == nil } - outcome.refused
            report.notes = outcome.refusals
            if let path = request.schedule, number == 0 {
                try ReferenceMode.write(schedule.csv(of: workload), to: path)
            }
            report.wallSeconds = Clocks.wall - began
            report.cpuSeconds = Clocks.processor - beganProcessor
            reports.append(report)
            curves.append(PlotCurve(name: name, workload: workload, schedule: schedule))
        }
        if let path = request.plot { try ReferenceMode.write(Array(Plot(curves).svg.utf8), to: path) }
        return reports
    }

    /// The file's; nodes and partitions are the trace's machine where the file names none.
    private static func configuration(
        _ file: String?, _ trace: ProductionTrace
    ) throws(TraceError) -> ClusterConfiguration {
        var text = ""
        if let file {
            do throws(SystemError) { text = try Files.readText(file) } catch {
                throw TraceError(.unreadable, "cannot read \(file): \(error.reason)")
            }
        }
        var parsed = parse(text, file)
        if parsed.configuration.nodes.isEmpty {
            guard !trace.machine.isEmpty else {
                throw TraceError(
                    .unusable,
                    "\(trace.name) does not tell what machine it was taken on; give --config with NodeName lines")
            }
            parsed = parse(text + "\n" + trace.machine, file)
        }
        guard parsed.errors.isEmpty else {
            throw TraceError(.unusable, parsed.errors.map(\.description).joined(separator: "\n"))
        }
        return parsed.configuration
    }

    private static func parse(_ text: String, _ file: String?) -> ParsedConfiguration {
        let folder = file?.lastIndex(of: "/").flatMap { file?[...$0] }.map(String.init) ?? ""
        let whole = ConfigurationText(
            file: file ?? "shipped defaults", text: text + "\nSlurmctldHost=simulated\n")
        return ConfigurationParser.parse(whole) { included, _ in
            let path = included.hasPrefix("/") ? included : folder + included
            do throws(SystemError) {
                return .success(ConfigurationText(file: path, text: try Files.readText(path)))
            } catch { return .failure(.init(error.reason)) }
        }
    }

    /// Jobs that ran, as the reference mode's reports take them.
    private static func settle(
        _ trace: ProductionTrace, _ outcome: ProductionSchedule, _ configuration: ClusterConfiguration, _ name: String
    ) throws(TraceError) -> (Workload, Schedule) {
        let cpus = configuration.nodes.reduce(0) { $0 + $1.cpus }
        var workload = Workload(processors: Int32(clamping: cpus))
        workload.dropped = trace.dropped
        var schedule = Schedule(starts: [], backfilled: outcome.backfilled)
        for (index, job) in trace.jobs.enumerated() {
            guard let start = outcome.starts[index] else { continue }
            workload.jobs.append(
                TraceJob(
                    id: job.id, submit: job.submit, run: job.run, request: job.request,
                    processors: Int32(clamping: job.width), user: Int32(clamping: job.fields.identity.uid), group: -1,
                    queue: -1, isKilled: job.isKilled))
            schedule.starts.append(start)
        }
        guard !workload.jobs.isEmpty else {
            let why = outcome.refusals.first.map { "; the first refusal: \($0)" } ?? ""
            throw TraceError(.unusable, "no job of \(trace.name) ever started with \(name)\(why)")
        }
        return (workload, schedule)
    }
}
