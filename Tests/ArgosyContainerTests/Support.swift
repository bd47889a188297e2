import ArgosyDomain
import ArgosySystem
import Glibc

@testable import ArgosyContainer

let somebody = Identity(
    uid: 64123, gid: 64123, groups: [64999], user: "somebody", group: "somebody", home: "/home/somebody")

/// Stands in for argosystepd; built beside the tests.
let probe: String = {
    let own = (try? Machine.executablePath()) ?? ""
    return String(own[..<(own.lastIndex(of: "/") ?? own.startIndex)]) + "/argosy-container-probe"
}()

/// Nil, or why containers cannot be tried here.
let missing: String? = {
    if geteuid() != 0 { return "needs root" }
    if access("/usr/bin/busybox", X_OK) != 0 { return "needs busybox-static" }
    if access("/usr/bin/tar2sqfs", X_OK) != 0 { return "needs squashfs-tools-ng" }
    if access("/dev/loop-control", F_OK) != 0 { return "needs loop devices" }
    if access(probe, X_OK) != 0 { return "needs \(probe)" }
    return nil
}()

/// Runs a program on the host and gives its output.
@discardableResult
func shell(_ script: String) throws -> String {
    let (ours, theirs) = try UnixSocket.pair(sequenced: false)
    var spec = ProcessSpec(
        path: "/bin/sh", arguments: ["sh", "-ec", script], environment: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"])
    spec.stdout = theirs.raw
    spec.stderr = theirs.raw
    let process = try Spawn.start(spec)
    theirs.close()
    let output = String(decoding: try Files.read(ours, max: 1 << 22), as: UTF8.self)
    let status = try process.wait()
    if !status.isSuccess { throw HolderFailure("\(script): \(status.text): \(output)", userFault: false) }
    return output
}

/// A directory of its own under /tmp, 0755, removed afterwards.
func withDirectory<Result>(_ body: (String) throws -> Result) throws -> Result {
    let path = "/tmp/argosy-ctest-\(getpid())-\(UInt32.random(in: 0 ... .max))"
    try Files.makeDirectories(path)
    defer { try? Files.removeTree(path) }
    return try body(path)
}

/// Waits until no loop device has a file below `path`: the kernel frees them a little after their last user.
func loopDevicesGo(_ path: String) throws -> Bool {
    for _ in 0..<200 {
        if try !shell("losetup -a || true").contains(path) { return true }
        usleep(50000)
    }
    return false
}

/// A root file system with nothing but a static busybox, some traps, and a device node.
func makeTree(_ path: String) throws {
    try shell(
        """
        mkdir -p \(path)/bin \(path)/etc \(path)/opt \(path)/usr/bin
        cp /usr/bin/busybox \(path)/bin/busybox
        for n in sh cat id ls head grep mount mkdir touch sleep readlink hostname stat wc echo df env true mknod su; do
          ln -s busybox \(path)/bin/$n; done
        mkdir \(path)/opt/suid; cp /usr/bin/busybox \(path)/opt/suid/ && chmod 4755 \(path)/opt/suid/busybox
        mknod \(path)/opt/kmsg c 1 11 && chmod 666 \(path)/opt/kmsg
        echo 'root:x:0:0:root:/root:/bin/sh' > \(path)/etc/passwd
        ln -s ../../../../../../etc \(path)/escape
        ln -s /etc/hosts \(path)/hostfile
        """)
}

/// squashfs of a tree.
func makeSquashfs(_ tree: String, _ file: String) throws {
    try shell("tar -C \(tree) -c . | tar2sqfs -q -c gzip \(file) && chmod 0444 \(file)")
}

struct Ran {
    var output: String
    var code: UInt32
    var signal: UInt32
}

extension Holder {
    /// Runs a shell script inside, as a task would be.
    func run(_ script: String, as identity: Identity = somebody, cgroup: [Descriptor] = []) throws -> Ran {
        let (ours, theirs) = try UnixSocket.pair(sequenced: false)
        var spec = ProcessSpec(path: "sh", arguments: ["sh", "-c", script], environment: ["PATH=/usr/bin:/bin"])
        spec.stdout = theirs.raw
        spec.stderr = theirs.raw
        spec.holder = process.pidfd
        spec.cgroup = cgroup
        spec.credentials = Credentials(identity)
        spec.dropAllCapabilities = true
        spec.noNewPrivileges = true
        spec.seccomp = try Seccomp.containerProgram()
        spec.workingDirectory = "/"
        let child = try Spawn.start(spec)
        theirs.close()
        let output = String(decoding: try Files.read(ours, max: 1 << 22), as: UTF8.self)
        let status = try child.wait()
        return Ran(output: output, code: status.code, signal: status.signal)
    }
}
