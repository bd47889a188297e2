// argosy dev down: ends everything of a cluster, in whatever state it is, and can be repeated. Daemons first, so that
// nothing new starts; then every process of its jobs by their cgroups; then mounts, interfaces and namespaces.

import ArgosySystem
import Glibc

struct DevDown {
    let cluster: DevCluster
    let clean: Bool
    private let progress = DevProgress()

    init(cluster: DevCluster, clean: Bool) {
        self.cluster = cluster
        self.clean = clean
    }

    func run() throws(DevError) -> Int32 {
        let known = access(cluster.marker, F_OK) == 0
        var left: [String] = []
        let daemons = cluster.startedDaemons().map { DevDaemon(cluster: cluster, name: $0) }
        stop(daemons.filter { $0.name != "munged" }, &left)
        endJobs(&left)
        stop(daemons.filter { $0.name == "munged" }, &left)
        unmount(&left)
        progress.doing("removing the network")
        left += DevNetworkBuilder(cluster: cluster, progress: progress).remove()
        unlink(cluster.socket)
        unlink(cluster.socketDirectory + "/argosyctld.sock")
        if clean, known, left.isEmpty { removeDirectory(&left) }
        return report(known, left)
    }

    private func stop(_ daemons: [DevDaemon], _ left: inout [String]) {
        // All at once, and then each in turn: the sum of their patience would be long.
        for daemon in daemons {
            if let pid = daemon.pid { kill(pid, SIGTERM) }
        }
        for daemon in daemons {
            progress.doing("stopping \(daemon.name)")
            if !daemon.stop(patience: .seconds(5)) {
                left.append("\(daemon.name) (pid \(daemon.pid ?? 0)) does not end")
            }
        }
    }

    /// As its configuration calls it, which may be a file of the user's own.
    private var clusterName: String { (try? DevController(cluster))?.configuration.clusterName ?? cluster.name }

    private func endJobs(_ left: inout [String]) {
        progress.doing("ending jobs")
        do throws(SystemError) {
            let layout = try CgroupLayout.discover()
            let group = layout.cgroup("argosy/" + clusterName)
            if try !group.kill() { left.append("processes of jobs do not end: \(group.processes())") }
            try group.remove()
            // The other clusters' are in there too; it goes with the last one.
            for mountPoint in layout.v1.map(\.mountPoint) + [layout.v2].compactMap({ $0 }) {
                rmdir(mountPoint + "/argosy")
            }
        } catch { left.append("cgroups of jobs: \(error)") }
    }

    /// Whatever is mounted below the directory, the last mounted first.
    private func unmount(_ left: inout [String]) {
        for path in mounts().reversed() where umount2(path, 0) != 0 && umount2(path, Int32(MNT_DETACH)) != 0 {
            left.append("\(path) is still mounted: \(SystemError("umount", code: errno).reason)")
        }
    }

    private func mounts() -> [String] {
        let table = (try? Files.readText("/proc/self/mountinfo", max: 16 << 20)) ?? ""
        return table.split(separator: "\n").compactMap { line in
            let fields = line.split(separator: " ")
            guard fields.count > 4, fields[4].hasPrefix(cluster.directory + "/") else { return nil }
            return String(fields[4])
        }
    }

    private func removeDirectory(_ left: inout [String]) {
        guard mounts().isEmpty else { return }
        progress.doing("removing \(cluster.directory)")
        do throws(SystemError) { try Files.removeTree(cluster.directory) } catch { left.append("\(error)") }
    }

    private func report(_ known: Bool, _ left: [String]) -> Int32 {
        progress.clear()
        guard left.isEmpty else {
            for complaint in left { Console.error("argosy dev", complaint) }
            return 1
        }
        if !known {
            progress.done("nothing to end: there is no cluster in \(cluster.directory)")
        } else if clean {
            progress.done("cluster \(cluster.name) is gone, \(cluster.directory) too")
        } else {
            progress.done("cluster \(cluster.name) is down; its state and logs stay in \(cluster.directory)")
        }
        return 0
    }
}
