/// The system call filter of containers.
public enum Seccomp {
    /// Compiled once per process: for `ProcessSpec.seccomp`.
    public static func containerProgram() throws(HolderFailure) -> [UInt8] { throw HolderFailure("", userFault: false) }
}
