// What sbatch and srun can be told about a job or step. Counts of 0 and empty texts: not told.

import ArgosyConfig
import ArgosyDomain
import Glibc

struct JobOptions: CommandSettings {
    var showsHelp = false
    var showsUsage = false
    var showsVersion = false

    var name = ""
    var account = ""
    var qos = ""
    var partition = ""
    var comment = ""
    var minNodes: UInt32 = 0
    var maxNodes: UInt32 = 0
    var tasks: UInt32 = 0
    var tasksPerNode: UInt32 = 0
    var cpusPerTask: UInt32 = 0
    var memoryPerNodeMiB: UInt64 = 0
    var memoryPerCPUMiB: UInt64 = 0
    var timeLimit = TimeLimit.notGiven
    var workDirectory = ""
    var input = ""
    var output = ""
    var error = ""
    var append: Bool?
    var array: ArraySpec?
    var dependency = ""
    var export: String?
    var hold = false
    var begin = Timestamp.unset
    var requeue: Bool?
    var exclusive = false
    var nodeList = ""
    var exclude = ""
    var nice: Int32 = 0
    var resources = ResourceOptions()
    var gres: [GRESRequest] = []
    var gpus: [GRESRequest] = []
    var gpusPerNode: [GRESRequest] = []
    var gpusPerSocket: [GRESRequest] = []
    var gpusPerTask: [GRESRequest] = []
    var hint = ""
    var asksHintHelp = false
    var asksGRESHelp = false
    var asksNoGRES = false
    var deadline = Timestamp.unset
    var timeMin = TimeLimit.notGiven
    var priority: UInt32?
    var killsOnInvalidDependency: Bool?
    var wckey = ""
    var mailTypes = MailTypes()
    var mailUser = ""
    var warning: WarningSignal?
    var delayBoot: UInt32?
    var reboot = false
    var quiet = 0
    var testOnly = false
    var verbose = 0
    /// Asked for with -N 0, which the controller refuses.
    var asksNoNodes = false
    /// Words that are no array, list of nodes or licenses: refused as the controller would.
    var refusal = ""
    /// Which options about memory were given, in one place: only one of them may be.
    var memoryOptions: Set<String> = []
    var clusters = ""
    var user: (uid: UInt32, gid: UInt32, name: String)?
    var gid: UInt32?
    var propagated: [UInt32]?
    var waitsForAllNodes: Bool?
    var loginEnvironment: String?
    var memoryBinding = ""
    var gpuBinding = ""
    var gpuFrequency = ""
    var cpuFrequency = ""
    var profile = ""
    var batchFeatures = ""
    // salloc
    var bell: Bool?
    var noShell = false
    var killCommand: Int32?
    // sbatch
    var ignoresPBS = false
    var exportFile = ""
    var wrap: String?
    var parsable = false
    var waits = false
    // srun
    var label = false
    var relative: UInt32?
    var overlap = false
    var exact = false
    var killOnBadExit: Bool?
    var mpi = ""
    var unbuffered = false
    var waitSeconds: UInt32?
    var jobID: UInt32 = 0
    var disableStatus = false
    var quitOnInterrupt = false
    var immediate: UInt32?
    var step = StepSettings()
    /// Of --distribution=arbitrary: one name a task.
    var hostList: [String] = []
    // containers
    var containerImage = ""
    var containerMounts: [String] = []
    var containerWorkdir = ""
    var containerWritable = false
    var mountsHome = true
    var noContainer = false
}

/// Values of job options; every one says what it wants when it does not get it.
enum JobValue {
    static func count(_ text: String, _ option: String, from least: UInt32 = 1) throws(OptionError) -> UInt32 {
        guard let number = SlurmText.number(text), number >= UInt64(least), number < 0x7fff_ffff else {
            throw OptionError("Invalid numeric value \"\(text)\" for \(option).")
        }
        return UInt32(number)
    }

