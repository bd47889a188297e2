import ArgosyDomain
import Glibc
import Testing

@testable import ArgosySystem

let hasCgroups: Bool = isRoot && (try? CgroupLayout.discover()) != nil && access("/sys/fs/cgroup", W_OK) == 0

struct CgroupLayoutTests {
    @Test func mixedMachineIsReadFromItsMounts() {
        let layout = CgroupLayout.parse(
            mountinfo: """
                30 1 0:26 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755
                31 30 0:27 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct
                32 30 0:28 / /sys/fs/cgroup/a\\040b rw,relatime - cgroup cgroup rw,memory
                33 30 0:29 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,name=systemd
                34 30 0:30 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
                """)
        #expect(layout.kind == .hybrid)
        #expect(layout.v1.map(\.mountPoint) == ["/sys/fs/cgroup/cpu,cpuacct", "/sys/fs/cgroup/a b"])
        #expect(layout.v2 == "/sys/fs/cgroup/unified")
    }
    @Test func pureV2HasOneMount() {
        let layout = CgroupLayout.parse(mountinfo: "30 1 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw")
        #expect(layout.kind == .v2)
    }
    @Test func cpuListsAreShort() { #expect(Cgroup.list([3, 0, 1, 2, 8, 10, 11]) == "0-3,8,10-11") }
}

@Suite(.enabled(if: hasCgroups, "needs root and a writable cgroup file system"), .serialized)
struct CgroupTests {
    func join(_ cgroup: Cgroup) throws -> (inout ProcessSpec) -> Void {
        let files = try cgroup.joinDescriptors()
        return { $0.cgroup = files }
    }

    @Test func processRunsInItAndItsUseIsCounted() throws {
        try withCgroup { cgroup in
            let leaf = cgroup.child("leaf")
            try leaf.create()
            let result = try run(
                "sh", ["-c", "cat /proc/self/cgroup; i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done"], join(leaf))
            #expect(result.output.contains(leaf.path))
            let usage = leaf.usage()
            #expect(usage.userCPU > 1000 && usage.oomKills == 0)
            #expect(cgroup.usage().userCPU >= usage.userCPU)
            #expect(!leaf.isPopulated())
        }
    }

    @Test func memoryLimitKillsAndTheLeafCountsIt() throws {
        try withCgroup { cgroup in
            let limits = CgroupLimits(memoryBytes: 64 << 20)
            try cgroup.set(limits)
            let leaf = cgroup.child("leaf")
            try leaf.create(limits: limits)
            // Only a child of a shell that goes on.
            let result = try run(
                "sh", ["-c", "sh -c 'x=$(head -c 300000000 /dev/zero | tr \"\\\\0\" a)'; echo on; exit 0"], join(leaf))
            #expect(result.code == 0 && result.output.contains("on"))
            #expect(leaf.usage().oomKills >= 1)
            #expect(cgroup.usage().oomKills >= 1)
            #expect(leaf.usage().peakMemory > 32 << 20)
        }
    }

    @Test func forkBombStaysBelowItsLimitAndIsKilled() throws {
        try withCgroup(CgroupLimits(pids: 40)) { cgroup in
            let leaf = cgroup.child("leaf")
            try leaf.create()
            var spec = ProcessSpec(
                path: "/usr/bin/perl", arguments: ["perl", "-e", "for (1 .. 200) { fork } sleep 100"])
            spec.credentials = somebody
            spec.cgroup = try leaf.joinDescriptors()
            let bomb = try Spawn.start(spec)
            usleep(300_000)
            let busy = leaf.processes().count
            #expect(busy <= 40 && busy >= 1)
            #expect(try cgroup.kill())
            #expect(leaf.processes().isEmpty && !cgroup.isPopulated())
            _ = try bomb.wait()
        }
    }

    @Test func killReachesSessionsOfTheirOwnAndStoppedOnes() throws {
        try withCgroup { cgroup in
            var spec = ProcessSpec(
                path: "/bin/sh",
                arguments: ["sh", "-c", "setsid sleep 100 & setsid sh -c 'kill -STOP $$' & trap '' TERM; sleep 100"])
            spec.environment = ["PATH=/usr/bin:/bin"]
            spec.cgroup = try cgroup.joinDescriptors()
            let process = try Spawn.start(spec)
            for _ in 0..<1500 where cgroup.processes().count < 3 { usleep(20000) }
            #expect(cgroup.processes().count >= 3)
            #expect(try cgroup.kill())
            #expect(try process.wait().signal == UInt32(SIGKILL))
            try cgroup.remove()
            #expect(!cgroup.exists)
        }
    }

    @Test func pureV1KillsWithTheFreezer() throws {
        let all = try CgroupLayout.discover()
        guard all.v1.contains(where: { $0.controllers.contains("freezer") }) else { return }
        let layout = CgroupLayout(v1: all.v1, v2: nil, v2Controllers: [])
        let cgroup = layout.cgroup("argosy/test/v1-\(getpid())")
        try cgroup.create()
        defer { try? cgroup.remove() }
        var spec = ProcessSpec(path: "/bin/sh", arguments: ["sh", "-c", "sleep 100 & sleep 100 & wait"])
        spec.environment = ["PATH=/usr/bin:/bin"]
        spec.cgroup = try cgroup.joinDescriptors()
        let process = try Spawn.start(spec)
        usleep(50000)
        #expect(cgroup.isPopulated())
        #expect(try cgroup.kill())
        #expect(try process.wait().signal == UInt32(SIGKILL))
    }

    @Test func cpusAreThoseOfTheCgroup() throws {
        let cpu = try #require(try Machine.affinity().last)
        try withCgroup(CgroupLimits(cpus: [cpu])) { cgroup in
            let leaf = cgroup.child("leaf")
            try leaf.create()
            let result = try run("grep", ["Cpus_allowed_list", "/proc/self/status"], join(leaf))
            #expect(result.output == "Cpus_allowed_list:\t\(cpu)\n")
        }
    }

    @Test func onlyListedDevicesOpen() throws {
        try withCgroup { cgroup in
            let leaf = cgroup.child("leaf")
            try leaf.create(limits: CgroupLimits(devices: .container))
            let node = "/tmp/argosy-x-\(getpid())-\(UInt32.random(in: 0 ... .max))"
            let script =
                "head -c 1 /dev/zero >/dev/null && echo zero; exec 3</dev/kmsg && echo kmsg; mknod \(node) c 1 3"
            let result = try run("sh", ["-c", script], join(leaf))
            defer { unlink(node) }
            #expect(result.output.contains("zero\n"))
            #expect(!result.output.contains("\nkmsg"))
            #expect(result.output.contains("not permitted"))
            #expect(access(node, F_OK) != 0)
        }
    }
}
