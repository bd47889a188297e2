import ArgosyDomain
import ArgosyWire
import Testing

@testable import ArgosyStep

@Suite struct FileNamePatternTests {
    static let values = FileNamePattern.Values(
        job: 42, array: (40, 3), step: "7", node: "node1", nodeIndex: 1, task: 5, user: "ada", jobName: "wave")

    @Test(arguments: [
        ("slurm-%j.out", "slurm-42.out"), ("%A_%a", "40_3"), ("%J", "42.7"), ("%4t.%N", "0005.node1"),
        ("%n-%u-%x", "1-ada-wave"),
        ("100%%", "100%"), ("%s", "7"), ("%b", "3"), ("%q", "%q"), ("end%", "end%"), ("a\\%j", "a%j"),
        ("%20j", "000000042"),
    ])
    func `patterns become names`(pattern: String, name: String) {
        #expect(FileNamePattern(pattern).expand(Self.values) == name)
    }

    @Test func `relative names count from the working directory`() {
        #expect(FileNamePattern("o").path(Self.values, in: "/home/ada") == "/home/ada/o")
        #expect(FileNamePattern("/x/%j").path(Self.values, in: "/home/ada") == "/x/42")
    }

    @Test func `a batch script's step is the job`() {
        #expect(FileNamePattern("%J %s").expand(.init(job: 9)) == "9 batch")
    }
}

@Suite struct LayoutTests {
    @Test func `counts are run-length coded`() {
        #expect(RankLayout.runLength([2, 2, 1, 3, 3, 3]) == "2(x2),1,3(x3)")
        #expect(RankLayout(tasksPerNode: [2, 3, 1]).ranks(on: 1) == 2..<5)
        let uneven = RankLayout(tasksPerNode: [3, 1])
        #expect(uneven.ranks(on: 0, .turns(1)) == [0, 2, 3] && uneven.ranks(on: 1, .turns(1)) == [1])
        #expect(uneven.ranks(on: 0, .turns(2)) == [0, 1, 3] && uneven.ranks(on: 1, .turns(2)) == [2])
        #expect(uneven.ranks(on: 0, .named([false, true, true])) == [1, 2])
    }

    @Test func `abstract CPUs beyond the real ones wrap round`() {
        #expect(CPUAssignment.physical([0, 5, 6], on: [0, 2]) == [0, 2])
        #expect(CPUAssignment.physical([3], on: [0, 2]) == [2])
        #expect(CPUAssignment.isOversubscribed([0, 1, 2, 3], on: [0, 1], tasks: 2))
        #expect(!CPUAssignment.isOversubscribed([0, 1], on: [0, 1], tasks: 2))
    }

    @Test func `tasks get CPUs of their own when all fit`() {
        #expect(CPUAssignment.assign([4, 5, 6, 7], tasks: 2, perTask: 2) == [[4, 5], [6, 7]])
        #expect(CPUAssignment.assign([4, 5], tasks: 3, perTask: 1) == [[4, 5], [4, 5], [4, 5]])
    }
}

@Suite struct StepMachineTests {
    func running(_ tasks: Int, killOnBadExit: Bool = false) -> StepMachine {
        var machine = StepMachine(killOnBadExit: killOnBadExit, killWait: .seconds(30))
        #expect(machine.apply(.clientConnected) == [.startTasks])
        #expect(machine.apply(.tasksStarted(tasks)) == [])
        return machine
    }

    @Test func `the last task ends the step and what it left behind`() {
        var machine = running(2)
        #expect(machine.apply(.taskExited(rank: 0, ExitStatus(code: 3))) == [])
        #expect(machine.apply(.taskExited(rank: 1, .success)) == [.kill, .finish])
        #expect(machine.worst == ExitStatus(code: 3) && machine.phase == .ended)
    }

    @Test func `a time limit ends with grace`() {
        var machine = running(1)
        #expect(machine.apply(.timeLimitReached) == [.signal(18), .signal(15), .startGrace(.seconds(30))])
        #expect(machine.apply(.graceOver) == [.kill])
        #expect(machine.apply(.taskExited(rank: 0, ExitStatus(code: 0, signal: 9))) == [.kill, .finish])
        #expect(machine.timedOut)
    }

    @Test func `a failed task ends the others only when the step wants it`() {
        var patient = running(2)
        #expect(patient.apply(.taskExited(rank: 0, ExitStatus(code: 1))) == [])
        var strict = running(2, killOnBadExit: true)
        #expect(
            strict.apply(.taskExited(rank: 0, ExitStatus(code: 1)))
                == [.signal(18), .signal(15), .startGrace(.seconds(30))])
    }

    @Test func `a step ended before its srun came starts nothing`() {
        var machine = StepMachine(killOnBadExit: false, killWait: .seconds(30))
        #expect(machine.apply(.terminateOrdered(grace: .zero)) == [.finish])
        #expect(machine.apply(.clientConnected) == [])
    }

    @Test func `a step none of whose tasks could start ends`() {
        var machine = StepMachine(killOnBadExit: false, killWait: .seconds(30))
        _ = machine.apply(.clientConnected)
        #expect(machine.apply(.tasksStarted(0)) == [.kill, .finish])
    }
}

