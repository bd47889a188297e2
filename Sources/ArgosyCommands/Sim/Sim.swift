// argosy sim: what a scheduling policy, or a configuration, makes of a trace. The simulation is ArgosyTrace's; here are
// the command line and what is printed.
import ArgosyScheduler
import ArgosyTrace

struct SimOptions: CommandSettings {
    enum Format: String, CaseIterable { case table, json }

    var showsHelp = false
    var showsUsage = false
    var showsVersion = false
    var policy: ReferencePolicy?
    var processors: Int32?
    var limit: Int?
    var estimate = Workload.Estimate.request
    var configurations: [String] = []
    var format = Format.table
    var schedule: String?
    var plot: String?
    var seed: UInt64 = 1
}

enum Sim {
    typealias Row = Option<SimOptions>

    static let description = CommandDescription(name: "argosy sim", synopsis: "[OPTIONS...] TRACE", options: options)

    static let options: [Row] =
        [
            Row("policy", nil, .required, "name", "a textbook policy on identical processors (reference mode)") {
                options, text throws(OptionError) in
                guard let policy = ReferencePolicy(named: text) else {
                    throw OptionError(
                        "--policy=\(text): there is no such policy; say one of "
                            + ReferencePolicy.allNames.joined(separator: ", "))
                }
                options.policy = policy
            },
            Row("procs", nil, .required, "count", "processors of the machine (default: the trace's header)") {
                options, text throws(OptionError) in
                options.processors = Int32(try number(text, "--procs", 1...Int(Int32.max)))
            },
            Row("limit", nil, .required, "count", "only the first jobs, by submission") {
                options, text throws(OptionError) in
                options.limit = try number(text, "--limit", 1...Int(Int32.max))
            },
            Row("estimate", nil, .required, "request|actual", "plan with the requested times, or the true ones") {
                options, text throws(OptionError) in
                options.estimate = try word(text, "--estimate")
            },
            Row("config", nil, .required, "file", "the configuration to simulate; twice: compare (production mode)") {
                options, text throws(OptionError) in
                guard options.configurations.count < 2 else {
                    throw OptionError("--config=\(text): one configuration, or two to compare, not more")
                }
                options.configurations.append(text)
            },
            Row("format", nil, .required, "table|json", "how the result is printed (default table)") {
                options, text throws(OptionError) in
                options.format = try word(text, "--format")
            },
            Row("schedule", nil, .required, "file", "write id,submit,start,end of each job as CSV") {
                options, text throws(OptionError) in
                options.schedule = text
            },
            Row("plot", nil, .required, "file", "draw utilization over time and waits by class, SVG (production mode)")
            {
                options, text throws(OptionError) in
                options.plot = text
            },
            Row("seed", nil, .required, "number", "of what is random (nothing in reference mode)") {
                options, text throws(OptionError) in
                guard let seed = UInt64(text) else {
                    throw OptionError("--seed=\(text): must be a number from 0 to \(UInt64.max)")
                }
                options.seed = seed
            },
        ] + informationOptions()

    /// `arguments` are those after "argosy sim". Returns the exit status: 0 fine, 1 not.
    @Sendable static func run(_ arguments: [String]) -> Int32 {
        var options = SimOptions()
        var exitCode: Int32 = 0
        guard let operands = description.parse(arguments, into: &options, exitCode: &exitCode) else { return exitCode }
        guard operands.count == 1, let trace = operands.first else {
            let what = operands.isEmpty ? "no trace given" : "one trace at a time"
            description.report(OptionError("\(what): argosy sim [OPTIONS...] TRACE", isUsage: true))
            return 1
        }
        do throws(TraceError) {
            let reports = try simulate(trace, options)
            switch options.format {
            case .json: for report in reports { Console.print(report.json) }
            case .table: Console.print(SimulationReport.table(reports))
            }
            return 0
        } catch {
            Console.error("argosy sim", error.message)
            return 1
        }
    }

    private static func simulate(_ trace: String, _ options: SimOptions) throws(TraceError) -> [SimulationReport] {
        let bar = ProgressBar()
        defer { bar.clear() }
        guard let policy = options.policy else {
            return try ProductionMode.run(
                .init(
                    trace: trace, configurations: options.configurations, processors: options.processors,
                    limit: options.limit, estimate: options.estimate, schedule: options.schedule, plot: options.plot),
                progress: bar.show)
        }
        guard options.configurations.isEmpty else {
            throw TraceError(
                .unusable, "--config is for production mode, which --policy leaves; give one of the two")
        }
        var request = ReferenceMode.Request(trace: trace, policy: policy)
        request.processors = options.processors
        request.limit = options.limit
        request.estimate = options.estimate
        request.schedule = options.schedule
        return [try ReferenceMode.run(request, progress: bar.show)]
    }

    private static func number(
        _ text: String, _ name: String, _ range: ClosedRange<Int>
    ) throws(OptionError) -> Int {
        guard let number = Int(text), range.contains(number) else {
            throw OptionError("\(name)=\(text): must be a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    private static func word<Word: RawRepresentable<String> & CaseIterable>(
        _ text: String, _ name: String
    ) throws(OptionError) -> Word {
        guard let word = Word(rawValue: text) else {
            let words = Word.allCases.map(\.rawValue).joined(separator: " or ")
            throw OptionError("\(name)=\(text): must be \(words)")
        }
        return word
    }
}
