// scrontab: a user's crontab whose lines are jobs. The file is read here, line by line, into submissions; the controller
// keeps the text and the jobs, and gives each its next time when it has ended.

import ArgosyDomain
import ArgosyWire
import FoundationEssentials
import Glibc

struct ScrontabOptions: CommandSettings {
    var showsHelp = false
    var showsUsage = false
    var showsVersion = false
    var edits = false
    var lists = false
    var removes = false
    var user = ""
}

enum Scrontab {
    typealias Row = Option<ScrontabOptions>

    static let description = CommandDescription(
        name: "scrontab", synopsis: "[-u <user>] <file> | [-u <user>] [-e | -l | -r]", options: options)

    static let options: [Row] =
        [
            Row("edit", "e", "edit the crontab with $VISUAL, $EDITOR or vi") { o, _ in o.edits = true },
            Row("list", "l", "print the crontab") { o, _ in o.lists = true },
            Row("remove", "r", "remove the crontab and its jobs") { o, _ in o.removes = true },
            Row("user", "u", .required, "name", "of another user, for root and operators") { $0.user = $1 },
            Row("verbose", "v", "tell more") { _, _ in },
        ] + informationOptions(helpLetter: nil)

    static func run(_ arguments: [String]) -> Int32 {
        var options = ScrontabOptions()
        var exitCode: Int32 = 0
        guard let words = description.parse(arguments, into: &options, exitCode: &exitCode) else { return exitCode }
        let actions = [options.edits, options.lists, options.removes].filter { $0 }.count + (words.isEmpty ? 0 : 1)
        guard actions <= 1, words.count <= 1 else {
            Console.error("scrontab", "choose one of -e, -l, -r and a file")
            return 1
        }
        do {
            if options.lists { return try list(options) }
            if options.removes {
                try save("", options)
                return 0
            }
            if options.edits { return try edit(options) }
            return try install(words.first ?? "-", options)
        } catch {
            let failure = Failure(error)
            Console.error("scrontab", failure.message, detail: failure.detail)
            return 1
        }
    }

    // MARK: - Actions

    private static func current(_ options: ScrontabOptions) throws -> WireCrontab {
        var request = WireGetCrontab()
        request.user = options.user
        guard case .crontab(let found)? = try Session().ask(.crontab(request)).body else {
            throw Failure("Invalid reply of the controller")
        }
        return found
    }

    private static func list(_ options: ScrontabOptions) throws -> Int32 {
        let found = try current(options)
        guard !found.text.isEmpty else {
            Console.complain("no crontab for \(userName(found.uid))\n")
            return 1
        }
        Console.print(found.text.hasSuffix("\n") ? found.text : found.text + "\n")
        return 0
    }

    private static func install(_ path: String, _ options: ScrontabOptions) throws -> Int32 {
        let bytes = path == "-" ? FileBytes.read(0, limit: 1 << 20) : FileBytes.read(path: path, limit: 1 << 20)
        guard let bytes else { throw Failure("Unable to open file \(path)", detail: String(cString: strerror(errno))) }
        try save(String(decoding: bytes, as: UTF8.self), options)
        return 0
    }

    private static let template = """
        # Each line is: minute hour day-of-month month day-of-week command, or @daily command.
        # Lines that begin with #SCRON give options of sbatch to the entry that follows.

        """

    private static func edit(_ options: ScrontabOptions) throws -> Int32 {
        let old = try current(options).text
        var path = Array("/tmp/scrontab.XXXXXX".utf8CString)
        let descriptor = mkstemp(&path)
        guard descriptor >= 0 else {
            throw Failure("cannot make a file to edit", detail: String(cString: strerror(errno)))
        }
        let file = String(decoding: path.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        defer { unlink(file) }
        Console.write(old.isEmpty ? template : old, to: descriptor)
        close(descriptor)
        while true {
            guard system("\(editor) \(file)") == 0 else { throw Failure("the editor failed; nothing was changed") }
            guard let bytes = FileBytes.read(path: file, limit: 1 << 20) else {
                throw Failure("cannot read the edited file")
            }
            let text = String(decoding: bytes, as: UTF8.self)
            if text == old {
                Console.complain("No changes made.\n")
                return 0
            }
            do {
                try save(text, options)
                return 0
            } catch {
                let failure = Failure(error)
                Console.error("scrontab", failure.message, detail: failure.detail)
                Console.print("The crontab was not changed. Edit it again? (y/n) ")
                guard let line = readLine(), line.lowercased().hasPrefix("y") else { return 1 }
            }
        }
    }

    private static var editor: String {
        Process.variable("VISUAL") ?? Process.variable("EDITOR") ?? "vi"
    }

    private static func save(_ text: String, _ options: ScrontabOptions) throws {
        let account = try CronAccount(options.user)
        var request = WireSetCrontab()
        request.user = options.user
        request.text = text
        request.entries = try CrontabFile.entries(text, account)
        guard case .crontabSet? = try Session().ask(.setCrontab(request)).body else {
            throw Failure("Invalid reply of the controller")
        }
    }

    private static func userName(_ uid: UInt32) -> String {
        getpwuid(uid).map { String(cString: $0.pointee.pw_name) } ?? "\(uid)"
    }
}

/// Whose crontab: what its jobs' environment is made of.
struct CronAccount: Sendable {
    var name: String
    var home: String
    var shell: String

