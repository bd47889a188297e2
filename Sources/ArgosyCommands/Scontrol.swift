// scontrol: shows what the controller knows, block by block, and changes it. With no command on its line it reads
// commands from standard input, one a line.

import ArgosyClient
import ArgosyDomain
import ArgosyWire
import Glibc

struct ScontrolOptions: CommandSettings {
    var showsHelp = false
    var showsUsage = false
    var showsVersion = false
    var oneLine = false
    var details = 0
    var quiet = false
    var verbose = 0
    var all = false
    var future = false
    var cluster = ""
    var uid = ""
}

enum Scontrol {
    typealias Row = Option<ScontrolOptions>

    static let description = CommandDescription(
        name: "scontrol", synopsis: "[<OPTION>] [<COMMAND>]", options: options,
        variables: [
            .timeFormat, .arrayLength,
            .acted("SLURM_CONF_OUT", "the file that write config makes"),
            .acted("SLURM_TOPO_LEN", "longest line of show topology; any where it is not set"),
        ])

    static let options: [Row] =
        [
            Row("all", "a", .none, env: ["SCONTROL_ALL"], "hidden partitions too") { o, _ in o.all = true },
            Row("details", "d", "show more of jobs and nodes; -dd what keeps a job waiting too") { o, _ in
                o.details += 1
            },
            Row("future", "F", .none, env: ["SCONTROL_FUTURE"], "nodes in state FUTURE too") { o, _ in
                o.future = true
            },
            Row("cluster", "M", .required, "name", env: ["SLURM_CLUSTERS"], "the cluster that is meant; only ours") {
                $0.cluster = $1
            },
            Row("clusters", nil, .required, "name", "same as --cluster") { $0.cluster = $1 },
            Row("oneliner", "o", "one line for each record") { o, _ in o.oneLine = true },
            Row("quiet", "Q", "say only what was asked for") { o, _ in o.quiet = true },
            Row("uid", "u", .required, "uid", "act as that user (root only)") { $0.uid = $1 },
            Row("verbose", "v", "verbosity level") { o, _ in o.verbose += 1 },
            .accepted("hide", nil, .none), .accepted("local", nil, .none, env: ["SCONTROL_LOCAL"]),
            .accepted("sibling", nil, .none, env: ["SCONTROL_SIBLING"]),
            .accepted("federation", nil, .none, env: ["SCONTROL_FEDERATION"]),
        ] + informationOptions()

    static let commandsText = """

        Commands (a few first letters are enough; none: they are read from standard input):
          abort                      ends the controller at once; jobs go on
          cancel_reboot NODES        takes back a reboot that was asked for
          completing                 jobs that are ending, with their nodes
          create node|partition|reservation Key=Value...
          delete NodeName=NODES | PartitionName=NAME | ReservationName=NAME
          errnumstr NUMBER           the text of an error number
          hold|uhold|release|requeue|requeuehold|suspend|resume|top JOB[,JOB...]
          listpids [JOB[.STEP]] [NODE]  processes of jobs on this node
          notify JOB TEXT            a line to the job's standard error
          pidinfo PID                the job that a process of this node belongs to
          ping                       is the controller there
          reboot [ASAP] [nextstate=RESUME|DOWN] [reason=TEXT] ALL|NODES
          reconfigure                reads the configuration again
          setdebug|setdebugflags|schedloglevel LEVEL
          show aliases|assoc_mgr|burstbuffer|config|daemons|federation|job|licenses|node|
               partition|reservation|slurmd|step|topology [NAME]
          show hostlist|hostlistsorted LIST   hosts, or a file of them, as a list in brackets
          show hostnames [LIST]      the hosts of a list, a line each
          shutdown [slurmctld]       ends the controller; jobs go on
          takeover, token            not here
          update JobId|NodeName|PartitionName|ReservationName|StepId=NAME Key=Value...
          version
          wait_job JOB               until its nodes are ready
          write batch_script JOB [FILE|-]
          write config [FILE]
          all, details, exit, help, hide, oneliner, quiet, quit, verbose, !!

        """

    static func run(_ arguments: [String]) -> Int32 {
        var options = ScontrolOptions()
        var exitCode: Int32 = 0
        do throws(OptionError) {
            try OptionParser(self.options).parse(environment: Process.variable, into: &options)
        } catch { Console.error("scontrol", error.message) }
        // `setdebugflags -backfill` names a flag.
        let flags = arguments.firstIndex { $0.lowercased().hasPrefix("setdebugf") } ?? arguments.endIndex
        let parsed = description.parse(Array(arguments[..<flags]), into: &options, exitCode: &exitCode)
        guard let words = parsed.map({ $0 + arguments[flags...] }) else {
            if options.showsHelp { Console.print(commandsText) }
            return exitCode
        }
        var shell = ScontrolShell(options: options)
        if let refusal = shell.checkOptions() ?? shell.becomeUser() {
            Console.error("scontrol", refusal.message, detail: refusal.detail)
            return 1
        }
        if words.isEmpty { return shell.readCommands() }
        shell.perform(words)
        return shell.exitCode
    }
}

