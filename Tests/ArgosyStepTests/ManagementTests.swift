import ArgosyWire
import Testing

@testable import ArgosyStep

@Suite struct ProcessManagementTests {
    private func service(_ ranks: [UInt32] = [0, 1]) -> ProcessManagement {
        ProcessManagement(size: 4, name: "7.0", mapping: "(vector,(0,2,2))", ranks: ranks)
    }

    @Test func `a task learns of its step and reads what others put behind a barrier`() {
        var service = service()
        #expect(service.take("cmd=init pmi_version=1 pmi_subversion=1", from: 0).count == 1)
        #expect(service.take("cmd=get_universe_size", from: 1) == [.answer(rank: 1, "cmd=universe_size size=4\n")])
        let put = service.take("cmd=put kvsname=7.0 key=P0 value=host=a#b$", from: 0)
        #expect(put == [.answer(rank: 0, "cmd=put_result rc=0 msg=success\n")])
        #expect(service.take("cmd=barrier_in", from: 0).isEmpty)
        #expect(service.take("cmd=barrier_in", from: 1) == [.exchange(round: 0, "P0=host=a#b$\n")])
        let open = service.exchanged(round: 0, "P0=host=a#b$\nP2=other\n")
        #expect(open == [.answer(rank: 0, "cmd=barrier_out\n"), .answer(rank: 1, "cmd=barrier_out\n")])
        let got = service.take("cmd=get kvsname=7.0 key=P2", from: 1)
        #expect(got == [.answer(rank: 1, "cmd=get_result rc=0 msg=success value=other\n")])
    }

    @Test func `an answer of an earlier round opens nothing`() {
        var service = service([0])
        _ = service.take("cmd=barrier_in", from: 0)
        #expect(service.exchanged(round: 0, "").count == 1)
        _ = service.take("cmd=barrier_in", from: 0)
        #expect(service.exchanged(round: 0, "").isEmpty)
        #expect(service.exchanged(round: 1, "").count == 1)
    }

    @Test func `what makes no sense is passed over and an unknown key is told`() {
        var service = service()
        #expect(service.take("nonsense", from: 0).isEmpty)
        #expect(service.take("cmd=get key=x", from: 0).first != nil)
        #expect(
            service.take("cmd=put key=x", from: 0) == [.answer(rank: 0, "cmd=put_result rc=-1 msg=no_key_or_value\n")])
        #expect(service.take("cmd=abort exitcode=3", from: 0) == [.abort(code: 3)])
    }

    @Test func `equal nodes are one run of the mapping`() {
        #expect(ProcessManagement.mapping([0, 0, 1, 1, 2]) == "(vector,(0,2,2),(2,1,1))")
        #expect(ProcessManagement.mapping([0, 1, 0, 1]) == "(vector,(0,2,1),(0,2,1))")
    }
}

@Suite struct BindingTests {
    private func binding(_ type: String, _ list: String = "", verbose: Bool = true, tasks: Int = 2) -> CPUBinding {
        var order = WireLaunchStep()
        order.options.cpuBind.type = type
        order.options.cpuBind.list = list
        order.options.cpuBind.verbose = verbose
        return CPUBinding(order, cpus: [0, 1], processors: [0, 1, 2, 3], tasks: tasks)
    }

    @Test func `reports and variables are those of Slurm's plugin`() {
        let report = binding("map_cpu", "0,1").report(node: "n1", rank: 1, local: 1, pid: 77)
        #expect(report == "cpu-bind=MAP  - n1, task  1  1 [77]: mask 0x2 set")
        let variables = binding("cores").variables().map { "\($0.0)=\($0.1)" }
        #expect(variables.first == "SLURM_CPU_BIND=verbose,mask_cpu:0x1,0x2")
        #expect(binding("none").report(node: "n1", rank: 0, local: 0, pid: 5)?.hasSuffix("mask 0x0") == true)
    }

    @Test func `a task never gets a CPU that its step does not have`() {
        #expect(binding("map_cpu", "3").masks == [[0, 1], [0, 1]])
        #expect(binding("mask_cpu", "6,1*2").masks == [[1], [0]])
        #expect(binding("rank", tasks: 3).masks == [[0], [1], [0]])
    }

    @Test func `masks of any length are read and written`() {
        #expect(CPUBinding.bits("0x10000000000000001") == [0, 64])
        #expect(CPUBinding.hex([0, 64]) == "10000000000000001")
    }

    @Test func `programs are told rank and offset where the line says so`() {
        var program = WireStepProgram()
        program.ranks = [3, 1]
        program.arguments = ["a", "\u{1}t-\u{1}o", "%t"]
        #expect(MultipleProgram.arguments(of: 1, in: [program]) == ["a", "1-1", "%t"])
        #expect(MultipleProgram.arguments(of: 0, in: [program]).isEmpty)
    }
}
