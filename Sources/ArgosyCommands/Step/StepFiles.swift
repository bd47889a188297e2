// Where a step's input comes from and its output goes to. What is one file for the whole step srun opens itself, and reads
// and writes it as it would its own streams (labels and all); a file for each task or node is opened there.

import ArgosyDomain
import ArgosyWire
import Glibc

/// A file of srun's own that cannot be opened, in Slurm's words.
struct StepFileFailure: Error { var message: String }

struct StepFiles {
    enum Input: Equatable {
        case none, all
        /// To that task only.
        case task(UInt32)
    }
    private(set) var input = Input.all
    /// What the nodes are told.
    private(set) var io = WireStepIO()
    private let patterns: (input: String, output: String, error: String)
    private let appends: Bool
    /// Of this process; opened by `open`.
    private(set) var descriptors: (input: Int32, output: Int32, error: Int32) = (0, 1, 2)

    init(_ options: JobOptions) {
        let tasks = max(options.tasks, 1)
        appends = options.append ?? false
        io.append = appends
        io.pty = options.step.terminal
        guard !options.step.terminal else {
            patterns = ("", "", "")
            return
        }
        let error = options.error.isEmpty ? options.output : options.error
        var local = (input: "", output: "", error: "")
        (io.stdinPath, local.input) = Self.split(options.input, tasks)
        (io.stdoutPath, local.output) = Self.split(options.output, tasks)
        (io.stderrPath, local.error) = Self.split(error, tasks)
        patterns = local
        if io.stdinPath == "none" {
            input = .none
        } else if let task = UInt32(io.stdinPath) {
            input = .task(task)
        } else if !io.stdinPath.isEmpty {
            input = .none
        }
    }

    /// What the nodes do of a mode, and the pattern of what srun opens for them: `all` (or nothing) is srun itself, `none`
    /// is nothing, a task's number only that task, all else a file.
    private static func split(_ mode: String, _ tasks: UInt32) -> (String, String) {
        if mode.isEmpty || mode == "all" { return ("", "") }
        if mode == "none" { return ("none", "") }
        if let task = UInt32(mode), task < tasks { return (mode, "") }
        return FileNamePattern(mode).differsByTask ? (mode, "") : ("", mode)
    }

    /// Opens srun's own files. Throws `StepFileFailure`.
    mutating func open(_ created: WireStepCreated, user: String, jobName: String) throws(StepFileFailure) {
        let array = Process.variable("SLURM_ARRAY_JOB_ID").flatMap { UInt32($0) }
        let task = Process.variable("SLURM_ARRAY_TASK_ID").flatMap { UInt32($0) }
        let values = FileNamePattern.Values(
            job: created.job, array: array.flatMap { job in task.map { (job, $0) } }, step: String(created.step),
            user: user, jobName: jobName)
        func path(_ pattern: String) -> String { FileNamePattern(pattern).expand(values) }
        func opened(_ pattern: String, _ flags: Int32, _ stream: String) throws(StepFileFailure) -> Int32 {
            let file = Glibc.open(path(pattern), flags | O_CLOEXEC, 0o666)
            guard file >= 0 else {
                throw StepFileFailure(message: "Could not open \(stream) file: \(String(cString: strerror(errno)))")
            }
            return file
        }
        let flags = O_WRONLY | O_CREAT | O_APPEND | (appends ? 0 : O_TRUNC)
        if !patterns.input.isEmpty { descriptors.input = try opened(patterns.input, O_RDONLY, "stdin") }
        if !patterns.output.isEmpty { descriptors.output = try opened(patterns.output, flags, "stdout") }
        guard !patterns.error.isEmpty else { return }
        let isSame = !patterns.output.isEmpty && path(patterns.error) == path(patterns.output)
        descriptors.error = isSame ? descriptors.output : try opened(patterns.error, flags, "stderr")
    }
}
