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
                + ":\(keep($0.managementForChild))"
        }
        let layout = order.launch.layout
        let mapping = order.hasManagement ? ProcessManagement.mapping(order.nodesOfRanks) : ""
        let step = ["\(layout.tasks)", order.name, mapping]
        let program = try Machine.executablePath()
        var spec = ProcessSpec(path: program, arguments: ["argosystepd", "io", order.context.node] + step + tasks)
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

/// The mode `argosystepd io NODE TASKS STEP MAPPING RANK:IN:OUT:ERR:PMI...`, with the line to root as descriptor 3.
public enum IOChildMain {
    public static func run(arguments: [String]) -> Int32 {
        guard arguments.count >= 4, let size = UInt32(arguments[1]) else { return 64 }
        let node = arguments[0]
        var tasks: [IOChild.TaskPipes] = []
        for text in arguments.dropFirst(4) {
            let numbers = text.split(separator: ":").compactMap { Int32($0) }
            guard numbers.count == 5 else { return 64 }
            tasks.append(
                .init(
                    rank: UInt32(numbers[0]), input: numbers[1], output: numbers[2], error: numbers[3],
                    management: numbers[4]))
        }
        let service = ProcessManagement(size: size, name: arguments[2], mapping: arguments[3], ranks: tasks.map(\.rank))
        return IOChild(control: 3, node: node, tasks: tasks, service: service).run()
    }
}
