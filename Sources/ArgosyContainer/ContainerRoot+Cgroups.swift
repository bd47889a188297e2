import ArgosySystem
import Glibc

extension ContainerRoot {
    /// Enters the job's cgroup and shows the tree below it, read-only.
    ///
    /// The cgroup namespace's root shall be the job's cgroup, so that paths in /proc/PID/cgroup fit what is mounted. On v2
    /// the job itself can be joined only as long as it hands no controllers down, which it does from its first step on.
    /// Where it already does, the root is our `system` leaf: tasks read "/../step_0", and still nothing of the host.
    func joinCgroups() throws(HolderFailure) {
        let plan = plan
        guard access("/sys/fs/cgroup", F_OK) == 0 else { return }
        try explained("container's cgroup") { () throws(SystemError) in
            if !plan.jobCgroup.isEmpty {
                let joined = Self.join(plan.jobCgroup)
                if joined { try ThisProcess.newCgroupNamespace() }
                guard Self.join(plan.systemCgroup) else { throw SystemError("join cgroup", "system", code: errno) }
                if !joined { try ThisProcess.newCgroupNamespace() }
            }
            for file in plan.jobCgroup + plan.systemCgroup { close(file) }
            try mountCgroups()
        }
    }

    /// All or none is not possible; a failure on v2 comes last.
    private static func join(_ files: [Int32]) -> Bool { files.allSatisfy { write($0, "0", 1) == 1 } }

    private func mountCgroups() throws(SystemError) {
        let safe: Mounts.Flags = [.readOnly, .noSetuid, .noDevices, .noExecute]
        if plan.cgroupsV1.isEmpty {
            if !plan.cgroupV2.isEmpty { try Mounts.mount("cgroup2", on: "/sys/fs/cgroup", flags: safe) }
            return
        }
        try Mounts.mount(
            "tmpfs", on: "/sys/fs/cgroup", flags: [.noSetuid, .noDevices, .noExecute], options: "mode=0755,size=64k")
        for (mountPoint, controllers) in plan.cgroupsV1 {
            let name = mountPoint.split(separator: "/").last.map(String.init) ?? controllers
            try Files.makeDirectories("/sys/fs/cgroup/" + name)
            try Mounts.mount("cgroup", on: "/sys/fs/cgroup/" + name, flags: safe, options: controllers)
        }
        if let name = plan.cgroupV2.split(separator: "/").last {
            try Files.makeDirectories("/sys/fs/cgroup/" + name)
            try Mounts.mount("cgroup2", on: "/sys/fs/cgroup/" + name, flags: safe)
        }
        try Mounts.restrict("/sys/fs/cgroup", [.readOnly])
    }
}
