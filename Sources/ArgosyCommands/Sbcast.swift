// sbcast: a file to all nodes of a job, by a step of one task for each that reads it and renames it into place.

import ArgosyClient
import ArgosyConfig
import ArgosyTransport
import ArgosyWire
import FoundationEssentials
import Glibc

struct BroadcastOptions: CommandSettings {
    var showsHelp = false
    var showsUsage = false
    var showsVersion = false
    var force = false
    var preserve = false
    var verbose = 0
    var job: UInt32 = 0
    var timeout: UInt32 = 0
}

enum Sbcast {
    typealias Row = Option<BroadcastOptions>

    static let description = CommandDescription(
        name: "sbcast", synopsis: "[OPTIONS] SOURCE DEST", options: options)

    static let options: [Row] =
        [
            Row("force", "f", .none, env: ["SBCAST_FORCE"], "replace the destination where it exists") {
                options, _ throws(OptionError) in options.force = true
            },
            Row(
                "jobid", "j", .required, "id", env: ["SLURM_JOB_ID", "SLURM_JOBID"],
                "job whose nodes get the file (a step's id behind it is passed over)"
            ) { options, text throws(OptionError) in
                let word = String(text.prefix { $0 != "." && $0 != "+" })
                options.job = try JobValue.count(word, "--jobid")
            },
            Row("preserve", "p", .none, env: ["SBCAST_PRESERVE"], "preserve modes and times of the source") {
                options, _ throws(OptionError) in options.preserve = true
            },
            Row("timeout", "t", .required, "secs", env: ["SBCAST_TIMEOUT"], "time that sending may take") {
                options, text throws(OptionError) in
                options.timeout = try JobValue.count(text, "--timeout", from: 0)
            },
            Row("verbose", "v", "say what is done") { options, _ throws(OptionError) in options.verbose += 1 },
            // How Slurm's daemons pass it on; here every node has a connection of its own.
            .accepted("compress", "C", .optional, env: ["SBCAST_COMPRESS"]),
            .accepted("exclude", env: ["SBCAST_EXCLUDE"]), .accepted("fanout", "F", env: ["SBCAST_FANOUT"]),
            .accepted("size", "s", env: ["SBCAST_SIZE"]),
            .accepted("send-libs", nil, .optional, env: ["SBCAST_SEND_LIBS"]),
        ] + informationOptions(helpLetter: nil)

    static func run(_ arguments: [String]) -> Int32 {
        var options = BroadcastOptions()
        var exitCode: Int32 = 0
        do throws(OptionError) {
            try OptionParser(Self.options).parse(environment: Process.variable, into: &options)
        } catch {
            description.report(error)
            return error.status
        }
        guard let operands = description.parse(arguments, into: &options, exitCode: &exitCode) else { return exitCode }
        guard operands.count == 2 else {
            Console.complain(
                "Need two file names, have \(operands.count) names\nTry \"sbcast --help\" for more information\n")
            return 1
        }
        guard options.job > 0 else {
            Console.error(
                "sbcast", "Need a job id to run this command.  Run from within a Slurm job or use the --jobid option.")
            return 1
        }
        guard let file = FileToSend(operands[0]) else {
            Console.error("sbcast", "Can't open `\(operands[0])`: \(String(cString: strerror(errno)))")
            return 255
        }
        do { return try send(file, operands[1], options) } catch {
            let failure = Failure(error)
            Console.error("sbcast", failure.message, detail: failure.detail)
            return 1
        }
    }

    private static func send(_ file: FileToSend, _ name: String, _ options: BroadcastOptions) throws -> Int32 {
        let session = try Session()
        var list = WireListJobs()
        var selector = WireJobSelector()
        selector.job = options.job
        list.jobs = [selector]
        guard case .jobs(let found)? = try session.ask(.listJobs(list)).body, let job = found.jobs.first else {
            throw Failure("Slurm job ID \(options.job) lookup error: Invalid job id specified")
        }
        guard job.hasAllocation, !job.allocation.nodes.isEmpty else {
            throw Failure("Slurm job ID \(options.job) lookup error: Job/step already completing or completed")
        }
        let target = destination(name, session.configuration)
        if options.verbose > 0 {
            Console.info("sbcast", "\(file.path) (\(file.size) bytes) to \(target) on \(job.allocation.nodeList)")
        }
        var wanted = JobOptions()
        wanted.minNodes = UInt32(job.allocation.nodes.count)
        wanted.maxNodes = wanted.minNodes
        wanted.tasks = wanted.minNodes
        wanted.tasksPerNode = 1
        wanted.overlap = true
        wanted.output = "none"
        wanted.error = "none"
        wanted.name = "sbcast"
        wanted.workDirectory = "/"
        wanted.noContainer = true
        let times = options.preserve ? "\(file.accessed) \(file.modified)" : ""
        let command = ["/bin/sh", "-c", script, "sbcast", target, options.force ? "1" : "", file.mode, times]
        let request = try StepRequestWriter(options: wanted, command: command, job: options.job, isOwn: false).request()
        var broadcast = Broadcast(file: file)
        return try broadcast.run(request, session)
    }

