import ArgosyConfig
import ArgosyDomain
import Testing

private func parse(_ text: String) -> ParsedConfiguration {
    ConfigurationParser.parse(.init(file: "test.conf", text: text))
}

@Suite struct ConfigurationParserTests {
    @Test func aClusterIsReadWithKeysInAnyCase() {
        let parsed = parse(
            """
            # a comment
            CLUSTERNAME=Tiny
            slurmctldhost=head(10.0.0.1)   SlurmctldPort=7000
            AuthInfo=cred_expire=60,socket=/run/m.sock
            NodeName=DEFAULT CPUs=8 RealMemory=1000 \\
               State=UNKNOWN
            NodeName=n[1-3] NodeAddr=10.0.1.[1-3] Port=[7001-7003]
            NodeName=big Sockets=2 CoresPerSocket=4 ThreadsPerCore=2 CPUs=16 Feature=fat,gpu
            NodeSet=fat Feature=fat
            PartitionName=DEFAULT MaxTime=1-0 State=UP
            PartitionName=main Nodes=ALL Default=YES
            PartitionName=fat Nodes=fat MaxTime=UNLIMITED DefaultTime=30
            SlurmdParameters=config_overrides
            DefMemPerCPU=2G
            """)
        #expect(parsed.diagnostics.isEmpty, "\(parsed.diagnostics)")
        let configuration = parsed.configuration
        #expect(configuration.clusterName == "tiny")
        #expect(configuration.controllers == [.init(name: "head", address: "10.0.0.1")])
        #expect(configuration.controllerPort == 7000)
        #expect(configuration.mungeSocket == "/run/m.sock")
        #expect(configuration.nodes.map(\.name) == ["n1", "n2", "n3", "big"])
        #expect(configuration.nodes[1].address == "10.0.1.2")
        #expect(configuration.nodes[2].port == 7003)
        #expect(configuration.nodes[0].cpus == 8)
        #expect(configuration.nodes[3].coresPerSocket == 4)
        #expect(configuration.partitions[0].nodes.count == 4)
        #expect(configuration.partitions[1].nodes == [NodeIndex(3)])
        #expect(configuration.partitions[0].maxTime == TimeLimit(minutes: 1440))
        #expect(configuration.partitions[1].maxTime == .unlimited)
        #expect(configuration.partitions[1].defaultTime == TimeLimit(minutes: 30))
        #expect(configuration.defaultPartition == 0)
        #expect(configuration.configOverrides)
        #expect(configuration.defaultMemoryPerCPUMiB == 2048)
    }

    @Test(arguments: [
        ("KillWait=soon", "test.conf:1: error: KillWait=soon: must be a whole number from 0 to 4294967294"),
        ("\n\nSlurmctldPort=0", "test.conf:3: error: SlurmctldPort=0: must be a port from 1 to 65535"),
        ("StateSaveLocation=tmp", "test.conf:1: error: StateSaveLocation=tmp: must be an absolute path"),
        ("NodeName=n[1-2] Port=[1-3]", "names 3 values for 2 nodes"),
        ("NodeName=n[1-", "is not a host list"),
        ("NodeName=a\nNodeName=a", "test.conf:2: error: node a is described twice"),
        ("NodeName=a State=HAPPY", "must be one of UNKNOWN DOWN"),
        ("PartitionName=p Nodes=x", "names x, which is neither a node nor a NodeSet"),
        ("PartitionName=p MaxTime=never", "MaxTime=never: must be minutes"),
        ("Clustername=x SlurmctldHost=a\nNoSuchKey=1", "test.conf:2: error: NoSuchKey is not a key of slurm.conf"),
        ("KillWaits=3", "is not a key of slurm.conf; did you mean KillWait"),
        ("SlurmctldHost=a NodeName=x", "NodeName is not a key"),
        ("PropagatePrioProcess=7", "must be a whole number from 0 to 2"),
        ("TrackWCKey=perhaps", "must be YES or NO"),
        ("PrivateData=jobs,toys", "toys is not one of accounts"),
        ("MailProg=mail", "must be an absolute path"),
        ("NodeName=n1 CPU=3", "CPU is not a key of NodeName lines"),
        ("PartitionName=p Maxtimes=3", "Maxtimes is not a key of PartitionName lines"),
        ("what is this", "\"what is this\" is not Key=Value"),
        ("Include other.conf", "Include other.conf: "),
        ("AuthType=auth/none", "must be auth/munge"),
        ("NodeName=n[0-99999]", "more than 65536 hosts"),
    ])
    func aWrongValueIsAnErrorThatSaysWhatIsAllowed(text: String, message: String) {
        let errors = parse(text).errors.map(\.description)
        #expect(errors.count == 1 && errors[0].contains(message), "\(errors)")
    }

