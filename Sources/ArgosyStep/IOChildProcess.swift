internal import ArgosyDomain
internal import ArgosySystem

/// Root's end of the unprivileged child that carries a step's stdio.
struct IOChildProcess {
    let process: ChildProcess
    let control: Descriptor

    /// Starts it with the job's ids, without capabilities, in `cgroup`, holding its ends of the tasks' pipes.
    static func start(_ order: StepOrder, _ files: StdioFiles, in cgroup: Cgroup) throws -> IOChildProcess {
        let (ours, theirs) = try UnixSocket.pair(sequenced: true)
        var kept = [ProcessSpec.KeptDescriptor(from: theirs.raw, to: 3)]
        func keep(_ end: Descriptor?) -> String {
            guard let end else { return "-1" }
            let number = Int32(kept.count + 3)
            kept.append(.init(from: end.raw, to: number))
            return String(number)
        }
        let tasks = files.tasks.map {
            "\($0.rank):\(keep($0.inputForChild)):\(keep($0.outputForChild)):\(keep($0.errorForChild))"
        }
        let program = try Machine.executablePath()
        var spec = ProcessSpec(path: program, arguments: ["argosystepd", "io", order.context.node] + tasks)
        spec.workingDirectory = "/"
        spec.credentials = Credentials(order.identity)
        spec.stderr = 2
        spec.keptDescriptors = kept
        spec.cgroup = try cgroup.joinDescriptors()
        spec.dropAllCapabilities = true
        spec.noNewPrivileges = true
        return IOChildProcess(process: try Spawn.start(spec), control: ours)
    }

    func send(_ message: StepMessage, descriptor: Int32? = nil) {
        _ = ControlSocket.send(message, to: control.raw, descriptor: descriptor)
    }
}

/// The mode `argosystepd io NODE RANK:IN:OUT:ERR...`, with the line to root as descriptor 3.
public enum IOChildMain {
    public static func run(arguments: [String]) -> Int32 {
        guard let node = arguments.first else { return 64 }
        var tasks: [IOChild.TaskPipes] = []
        for text in arguments.dropFirst() {
            let numbers = text.split(separator: ":").compactMap { Int32($0) }
            guard numbers.count == 4 else { return 64 }
            tasks.append(
                .init(rank: UInt32(numbers[0]), input: numbers[1], output: numbers[2], error: numbers[3]))
        }
        return IOChild(control: 3, node: node, tasks: tasks).run()
    }
}
