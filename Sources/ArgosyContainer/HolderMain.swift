import ArgosyDomain
import ArgosySystem
import Glibc

// The other end of `Holder.start`: builds the root and becomes the container's pid 1. It runs in a process of its own,
// single-threaded and freshly exec'ed, so that this can be Swift. It trusts its plan (the daemon wrote it) and nothing in
// the image: once pivoted, the container's root is the only one there is, so no link can lead out of it.

/// The mode `argosystepd holder FD`.
public enum HolderMain {
    /// Never returns normally. Failures are told to `Holder.start`.
    public static func run(planFD: Int32) -> Never {
        let ready = HolderSources.Number.ready.rawValue
        // Pid 1 loses a SIGTERM that is neither blocked nor handled: one may come as soon as we are ready.
        _ = try? SignalDescriptor([SIGTERM])
        do throws(HolderFailure) {
            let bytes = try explained("read plan") { () throws(SystemError) in
                try Files.read(Descriptor(adopting: planFD), max: 16 << 20)
            }
            guard let plan = HolderPlan(bytes) else {
                throw HolderFailure(
                    "this mode is started by argosyd only: no plan on descriptor \(planFD)", userFault: false)
            }
            try build(plan)
        } catch {
            let message = (error.isUserFault ? "u" : "n") + error.description
            _ = try? UnixSocket.send(ready, Array(message.utf8.prefix(4096)))
            exit(1)
        }
        _ = try? UnixSocket.send(ready, Array("+".utf8))
        close(ready)
        ThisProcess.becomeInit()
    }

    private static func build(_ plan: HolderPlan) throws(HolderFailure) {
        var root = ContainerRoot(plan: plan)
        try root.assemble()
        try root.enter()
        try root.mountKernelFileSystems()
        try root.writeIdentityFiles()
        for mount in plan.mounts { try root.mount(mount) }
        try root.joinCgroups()
        try root.finish()
    }
}
