// sattach: a running step's output here too, and this input to its tasks.

import ArgosyClient
import ArgosyTransport
import ArgosyWire
import FoundationEssentials
import Glibc

struct AttachOptions: CommandSettings {
    var showsHelp = false
    var showsUsage = false
    var showsVersion = false
    var inputFilter: UInt32?
    var outputFilter: UInt32?
    var errorFilter: UInt32?
    var label = false
    var layout = false
    var quiet = 0
    var verbose = 0
    var pty = false
}

enum Sattach {
    typealias Row = Option<AttachOptions>

    static let description = CommandDescription(
        name: "sattach", synopsis: "[OPTIONS...] <jobid.stepid>", options: options, variables: [.errorStatus])

    static let options: [Row] =
        [
            Row("input-filter", nil, .required, "taskid", "send stdin to only the specified task") {
                options, text throws(OptionError) in
                options.inputFilter = try JobValue.count(text, "--input-filter", from: 0)
            },
            Row("output-filter", nil, .required, "taskid", "only print stdout from the specified task") {
                options, text throws(OptionError) in
                options.outputFilter = try JobValue.count(text, "--output-filter", from: 0)
            },
            Row("error-filter", nil, .required, "taskid", "only print stderr from the specified task") {
                options, text throws(OptionError) in
                options.errorFilter = try JobValue.count(text, "--error-filter", from: 0)
            },
            Row("label", "l", "prepend task number to lines of stdout and stderr") { options, _ throws(OptionError) in
                options.label = true
            },
            Row("layout", "print the layout of the step's tasks and exit") { options, _ throws(OptionError) in
                options.layout = true
            },
            Row("pty", "have stdin and stdout as the step's task zero has them, in a pseudo terminal") {
                options, _ throws(OptionError) in options.pty = true
            },
            Row("quiet", "Q", "suppress informational messages") { options, _ throws(OptionError) in
                options.quiet += 1
            },
            Row("verbose", "v", "say more (repeat for even more)") { options, _ throws(OptionError) in
                options.verbose += 1
            },
        ]
        + [
            Row("help", "h", "show this help message") { options, _ throws(OptionError) in options.showsHelp = true },
            Row("usage", "u", "display brief usage message") { options, _ throws(OptionError) in
                options.showsUsage = true
            },
            Row("version", "V", "output version information and exit") { options, _ throws(OptionError) in
                options.showsVersion = true
            },
        ]

    static func run(_ arguments: [String]) -> Int32 {
        var options = AttachOptions()
        var exitCode: Int32 = 0
        guard let operands = description.parse(arguments, into: &options, exitCode: &exitCode) else { return exitCode }
        guard operands.count == 1 else { return usage("too many parameters") }
        let parts = operands[0].split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, let job = UInt32(parts[0]), let step = step(parts[1]) else {
            return usage("Failed to parse stepid from command line options")
        }
        do { return try attach(job, step, options) } catch {
            let failure = Failure(error)
            Console.error(
                "sattach", "Could not get job step info: \(failure.message)", detail: failure.detail)
            return Process.errorStatus
        }
    }

    private static func usage(_ message: String) -> Int32 {
        Console.error("sattach", message)
        Console.print("Usage: sattach [options] <jobid.stepid>\n")
        return Process.errorStatus
    }

    private static func step(_ word: Substring) -> UInt32? {
        switch word.lowercased() {
        case "batch": 0xffff_fffb
        case "extern": 0xffff_fffc
        case "interactive": 0xffff_fffa
        default: UInt32(word)
        }
    }

