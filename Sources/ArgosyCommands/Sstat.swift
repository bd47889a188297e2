// sstat: what running steps use now, by their nodes' cgroups.

import ArgosyDomain
import ArgosyWire

struct SstatOptions: CommandSettings {
    var showsHelp = false
    var showsUsage = false
    var showsVersion = false
    var table = DelimitedTable()
    var jobs: [JobIdentifier] = []
    var allSteps = false
    var format: String?
    var listsFields = false
    var units = UnitText()
}

enum Sstat {
    typealias Row = Option<SstatOptions>

    static let description = CommandDescription(name: "sstat", synopsis: "[<OPTION>] -j <job(.step)>", options: options)

    static let options: [Row] =
        [
            Row("allsteps", "a", "all running steps of the jobs, not the first one only") { o, _ in o.allSteps = true },
            Row("format", "o", .required, "fields", "comma separated list of fields (see --helpformat)") {
                $0.format = $1
            },
            Row("fields", nil, .required, "fields", "same as --format") { $0.format = $1 },
            Row("helpformat", "e", "print a list of fields that can be specified with --format") { o, _ in
                o.listsFields = true
            },
            Row("jobs", "j", .required, "job(.step)", "show steps of these jobs") { o, text throws(OptionError) in
                o.jobs += try jobs(text)
            },
            Row("noconvert", "sizes in the unit they are kept in") { o, _ in o.units.keeps = true },
            Row("noheader", "n", "no header will be added to the beginning of output") { o, _ in
                o.table.header = false
            },
            Row("parsable", "p", "output will be '|' delimited with a '|' at the end") { o, _ in
                o.table.style = .parsable
            },
            Row("parsable2", "P", "output will be '|' delimited without a '|' at the end") { o, _ in
                o.table.style = .parsable2
            },
            Row("pidformat", "i", "list the processes of each step") { o, _ in o.format = "jobid,nodelist,pids" },
            Row("verbose", "v", "verbosity level") { _, _ in },
        ] + informationOptions()

    private static func jobs(_ text: String) throws(OptionError) -> [JobIdentifier] {
        var jobs: [JobIdentifier] = []
        for word in JobIdentifier.words(text) {
            guard let job = JobIdentifier(word) else {
                throw OptionError("Bad job/step specified: \(word)", isFatal: true)
            }
            jobs.append(job)
        }
        return jobs
    }

    static func run(_ arguments: [String]) -> Int32 {
        var options = SstatOptions()
        var exitCode: Int32 = 0
        guard let operands = description.parse(arguments, into: &options, exitCode: &exitCode) else { return exitCode }
        if options.listsFields {
            Console.print(FieldList.text(UsageFields.all.map(\.name)))
            return 0
        }
        do {
            for operand in operands { options.jobs += try jobs(operand) }
            guard !options.jobs.isEmpty else { throw OptionError("You didn't give me any jobs to stat.") }
            var columns = try UsageFields.columns(options.format ?? UsageFields.standard)
            if options.table.style == .padded { columns.removeAll { $0.width == 0 } }
            let list = try ask(options)
            let rows = chosen(list, options).map { record in columns.map { $0.value(record) } }
            Console.print(options.table.render(columns.map { ($0.name, $0.width) }, rows))
            complain(list, options)
            return 0
        } catch {
            if let error = error as? OptionError {
                description.report(error)
            } else {
                let failure = Failure(error)
                Console.error("sstat", failure.message, detail: failure.detail)
            }
            return 1
        }
    }

    private static func ask(_ options: SstatOptions) throws(Failure) -> WireStepUsageList {
        var request = WireListStepUsage()
        request.jobs = options.jobs.map(\.selector)
        guard case .stepUsage(let list)? = try Session().ask(.stepUsage(request)).body else {
            throw Failure("Invalid reply of the controller")
        }
        return list
    }

    /// Of each job the step that is named, or all, or the one with the lowest number; without one, the batch script.
    static func chosen(_ list: WireStepUsageList, _ options: SstatOptions) -> [UsageRecord] {
        var records: [UsageRecord] = []
        for job in options.jobs {
            let steps = list.steps.filter { isOf(job, $0) }
            for id in steps.map(\.job).reduce(into: [UInt32](), { if !$0.contains($1) { $0.append($1) } }) {
                let own = steps.filter { $0.job == id }
                let shown: [WireStepUsageInfo]
                if let step = job.step {
                    shown = own.filter { $0.step == step }
                } else if options.allSteps {
                    shown = own.sorted { rank($0.step) < rank($1.step) }
                } else {
                    shown = own.filter { $0.step < 0xffff_0000 }.min { $0.step < $1.step }.map { [$0] } ?? own
                }
                records += shown.map { UsageRecord(info: $0, units: options.units) }
            }
        }
        return records
    }

    private static func rank(_ step: UInt32) -> UInt64 { step >= 0xffff_0000 ? 0 : UInt64(step) + 1 }

    private static func isOf(_ job: JobIdentifier, _ step: WireStepUsageInfo) -> Bool {
        if job.indices.isEmpty { return step.job == job.job || step.arrayJob == job.job }
        return step.arrayJob == job.job
            && job.indices.contains { $0.first <= step.arrayTask && step.arrayTask <= $0.last }
    }

    private static func complain(_ list: WireStepUsageList, _ options: SstatOptions) {
        for job in options.jobs where !list.steps.contains(where: { isOf(job, $0) }) {
            Console.error("sstat", "couldn't get steps for job \(job.job)")
        }
        if !list.silentNodes.isEmpty {
            Console.error("sstat", "no answer from \(Hostlist.compress(list.silentNodes)): their share is missing")
        }
    }
}
