// sprio: what the priority of each waiting job is made of.

import ArgosyClient
import ArgosyDomain
import ArgosyWire

struct SprioOptions: CommandSettings {
    var showsHelp = false
    var showsUsage = false
    var showsVersion = false
    var header = true
    var long = false
    var normalized = false
    var weights = false
    var jobs: [JobIdentifier] = []
    var asksForJobs = false
    /// -j was given.
    var takesOperands = false
    var clusters: [String] = []
    var partitions: [String] = []
    var users: [String] = []
    var format: String?
    var sort: String?
}

enum Sprio {
    typealias Row = Option<SprioOptions>

    static let description = CommandDescription(name: "sprio", synopsis: "[OPTIONS]", options: options)

    static let options: [Row] =
        [
            Row("jobs", "j", .optional, "job(s)", "comma separated list of jobs to view, default is all") {
                o, text throws(OptionError) in
                o.takesOperands = true
                if !text.isEmpty { o.asksForJobs = true }
                o.jobs += try JobIdentifier.list(text)
            },
            Row("long", "l", "long report") { o, _ in o.long = true },
            Row("noheader", "h", "no headers on output") { o, _ in o.header = false },
            Row("norm", "n", "display normalized values") { o, _ in o.normalized = true },
            Row("format", "o", .required, "format", env: ["SPRIO_FORMAT"], "format specification") { $0.format = $1 },
            Row("partition", "p", .required, "partition_name", "comma separated list of partitions") {
                $0.partitions = commaList($1)
            },
            Row("sort", "S", .required, "fields", "comma separated list of fields to sort on") { $0.sort = $1 },
            Row("user", "u", .required, "user_name", "comma separated list of users to view") {
                $0.users = commaList($1)
            },
            Row("verbose", "v", "verbosity level") { _, _ in },
            Row("weights", "w", "show the weights for each priority factor") { o, _ in o.weights = true },
            .accepted("federation", nil, .none, env: ["SPRIO_FEDERATION"]),
            .accepted("local", nil, .none, env: ["SPRIO_LOCAL"]),
            .accepted("sibling", nil, .none, env: ["SPRIO_SIBLING"]),
            .accepted("cluster"),
            Row("clusters", "M", .required, "cluster(s)", env: ["SLURM_CLUSTERS"], "clusters to ask: this one, or all")
            {
                $0.clusters = commaList($1)
            },
        ] + informationOptions(helpLetter: nil)

    static func run(_ arguments: [String]) -> Int32 {
        var options = SprioOptions()
        var exitCode: Int32 = 0
        description.takeEnvironment(into: &options)
        guard let operands = description.parse(arguments, into: &options, exitCode: &exitCode) else { return exitCode }
        // `-j 12`: the list of an option whose argument may be absent comes as an operand.
        do throws(OptionError) {
            guard operands.isEmpty || options.takesOperands else {
                Console.error("sprio", "Unrecognized option: \(operands[0])")
                Console.print(description.usage)
                return 1
            }
            for operand in operands {
                options.jobs += try JobIdentifier.list(operand)
                options.asksForJobs = true
            }
        } catch {
            Console.error("sprio", error.message)
            return 1
        }
        do {
            guard case .priorities(let list)? = try Session().ask(.priorities(.init())).body else {
                throw Failure("Invalid reply of the controller")
            }
            for user in options.users where UInt32(user) == nil && PasswordFile.uid(of: user) == nil {
                Console.error("sprio", "Invalid user: \(user)")
            }
            Console.print(try render(list, options))
            return 0
        } catch {
            let failure = Failure(error)
            Console.error("sprio", failure.message, detail: failure.detail)
            return 1
        }
    }

