import ArgosySystem
import CSeccomp
import Glibc

/// The system call filter of containers.
///
/// Everything is allowed but what widens the kernel's surface or reaches outside the container: a task has no capabilities
/// and cannot gain any, so most of this would be refused anyway; the filter also closes code that has been the way out
/// before (user namespaces, keyrings, bpf, io_uring, new mount calls). Refused calls answer EPERM, new ones ENOSYS, so that
/// C libraries fall back to older ones.
public enum Seccomp {
    private static let refused = [
        "acct", "add_key", "bpf", "clock_adjtime", "clock_settime", "delete_module", "fanotify_init", "finit_module",
        "fsconfig", "fsmount", "fsopen", "fspick", "init_module", "ioperm", "iopl", "kexec_file_load",
        "kexec_load", "keyctl", "lookup_dcookie", "mount", "mount_setattr", "move_mount", "name_to_handle_at",
        "nfsservctl",
        "open_by_handle_at", "open_tree", "perf_event_open", "pivot_root", "quotactl", "quotactl_fd", "reboot",
        "request_key",
        "setdomainname", "sethostname", "setns", "settimeofday", "stime", "swapoff", "swapon", "syslog", "umount",
        "umount2",
        "unshare", "uselib", "userfaultfd", "vhangup",
    ]
    private static let unknown = ["clone3", "io_uring_enter", "io_uring_register", "io_uring_setup"]
    private static let newUserNamespace: UInt64 = 0x1000_0000
    /// AUDIT_ARCH_X86_64, which libseccomp defines by a macro Swift does not see.
    private static let auditX8664: UInt32 = 0xc000_003e
    private static let typeIntoTerminal: UInt64 = 0x5412

    private static let compiled: Result<[UInt8], HolderFailure> = Result { () throws(HolderFailure) in try compile() }

    /// Compiled once per process: for `ProcessSpec.seccomp`.
    public static func containerProgram() throws(HolderFailure) -> [UInt8] { try compiled.get() }

    private static func compile() throws(HolderFailure) -> [UInt8] {
        guard let filter = seccomp_init(allow) else {
            throw HolderFailure("libseccomp could not make a filter", userFault: false)
        }
        defer { seccomp_release(filter) }
        // 32-bit programs are filtered alike; where there is no such architecture this fails, which is fine.
        if seccomp_arch_native() == auditX8664 {
            seccomp_arch_add(filter, UInt32(SCMP_ARCH_X86))
        }
        for name in refused { try deny(name, errno: EPERM, filter) }
        for name in unknown { try deny(name, errno: ENOSYS, filter) }
        try denyArgument("clone", 0, mask: newUserNamespace, equals: newUserNamespace, filter)
        try denyArgument("ioctl", 1, mask: 0xffff_ffff, equals: typeIntoTerminal, filter)
        return try export(filter)
    }

    private static let allow: UInt32 = 0x7fff_0000
    private static func fail(_ code: Int32) -> UInt32 { 0x0005_0000 | UInt32(code) }

    private static func deny(
        _ name: String, errno code: Int32, _ filter: scmp_filter_ctx
    ) throws(HolderFailure) {
        let number = seccomp_syscall_resolve_name(name)
        // -1: this libseccomp or architecture does not know it.
        if number == -1 { return }
        let result = seccomp_rule_add_array(filter, fail(code), number, 0, nil)
        guard result == 0 || result == -EDOM else { throw failure(name, result) }
    }

    private static func denyArgument(
        _ name: String, _ index: UInt32, mask: UInt64, equals: UInt64, _ filter: scmp_filter_ctx
    ) throws(HolderFailure) {
        let test = scmp_arg_cmp(arg: index, op: SCMP_CMP_MASKED_EQ, datum_a: mask, datum_b: equals)
        let result = seccomp_rule_add_array(filter, fail(EPERM), seccomp_syscall_resolve_name(name), 1, [test])
        guard result == 0 else { throw failure(name, result) }
    }

    private static func failure(_ name: String, _ code: Int32) -> HolderFailure {
        HolderFailure("seccomp filter: \(SystemError("add rule", name, code: -code))", userFault: false)
    }

    private static func export(_ filter: scmp_filter_ctx) throws(HolderFailure) -> [UInt8] {
        try explained("export seccomp filter") { () throws(SystemError) in
            let file = try ThisProcess.memoryFile("seccomp", [])
            let result = seccomp_export_bpf(filter, file.raw)
            guard result == 0 else { throw SystemError("export", code: -result) }
            lseek(file.raw, 0, SEEK_SET)
            return try Files.read(file, max: 1 << 20)
        }
    }
}
