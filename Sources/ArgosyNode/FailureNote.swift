internal import ArgosyDomain
internal import ArgosyStep
internal import ArgosySystem
internal import ArgosyWire
internal import Glibc

/// Tells a batch job's owner, in the job's own output file, why it could not start.
struct FailureNote {
    let order: WirePrepare
    let context: NodeContext
    let id: AttemptID

    /// Written as the user, by each node that fails; where that is not possible, not at all: the controller keeps the
    /// text too.
    func append(_ message: String) {
        write("argosyd: error: job \(id.job) could not start on \(context.node): \(message)")
    }

    /// One line, to the standard error of the batch script.
    func write(_ text: String) {
        let spec = order.spec
        guard !spec.scriptDigest.isEmpty else { return }
        let isArray = order.arrayJob != 0
        let pattern = !spec.stderrPath.isEmpty ? spec.stderrPath : spec.stdoutPath
        let values = FileNamePattern.Values(
            job: id.job.rawValue, array: isArray ? (order.arrayJob, order.arrayTask) : nil, node: context.node,
            user: spec.identity.user, jobName: spec.name)
        let path = (pattern.isEmpty ? .batchDefault(isArrayTask: isArray) : FileNamePattern(pattern))
            .path(values, in: spec.workDir)
        let credentials = Credentials(spec.identity.domain)
        let umask = spec.umask
        let line = Array((text + "\n").utf8)
        detachThread {
            guard
                let file = try? Files.openAs(
                    credentials, path, flags: O_WRONLY | O_CREAT | O_APPEND, mode: 0o666, umask: umask)
            else { return }
            _ = Glibc.write(file.raw, line, line.count)
        }
    }
}
