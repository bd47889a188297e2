import ArgosyDomain
import CArgosyShim
import Glibc

/// Starts processes: see `ProcessSpec`.
public enum Spawn {
    /// Starts one; returns when it has exec'ed.
    ///
    /// The calling thread waits in a vfork meanwhile: a working directory on a file system that hangs holds it up.
    /// - Throws: `SystemError` whose stage says which step failed in the child ("join cgroup", "chdir", "exec", ...).
    public static func start(_ spec: ProcessSpec) throws(SystemError) -> ChildProcess {
        let memory = CMemory()
        var plan = makePlan(spec, memory)
        let pid = argosy_spawn(&plan)
        // The plan points into `memory`, and the spec owns descriptors the plan names by number.
        withExtendedLifetime((memory, spec)) {}
        guard pid >= 0 else { throw failure(spec, stage: plan.stage, code: -pid) }
        return ChildProcess(pid: pid, pidfd: Descriptor(adopting: plan.pidfd))
    }

    private static func makePlan(_ spec: ProcessSpec, _ memory: CMemory) -> argosy_spawn_plan {
        var plan = argosy_spawn_plan()
        plan.candidates = memory.strings(candidates(spec))
        plan.searched = spec.path.contains("/") ? 0 : 1
        plan.arguments = memory.strings(spec.arguments)
        plan.environment = memory.strings(spec.environment)
        plan.pid_text = pidText(spec, plan.environment)
        plan.control_terminal = spec.controlsTerminal ? 1 : 0
        plan.memory_mode = spec.memoryPolicy?.mode ?? -1
        plan.memory_nodes = spec.memoryPolicy?.nodes ?? 0
        plan.directory = spec.workingDirectory.map { memory.string($0) }
        plan.stdio = (spec.stdin, spec.stdout, spec.stderr)
        plan.kept_count = spec.keptDescriptors.count
        plan.kept_from = memory.array(spec.keptDescriptors.map(\.from))
        plan.kept_to = memory.array(spec.keptDescriptors.map(\.to))
        plan.cgroup_count = spec.cgroup.count
        plan.cgroup_fds = memory.array(spec.cgroup.map(\.raw))
        plan.umask = spec.umask.map { Int32($0) } ?? -1
        plan.new_session = spec.newSession ? 1 : 0
        plan.holder = spec.holder?.raw ?? -1
        plan.new_namespaces = spec.newNamespaces.rawValue
        plan.death_signal = spec.parentDeathSignal
        setRights(&plan, spec, memory)
        setBounds(&plan, spec, memory)
        return plan
    }

    private static func pidText(
        _ spec: ProcessSpec, _ entries: UnsafePointer<UnsafePointer<CChar>?>?
    ) -> UnsafeMutablePointer<CChar>? {
        let prefix = spec.pidVariable + "="
        guard !spec.pidVariable.isEmpty, let place = spec.environment.firstIndex(where: { $0.hasPrefix(prefix) }),
            spec.environment[place].utf8.count >= prefix.utf8.count + 10, let entry = entries?[place]
        else { return nil }
        return UnsafeMutablePointer(mutating: entry).advanced(by: prefix.utf8.count)
    }

    private static func setRights(_ plan: inout argosy_spawn_plan, _ spec: ProcessSpec, _ memory: CMemory) {
        if let credentials = spec.credentials {
            plan.set_ids = 1
            plan.uid = credentials.uid
            plan.gid = credentials.gid
            plan.group_count = credentials.groups.count
            plan.groups = memory.array(credentials.groups)
        }
        plan.drop_capabilities = spec.dropAllCapabilities ? 1 : 0
        plan.no_new_privileges = spec.noNewPrivileges ? 1 : 0
        if let filter = spec.seccomp {
            plan.filter_count = filter.count / 8
            plan.filter = UnsafeRawPointer(memory.array(filter))
        }
    }

    private static func setBounds(_ plan: inout argosy_spawn_plan, _ spec: ProcessSpec, _ memory: CMemory) {
        if !spec.affinity.isEmpty {
            let words = CPUSet(spec.affinity).words
            plan.affinity_size = words.count * 8
            plan.affinity = UnsafeRawPointer(memory.array(words))
        }
        plan.limit_count = spec.limits.count
        plan.limits = memory.array(
            spec.limits.map { argosy_limit(resource: Int32($0.resource), soft: $0.soft, hard: $0.hard) })
        plan.reset_oom_score = protectedFromOOM ? 1 : 0
    }

    /// Our own protection from the out-of-memory killer must not pass to jobs.
    private static let protectedFromOOM =
        (try? Files.read("/proc/self/oom_score_adj", max: 32)).map { $0.first == UInt8(ascii: "-") } ?? false

    /// Where execvp(3) would look.
    private static func candidates(_ spec: ProcessSpec) -> [String] {
        if spec.path.contains("/") { return [spec.path] }
        if spec.path.isEmpty { return [] }
        let search = spec.environment.first { $0.hasPrefix("PATH=") }?.dropFirst(5) ?? "/usr/local/bin:/usr/bin:/bin"
        return search.split(separator: ":", omittingEmptySubsequences: false)
            .map { $0.isEmpty ? "./\(spec.path)" : "\($0)/\(spec.path)" }
    }

    private static func failure(_ spec: ProcessSpec, stage: Int32, code: Int32) -> SystemError {
        let subject: String =
            switch UInt32(bitPattern: stage) {
            case ARGOSY_STAGE_EXEC.rawValue: spec.path
            case ARGOSY_STAGE_CHDIR.rawValue: spec.workingDirectory ?? ""
            default: ""
            }
        return SystemError(stageName(stage), subject, code: code)
    }

    static func stageName(_ stage: Int32) -> String {
        switch argosy_stage(rawValue: UInt32(bitPattern: stage)) {
        case ARGOSY_STAGE_PID_NAMESPACE: "enter pid namespace"
        case ARGOSY_STAGE_SESSION: "new session"
        case ARGOSY_STAGE_CGROUP: "join cgroup"
        case ARGOSY_STAGE_NAMESPACES: "enter namespaces"
        case ARGOSY_STAGE_DESCRIPTORS: "arrange descriptors"
        case ARGOSY_STAGE_AFFINITY: "set affinity"
        case ARGOSY_STAGE_LIMITS: "set limits"
        case ARGOSY_STAGE_CAPABILITIES: "drop capabilities"
        case ARGOSY_STAGE_GROUPS: "set groups"
        case ARGOSY_STAGE_IDS: "set user"
        case ARGOSY_STAGE_DEATH_SIGNAL: "set parent death signal"
        case ARGOSY_STAGE_CHDIR: "chdir"
        case ARGOSY_STAGE_NO_NEW_PRIVILEGES: "set no_new_privs"
        case ARGOSY_STAGE_SECCOMP: "install seccomp filter"
        case ARGOSY_STAGE_EXEC: "exec"
        case ARGOSY_STAGE_OPEN, ARGOSY_STAGE_TIMEOUT: "open"
        default: "clone"
        }
    }
}
