import ArgosyDomain
import ArgosySystem
import Glibc

/// The steps that make a container's root, in the order they are written.
struct ContainerRoot {
    let plan: HolderPlan
    /// The container's "/", once entered.
    var root = Descriptor(adopting: -1)
    /// Device numbers of the file systems that are the container's own: missing mount targets are made on these alone.
    private(set) var ownDevices: Set<dev_t> = []

    /// Layers and overlay on a private tmpfs: `0`, `1`, ... (lowest first), `upper`, `work`, `root`.
    mutating func assemble() throws(HolderFailure) {
        let plan = plan
        try explained("prepare container root") { () throws(SystemError) in
            try Mounts.makeAllPrivate()
            let size = plan.writable ? Self.size(plan.rootBytes) : ",size=16m"
            try Mounts.mount(
                "tmpfs", on: plan.staging, source: "argosy", flags: [.noSetuid, .noDevices], options: "mode=0755\(size)"
            )
            guard chdir(plan.staging) == 0 else { throw SystemError("chdir", plan.staging, code: errno) }
            for name in ["upper", "work", "root"] { try Files.makeDirectories(name) }
        }
        try mountLayers()
        let count = plan.tree >= 0 ? 1 : plan.layers.count
        let lower = (0..<count).reversed().map(String.init).joined(separator: ":")
        try explained("stack image layers") { () throws(SystemError) in
            try Mounts.mount(
                "overlay", on: "root", flags: [.noSetuid, .noDevices],
                options: "lowerdir=\(lower),upperdir=upper,workdir=work")
        }
    }

    private func mountLayers() throws(HolderFailure) {
        let plan = plan
        for (index, layer) in plan.layers.enumerated() {
            try explained("mount image layer \(index)") { () throws(SystemError) in
                try Files.makeDirectories("\(index)")
                let (device, descriptor) = try Mounts.attachLoop(Descriptor(adopting: layer))
                try Mounts.mount(
                    "squashfs", on: "\(index)", source: device, flags: [.readOnly, .noSetuid, .noDevices])
                descriptor.close()
            }
        }
        guard plan.tree >= 0 else { return }
        try explained("mount image directory", userFault: true) { () throws(SystemError) in
            try Files.makeDirectories("0")
            try Mounts.move(plan.tree, onto: try Files.open("0", flags: Files.pathOnly), name: "0")
            close(plan.tree)
        }
    }

    mutating func enter() throws(HolderFailure) {
        root = try explained("enter container root") { () throws(SystemError) in
            guard chdir("root") == 0 else { throw SystemError("chdir", "root", code: errno) }
            try Mounts.pivotIntoWorkingDirectory()
            return try Files.open("/", flags: Files.pathOnly | O_DIRECTORY)
        }
        try own("/")
    }

    /// Before anything of the user's is mounted, so that `path` is what we have just mounted there.
    private mutating func own(_ path: String) throws(HolderFailure) {
        var status = stat()
        try explained("container's \(path)") { () throws(SystemError) in
            guard stat(path, &status) == 0 else { throw SystemError("stat", path, code: errno) }
        }
        ownDevices.insert(status.st_dev)
    }

    mutating func mountKernelFileSystems() throws(HolderFailure) {
        for name in ["proc", "sys", "dev", "tmp"] { _ = try place("/" + name, directory: true) }
        let plan = plan
        try explained("mount") { () throws(SystemError) in
            try Mounts.mount("proc", on: "/proc", flags: [.noSetuid, .noDevices, .noExecute])
            try Mounts.mount("sysfs", on: "/sys", flags: [.readOnly, .noSetuid, .noDevices, .noExecute])
            try Mounts.mount(
                "tmpfs", on: "/tmp", flags: [.noSetuid, .noDevices], options: "mode=1777\(Self.size(plan.tmpBytes))")
            try mountDevices()
            try protectProc()
        }
        for path in ["/tmp", "/dev/shm"] { try own(path) }
    }

    private func mountDevices() throws(SystemError) {
        try Mounts.mount("tmpfs", on: "/dev", flags: [.noSetuid, .noExecute], options: "mode=0755,size=1m")
        let devices: [(String, UInt32, UInt32)] = [
            ("null", 1, 3), ("zero", 1, 5), ("full", 1, 7), ("random", 1, 8), ("urandom", 1, 9), ("tty", 5, 0),
        ]
        for (name, major, minor) in devices {
            try Mounts.makeCharacterDevice("/dev/" + name, major: major, minor: minor)
        }
        for text in plan.devices {
            let words = text.split(separator: " ").map(String.init)
            guard words.count == 3, let major = UInt32(words[1]), let minor = UInt32(words[2]),
                let slash = words[0].lastIndex(of: "/"), access(words[0], F_OK) != 0
            else { continue }
            try Files.makeDirectories(String(words[0][..<slash]))
            try Mounts.makeCharacterDevice(words[0], major: major, minor: minor)
        }
        for (name, target) in [
            ("fd", "/proc/self/fd"), ("stdin", "/proc/self/fd/0"), ("stdout", "/proc/self/fd/1"),
            ("stderr", "/proc/self/fd/2"), ("ptmx", "pts/ptmx"),
        ] {
            guard symlink(target, "/dev/" + name) == 0 else {
                throw SystemError("symlink", "/dev/" + name, code: errno)
            }
        }
        for name in ["pts", "shm", "mqueue"] { try Files.makeDirectories("/dev/" + name) }
        let safe: Mounts.Flags = [.noSetuid, .noExecute]
        try Mounts.mount("devpts", on: "/dev/pts", flags: safe, options: "newinstance,ptmxmode=0666,mode=0620")
        try Mounts.mount("mqueue", on: "/dev/mqueue", flags: [.noSetuid, .noExecute, .noDevices])
        try Mounts.mount(
            "tmpfs", on: "/dev/shm", source: "shm", flags: [.noSetuid, .noDevices],
            options: "mode=1777\(Self.size(plan.shmBytes))")
    }

