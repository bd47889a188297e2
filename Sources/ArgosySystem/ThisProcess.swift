import CArgosyShim
import Glibc

/// Changes to the calling process (or thread) itself.
public enum ThisProcess {
    /// A cgroup namespace whose root is the cgroup we are in.
    public static func newCgroupNamespace() throws(SystemError) {
        try checkShim(argosy_unshare(0x0200_0000), "new cgroup namespace")
    }

    public static func setHostName(_ name: String) throws(SystemError) {
        try checkShim(argosy_set_hostname(name), "set host name", name)
    }

    /// Signal we get when the thread that started us dies; 0: none.
    public static func setParentDeathSignal(_ signal: Int32) throws(SystemError) {
        try checkShim(argosy_set_death_signal(signal), "set parent death signal")
    }

    /// Orphans below us become our children.
    public static func becomeSubreaper() throws(SystemError) {
        try checkShim(argosy_set_subreaper(1), "become subreaper")
    }

    /// A file in memory for handing bytes to a child.
    public static func memoryFile(_ name: String, _ bytes: [UInt8]) throws(SystemError) -> Descriptor {
        let file = Descriptor(adopting: try checkShim(argosy_memfd(name), "make memory file"))
        try Files.write(bytes, to: file.raw, name: name)
        try check(lseek(file.raw, 0, SEEK_SET), "rewind", name)
        return file
    }

    /// Pid 1 of a container from here on: reaps, ends on SIGTERM.
    public static func becomeInit() -> Never { argosy_init_loop() }
}
