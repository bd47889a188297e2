import ArgosyDomain
import ArgosySystem
import Glibc

/// Runs the small programs that networks are made with.
enum DevTool {
    struct Result {
        var status: ExitStatus
        var output: String
        var succeeded: Bool { status.code == 0 && status.signal == 0 }
        /// Its last line: what such programs say when they fail.
        var complaint: String {
            let line = output.split(separator: "\n").last.map(String.init) ?? ""
            return line.isEmpty ? "exit status \(status.code)" : line
        }
    }

    /// Runs a program to its end; standard output and error together.
    static func run(_ arguments: [String]) throws(DevError) -> Result {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else {
            throw DevError("cannot run \(arguments[0])", SystemError("pipe", code: errno))
        }
        let reader = Descriptor(adopting: ends[0])
        let writer = Descriptor(adopting: ends[1])
        var spec = ProcessSpec(path: arguments[0], arguments: arguments, environment: environment)
        spec.stdout = writer.raw
        spec.stderr = writer.raw
        do throws(SystemError) {
            let child = try Spawn.start(spec)
            writer.close()
            let output = try Files.read(reader, max: 4 << 20, name: arguments[0])
            return Result(status: try child.wait(), output: String(decoding: output, as: UTF8.self))
        } catch {
            let missing = error.stage == "exec" && error.code == ENOENT
            throw DevError(
                "cannot run \(arguments[0]): \(error)",
                missing ? "install it: contrib/install-deps knows the package" : "")
        }
    }

    /// As `run`; a failure is an error.
    static func need(_ arguments: [String]) throws(DevError) {
        let result = try run(arguments)
        guard !result.succeeded else { return }
        throw DevError("\(arguments.joined(separator: " ")): \(result.complaint)")
    }

    /// Ours, with a PATH that has the sbin directories and without what belongs to a job.
    static var environment: [String] {
        let kept = Process.environment.filter {
            !$0.hasPrefix("PATH=") && !$0.hasPrefix("SLURM_") && !$0.hasPrefix("ARGOSY_") && !$0.hasPrefix("SBATCH_")
        }
        return kept + ["PATH=" + (Process.variable("PATH").map { $0 + ":" } ?? "") + "/usr/sbin:/usr/bin:/sbin:/bin"]
    }
}