    /// Settings of the host read-only, its secrets away. The user could not write most of it anyway.
    private func protectProc() throws(SystemError) {
        for name in ["sys", "sysrq-trigger", "irq", "bus", "fs"] {
            let path = "/proc/" + name
            guard access(path, F_OK) == 0 else { continue }
            let place = try Files.open(path, flags: Files.pathOnly)
            let copy = try Mounts.clone(
                place, recursive: false, attributes: [.readOnly, .noSetuid, .noDevices, .noExecute], name: path)
            try Mounts.move(copy.raw, onto: place, name: path)
        }
        let null = try Files.open("/dev/null", flags: Files.pathOnly)
        for name in ["kcore", "keys", "timer_list", "sched_debug", "latency_stats"] {
            let path = "/proc/" + name
            guard access(path, F_OK) == 0 else { continue }
            let copy = try Mounts.clone(null, recursive: false, attributes: [.readOnly], name: path)
            try Mounts.move(copy.raw, onto: try Files.open(path, flags: Files.pathOnly), name: path)
        }
        for name in ["acpi", "scsi"] where access("/proc/" + name, F_OK) == 0 {
            try Mounts.mount("tmpfs", on: "/proc/" + name, flags: [.readOnly, .noExecute], options: "size=0")
        }
    }

    func mount(_ mount: HolderPlan.Mount) throws(HolderFailure) {
        let target = try place(mount.target, directory: mount.isDirectory, userFault: mount.isUsers)
        try explained("mount", userFault: mount.isUsers) { () throws(SystemError) in
            try Mounts.move(mount.descriptor, onto: target, name: mount.target)
        }
        close(mount.descriptor)
    }

    /// The file or directory at `path` inside, made with those above it if it is missing. Only the container's own file
    /// systems are written to: what users mounted is theirs.
    func place(_ path: String, directory: Bool, userFault: Bool = false) throws(HolderFailure) -> Descriptor {
        let parts = path.split(separator: "/")
        var prefix = ""
        var parent = root
        for (index, part) in parts.enumerated() {
            prefix += "/" + part
            let wantsDirectory = directory || index + 1 < parts.count
            do {
                parent = try Mounts.open(prefix, in: root, flags: Files.pathOnly)
            } catch {
                guard error.code == ENOENT else {
                    throw HolderFailure("mount target \(path): \(error)", userFault: userFault)
                }
                parent = try make(String(part), in: parent, directory: wantsDirectory, path, userFault)
            }
        }
        var status = stat()
        fstat(parent.raw, &status)
        guard (status.st_mode & S_IFMT == S_IFDIR) == directory else {
            let (found, wanted) = directory ? ("file", "directory") : ("directory", "file")
            throw HolderFailure(
                "mount target \(path) is a \(found) in the container, but the source is a \(wanted)",
                userFault: userFault)
        }
        return parent
    }

    private func make(
        _ name: String, in parent: Descriptor, directory: Bool, _ path: String, _ userFault: Bool
    ) throws(HolderFailure) -> Descriptor {
        var here = stat()
        guard fstat(parent.raw, &here) == 0, ownDevices.contains(here.st_dev) else {
            throw HolderFailure(
                "mount target \(path) does not exist, and lies in another mount, where it is yours to make",
                userFault: true)
        }
        return try explained("make mount target \(path)", userFault: userFault) { () throws(SystemError) in
            if directory {
                guard mkdirat(parent.raw, name, 0o755) == 0 else { throw SystemError("mkdir", name, code: errno) }
                // What leads to a user's mount is the user's: /tmp/x/home must not close /tmp/x to its job.
                let owner = plan.identity
                if userFault { fchownat(parent.raw, name, owner.uid, owner.gid, AT_SYMLINK_NOFOLLOW) }
            } else {
                let file = openat(parent.raw, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
                guard file >= 0 else { throw SystemError("create", name, code: errno) }
                close(file)
            }
            return try Mounts.open(name, in: parent, flags: Files.pathOnly | O_NOFOLLOW)
        }
    }

    func finish() throws(HolderFailure) {
        let plan = plan
        try explained("finish container") { () throws(SystemError) in
            try ThisProcess.setHostName(plan.hostName)
            if !plan.writable { try Mounts.restrict("/", [.readOnly]) }
            root.close()
            guard chdir("/") == 0 else { throw SystemError("chdir", "/", code: errno) }
            // From here on the daemon may go.
            try ThisProcess.setParentDeathSignal(0)
        }
    }

    private static func size(_ bytes: UInt64) -> String { bytes == 0 ? "" : ",size=\(bytes)" }
}