    /// `N`, `MIN-MAX`; also with `k` or `m` for 1024 and 1048576. 0 is for the controller to refuse.
    static func nodes(_ text: String) throws(OptionError) -> (UInt32, UInt32) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        let numbers = parts.compactMap { part -> UInt64? in
            let unit: UInt64 = ["k": 1024, "m": 1 << 20][part.suffix(1).lowercased()] ?? 1
            return SlurmText.number(unit > 1 ? part.dropLast() : part).map { $0 * unit }
        }
        guard numbers.count == parts.count, (1...2).contains(numbers.count), let least = numbers.first,
            let most = numbers.last, most <= 0xffff_fff0
        else { throw OptionError("\"\(text)\" is not a valid node count", status: 255) }
        guard most >= least else {
            throw OptionError("Maximum node count \(most) is less than minimum node count \(least)", status: 255)
        }
        return (UInt32(least), UInt32(most))
    }

    static func memory(_ text: String, _ option: String) throws(OptionError) -> UInt64 {
        guard let size = SlurmText.mebibytes(text) else { throw invalid(option) }
        return size
    }

    static func time(_ text: String) throws(OptionError) -> TimeLimit {
        guard let limit = SlurmText.timeLimit(text) else { throw invalid("--time") }
        return limit
    }

    /// What Slurm says of most values that it cannot read.
    static func invalid(_ option: String) -> OptionError { OptionError("Invalid \(option) specification", status: 255) }

    static func hosts(_ text: String) throws(OptionError) -> String {
        do throws(Hostlist.Malformed) {
            _ = try Hostlist.expand(text)
            return text
        } catch { throw OptionError(error.description) }
    }

    /// Names in a file, with commas, blanks or lines between them.
    static func nodeFile(_ path: String) throws(OptionError) -> String {
        guard let bytes = FileBytes.read(path: path, limit: 1 << 20) else {
            let why = String(cString: strerror(errno))
            throw OptionError(
                "slurm_allocate_resources error opening file \(path), \(why)\nInvalid --nodefile node file", status: 255
            )
        }
        let text = String(decoding: bytes, as: UTF8.self)
        var names: [Substring] = []
        for line in text.split(separator: "\n") {
            let plain = line.split(separator: "#", omittingEmptySubsequences: false)[0]
            names += plain.split(whereSeparator: { $0 == "," || $0 == " " || $0 == "\t" || $0 == "\r" })
        }
        return try hosts(names.joined(separator: ","))
    }

    /// A time to come, as `--begin` and `--deadline` take it.
    static func moment(_ text: String, _ option: String) throws(OptionError) -> Timestamp {
        guard let seconds = MomentParser(now: Times.now(), future: true).parse(text) else {
            Console.complain("Invalid time specification (pos=0): \(text)\n")
            throw invalid(option)
        }
        return Timestamp(seconds: seconds)
    }

    /// A number below 2^32 - 2, or TOP for the largest of them.
    static func priority(_ text: String) throws(OptionError) -> UInt32 {
        if text.uppercased() == "TOP" { return 0xffff_fffd }
        if text.hasPrefix("-"), SlurmText.number(text.dropFirst()) != nil {
            throw OptionError("Priority must be >= 0", status: 255)
        }
        guard let number = SlurmText.number(text) else {
            throw OptionError("Invalid numeric value \"\(text)\" for --priority.")
        }
        guard number < 0xffff_fffe else { throw OptionError("Priority must be < 4294967294", status: 255) }
        return UInt32(number)
    }

    static func nice(_ text: String) throws(OptionError) -> Int32 {
        if text.isEmpty { return 100 }
        guard let value = Int32(text), abs(Int64(value)) <= 2_147_483_645 else {
            throw OptionError("Invalid --nice value, out of range (+/- 2147483645)", status: 255)
        }
        return value
    }
}

/// Job array indices as `--array` takes them: `0-7`, `1,3,5-9:2`, `0-15%4`.
enum ArrayText {
    static let largestIndex: UInt64 = 4_000_000

    /// Sorted and without overlap. Nil when `text` is malformed, empty, or has an index above `largestIndex`.
    static func parse(_ text: String) -> ArraySpec? {
        let halves = text.split(separator: "%", omittingEmptySubsequences: false)
        guard (1...2).contains(halves.count) else { return nil }
        var running: UInt32 = 0
        if halves.count == 2 {
            guard let limit = SlurmText.number(halves[1]), limit <= largestIndex else { return nil }
            running = UInt32(limit)
        }
        var list = halves[0]
        if list.hasPrefix("["), list.hasSuffix("]") { list = list.dropFirst().dropLast() }
        var ranges: [IndexRange] = []
        for part in list.split(separator: ",", omittingEmptySubsequences: false) {
            guard let range = range(part) else { return nil }
            ranges.append(range)
        }
        ranges.sort { ($0.first, $0.last) < ($1.first, $1.last) }
        return ArraySpec(indices: withoutOverlap(ranges), maxRunning: running, text: text)
    }

    private static func range(_ text: Substring) -> IndexRange? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count) else { return nil }
        let ends = parts[0].split(separator: "-", omittingEmptySubsequences: false).compactMap { SlurmText.number($0) }
        let step = parts.count == 2 ? SlurmText.number(parts[1]) : 1
        guard parts[0].split(separator: "-", omittingEmptySubsequences: false).count == ends.count,
            let first = ends.first, let last = ends.last, ends.count <= 2, let step, step > 0, step <= largestIndex,
            first <= last, last <= largestIndex, parts.count == 1 || ends.count == 2
        else { return nil }
        let reached = first + (last - first) / step * step
        return IndexRange(first: UInt32(first), last: UInt32(reached), step: first == reached ? 1 : UInt32(step))
    }

    private static func withoutOverlap(_ ranges: [IndexRange]) -> [IndexRange] {
        let apart = zip(ranges, ranges.dropFirst()).allSatisfy { $0.last < $1.first }
        if apart { return ranges }
        var indices: Set<UInt32> = []
        for range in ranges { indices.formUnion(stride(from: range.first, through: range.last, by: Int(range.step))) }
        var result: [IndexRange] = []
        for index in indices.sorted() {
            if let last = result.last, last.last + 1 == index {
                result[result.count - 1].last = index
            } else {
                result.append(IndexRange(first: index, last: index))
            }
        }
        return result
    }

    /// `3-8`, `1,3,5-9:2`
    static func text(_ ranges: [(first: UInt32, last: UInt32, step: UInt32)]) -> String {
        ranges.map { range in
            if range.first == range.last { return "\(range.first)" }
            let span = "\(range.first)-\(range.last)"
            return range.step > 1 ? span + ":\(range.step)" : span
        }.joined(separator: ",")
    }
}
