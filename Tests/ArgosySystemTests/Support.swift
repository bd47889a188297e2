import ArgosySystem
import Glibc

let isRoot = geteuid() == 0
/// An ordinary user that exists nowhere.
let somebody = Credentials(uid: 64123, gid: 64123, groups: [64123])

/// Output and exit code of a program started through `Spawn`.
func run(_ program: String, _ arguments: [String], _ change: (inout ProcessSpec) -> Void = { _ in }) throws -> (
    output: String, code: UInt32, signal: UInt32
) {
    let (ours, theirs) = try UnixSocket.pair(sequenced: false)
    var spec = ProcessSpec(path: program, arguments: [program] + arguments, environment: ["PATH=/usr/bin:/bin"])
    spec.stdout = theirs.raw
    spec.stderr = theirs.raw
    change(&spec)
    let process = try Spawn.start(spec)
    theirs.close()
    let output = try Files.read(ours, max: 1 << 20)
    let status = try process.wait()
    return (String(decoding: output, as: UTF8.self), status.code, status.signal)
}

/// A directory of its own, world-searchable, removed afterwards.
func withDirectory<Result>(_ body: (String) throws -> Result) throws -> Result {
    let path = "/tmp/argosy-test-\(getpid())-\(UInt32.random(in: 0 ... .max))"
    try Files.makeDirectories(path, mode: 0o755)
    defer { try? Files.removeTree(path) }
    return try body(path)
}

/// A cgroup of its own, killed and removed afterwards.
func withCgroup<Result>(_ limits: CgroupLimits = CgroupLimits(), _ body: (Cgroup) throws -> Result) throws -> Result {
    let cgroup = try CgroupLayout.discover().cgroup("argosy/test/\(getpid())-\(UInt32.random(in: 0 ... .max))")
    try cgroup.create(limits: limits)
    defer {
        _ = try? cgroup.kill()
        try? cgroup.remove()
    }
    return try body(cgroup)
}
