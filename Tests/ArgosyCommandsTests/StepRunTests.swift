import ArgosyWire
import Testing

@testable import ArgosyCommands

@Suite struct StepRunTests {
    private func step(nodes: Int = 2, tasks: UInt32 = 4) -> WireStepCreated {
        var step = WireStepCreated()
        (step.job, step.step, step.layout.tasks) = (12, 0, tasks)
        step.layout.nodes = (1...nodes).map { number in
            var node = WireAllocatedNode()
            node.name = "n\(number)"
            return node
        }
        return step
    }

    private func exit(_ rank: UInt32, code: UInt32 = 0, signal: UInt32 = 0, oom: Bool = false) -> WireTaskExited {
        var task = WireTaskExited()
        (task.rank, task.node, task.oom) = (rank, "n1", oom)
        (task.exit.code, task.exit.signal) = (code, signal)
        return task
    }

    private func start(kills: Bool = false, wait: UInt32? = nil) -> StepRun {
        var run = StepRun(killsOnBadExit: kills, waitSeconds: wait, disablesStatus: false)
        run.start(step())
        return run
    }

    @Test func endsThatComeTogetherAreToldTogether() {
        var run = start()
        for rank in [0, 2, 1] as [UInt32] { run.exited(exit(rank, code: 9), at: 0) }
        run.exited(exit(3, signal: 9), at: 0)
        run.tellEnds()
        #expect(run.lines == ["error: n1: tasks 0-2: Exited with exit code 9", "error: n1: task 3: Killed"])
        #expect(run.exitCode == 137)
    }

    @Test func memoryIsNamedAsTheCause() {
        var run = start()
        run.exited(exit(0, signal: 9, oom: true), at: 0)
        run.tellEnds()
        #expect(run.lines == ["error: n1: task 0: Out Of Memory"])
    }

    @Test func killOnBadExitEndsTheStepOnce() {
        var run = start(kills: true)
        run.exited(exit(0, code: 1), at: 0)
        run.exited(exit(1, signal: 9), at: 0)
        #expect(run.signals == [18, 15])
        #expect(run.lines == ["launch/slurm: _step_signal: Terminating StepId=12.0"])
        run.tick(at: 30_000)
        #expect(run.signals == [18, 15, 9])
    }

    @Test func waitEndsTheStepSoLongAfterItsFirstTask() {
        var run = start(wait: 5)
        run.exited(exit(0), at: 1000)
        run.tick(at: 5999)
        #expect(run.signals.isEmpty && run.killAt == 6000)
        run.tick(at: 6000)
        #expect(run.signals == [9])
        #expect(run.lines.first == "First task exited 5s ago")
    }

    @Test func interruptsReportThenSignalThenEnd() {
        var run = start()
        run.signalled(2, at: 1000)
        #expect(run.signals.isEmpty)
        #expect(run.lines == ["interrupt (one more within 1 sec to abort)", "StepId=12.0 tasks 0-3: running"])
        run.signalled(2, at: 1500)
        #expect(run.signals == [2])
        run.signalled(2, at: 1600)
        #expect(run.signals == [2, 9])
    }

    @Test func anInterruptThatEndsNothingIsFollowedByTheEnd() {
        var run = start()
        run.signalled(2, at: 1000)
        run.signalled(2, at: 1500)
        #expect(run.lines.suffix(3).first == "sending Ctrl-C to StepId=12.0")
        run.tick(at: 2500)
        #expect(run.signals == [2, 9])
    }

    @Test func terminationEndsTheStepAtOnce() {
        var run = start()
        run.signalled(15, at: 0)
        #expect(run.signals == [9])
        #expect(run.lines.last == "Job step aborted: Waiting up to 32 seconds for job step to finish.")
        run.signalled(10, at: 40_000)
        #expect(run.signals.last == 10)
    }

    @Test func aStepThatWasKilledFromElsewhereIsCalledForced() {
        var run = start()
        run.exited(exit(0, signal: 15), at: 0)
        run.finish()
        #expect(run.lines == ["error: n1: task 0: Terminated", "Force Terminated StepId=12.0"])
    }

    @Test func allNodesMustFinishAndLostOnesCountAsErrors() {
        var run = start()
        var node = WireNodeFinished()
        node.node = "n1"
        run.nodeFinished(node)
        #expect(!run.isFinished)
        run.lost("n2", why: "n2: connection refused")
        #expect(run.isFinished && run.exitCode == 1)
    }
}

@Suite struct OutputWriterTests {
    private final class Sink { var texts: [String] = [] }

    private func writer(labels: Bool, tasks: UInt32, _ sink: Sink) -> OutputWriter {
        var writer = OutputWriter(labels: labels, tasks: tasks)
        writer.write = { bytes, descriptor in
            sink.texts.append("\(descriptor)>" + String(decoding: bytes, as: UTF8.self))
        }
        return writer
    }

    @Test func labelsArePaddedAndStandBeforeWholeLines() {
        let sink = Sink()
        var output = writer(labels: true, tasks: 12, sink)
        output.take(Array("a\nb".utf8), rank: 1, isError: false, end: false)
        output.take(Array("x\n".utf8), rank: 11, isError: true, end: false)
        output.take(Array("c\n".utf8), rank: 1, isError: false, end: false)
        output.take(Array("end".utf8), rank: 2, isError: false, end: true)
        #expect(sink.texts == ["1>01: a\n", "2>11: x\n", "1>01: bc\n", "1>02: end\n"])
    }

    @Test func withoutLabelsBytesPassAsTheyCome() {
        let sink = Sink()
        var output = writer(labels: false, tasks: 2, sink)
        output.take([0, 255], rank: 0, isError: false, end: false)
        output.take(Array("half".utf8), rank: 1, isError: true, end: false)
        #expect(sink.texts.count == 2 && sink.texts[1] == "2>half")
    }
}
