import ArgosyDomain
import Testing

@testable import ArgosyCommands

@Suite struct ResourceOptionTests {
    private func parse(_ words: [String], _ environment: [String: String] = [:]) throws(OptionError) -> JobOptions {
        var options = JobOptions()
        let parser = OptionParser(JobOptionTable.sbatch, stopsAtOperand: true)
        try parser.parse(environment: { environment[$0] }, into: &options)
        _ = try parser.parse(words, into: &options)
        return options
    }

    @Test(
        arguments: [
            ("gpu", [GRESRequest(name: "gpu", count: 1)]), ("gpu:2", [.init(name: "gpu", count: 2)]),
            ("gpu:tesla", [.init(name: "gpu", type: "tesla", count: 1)]),
            (
                "gpu:tesla:2,craynetwork:1k",
                [
                    .init(name: "gpu", type: "tesla", count: 2), .init(name: "craynetwork", count: 1024),
                ]
            ),
            ("gres:gpu:2", [.init(name: "gpu", count: 2)]), ("gres/gpu:2", [.init(name: "gpu", count: 2)]),
            ("gpu:3:4", [.init(name: "gpu", type: "3", count: 4)]), ("gpu:1,gpu:2", [.init(name: "gpu", count: 3)]),
            ("none", []), ("gpu:0", []),
        ] as [(String, [GRESRequest])])
    func genericResourcesAreRead(text: String, requests: [GRESRequest]) throws {
        #expect(try ResourceText.gres(text) == requests)
    }

    @Test(arguments: ["gpu:", ":1", "gpu:a:b", "gpu:a:1:2", "gpu,,nic", "gpu:a:99999999999p", "g pu", "a=b", ","])
    func wrongGenericResourcesAreRefused(text: String) {
        #expect(throws: OptionError(ResourceText.invalidGRES)) { try ResourceText.gres(text) }
    }

