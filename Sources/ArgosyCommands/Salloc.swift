// salloc: resources for as long as a command runs here.

import ArgosyClient
import ArgosyConfig
import ArgosyDomain
import ArgosyWire
import Glibc

enum Salloc {
    static let description = CommandDescription(
        name: "salloc", synopsis: "[OPTIONS...] [ : [OPTIONS...]] [command [args...]]", options: JobOptionTable.salloc,
        stopsAtOperand: true, usageStatus: 255, variables: [.errorStatus, .immediateStatus])

    static func run(_ arguments: [String]) -> Int32 {
        var first = JobOptions()
        var exitCode: Int32 = 0
        guard description.parse(arguments, into: &first, exitCode: &exitCode) != nil else { return exitCode }
        if let help = first.helpOfValues {
            Console.print(help)
            return first.asksHintHelp ? 1 : 0
        }
        do {
            let groups = try OptionGroups(arguments, JobOptionTable.salloc)
            let components = try components(groups.groups)
            for component in components {
                try component.checkContainer()
                try component.checkResources()
            }
            return try allocate(components, groups.operands)
        } catch let error as OptionError {
            description.report(error)
            return error.isUsage ? description.usageStatus : error.status
        } catch {
            let failure = Failure(error)
            Console.error("salloc", failure.message, detail: failure.detail)
            return Process.errorStatus
        }
    }

    static func components(
        _ groups: [[String]], environment: (String) -> String? = Process.variable
    ) throws(OptionError) -> [JobOptions] {
        let parser = OptionParser(JobOptionTable.salloc, stopsAtOperand: true)
        var components: [JobOptions] = []
        for group in groups {
            var options = JobOptions()
            try parser.parse(environment: environment, into: &options)
            try options.checkMemoryVariables()
            _ = try parser.parse(group, into: &options)
            try options.checkMemoryOptions()
            try options.checkNodeList()
            components.append(options)
        }
        return components
    }

    private static func allocate(_ given: [JobOptions], _ words: [String]) throws -> Int32 {
        let submitDirectory = Process.directory
        let session = try Session()
        var components = given
        for place in components.indices {
            components[place].settleNodes("salloc")
            components[place] = components[place].withoutForbiddenSpecialization("salloc", session.configuration)
            if components[place].name.isEmpty {
                components[place].name = components[place].noShell ? "no-shell" : "interactive"
            }
        }
        let options = components[0]
        try options.checkClusters(session.configuration, "salloc")
        let submit = submission(components)
        if !options.workDirectory.isEmpty, chdir(options.workDirectory) != 0 {
            throw Failure("chdir(\(options.workDirectory)): \(String(cString: strerror(errno)))")
        }
        let signals = Signals([SIGHUP, SIGINT, SIGQUIT, SIGPIPE, SIGTERM, SIGUSR1, SIGUSR2, SIGCHLD])
        var allocation = Allocation("salloc", session, signals)
        allocation.isQuiet = options.quiet > 0
        allocation.tellsPending = true
        allocation.patience = options.immediate
        do {
            for component in components { try component.checkedByController() }
            let submitted = try allocation.obtain(submit)
            tell(options, "Granted job allocation \(submitted.job)")
            ring(options, waited: allocation.waited)
            if options.noShell { return 0 }
            let variables = try AllocationVariables(session, components, submitted, submitDirectory).entries
            return AllocatedCommand(
                words: words.isEmpty ? shell(session.configuration) : words, variables: variables, options: options
            ).run(&allocation)
        } catch let ended as Allocation.Ended {
            return report(ended, allocation, options)
        } catch {
            throw Failure(error).worded("Job submit/allocate failed: ", for: options, as: "salloc")
        }
    }

    private static func submission(_ components: [JobOptions]) -> WireSubmitJob {
        var specs = components.map { options in
            var job = options.specification(command: "salloc")
            job.killOnClientLoss = !options.noShell
            return job
        }
        var submit = WireSubmitJob()
        submit.job = specs[0]
        if specs.count > 1 { submit.job.components = specs }
        specs = []
        submit.token = Process.token()
        submit.waitForAllocation = true
        submit.keepOnClientLoss = components[0].noShell
        return submit
    }

    private static func report(_ ended: Allocation.Ended, _ allocation: Allocation, _ options: JobOptions) -> Int32 {
        let job = allocation.job
        switch ended {
        case .signal:
            tell(options, "Job allocation \(job) has been revoked.")
            tell(options, "Job aborted due to signal")
            return Process.errorStatus
        case .tooLate:
            Console.error("salloc", allocation.missed)
            tell(options, "Job allocation \(job) has been revoked.")
            return Process.variable("SLURM_EXIT_IMMEDIATE").flatMap { Int32($0) } ?? Process.errorStatus
        case .revoked:
            tell(options, "Job has been cancelled")
            tell(options, "Job allocation \(job) has been revoked.")
            Console.error("salloc", "Job submit/allocate failed: Job/step already completing or completed")
            return Process.errorStatus
        }
    }

    static func tell(_ options: JobOptions, _ text: String) {
        if options.quiet == 0 { Console.info("salloc", text) }
    }

    private static func ring(_ options: JobOptions, waited: Bool) {
        if options.bell ?? waited, isatty(1) == 1 { Console.print("\u{07}") }
    }

    /// Without a command: the user's shell, on the first node where the site wants that (use_interactive_step).
    private static func shell(_ configuration: ClusterConfiguration) -> [String] {
        let shell = Process.variable("SHELL") ?? "/bin/sh"
        func value(_ key: String) -> String? { configuration.entries.last { $0.key.lowercased() == key }?.value }
        let parameters = value("launchparameters")?.lowercased().split(separator: ",") ?? []
        guard parameters.contains("use_interactive_step") else { return [shell] }
        let options = value("interactivestepoptions") ?? "--interactive --preserve-env --pty $SHELL"
        return ["srun"] + options.split(separator: " ").map { $0 == "$SHELL" ? shell : String($0) }
    }
}
