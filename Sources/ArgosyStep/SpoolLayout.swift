public import ArgosyDomain

/// Where things are in a node's spool directory. Paths only; nothing here touches a disk.
public struct SpoolLayout: Sendable, Hashable {
    /// SlurmdSpoolDir with `%n` and `%h` filled in.
    public let root: String
    public init(root: String) { self.root = root }

    /// `%n` is the node's name, `%h` its host name.
    public init(pattern: String, node: String, host: String) {
        var text = ""
        var rest = pattern[...]
        while let percent = rest.firstIndex(of: "%") {
            text += rest[..<percent]
            rest = rest[rest.index(after: percent)...]
            switch rest.first {
            case "n": text += node
            case "h": text += host
            default: text += "%" + (rest.first.map(String.init) ?? "")
            }
            rest = rest.dropFirst()
        }
        root = text + rest
    }

    public var run: String { root + "/run" }
    public var stepSocket: String { root + "/stepd.sock" }
    public var bin: String { root + "/bin" }
    public var cache: String { root + "/cache" }
    public var registrationFile: String { root + "/registration" }
    public var termFile: String { root + "/term" }
    public var lockFile: String { root + "/lock" }
    public var bootFile: String { run + "/boot_id" }

    public func job(_ job: JobID, _ attempt: Attempt) -> AttemptPaths {
        AttemptPaths(directory: "\(run)/job_\(job).\(attempt.rawValue)")
    }

    /// The attempt whose directory is called so; nil for other names.
    public static func attempt(named name: String) -> (JobID, Attempt)? {
        guard name.hasPrefix("job_") else { return nil }
        let parts = name.dropFirst(4).split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, let job = UInt32(parts[0]), let attempt = UInt32(parts[1]) else { return nil }
        return (JobID(job), Attempt(attempt))
    }
}

/// `<run>/job_<id>.<attempt>/`: root's, but for what lies in `public`.
public struct AttemptPaths: Sendable, Hashable {
    public let directory: String
    public init(directory: String) { self.directory = directory }

    /// The accepted order, written before anything is done.
    public var prepareOrder: String { directory + "/prepare.pb" }
    public var terminateOrder: String { directory + "/terminate.pb" }
    /// Outcomes, kept until the controller has acknowledged them.
    public var preparedMark: String { directory + "/prepared" }
    public var failure: String { directory + "/failed.pb" }
    public var gone: String { directory + "/gone.pb" }
    public var holder: String { directory + "/holder" }
    /// Bound into containers at `AttemptPaths.containerPublic`.
    public var publicDirectory: String { directory + "/public" }
    public var relayDirectory: String { publicDirectory + "/relay" }
    public var relaySocket: String { relayDirectory + "/sock" }
    public var script: String { publicDirectory + "/slurm_script" }
    public func step(_ step: StepID) -> StepPaths { StepPaths(directory: "\(directory)/step_\(step)") }

    public static let containerPublic = "/run/argosy/job"
    public static let containerBin = "/run/argosy/bin"

    /// The step whose directory is called so; nil for other names.
    public static func step(named name: String) -> StepID? {
        guard name.hasPrefix("step_") else { return nil }
        switch name.dropFirst(5) {
        case "batch": return .batch
        case "extern": return .extern
        case let number: return UInt32(number).map { StepID($0) }
        }
    }
}

/// `<run>/job_<id>.<attempt>/step_<name>/`
public struct StepPaths: Sendable, Hashable {
    public let directory: String
    public init(directory: String) { self.directory = directory }
    /// WireLaunchStep.
    public var order: String { directory + "/order.pb" }
    /// WireStepContext.
    public var context: String { directory + "/context.pb" }
    /// WireStepEnded; kept until acknowledged.
    public var exit: String { directory + "/exit.pb" }
    public var pid: String { directory + "/pid" }
    /// Held (flock) by the step daemon as long as it lives.
    public var lock: String { directory + "/lock" }
    /// Written once tasks run.
    public var started: String { directory + "/started" }
}
