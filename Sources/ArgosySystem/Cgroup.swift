public import ArgosyDomain

/// One cgroup: the directory of the same path in every hierarchy of the layout.
///
/// Processes belong in leaves only (v2's rule), so a cgroup that gets children must not be joined.
public struct Cgroup: Hashable, Sendable {
    public let layout: CgroupLayout
    public let path: String

    init(layout: CgroupLayout, path: String) {
        self.layout = layout
        self.path = path
    }

    public func child(_ name: String) -> Cgroup { Cgroup(layout: layout, path: path + "/" + name) }

    /// Makes it, its parents too, and sets limits. It may exist already.
    public func create(limits: CgroupLimits = CgroupLimits()) throws(SystemError) {
        throw SystemError("mkdir", code: 38)
    }

    /// Changes limits (devices: narrows only).
    public func set(_ limits: CgroupLimits) throws(SystemError) { throw SystemError("write", code: 38) }

    public var exists: Bool { false }

    /// Its cgroup.procs files, open for writing, for `ProcessSpec.cgroup`.
    public func joinDescriptors() throws(SystemError) -> [Descriptor] { throw SystemError("open", code: 38) }

    /// Numbers (in our pid namespace) of the processes in it and in its descendants.
    public func processes() -> [Int32] { [] }

    /// A live process is in it or below it.
    public func isPopulated() -> Bool { false }

    /// Sends a signal to every process in it and below it. A process that forks meanwhile may be missed: not for killing.
    public func signal(_ number: Int32) {}

    /// Kills everything in it and below it, and returns when it is empty: true; false when it was not within `timeout`
    /// (processes in uninterruptible sleep).
    public func kill(timeout: Duration = .seconds(10)) throws(SystemError) -> Bool { false }

    /// CPU time and peak memory of it with its descendants; out-of-memory kills of processes that were in it or below
    /// it. Read it before `remove`.
    public func usage() -> Usage { Usage() }

    /// Removes it and its descendants, deepest first. Throws EBUSY when a process is left after `timeout`. Missing is fine.
    public func remove(timeout: Duration = .seconds(2)) throws(SystemError) { throw SystemError("rmdir", code: 38) }

    /// Names of its child cgroups.
    public func children() -> [String] { [] }
}
