// --bcast: the program goes to every node of the step before the step does, by a step that reads it on standard input.

import ArgosyWire
import Glibc

struct ProgramBroadcast {
    let start: StepStart
    let job: UInt32

    /// Where the program lies on the nodes.
    ///
    /// - Parameter wanted: a path, a directory with a slash at its end, or empty.
    func run(_ program: String, to wanted: String) throws -> String {
        guard let path = Self.find(program) else {
            throw Failure("Can't open `\(program)`: No such file or directory")
        }
        let target = destination(wanted, baseName(path))
        var options = JobOptions()
        options.jobID = start.options.jobID
        options.minNodes = start.options.minNodes
        options.nodeList = start.options.nodeList
        options.relative = start.options.relative
        options.tasksPerNode = options.minNodes == 0 ? 1 : 0
        options.tasks = options.minNodes
        options.overlap = true
        options.input = path
        options.output = "none"
        options.error = "all"
        options.name = "bcast"
        options.workDirectory = "/"
        options.noContainer = start.options.noContainer
        let script = #"umask 022; t="$1.$$"; cat > "$t" && chmod 755 "$t" && mv -f "$t" "$1""#
        let copy = StepStart(
            options: options, command: ["/bin/sh", "-c", script, "bcast", target], session: start.session,
            signals: start.signals, terminal: nil)
        let request = try StepRequestWriter(options: options, command: copy.command, job: job, isOwn: false).request()
        let code = try copy.run(request, isOwn: Process.variable("ARGOSY_RELAY") == nil)
        guard code == 0 else { throw Failure("Unable to broadcast executable '\(path)' to '\(target)'") }
        return target
    }

    private func destination(_ wanted: String, _ name: String) -> String {
        let directory = start.options.absoluteWorkDirectory
        if wanted.isEmpty { return "/tmp/slurm_bcast_\(job)_\(getpid())_\(name)" }
        let path = wanted.hasPrefix("/") ? wanted : directory + "/" + wanted
        return path.hasSuffix("/") ? path + name : path
    }

    private static func find(_ program: String) -> String? {
        if program.contains("/") { return access(program, R_OK) == 0 ? program : nil }
        let path = Process.variable("PATH") ?? "/usr/local/bin:/usr/bin:/bin"
        return path.split(separator: ":").map { "\($0)/\(program)" }.first { access($0, X_OK) == 0 }
    }
}
