import ArgosyDomain
import ArgosySystem
import Glibc
import Testing

@testable import ArgosyContainer

/// Prints what starting costs; asks for nothing but sanity, because machines differ.
@Suite(
    .enabled(
        if: missing == nil && getenv("ARGOSY_COSTS") != nil, "set ARGOSY_COSTS=1 to measure (\(missing ?? "as root"))"),
    .serialized)
struct CostTests {
    func measure(_ what: String, _ times: Int = 50, _ body: () throws -> Void) rethrows {
        var costs: [Duration] = []
        for _ in 0..<times {
            let start = BootClock.now
            try body()
            costs.append(BootClock.now - start)
        }
        costs.sort()
        print("\(what): min \(costs[0].microseconds) us, median \(costs[times / 2].microseconds) us")
    }

    @Test func startingCosts() throws {
        try measure("spawn and reap /bin/true as a user") {
            var spec = ProcessSpec(path: "/bin/true", arguments: ["true"])
            spec.credentials = Credentials(somebody)
            spec.dropAllCapabilities = true
            spec.noNewPrivileges = true
            _ = try Spawn.start(spec).wait()
        }
        try measure("open a file as a user") {
            _ = try Files.openAs(Credentials(somebody), "/etc/passwd", flags: O_RDONLY)
        }
        let cgroup = try CgroupLayout.discover().cgroup("argosy/test/cost-\(getpid())")
        try measure("make and remove a limited cgroup") {
            try cgroup.create(limits: CgroupLimits(cpus: [0], memoryBytes: 64 << 20, pids: 100, devices: .container))
            try cgroup.remove()
        }
        try withDirectory { path throws in
            try makeTree(path + "/tree")
            try makeSquashfs(path + "/tree", path + "/image.sqfs")
            let spec = HolderSpec(
                image: LayerStack(source: .squashfs([path + "/image.sqfs"])), identity: somebody, hostName: "n",
                stagingDirectory: path + "/staging", helper: [probe, "holder"])
            try measure("holder start") { _ = try Holder.start(spec).stop() }
            let holder = try Holder.start(spec)
            defer { _ = holder.stop() }
            let filter = try Seccomp.containerProgram()
            try cgroup.create()
            defer { try? cgroup.remove() }
            let join = try cgroup.joinDescriptors()
            for (name, files) in [("task in a holder", []), ("task in a holder and a cgroup", join)] {
                try measure(name) {
                    var task = ProcessSpec(path: "/bin/true", arguments: ["true"])
                    task.holder = holder.process.pidfd
                    task.credentials = Credentials(somebody)
                    task.dropAllCapabilities = true
                    task.noNewPrivileges = true
                    task.seccomp = filter
                    task.cgroup = files
                    _ = try Spawn.start(task).wait()
                }
            }
        }
    }
}