/// Commands one after the other, each with what was set before.
struct ScontrolShell {
    var options: ScontrolOptions
    var exitCode: Int32 = 0
    private var isInteractive = false
    private var wantsExit = false
    private var last: [String] = []

    init(options: ScontrolOptions) { self.options = options }

    func checkOptions() -> Failure? {
        if !options.cluster.isEmpty, let cluster = (try? Session())?.configuration.clusterName,
            !cluster.isEmpty, cluster != options.cluster
        {
            return Failure(
                "No cluster '\(options.cluster)' known by database.",
                detail: ScontrolShell.noCluster(options.cluster))
        }
        if !options.uid.isEmpty, UInt32(options.uid) == nil, PasswordFile.uid(of: options.uid) == nil {
            return Failure("--uid=\"\(options.uid)\" invalid")
        }
        return nil
    }

    /// `--uid`: everything is asked for as that user. Only root can.
    func becomeUser() -> Failure? {
        guard !options.uid.isEmpty, let uid = UInt32(options.uid) ?? PasswordFile.uid(of: options.uid),
            uid != getuid()
        else { return nil }
        guard let entry = getpwuid(uid), initgroups(entry.pointee.pw_name, entry.pointee.pw_gid) == 0,
            setgid(entry.pointee.pw_gid) == 0, setuid(uid) == 0
        else { return Failure("--uid=\"\(options.uid)\" invalid", detail: "only root can act as another user") }
        return nil
    }

    static func noCluster(_ name: String) -> String {
        "'\(name)' can't be reached now, or it is an invalid entry for --cluster.  "
            + "Use 'sacctmgr list clusters' to see available clusters."
    }

    // MARK: Reading

    /// Until `exit`, `quit` or the end of standard input.
    mutating func readCommands() -> Int32 {
        isInteractive = true
        let echoes = isatty(0) == 0
        while !wantsExit {
            Console.print("scontrol: ")
            guard let line = readLine() else {
                Console.print("\n")
                break
            }
            if echoes { Console.print(line + "\n") }
            var words = Self.words(line)
            if words == ["!!"] { words = last } else { last = words }
            if !words.isEmpty { perform(words) }
        }
        return exitCode
    }

    /// Split at blanks; quotes, single or double, keep them.
    static func words(_ line: String) -> [String] {
        var words: [String] = []
        var word: String?
        var quote: Character?
        for character in line {
            if let open = quote {
                if character == open { quote = nil } else { word = (word ?? "") + String(character) }
            } else if character == "\"" || character == "'" {
                quote = character
                word = word ?? ""
            } else if character == " " || character == "\t" {
                if let done = word { words.append(done) }
                word = nil
            } else {
                word = (word ?? "") + String(character)
            }
        }
        if let done = word { words.append(done) }
        return words
    }

    // MARK: Commands

    typealias Action = (inout ScontrolShell, _ tag: String, _ words: [String]) throws -> Void

    /// Full names, with the least letters that stand for them; what needs arguments, and how many it takes at most.
    struct Command {
        var name: String
        var least: Int
        var arguments: ClosedRange<Int>
        var action: Action
        init(_ name: String, _ least: Int, _ arguments: ClosedRange<Int>, _ action: @escaping Action) {
            (self.name, self.least, self.arguments, self.action) = (name, least, arguments, action)
        }
    }

    private static let any = 0...Int.max
    private static let some = 1...Int.max