    init(name: String, home: String, shell: String) {
        (self.name, self.home, self.shell) = (name, home, shell)
    }

    /// Empty: who runs this.
    init(_ user: String) throws(Failure) {
        let entry = user.isEmpty ? getpwuid(getuid()) : getpwnam(user) ?? UInt32(user).flatMap { getpwuid($0) }
        guard let entry else { throw Failure("Invalid user: \(user)") }
        name = String(cString: entry.pointee.pw_name)
        home = String(cString: entry.pointee.pw_dir)
        shell = String(cString: entry.pointee.pw_shell)
    }
}

enum CrontabFile {
    /// Jobs of the entries, each with its line. Throws with the line's number.
    static func entries(_ text: String, _ account: CronAccount) throws(Failure) -> [WireCronEntry] {
        var entries: [WireCronEntry] = []
        var words: [String] = []
        var variables: [String] = []
        let mark = "#SCRON"
        for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let content = line.drop { $0 == " " || $0 == "\t" }
            if content.isEmpty { continue }
            do throws(OptionError) {
                if content.hasPrefix(mark), content.dropFirst(mark.count).first.map({ $0 == " " || $0 == "\t" }) ?? true
                {
                    words += try BatchScript.words(Array(content.dropFirst(mark.count).utf8))
                } else if content.first == "#" {
                    continue
                } else if let variable = variable(content) {
                    variables.append(variable)
                } else {
                    var entry = WireCronEntry()
                    entry.line = UInt32(number)
                    entry.job = try job(content, words, variables, account)
                    entries.append(entry)
                    words = []
                }
            } catch { throw Failure("Error in line \(number + 1) of the crontab: \(error.message)") }
        }
        return entries
    }

    /// `NAME=value`, also with blanks around the sign and quotes around the value.
    private static func variable(_ line: Substring) -> String? {
        guard let equals = line.firstIndex(of: "=") else { return nil }
        let name = line[..<equals].filter { $0 != " " && $0 != "\t" }
        let isName = name.first.map { $0.isASCII && ($0.isLetter || $0 == "_") } ?? false
        guard isName, name.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }) else { return nil }
        var value = line[line.index(after: equals)...].drop { $0 == " " || $0 == "\t" }
        while value.last == " " || value.last == "\t" { value = value.dropLast() }
        if let quote = value.first, quote == "\"" || quote == "'", value.count > 1, value.last == quote {
            value = value.dropFirst().dropLast()
        }
        return "\(name)=\(value)"
    }

    private static func job(
        _ line: Substring, _ words: [String], _ variables: [String], _ account: CronAccount
    ) throws(OptionError) -> WireJobSpec {
        let (when, command) = try split(line)
        do throws(CronSchedule.Malformed) { _ = try CronSchedule(when) } catch { throw OptionError(error.why) }
        var options = JobOptions()
        let operands = try OptionParser(JobOptionTable.sbatch).parse(words, into: &options)
        if let operand = operands.first { throw OptionError("\(operand) is no option") }
        if options.name.isEmpty { options.name = command.split(separator: " ").first.map(String.init) ?? command }
        if options.input.isEmpty { options.input = "/dev/null" }
        if options.output.isEmpty { options.output = "slurm-%j.out" }
        if options.workDirectory.isEmpty { options.workDirectory = account.home }
        if options.array != nil { throw OptionError("an entry cannot be an array") }
        var job = options.specification(command: "scrontab")
        let shell = variables.last { $0.hasPrefix("SHELL=") }.map { String($0.dropFirst(6)) } ?? "/bin/sh"
        job.script = Data("#!\(shell)\n# This is an entry of a crontab (scrontab).\n\(command)\n".utf8)
        job.environment = environment(options, variables, account)
        job.arguments = [options.name]
        job.cron = when
        return job
    }

    private static func environment(
        _ options: JobOptions, _ variables: [String], _ account: CronAccount
    ) -> [String] {
        let base = [
            "HOME=\(account.home)", "USER=\(account.name)", "LOGNAME=\(account.name)", "SHELL=\(account.shell)",
            "PATH=/usr/local/bin:/usr/bin:/bin",
        ]
        func name(_ entry: String) -> Substring { entry.prefix { $0 != "=" } }
        let given = variables + options.told.filter { !$0.hasPrefix("SLURM_SUBMIT_DIR=") }
        let last = given.enumerated().filter { place, entry in
            !given[(place + 1)...].contains { name($0) == name(entry) }
        }.map(\.element)
        let names = Set(last.map { name($0) })
        return base.filter { !names.contains(name($0)) } + last + ["SLURM_SUBMIT_DIR=\(account.home)"]
    }

    /// The time and the command.
    private static func split(_ line: Substring) throws(OptionError) -> (when: String, command: String) {
        let count = line.first == "@" ? 1 : 5
        let parts = line.split(maxSplits: count, omittingEmptySubsequences: true) { $0 == " " || $0 == "\t" }
        guard parts.count == count + 1 else {
            throw OptionError("\"\(line)\" has no command; write minute hour day month weekday command")
        }
        let command = parts[count].drop { $0 == " " || $0 == "\t" }
        return (parts[..<count].joined(separator: " "), String(command))
    }
}
