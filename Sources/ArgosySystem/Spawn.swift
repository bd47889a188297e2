/// Starts processes: see `ProcessSpec`.
public enum Spawn {
    /// Starts one; returns when it has exec'ed.
    ///
    /// The calling thread waits in a vfork meanwhile: a working directory on a file system that hangs holds it up.
    /// - Throws: `SystemError` whose stage says which step failed in the child ("join cgroup", "chdir", "exec", ...).
    public static func start(_ spec: ProcessSpec) throws(SystemError) -> ChildProcess {
        throw SystemError("clone", code: 38)
    }
}