    /// Its exit codes are errno's, as sbcast's own are.
    private static let script = #"""
        umask 022
        [ -d "$1" ] && { cat >/dev/null; exit 21; }
        [ -e "$1" ] && [ -z "$2" ] && { cat >/dev/null; exit 17; }
        d=$(dirname "$1"); [ -d "$d" ] || { cat >/dev/null; exit 2; }
        [ -w "$d" ] || { cat >/dev/null; exit 13; }
        t="$1.$$"
        cat > "$t" && chmod "$3" "$t" || { rm -f "$t"; exit 28; }
        if [ -n "$4" ]; then set -- "$1" "$2" "$3" $4; touch -a -d "@$4" "$t"; touch -m -d "@$5" "$t"; fi
        mv -f "$t" "$1" || { rm -f "$t"; exit 5; }
        """#

    private static func destination(_ name: String, _ configuration: ClusterConfiguration) -> String {
        if name.hasPrefix("/") { return name }
        let parameters = configuration.entries.last { $0.key.lowercased() == "bcastparameters" }?.value ?? ""
        let directory = parameters.split(separator: ",").first { $0.lowercased().hasPrefix("destdir=") }?.dropFirst(8)
        return (directory.map(String.init) ?? Process.directory) + "/" + name
    }
}

/// An open file and what is told of it.
struct FileToSend {
    let path: String
    let descriptor: Int32
    let mode: String
    let size: Int64
    let accessed: Int64
    let modified: Int64

    /// Nil with errno set when it cannot be read.
    init?(_ path: String) {
        descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        var about = stat()
        guard fstat(descriptor, &about) == 0 else { return nil }
        if about.st_mode & S_IFMT == S_IFDIR {
            errno = EISDIR
            return nil
        }
        self.path = path
        mode = String(about.st_mode & 0o777, radix: 8)
        size = Int64(about.st_size)
        accessed = Int64(about.st_atim.tv_sec)
        modified = Int64(about.st_mtim.tv_sec)
    }
}

/// The step that takes the file: its input is the file, its exit codes say what went wrong.
private struct Broadcast {
    let file: FileToSend
    private var step: WireStepCreated?
    private var finished: Set<String> = []
    private var failed: [(node: String, code: UInt32)] = []
    private var sent = false

    init(file: FileToSend) { self.file = file }

    mutating func run(_ create: WireCreateStep, _ session: Session) throws -> Int32 {
        signal(SIGPIPE, SIG_IGN)
        var request = WireRequest()
        request.createStep = create
        let relay = ControllerConnection.environment("ARGOSY_RELAY")
        let link: StepSession
        if let relay {
            link = try StepSession.throughRelay(relay, request)
        } else {
            guard case .stepCreated(let created)? = try session.ask(.createStep(create)).body else {
                throw Failure("Invalid reply of the controller")
            }
            step = created
            link = try StepSession.direct(created, munge: Munge(socket: session.configuration.mungeSocket))
        }
        while !link.isFinished {
            if step != nil, !sent, link.hasRoom { try sendNext(link) }
            let timeout: Duration? = step != nil && !sent && link.hasRoom ? .zero : nil
            _ = try link.pump(also: [], timeout: timeout) { try handle($0) }
            if relay != nil, let step, finished.count >= step.layout.nodes.count { link.finish() }
        }
        for (node, code) in failed {
            Console.error("sbcast", "REQUEST_FILE_BCAST(\(node)): \(String(cString: strerror(Int32(code))))")
        }
        return Int32(failed.map(\.code).max() ?? 0)
    }

    private mutating func sendNext(_ link: StepSession) throws {
        var bytes = [UInt8](repeating: 0, count: 256 << 10)
        let count = read(file.descriptor, &bytes, bytes.count)
        if count < 0, errno == EINTR { return }
        guard count >= 0 else { throw Failure("Can't read `\(file.path)`: \(String(cString: strerror(errno)))") }
        var frame = WireIOFrame()
        frame.input.data = Data(bytes[..<count])
        frame.input.end = count == 0
        sent = count == 0
        try link.send(frame)
    }

    private mutating func handle(_ event: StepSession.Event) throws {
        switch event {
        case .lost(_, let why): throw Failure(why)
        case .frame(let frame, _):
            switch frame.body {
            case .created(let created): step = created
            case .refused(let refusal): throw Failure(refusal.message, detail: refusal.detail)
            case .exited(let task):
                let code = task.exit.signal > 0 ? UInt32(EIO) : task.exit.code
                if code > 0 { failed.append((task.node, code)) }
            case .finished(let node): finished.insert(node.node)
            case .failure(let failure): Console.error("sbcast", "\(failure.node): \(failure.message)")
            default: break
            }
        }
    }
}