    static func render(_ list: WirePriorityList, _ options: SprioOptions) throws(OptionError) -> String {
        guard list.multifactor else {
            // Slurm's sentence, and what to do.
            return "You are not running a supported priority plugin\n(priority/basic).\n"
                + "Only 'priority/multifactor' is supported.\n"
        }
        let matching = list.jobs.filter { matches($0, options) }
        if matching.isEmpty, options.asksForJobs { return "Unable to find jobs matching user/id(s) specified\n" }
        let chosen = ColumnFormat.letters(format(options, list), PriorityFields.all, showsUnknown: false)
        for unknown in chosen.unknown { Console.error("sprio", "Invalid job format specification: \(unknown)") }
        let jobs: [WireJobPriority]
        do throws(OptionError) { jobs = try sorted(matching, options.sort) } catch {
            // Slurm reads it when the header is out.
            if options.header { Console.print(chosen.header()) }
            throw error
        }
        let lines: [PriorityLine] = options.weights ? [.weights(list.weights)] : jobs.map { .job($0) }
        return chosen.render(lines, header: options.header)
    }

    private static func matches(_ job: WireJobPriority, _ options: SprioOptions) -> Bool {
        (options.jobs.isEmpty || options.jobs.contains { $0.job == job.job })
            && (options.partitions.isEmpty || options.partitions.contains(job.partition))
            && (options.users.isEmpty || options.users.contains(job.user))
    }

    /// Slurm's layouts: what has no weight is left out, but in the long ones.
    private static func format(_ options: SprioOptions, _ list: WirePriorityList) -> String {
        if let format = options.format { return format }
        let weights = list.weights
        let user = options.long || !options.users.isEmpty ? " %.8u" : ""
        if options.normalized {
            var text = "%.15i %9r\(user) %10y"
            if options.long || weights.age > 0 { text += " %10a" }
            if options.long || weights.assoc > 0 { text += " %10b" }
            if options.long || weights.fairshare > 0 { text += " %10f" }
            if options.long || weights.jobSize > 0 { text += " %10j" }
            if options.long || weights.partition > 0 { text += " %10p" }
            if options.long || weights.qos > 0 { text += " %10q" }
            if options.long || !weights.tres.isEmpty { text += " %20t" }
            return text
        }
        var text = "%.15i %9r\(user) %.10Y %.10S"
        if options.long || weights.age > 0 { text += " %.10A" }
        if options.long || weights.assoc > 0 { text += " %.10B" }
        if options.long || weights.fairshare > 0 { text += " %.10F" }
        if options.long || weights.jobSize > 0 { text += " %.10J" }
        if options.long || weights.partition > 0 { text += " %.10P" }
        if options.long || weights.qos > 0 { text += " %.10Q" }
        if options.long { text += " %.11N" }
        if options.long || !weights.tres.isEmpty { text += " %.20T" }
        return text
    }

    /// `-S -y,iu`: letters of fields, a minus for descending; ascending ids at last.
    private static func sorted(
        _ jobs: [WireJobPriority], _ sort: String?
    ) throws(OptionError) -> [WireJobPriority] {
        var keys: [(down: Bool, letter: Character)] = []
        for word in (sort ?? "i").split(separator: ",") {
            let down = word.first == "-"
            for letter in down || word.first == "+" ? word.dropFirst() : word {
                guard "ibyYAaBbFfJjPpQqSruTtN".contains(letter) else {
                    throw OptionError("Invalid sort specification: \(letter)")
                }
                keys.append((down, letter))
            }
        }
        return jobs.sorted { a, b in
            for key in keys {
                let (left, right) = (order(a, key.letter), order(b, key.letter))
                if left != right { return key.down ? right < left : left < right }
            }
            return a.job < b.job
        }
    }

    private struct Order: Comparable {
        var number: Double
        var text: String
        static func < (a: Order, b: Order) -> Bool { (a.number, a.text) < (b.number, b.text) }
    }

    private static func order(_ job: WireJobPriority, _ letter: Character) -> Order {
        switch letter {
        case "i": Order(number: Double(job.job), text: "")
        case "y", "Y": Order(number: Double(job.priority), text: "")
        case "A", "a": Order(number: job.ageTerm, text: "")
        case "B", "b": Order(number: job.assocTerm, text: "")
        case "F", "f": Order(number: job.fairshareTerm, text: "")
        case "J", "j": Order(number: job.jobSizeTerm, text: "")
        case "P", "p": Order(number: job.partitionTerm, text: "")
        case "Q", "q": Order(number: job.qosTerm, text: "")
        case "T", "t": Order(number: job.tres.reduce(0) { $0 + $1.term }, text: "")
        case "S": Order(number: Double(job.site), text: "")
        case "N": Order(number: Double(job.nice), text: "")
        case "u": Order(number: 0, text: job.user)
        default: Order(number: 0, text: job.partition)
        }
    }
}