    @Test(arguments: [
        ("SlurmctldHost=a\nSuspendTime=300", "test.conf:2: warning: SuspendTime has no effect: nodes are not switched"),
        ("SlurmctldHost=a\nKillWait=3\nKILLWAIT=4", "test.conf:3: warning: KILLWAIT is given in line 2 too"),
        ("ClusterName=x", "SlurmctldHost is not set"),
    ])
    func whatIsNotActedOnIsAWarning(text: String, message: String) {
        let parsed = parse(text)
        #expect(parsed.errors.isEmpty)
        #expect(parsed.warnings.count == 1 && parsed.warnings[0].description.contains(message), "\(parsed.warnings)")
    }

    @Test func commentsQuotesAndContinuationsAreSlurms() {
        let parsed = parse("SlurmctldHost=a\nNodeName=a Reason=\"a # b\" # c\nNodeName=b Reason=x\\#y CPUs = 4")
        #expect(parsed.diagnostics.isEmpty, "\(parsed.diagnostics)")
        #expect(parsed.configuration.nodes.map(\.reason) == ["a # b", "x#y"])
        #expect(parsed.configuration.nodes[1].cpus == 4)
        #expect(parsed.configuration.nodes[1].sockets == 4)
    }

    @Test func includedFilesAreReadInPlaceAndNeverForEver() {
        let main = ConfigurationText(file: "main", text: "Include nodes\nPartitionName=p Nodes=ALL\nSlurmctldHost=a")
        let parsed = ConfigurationParser.parse(main) { path, _ in
            .success(.init(file: path, text: "NodeName=x\nBad=1"))
        }
        #expect(parsed.configuration.nodes.count == 1)
        #expect(parsed.diagnostics.map(\.file) == ["nodes"])
        let loop = ConfigurationParser.parse(.init(file: "a", text: "SlurmctldHost=a\nInclude a")) { path, _ in
            .success(.init(file: path, text: "Include a"))
        }
        #expect(loop.errors.count == 1 && loop.errors[0].message.contains("deep"))
    }

    @Test func keysOfOursPassThrough() {
        let parsed = parse("SlurmctldHost=a\nArgosyImageCache=/x\nContainerRegistry=y")
        #expect(parsed.diagnostics.isEmpty)
        #expect(parsed.configuration.entries.map(\.key) == ["SlurmctldHost", "ArgosyImageCache", "ContainerRegistry"])
    }

    @Test func anyBytesGiveDiagnosticsAndNoCrash() {
        var state: UInt64 = 42
        let alphabet = Array("NodeName=[]1-3,\\\"# \n\tPartitionName=Nodes Include CPUs=x\0é".unicodeScalars)
        for _ in 0..<2000 {
            var text = ""
            for _ in 0..<60 {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                text.unicodeScalars.append(alphabet[Int(state >> 33) % alphabet.count])
            }
            _ = parse(text)
        }
    }
}

@Suite struct SlurmTextTests {
    @Test(
        arguments: [
            ("30", 1800), ("1:30", 90), ("1:00:00", 3600), ("2-0", 172_800), ("1-2:3", 93_780), ("1-2:3:4", 93_784),
            ("0", 0), ("00:00:10", 10),
        ] as [(String, UInt64)])
    func timesAreReadAsSlurmReadsThem(text: String, seconds: UInt64) { #expect(SlurmText.seconds(text) == seconds) }

    @Test(arguments: ["", "x", "1:", ":1", "1-", "-1", "1:2:3:4", "1-2-3", "99999999999", "1.5", "+5", "1 "])
    func whatIsNoTimeIsRefused(text: String) { #expect(SlurmText.seconds(text) == nil) }

    @Test func limitsAreRoundedUpToMinutes() {
        #expect(SlurmText.timeLimit("0:01") == TimeLimit(minutes: 1))
        #expect(SlurmText.timeLimit("UNLIMITED") == .unlimited)
        #expect(SlurmText.timeLimit("0") == .unlimited)
    }

    @Test(
        arguments: [
            ("100", 100), ("1G", 1024), ("1.5G", nil), ("10K", 1), ("2T", 2_097_152), ("1GB", 1024),
            ("1MiB", 1), ("", nil), ("G", nil), ("1X", nil), ("1GG", nil), ("0", 0),
        ] as [(String, UInt64?)])
    func sizesAreReadAsSlurmReadsThem(text: String, mebibytes: UInt64?) {
        #expect(SlurmText.mebibytes(text) == mebibytes)
    }
}
