// argosy why: everything that keeps a job from starting, when and where it is planned, and what would help.

import ArgosyClient
import ArgosyDomain
import ArgosyWire

struct WhyOptions: CommandSettings {
    var showsHelp = false
    var showsUsage = false
    var showsVersion = false
    var json = false
}

enum Why {
    typealias Row = Option<WhyOptions>

    static let description = CommandDescription(name: "argosy why", synopsis: "[OPTIONS] JOB", options: options)

    static let options: [Row] =
        [Row("json", "print one JSON object instead of a table") { options, _ in options.json = true }]
        + informationOptions(helpLetter: "h")

    static func run(_ arguments: [String]) -> Int32 {
        var options = WhyOptions()
        var exitCode: Int32 = 0
        guard let operands = description.parse(arguments, into: &options, exitCode: &exitCode) else { return exitCode }
        do {
            guard operands.count == 1, let job = UInt32(operands[0]) else {
                throw Failure("name one job by its number", detail: "as in: argosy why 1042")
            }
            var request = WireWhy()
            request.job = job
            guard case .why(let report)? = try Session().ask(.why(request)).body else {
                throw Failure("Invalid reply of the controller")
            }
            Console.print(options.json ? json(report) + "\n" : text(report))
        } catch {
            let failure = Failure(error)
            Console.error("argosy why", failure.message, detail: failure.detail)
            return 1
        }
        return 0
    }

    // MARK: For people

    static func text(_ report: WireWhyReport) -> String {
        let job = JobRecord(info: report.job, now: report.plannedUs / 1_000_000)
        var lines = ["Job \(job.id) (\(report.job.spec.name)) of \(job.user) in partition \(job.partition)"]
        guard job.state == .pending else {
            lines.append("does not wait: it is \(report.job.state)")
            return lines.joined(separator: "\n") + "\n"
        }
        if !report.wish.isEmpty { lines.append("asks for   \(report.wish)") }
        if report.queuePlace > 0 {
            lines.append("place      \(report.queuePlace) of \(report.queueLength) in the queue")
        }
        lines.append("start      \(start(report))")
        lines.append("")
        lines += reasons(report)
        if !report.nodes.isEmpty { lines += ["", "Nodes of its partitions"] + nodes(report) }
        if !report.sooner.isEmpty {
            lines += ["", "It would start sooner with"]
            let width = report.sooner.map(\.change.count).max() ?? 0
            lines += report.sooner.map { "  \(pad($0.change, width, right: false))  \(Times.stamp($0.startUs))" }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func start(_ report: WireWhyReport) -> String {
        guard report.expectedStartUs > 0 else {
            return report.plannedUs > 0 ? "not known" : "not known: nothing was planned yet"
        }
        let place = report.expectedNodes.isEmpty ? "" : " on \(report.expectedNodes)"
        return Times.stamp(report.expectedStartUs) + place + (report.isReserved ? ", reserved" : ", as things are now")
    }

    private static func reasons(_ report: WireWhyReport) -> [String] {
        if report.reasons.isEmpty {
            let job = report.job
            let detail = job.reasonDetail.isEmpty ? "" : "  \(job.reasonDetail)"
            return ["It waits because of", "  \(job.reason)\(detail)"]
        }
        let width = report.reasons.map(\.word.count).max() ?? 0
        return ["It waits because of"]
            + report.reasons.map { "  \(pad($0.word, width, right: false))  \($0.detail)" }
    }

    private static func nodes(_ report: WireWhyReport) -> [String] {
        let width = report.nodes.map { "\($0.count)".count }.max() ?? 0
        return report.nodes.map { "  \(pad("\($0.count)", width, right: true))  \($0.what)" }
    }

    // MARK: For programs

    /// Times are seconds since 1970, null where not known.
    static func json(_ report: WireWhyReport) -> String {
        let start = report.expectedStartUs > 0 ? "\(report.expectedStartUs / 1_000_000)" : "null"
        let fields = [
            "\"job\":\(report.job.job)", "\"state\":\(quoted(report.job.state))",
            "\"reason\":\(quoted(report.job.reason))",
            "\"reasons\":["
                + report.reasons.map { "{\"reason\":\(quoted($0.word)),\"detail\":\(quoted($0.detail))}" }
                .joined(separator: ",") + "]",
            "\"asks_for\":\(quoted(report.wish))",
            "\"queue_place\":\(report.queuePlace)", "\"queue_length\":\(report.queueLength)",
            "\"expected_start\":\(start)", "\"expected_nodes\":\(quoted(report.expectedNodes))",
            "\"reserved\":\(report.isReserved)",
            "\"nodes\":["
                + report.nodes.map { "{\"count\":\($0.count),\"what\":\(quoted($0.what))}" }.joined(separator: ",")
                + "]",
            "\"sooner\":["
                + report.sooner.map { "{\"change\":\(quoted($0.change)),\"start\":\($0.startUs / 1_000_000)}" }
                .joined(separator: ",") + "]",
        ]
        return "{" + fields.joined(separator: ",") + "}"
    }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case _ where scalar.value < 32:
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