/// A line of sprio: a job's, or that of the weights.
enum PriorityLine: Sendable {
    case job(WireJobPriority)
    case weights(WirePriorityWeights)
}

enum PriorityFields {
    private static func term(
        _ letter: Character, _ title: String, _ job: @escaping @Sendable (WireJobPriority) -> Double,
        _ weight: @escaping @Sendable (WirePriorityWeights) -> UInt32
    ) -> Field<PriorityLine> {
        Field(letter, title.lowercased(), title) { line in
            switch line {
            case .job(let priority): FieldWriter.fixed(job(priority).rounded(.down), 0)
            case .weights(let weights): "\(weight(weights))"
            }
        }
    }

    private static func factor(
        _ letter: Character, _ title: String, _ job: @escaping @Sendable (WireJobPriority) -> Double,
        _ weight: @escaping @Sendable (WirePriorityWeights) -> UInt32
    ) -> Field<PriorityLine> {
        Field(letter, "norm" + title.lowercased(), title) { line in
            switch line {
            case .job(let priority): FieldWriter.fixed(job(priority), 7)
            case .weights(let weights): "\(weight(weights))"
            }
        }
    }

    private static func plain(
        _ letter: Character, _ title: String, weights: String = "",
        _ job: @escaping @Sendable (WireJobPriority) -> String
    ) -> Field<PriorityLine> {
        Field(letter, title.lowercased(), title) { line in
            if case .job(let priority) = line { job(priority) } else { weights }
        }
    }

    /// The only one there is.
    private static let cluster = (try? Session()).map { Process.cluster($0.configuration) } ?? ""

    static let all: [Field<PriorityLine>] = [
        plain("i", "JOBID", weights: "Weights") { "\($0.job)" }, plain("r", "PARTITION") { $0.partition },
        plain("u", "USER") { $0.user }, plain("o", "ACCOUNT") { $0.account },
        plain("Y", "PRIORITY") { "\($0.priority)" },
        plain("y", "PRIORITY") { FieldWriter.fixed(Double($0.priority) / Double(UInt32.max), 8) },
        plain("S", "SITE", weights: "1") { "\($0.site)" }, plain("N", "NICE") { "\($0.nice)" },
        plain("n", "QOSNAME") { $0.qos }, plain("c", "CLUSTER") { _ in cluster },
        term("A", "AGE", \.ageTerm, \.age), term("B", "ASSOC", \.assocTerm, \.assoc),
        term("F", "FAIRSHARE", \.fairshareTerm, \.fairshare), term("J", "JOBSIZE", \.jobSizeTerm, \.jobSize),
        term("P", "PARTITION", \.partitionTerm, \.partition), term("Q", "QOS", \.qosTerm, \.qos),
        factor("a", "AGE", \.age, \.age), factor("b", "ASSOC", \.assoc, \.assoc),
        factor("f", "FAIRSHARE", \.fairshare, \.fairshare), factor("j", "JOBSIZE", \.jobSize, \.jobSize),
        factor("p", "PARTITION", \.partitionFactor, \.partition), factor("q", "QOS", \.qosFactor, \.qos),
        Field("T", "tres", "TRES") { line in
            switch line {
            case .job(let job):
                job.tres.map { "\($0.name)=\(FieldWriter.fixed($0.term.rounded(.down), 0))" }.joined(separator: ",")
            case .weights(let weights): weights.tres.isEmpty ? "(null)" : weights.tres
            }
        },
        Field("t", "normtres", "TRES") { line in
            switch line {
            case .job(let job): job.tres.map { "\($0.name)=\(FieldWriter.fixed($0.factor, 2))" }.joined(separator: ",")
            case .weights(let weights): weights.tres.isEmpty ? "(null)" : weights.tres
            }
        },
    ]
}