@Suite struct StepMessageTests {
    @Test func `a message survives its bytes`() {
        var message = StepMessage(.taskExited)
        (message.job, message.attempt, message.step, message.rank) = (1, 2, 3, 4)
        (message.a, message.b, message.c, message.text) = (-5, 6, .max, "oom")
        #expect(message.bytes.count == 512)
        #expect(StepMessage(message.bytes) == message)
    }

    @Test func `anything else is not a message`() {
        #expect(StepMessage([UInt8](repeating: 0, count: 512)) == nil)
        #expect(StepMessage(Array(StepMessage(.hello).bytes.dropLast())) == nil)
        var tooLong = StepMessage(.hello).bytes
        tooLong[48] = 255
        tooLong[49] = 255
        #expect(StepMessage(tooLong) == nil)
    }

    @Test func `relay frames come out whole however they arrive`() throws {
        var frames = RelayFrames()
        let bytes = RelayFrames.encode(channel: 7, [1, 2, 3]) + RelayFrames.encode(channel: 8, [])
        for byte in bytes.dropLast() { frames.append([byte]) }
        let first = try #require(try frames.next())
        #expect(first.channel == 7 && first.body == [1, 2, 3])
        #expect(try frames.next() == nil)
        frames.append([bytes[bytes.count - 1]])
        #expect(try frames.next()?.channel == 8)
        frames.append([0xff, 0xff, 0xff, 0xff] + [UInt8](repeating: 0, count: 8))
        #expect(throws: RelayFrames.Malformed.self) { try frames.next() }
    }
}

@Suite struct TaskEnvironmentTests {
    private func order(batch: Bool) -> (WireLaunchStep, WireStepContext) {
        var node = WireAllocatedNode()
        (node.name, node.address, node.cpus, node.tasks, node.cpuIds) = ("n1", "10.0.0.1", 2, 2, [0, 1])
        var order = WireLaunchStep()
        order.job.allocation.nodes = [node, node]
        order.job.allocation.nodeList = "n[1-2]"
        order.job.allocation.tasks = 4
        order.job.spec.tasks = 4
        order.job.spec.identity.user = "ada"
        order.layout = order.job.allocation
        order.step = batch ? StepID.batch.rawValue : 5
        order.environment = ["PATH=/mine", "SLURM_STEP_ID=3", "SLURM_JOB_ID=1", "KEEP=me", "SLURM_ARRAY_TASK_ID=9"]
        var context = WireStepContext()
        context.job = 77
        context.processors = [0, 1]
        context.relay = "/r"
        return (order, context)
    }

    @Test func `a batch script is told about its job and never about a step`() {
        let (order, context) = order(batch: true)
        let environment = TaskEnvironment(step: order, context: context, isBatch: true)
        #expect(environment["SLURM_JOB_ID"] == "77" && environment["SLURM_JOBID"] == "77")
        #expect(environment["SLURM_TASKS_PER_NODE"] == "2(x2)" && environment["SLURM_NTASKS"] == "4")
        #expect(environment["SLURM_JOB_CPUS_PER_NODE"] == "2(x2)" && environment["ENVIRONMENT"] == "BATCH")
        #expect(environment["KEEP"] == "me" && environment["PATH"] == "/mine" && environment["ARGOSY_RELAY"] == "/r")
        #expect(!environment.entries.contains { $0.hasPrefix("SLURM_STEP") || $0.hasPrefix("SLURM_ARRAY") })
    }

    @Test func `a step's tasks know step and rank`() {
        let (order, context) = order(batch: false)
        var environment = TaskEnvironment(step: order, context: context, isBatch: false)
        environment.setTask(rank: 3, local: 1, ranksHere: 2..<4)
        #expect(environment["SLURM_STEP_ID"] == "5" && environment["SLURM_STEPID"] == "5")
        #expect(environment["SLURM_PROCID"] == "3" && environment["SLURM_GTIDS"] == "2,3")
        #expect(environment["ENVIRONMENT"] == nil)
    }

    @Test func `a container's PATH starts with our programs and is the image's`() {
        var (order, context) = order(batch: true)
        context.container.environment = ["PATH=/image/bin", "LANG=C"]
        order.job.spec.container.image = "x"
        let environment = TaskEnvironment(step: order, context: context, isBatch: true)
        #expect(environment["PATH"] == "/run/argosy/bin:/image/bin")
        #expect(environment["OMPI_MCA_plm_rsh_agent"] == "/run/argosy/bin/srun")
    }
}

@Suite struct SpoolLayoutTests {
    @Test func `names are read back`() {
        let spool = SpoolLayout(pattern: "/var/%h/%n/x", node: "n1", host: "box")
        #expect(spool.root == "/var/box/n1/x")
        #expect(SpoolLayout.attempt(named: "job_12.3")?.0 == JobID(12))
        #expect(SpoolLayout.attempt(named: "job_12") == nil)
        #expect(AttemptPaths.step(named: "step_batch") == .batch)
        #expect(spool.job(JobID(1), Attempt(0)).step(.batch).directory == "/var/box/n1/x/run/job_1.0/step_batch")
    }
}
