// sbatch: a script to the controller. Its #SBATCH lines come first, then SBATCH_ variables, then the command line;
// what comes later wins.

import ArgosyClient
import ArgosyWire
import FoundationEssentials
import Glibc

enum Sbatch {
    static let description = CommandDescription(
        name: "sbatch", synopsis: "[OPTIONS...] [script [args...]]",
        options: JobOptionTable.sbatch, stopsAtOperand: true)

    static func run(_ arguments: [String]) -> Int32 {
        var first = JobOptions()
        var exitCode: Int32 = 0
        guard let operands = description.parse(arguments, into: &first, exitCode: &exitCode) else { return exitCode }
        if let help = first.helpOfValues {
            Console.print(help)
            return first.asksHintHelp ? 1 : 0
        }
        do {
            let script = try script(operands, wrap: first.wrap)
            let options = try options(arguments, script)
            try options.checkResources()
            return try submit(script, options, operands)
        } catch {
            let failure = Failure(error)
            Console.error("sbatch", failure.message, detail: failure.detail)
            return (error as? OptionError)?.status ?? 1
        }
    }

    private static func script(_ operands: [String], wrap: String?) throws -> BatchScript {
        if let wrap {
            guard operands.isEmpty else { throw Failure("Script arguments not permitted with --wrap option") }
            return try .wrapping(wrap)
        }
        guard let path = operands.first else {
            guard let bytes = FileBytes.read(0, limit: BatchScript.maxBytes) else {
                throw Failure(
                    "Unable to read the batch script from standard input: \(String(cString: strerror(errno)))")
            }
            return try BatchScript(bytes)
        }
        guard let bytes = FileBytes.read(path: find(path), limit: BatchScript.maxBytes) else {
            throw Failure("Unable to open file \(path)", detail: String(cString: strerror(errno)))
        }
        return try BatchScript(bytes)
    }

    /// As named; a bare name that is not here is looked for on PATH.
    private static func find(_ path: String) -> String {
        if path.contains("/") || access(path, F_OK) == 0 { return path }
        for directory in (Process.variable("PATH") ?? "").split(separator: ":") {
            let candidate = directory + "/" + path
            if access(candidate, R_OK) == 0 { return candidate }
        }
        return path
    }

    static func options(
        _ arguments: [String], _ script: BatchScript, environment: (String) -> String? = Process.variable
    ) throws(OptionError) -> JobOptions {
        let parser = OptionParser(JobOptionTable.sbatch, stopsAtOperand: true)
        var options = JobOptions()
        do throws(OptionError) {
            let operands = try parser.parse(script.directives, into: &options)
            if let operand = operands.first {
                throw OptionError("Invalid directive found in batch script: \(operand)")
            }
        } catch { throw OptionError("in an #SBATCH line: \(error.message)", status: error.status) }
        let mounts = options.containerMounts
        options.containerMounts = []
        try parser.parse(environment: environment, into: &options)
        if options.containerMounts.isEmpty { options.containerMounts = mounts }
        let before = options.containerMounts
        options.containerMounts = []
        _ = try parser.parse(arguments, into: &options)
        if options.containerMounts.isEmpty { options.containerMounts = before }
        try options.checkContainer()
        return options
    }

    private static func submit(_ script: BatchScript, _ given: JobOptions, _ operands: [String]) throws -> Int32 {
        var options = given
        let path = operands.first.map(find)
        if options.name.isEmpty {
            options.name = options.wrap != nil ? "wrap" : path.map(baseName) ?? "sbatch"
        }
        if options.getsUserEnvironment, options.quiet == 0 {
            Console.info("sbatch", "--get-user-env has no effect: the job gets the environment of this command")
        }
        if options.input.isEmpty { options.input = "/dev/null" }
        if options.output.isEmpty { options.output = options.array == nil ? "slurm-%j.out" : "slurm-%A_%a.out" }
        let session = try Session()
        options = options.withoutForbiddenSpecialization("sbatch", session.configuration)
        var job = options.specification(command: "sbatch")
        job.script = Data(script.bytes)
        job.environment = environment(options)
        job.arguments = [path ?? options.name] + operands.dropFirst()
        job.command = path.map { $0.hasPrefix("/") ? $0 : Process.directory + "/" + $0 } ?? ""
        if options.testOnly {
            var submit = WireSubmitJob()
            submit.job = job
            do { try TestOnly.ask(submit, as: "sbatch", session) } catch {
                let failure = Failure(error)
                throw Failure("allocation failure: \(failure.message)", detail: failure.detail)
            }
            return 0
        }
        let submitted: WireJobSubmitted
        do { submitted = try send(job, session) } catch {
            let failure = Failure(error)
            throw Failure("Batch job submission failed: \(failure.message)", detail: failure.detail)
        }
        if !submitted.warning.isEmpty { Console.info("sbatch", submitted.warning) }
        if options.parsable {
            Console.print("\(submitted.job)\n")
        } else if options.quiet == 0 {
            Console.print("Submitted batch job \(submitted.job)\n")
        }
        return options.waits ? try wait(for: submitted.job, session) : 0
    }

    private static func environment(_ options: JobOptions) -> [String] {
        let told = options.told
        let names = told.map { $0.prefix { $0 != "=" } + "=" }
        let kept = exported(Process.environment, options.export).filter { entry in
            !names.contains { entry.hasPrefix($0) }
        }
        return kept + told
    }

    /// The token makes a repeat after a lost reply find the job that the first try made.
    private static func send(_ job: WireJobSpec, _ session: Session) throws(Failure) -> WireJobSubmitted {
        var submit = WireSubmitJob()
        submit.job = job
        submit.token = Process.token()
        let reply = try session.askAgain(.submit(submit))
        guard case .submitted(let submitted)? = reply.body else {
            throw Failure("Invalid reply of the controller", detail: "it answered a submission with something else")
        }
        return submitted
    }

    /// The job's exit code; 1 when a signal ended it (or one of an array's tasks, of which the highest counts).
    private static func wait(for job: UInt32, _ session: Session) throws(Failure) -> Int32 {
        var wait = WireWaitJob()
        wait.job = job
        var asked = 0
        while true {
            var request = WireRequest()
            request.body = .waitJob(wait)
            do {
                let reply = try session.connect().call(request, timeout: nil)
                guard case .jobs(let list)? = reply.body else { return 1 }
                return list.jobs.map { info in
                    info.exit.signal != 0 ? 1 : Int32(truncatingIfNeeded: max(info.exit.code, failed(info.state)))
                }.max() ?? 0
            } catch {
                // The controller may be restarting; the job goes on.
                let failure = Failure(error)
                asked += 1
                guard asked < 120, failure.message.hasPrefix("Unable to contact") else { throw failure }
                pause(milliseconds: 1000)
            }
        }
    }

    private static func failed(_ state: String) -> UInt32 { state == "COMPLETED" ? 0 : 1 }
}

func baseName(_ path: String) -> String {
    path.lastIndex(of: "/").map { String(path[path.index(after: $0)...]) } ?? path
}