    private static func attach(_ job: UInt32, _ step: UInt32, _ options: AttachOptions) throws -> Int32 {
        var attach = WireAttachStep()
        (attach.job, attach.step) = (job, step)
        let session = try Session()
        var request = WireRequest()
        request.attachStep = attach
        if !options.layout, let relay = ControllerConnection.environment("ARGOSY_RELAY") {
            var loop = AttachLoop(options, nil)
            return try loop.follow(try StepSession.throughRelay(relay, request))
        }
        guard case .stepCreated(let created)? = try session.ask(.attachStep(attach)).body else {
            throw Failure("Invalid reply of the controller")
        }
        if options.layout {
            Console.print(layout(created))
            return 0
        }
        var loop = AttachLoop(options, created)
        let munge = Munge(socket: session.configuration.mungeSocket)
        return try loop.follow(try StepSession.direct(created, munge: munge))
    }

    static func layout(_ step: WireStepCreated) -> String {
        let nodes = step.layout.nodes
        let tasks = nodes.reduce(0) { $0 + $1.tasks }
        var text = "Job step layout:\n\t\(tasks) tasks, \(nodes.count) nodes (\(step.layout.nodeList))\n\n"
        for (place, node) in nodes.enumerated() {
            let first = place < step.firstRank.count ? step.firstRank[place] : 0
            let ranks = (first..<first + node.tasks).map { "\($0) " }.joined()
            text += "\tNode \(place) (\(node.name)), \(node.tasks) task(s): \(ranks)\n"
        }
        return text
    }
}

/// What the step writes comes here until it ends; what is typed here goes to it.
private struct AttachLoop {
    let options: AttachOptions
    private var step: WireStepCreated?
    private var output: OutputWriter?
    private var isRelayed: Bool
    private var finished: Set<String> = []
    private var inputEnded = false
    private var code: Int32 = 0

    init(_ options: AttachOptions, _ step: WireStepCreated?) {
        self.options = options
        isRelayed = step == nil
        if let step { begin(step) }
    }

    private mutating func begin(_ step: WireStepCreated) {
        self.step = step
        output = OutputWriter(labels: options.label, tasks: step.layout.nodes.reduce(0) { $0 + $1.tasks })
    }

    mutating func follow(_ session: StepSession) throws -> Int32 {
        signal(SIGPIPE, SIG_IGN)
        while !session.isFinished {
            let wantsInput = step != nil && !inputEnded && session.hasRoom
            let input = StepSession.Watch(descriptor: 0, events: wantsInput ? Int16(POLLIN) : 0)
            let events = try session.pump(also: [input], timeout: nil) { try handle($0) }
            if events[0] != 0 { try passInput(session) }
            if isRelayed, let step, finished.count >= step.layout.nodes.count { session.finish() }
        }
        output?.finish()
        return code
    }

    private mutating func handle(_ event: StepSession.Event) throws {
        switch event {
        case .lost(_, let why):
            Console.error("sattach", why)
            code = max(code, 1)
        case .frame(let frame, _): try handle(frame)
        }
    }

    private mutating func handle(_ frame: WireIOFrame) throws {
        switch frame.body {
        case .created(let created): begin(created)
        case .refused(let refusal): throw Failure(refusal.message, detail: refusal.detail)
        case .output(let data):
            let filter = data.isError ? options.errorFilter : options.outputFilter
            guard filter == nil || filter == data.rank else { return }
            output?.take(Array(data.data), rank: data.rank, isError: data.isError, end: data.end)
        case .exited(let task): code = max(code, StepRun.describe(task).0)
        case .finished(let node): finished.insert(node.node)
        default: break
        }
    }

    /// The end of this input is not the end of srun's, which the tasks still read.
    private mutating func passInput(_ session: StepSession) throws {
        var bytes = [UInt8](repeating: 0, count: 64 << 10)
        let count = read(0, &bytes, bytes.count)
        if count < 0, errno == EINTR || errno == EAGAIN { return }
        guard count > 0 else {
            inputEnded = true
            return
        }
        var frame = WireIOFrame()
        frame.input.data = Data(bytes[..<count])
        if let rank = options.inputFilter {
            frame.input.oneTask = true
            frame.input.rank = rank
        }
        try session.send(frame)
    }
}