    @Test func gpuOptionsComeTogetherAsRequests() throws {
        let options = try parse([
            "-G", "tesla:2,kepler:1", "--gpus-per-node=4", "--gpus-per-task=1", "--gpus-per-socket=2", "--gres=nic",
        ])
        #expect(
            options.allResources.gres == [
                .init(name: "nic", count: 1), .init(name: "gpu", type: "tesla", count: 2, per: .job),
                .init(name: "gpu", type: "kepler", count: 1, per: .job), .init(name: "gpu", count: 4, per: .node),
                .init(name: "gpu", count: 2, per: .socket), .init(name: "gpu", count: 1, per: .task),
            ])
        #expect(options.told.contains("SLURM_GPUS=tesla:2,kepler:1") && options.told.contains("SLURM_GPUS_PER_NODE=4"))
    }

    @Test(arguments: [
        (["--gpus-per-task=1"], "--gpus-per-task used without either --gpus or -n/--ntasks is not allowed."),
        (["--gpus-per-socket=1"], "--gpus-per-socket option requires --sockets-per-node specification"),
        (["--mem-per-gpu=1G"], "Requested mem_per_tres=gres:gpu:1024 but did not request any GPU."),
        (["--ntasks-per-gpu=2"], "--ntasks-per-tres needs either a GRES GPU specification"),
    ])
    func optionsThatNeedOthersSaySo(words: [String], message: String) throws {
        let failure = #expect(throws: Failure.self) { try parse(words).checkResources() }
        #expect(failure?.message.contains(message) == true)
        #expect(failure?.detail == ResourceText.invalidGRES)
        try parse(words + ["--gpus=1", "-n1", "--sockets-per-node=1"]).checkResources()
    }

    @Test func everyResourceOptionHasItsPlace() throws {
        let words = [
            "-Cfast&ib", "--prefer=ib", "--cpus-per-gpu=2", "--mem-per-gpu=1G", "--ntasks-per-gpu=3",
            "--ntasks-per-socket=4", "--ntasks-per-core=5", "--mincpus=6", "--tmp=2G", "-mcyclic:block,Pack", "-S7",
            "-O", "--contiguous", "--spread-job", "--use-min-nodes", "--switches=2@1:30", "-Lmatlab:2,ansys",
            "--reservation=maint,night", "--wckey=key", "--time-min=5", "--priority=12", "--kill-on-invalid-dep=yes",
            "--exclusive=user", "-B2:4:1",
        ]
        let options = try parse(words)
        let wire = options.specification(command: "sbatch")
        let resources = wire.domain.resources
        #expect(resources == options.allResources)
        #expect(resources.constraint == "fast&ib" && resources.prefer == "ib")
        #expect(resources.cpusPerGPU == 2 && resources.memoryPerGPUMiB == 1024 && resources.tasksPerGPU == 3)
        #expect(resources.tasksPerSocket == 4 && resources.tasksPerCore == 5 && resources.minCPUsPerNode == 6)
        #expect(resources.minTmpDiskMiB == 2048 && resources.distribution == "cyclic:block,Pack")
        #expect(resources.coreSpec == 7 && resources.overcommit && resources.contiguous && resources.spreadJob)
        #expect(resources.useMinNodes && resources.switches == 2 && resources.switchWait == 90)
        #expect(resources.licenses == [.init(name: "matlab", count: 2), .init(name: "ansys", count: 1)])
        #expect(!resources.anyLicense && resources.reservation == "maint,night" && resources.sharing == .user)
        #expect(resources.socketsPerNode == 2 && resources.coresPerSocket == 4 && resources.threadsPerCore == 1)
        let fields = wire.domain
        #expect(fields.wckey == "key" && fields.timeMin == TimeLimit(minutes: 5) && fields.priority == 12)
        #expect(fields.killOnInvalidDependency == true && !fields.exclusive)
    }

    @Test func variablesStandForOptionsAndOptionsWin() throws {
        let environment = [
            "SBATCH_GRES": "gpu:1", "SBATCH_CONSTRAINT": "fast", "SBATCH_RESERVATION": "maint", "SBATCH_WCKEY": "k",
            "SBATCH_EXCLUSIVE": "user", "SBATCH_OVERCOMMIT": "1", "SBATCH_REQ_SWITCH": "1",
            "SBATCH_HINT": "nomultithread",
            "SBATCH_GPUS_PER_NODE": "2",
        ]
        let options = try parse(["--gres=gpu:3", "-Cslow"], environment)
        #expect(options.gres == [.init(name: "gpu", count: 3)] && options.resources.constraint == "slow")
        #expect(options.resources.reservation == "maint" && options.wckey == "k" && options.resources.sharing == .user)
        #expect(
            options.resources.overcommit && options.resources.switches == 1 && options.resources.threadsPerCore == 1)
        #expect(options.gpusPerNode == [.init(name: "gpu", count: 2)] && options.resources.switchWait == .max)
    }

    @Test(arguments: [
        ("--cpus-per-gpu=0", "Invalid numeric value \"0\" for --cpus-per-gpu.", 1),
        ("--ntasks-per-socket=x", "Invalid numeric value \"x\" for --ntasks-per-socket.", 1),
        ("--mem-per-gpu=x", "Invalid --mem-per-gpu specification", 255),
        ("--tmp=x", "Invalid --tmp specification", 255),
        ("--exclusive=foo", "Invalid --exclusive specification", 255),
        ("--switches=x", "Invalid numeric value \"x\" for --switches.", 1),
        ("-mfoo", "Invalid --distribution specification", 255),
        ("-mblock:plane", "Invalid --distribution specification", 255),
        ("-mplane=0", "Invalid --distribution specification", 255),
        ("--deadline=foo", "Invalid --deadline specification", 255),
        ("--begin=foo", "Invalid --begin specification", 255),
        ("--time-min=foo", "Invalid --time-min specification", 255),
        ("--priority=5000000000", "Priority must be < 4294967294", 255),
        ("--priority=-2", "Priority must be >= 0", 255),
        ("--kill-on-invalid-dep=foo", "Invalid --kill-on-invalid-dep specification", 255),
        ("--hint=foo", "unrecognized --hint argument \"foo\", see --hint=help", 1),
        ("-B2:x", "Invalid numeric value \"x\" for second arg of -B.", 1),
        ("--gpus=x:", "Invalid generic resource (gres) specification", 1),
        ("--sockets-per-node=x", "Invalid numeric value \"x\" for --sockets-per-node.", 1),
    ])
    func wrongValuesAreRefusedInSlurmsWords(word: String, message: String, status: Int32) {
        let error = #expect(throws: OptionError.self) { try parse([word]) }
        #expect(error?.message.hasPrefix(message) == true, "\(String(describing: error))")
        #expect(error?.status == status)
    }

    @Test(arguments: [
        "block", "cyclic", "*", "plane=4", "arbitrary", "block:cyclic", "*:*:fcyclic", "cyclic:block:fcyclic,Pack",
        "nopack",
    ])
    func distributionsAreKeptAsWritten(text: String) throws { #expect(try ResourceText.distribution(text) == text) }

    @Test(arguments: [
        ("0", UInt32(0)), ("17", 17), ("TOP", 0xffff_fffd), ("4294967293", 4_294_967_293),
    ])
    func prioritiesAreRead(text: String, priority: UInt32) throws { #expect(try JobValue.priority(text) == priority) }

    @Test func licensesWithBarsMeanAnyOfThem() throws {
        let (all, any) = try ResourceText.licenses("matlab:2|ansys")
        #expect(any && all == [.init(name: "matlab", count: 2), .init(name: "ansys", count: 1)])
    }

    @Test func helpForValuesIsGivenAndNothingElseDone() throws {
        #expect(try parse(["--hint=help"]).helpOfValues?.contains("compute_bound") == true)
        #expect(try parse(["--gres=help"]).asksGRESHelp)
        #expect(try parse(["--gres=gpu:1"]).helpOfValues == nil)
    }
}
