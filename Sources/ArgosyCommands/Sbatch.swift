// sbatch: a script to the controller. Its #SBATCH lines come first, then SBATCH_ variables, then the command line;
// what comes later wins.

import ArgosyClient
import ArgosyWire
import FoundationEssentials
import Glibc

enum Sbatch {
    static let description = CommandDescription(
        name: "sbatch", synopsis: "[OPTIONS...] [ : [OPTIONS...]] [script [args...]]",
        options: JobOptionTable.sbatch, stopsAtOperand: true, usageStatus: 255,
        variables: [.errorStatus, .umask])

    static func run(_ arguments: [String]) -> Int32 {
        var first = JobOptions()
        var exitCode: Int32 = 0
        guard var operands = description.parse(arguments, into: &first, exitCode: &exitCode) else { return exitCode }
        if let help = first.helpOfValues {
            Console.print(help)
            return first.asksHintHelp ? 1 : 0
        }
        do {
            let groups = try OptionGroups(arguments, JobOptionTable.sbatch)
            operands = groups.operands
            for group in groups.groups.dropFirst() {
                _ = try OptionParser(JobOptionTable.sbatch, stopsAtOperand: true).parse(group, into: &first)
            }
            let script = try script(operands, wrap: first.wrap)
            let components = try components(groups.groups, script)
            for component in components { try component.checkResources() }
            return try submit(script, components, operands)
        } catch let error as OptionError {
            description.report(error)
            return error.isUsage ? description.usageStatus : error.status
        } catch {
            let failure = Failure(error)
            Console.error("sbatch", failure.message, detail: failure.detail)
            return Process.errorStatus
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
            if errno == EISDIR { return try BatchScript([], name: path) }
            throw Failure("Unable to open file \(path)", detail: String(cString: strerror(errno)))
        }
        return try BatchScript(bytes, name: path)
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

    /// The options of each component: those of the script, then of the environment, then of the command line.
    static func components(
        _ groups: [[String]], _ script: BatchScript, environment: (String) -> String? = Process.variable
    ) throws(OptionError) -> [JobOptions] {
        var components: [JobOptions] = []
        for place in 0..<max(groups.count, script.components.count) {
            let group = place < groups.count ? groups[place] : []
            let words = place < script.components.count ? script.components[place] : []
            components.append(try options(group, words, place == 0 ? script : nil, environment: environment))
        }
        return components
    }

    static func options(
        _ arguments: [String], _ script: BatchScript, environment: (String) -> String? = Process.variable
    ) throws(OptionError) -> JobOptions {
        try options(arguments, script.directives, script, environment: environment)
    }

    /// `script`: where to look for what other batch systems' lines say, unless told not to.
    private static func options(
        _ arguments: [String], _ directives: [String], _ script: BatchScript?, environment: (String) -> String?
    ) throws(OptionError) -> JobOptions {
        let parser = OptionParser(JobOptionTable.sbatch, stopsAtOperand: true)
        var told = JobOptions()
        try parser.parse(environment: environment, into: &told)
        _ = try parser.parse(arguments, into: &told)
        var options = JobOptions()
        if let script, !told.ignoresPBS {
            _ = try parser.parse(try ForeignDirectives.words(script.bytes), into: &options)
        }
        let operands = try parser.parse(directives, into: &options)
        if let operand = operands.first {
            throw OptionError("Invalid directive found in batch script: \(operand)", status: 255)
        }
        let mounts = options.containerMounts
        options.containerMounts = []
        let memoryOptions = options.memoryOptions
        options.memoryOptions = []
        try parser.parse(environment: environment, into: &options)
        try options.checkMemoryVariables()
        options.memoryOptions = memoryOptions
        if options.containerMounts.isEmpty { options.containerMounts = mounts }
        let before = options.containerMounts
        options.containerMounts = []
        _ = try parser.parse(arguments, into: &options)
        if options.containerMounts.isEmpty { options.containerMounts = before }
        try options.checkMemoryOptions()
        try options.checkNodeList()
        try options.checkContainer()
        return options
    }

    private static func submit(_ script: BatchScript, _ given: [JobOptions], _ operands: [String]) throws -> Int32 {
        let path = operands.first.map(find)
        let session = try Session()
        var components = given
        for place in components.indices {
            settle(&components[place], path, session)
            components[place].takeBatchDefaults(of: session.configuration)
        }
        let options = components[0]
        try options.checkClusters(session.configuration)
        let job = try specification(script, components, path, operands)
        if options.testOnly { return try test(job, session) }
        let submitted: WireJobSubmitted
        do {
            for component in components { try component.checkedByController() }
            submitted = try send(job, session)
        } catch {
            throw Failure(error).worded("Batch job submission failed: ", for: options, as: "sbatch")
        }
        if !submitted.warning.isEmpty { Console.info("sbatch", submitted.warning) }
        let cluster = options.clusters.isEmpty ? "" : Process.cluster(session.configuration)
        if options.parsable {
            Console.print("\(submitted.job)\(cluster.isEmpty ? "" : ";" + cluster)\n")
        } else if options.quiet == 0 {
            Console.print("Submitted batch job \(submitted.job)\(cluster.isEmpty ? "" : " on cluster " + cluster)\n")
        }
        return options.waits ? try wait(for: submitted.job, session) : 0
    }

    /// What is left to say when nobody said it.
    private static func settle(_ options: inout JobOptions, _ path: String?, _ session: Session) {
        options.settleNodes("sbatch")
        if options.name.isEmpty { options.name = options.wrap != nil ? "wrap" : path.map(baseName) ?? "sbatch" }
        if options.input.isEmpty { options.input = "/dev/null" }
        if options.output.isEmpty { options.output = options.array == nil ? "slurm-%j.out" : "slurm-%A_%a.out" }
        options = options.withoutForbiddenSpecialization("sbatch", session.configuration)
    }

    private static func specification(
        _ script: BatchScript, _ components: [JobOptions], _ path: String?, _ operands: [String]
    ) throws -> WireJobSpec {
        var specs = components.map { $0.specification(command: "sbatch") }
        for place in specs.indices {
            specs[place].arguments = [path ?? components[place].name] + operands.dropFirst()
            specs[place].command = path.map { $0.hasPrefix("/") ? $0 : Process.directory + "/" + $0 } ?? ""
        }
        var job = specs[0]
        job.script = Data(script.bytes)
        job.environment = try environment(components)
        if specs.count > 1 { job.components = specs }
        return job
    }

    private static func test(_ job: WireJobSpec, _ session: Session) throws -> Int32 {
        var submit = WireSubmitJob()
        submit.job = job
        do { try TestOnly.ask(submit, as: "sbatch", session) } catch { TestOnly.report(Failure(error)) }
        return 0
    }

    private static func environment(_ components: [JobOptions]) throws -> [String] {
        let options = components[0]
        let told = components.count == 1 ? options.told : HeterogeneousVariables.told(components)
        let names = told.map { $0.prefix { $0 != "=" } + "=" }
        let own =
            options.exportFile.isEmpty
            ? exported(OuterJob.without(Process.environment), options.export) : try ExportFile.read(options.exportFile)
        return own.filter { entry in !names.contains { entry.hasPrefix($0) } } + told
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