    static var commands: [Command] {
        [
            Command("abort", 5, any) { _, _, _ in _ = try Session().ask(.shutdown(.init())) },
            Command("all", 2, 0...0) { shell, _, _ in shell.options.all = true },
            Command("cancel_reboot", 3, any) { shell, tag, words in try shell.cancelReboot(tag, words) },
            Command("cluster", 2, 0...1) { shell, _, words in
                shell.options.cluster = words.first ?? ""
                if let refusal = shell.checkOptions() { throw refusal }
            },
            Command("completing", 3, 0...0) { shell, _, _ in try shell.completing() },
            Command("create", 3, any) { shell, tag, words in try shell.create(tag, words) },
            Command("delete", 3, any) { shell, tag, words in try shell.delete(tag, words) },
            Command("details", 3, 0...0) { shell, _, _ in shell.options.details = 1 },
            Command("errnumstr", 3, any) { _, tag, words in try ErrorNumbers.show(tag, words) },
            Command("exit", 4, 0...0) { shell, _, _ in shell.wantsExit = true },
            Command("fsdampeningfactor", 3, some) { shell, tag, words in try shell.set("fsdampening", tag, words) },
            Command("getent", 3, any) { _, _, _ in },
            Command("help", 2, any) { _, _, _ in
                Console.print(Scontrol.description.help + Scontrol.commandsText)
            },
            Command("hide", 2, 0...0) { shell, _, _ in shell.options.all = false },
            Command("hold", 4, some) { shell, _, words in try shell.changeJobs("hold", words) },
            Command("holdu", 5, some) { shell, _, words in try shell.changeJobs("uhold", words) },
            Command("uhold", 5, some) { shell, _, words in try shell.changeJobs("uhold", words) },
            Command("listpids", 1, 0...2) { shell, _, words in try shell.listPIDs(words) },
            Command("notify", 1, 2...Int.max) { shell, _, words in try shell.notify(words) },
            Command("oneliner", 1, 0...0) { shell, _, _ in shell.options.oneLine = true },
            Command("pidinfo", 3, any) { shell, tag, words in try shell.pidInfo(tag, words) },
            Command("ping", 3, 0...0) { shell, _, _ in try shell.ping() },
            Command("quiet", 4, 0...0) { shell, _, _ in shell.options.quiet = true },
            Command("quit", 4, 0...0) { shell, _, _ in shell.wantsExit = true },
            Command("reboot", 3, any) { shell, _, words in try shell.reboot(words) },
            Command("reconfigure", 3, 0...0) { shell, _, _ in try shell.reconfigure() },
            Command("release", 3, some) { shell, _, words in try shell.changeJobs("release", words) },
            Command("requeue", 3, some) { shell, _, words in try shell.requeue("requeue", words) },
            Command("requeuehold", 11, some) { shell, _, words in try shell.requeue("requeuehold", words) },
            Command("resume", 3, some) { shell, _, words in try shell.changeJobs("resume", words) },
            Command("schedloglevel", 3, 1...1) { shell, tag, words in try shell.set("schedlog", tag, words) },
            Command("setdebug", 4, 1...1) { shell, tag, words in try shell.set("debug", tag, words) },
            Command("setdebugflags", 9, 1...Int.max) { shell, tag, words in try shell.set("debugflags", tag, words) },
            Command("show", 3, 1...Int.max) { shell, _, words in try shell.show(words) },
            Command("shutdown", 8, 0...1) { _, _, _ in _ = try Session().ask(.shutdown(.init())) },
            Command("suspend", 2, some) { shell, _, words in try shell.changeJobs("suspend", words) },
            Command("takeover", 8, 0...1) { _, _, _ in
                throw Failure(
                    "slurm_takeover error: Unable to contact slurm controller (connect failure)",
                    detail: "there is no backup controller")
            },
            Command("token", 2, any) { _, _, _ in
                throw Failure("Error fetching token", detail: "users are known by their own uid here, not by tokens")
            },
            Command("top", 3, some) { shell, _, words in try shell.moveToTop(words) },
            Command("update", 1, any) { shell, tag, words in try shell.update(tag, words) },
            Command("verbose", 4, 0...0) { shell, _, _ in shell.options.verbose += 1 },
            Command("version", 4, 0...0) { _, _, _ in Console.print(versionText) },
            Command("wait_job", 2, 1...1) { shell, _, words in try shell.waitForJob(words[0]) },
            Command("write", 5, some) { shell, _, words in try shell.write(words) },
        ]
    }

    static func command(_ tag: String) -> Command? {
        let lower = tag.lowercased()
        if let exact = commands.first(where: { $0.name == lower }) { return exact }
        return commands.first { lower.count >= $0.least && $0.name.hasPrefix(lower) }
    }

    /// Runs one command; what goes wrong is told and remembered in `exitCode`.
    mutating func perform(_ words: [String]) {
        let tag = words[0]
        do {
            guard let command = Self.command(tag) else { throw Failure("invalid keyword: \(tag)") }
            let arguments = Array(words.dropFirst())
            if arguments.count < command.arguments.lowerBound {
                throw Failure("too few arguments for keyword:\(tag)")
            }
            if arguments.count > command.arguments.upperBound {
                throw Failure("too many arguments for keyword:\(tag)")
            }
            try command.action(&self, tag, arguments)
        } catch {
            exitCode = 1
            complain(Failure(error))
        }
    }

    func complain(_ failure: Failure) {
        if options.quiet { return }
        if !failure.message.isEmpty { Console.complain("\(failure.message)\n") }
        if !failure.detail.isEmpty { Console.complain("scontrol: error: \(failure.detail)\n") }
    }
}
