import ArgosyDomain
import CArgosyShim
import Glibc

/// Mounts by descriptor, for building a container's root. Everything here acts on the calling process's mount namespace.
public enum Mounts {
    public struct Attributes: OptionSet, Sendable {
        public let rawValue: UInt64
        public init(rawValue: UInt64) { self.rawValue = rawValue }
        public static let readOnly = Attributes(rawValue: argosy_attr_readonly)
        public static let noSetuid = Attributes(rawValue: argosy_attr_nosuid)
        public static let noDevices = Attributes(rawValue: argosy_attr_nodev)
        public static let noExecute = Attributes(rawValue: argosy_attr_noexec)
    }

    /// A detached copy of the mount at `place` (an O_PATH descriptor), private, with `attributes`; nobody sees it until it
    /// is moved somewhere, and it goes with its descriptor if it never is.
    public static func clone(
        _ place: Descriptor, recursive: Bool, attributes: Attributes, name: String
    ) throws(SystemError) -> Descriptor {
        let copy = Descriptor(
            adopting: try checkShim(argosy_open_tree_clone(place.raw, recursive ? 1 : 0), "copy mount of", name))
        try checkShim(
            argosy_mount_attributes(copy.raw, attributes.rawValue, 0, recursive ? 1 : 0), "restrict mount of", name)
        return copy
    }

    /// Puts a detached mount onto the file or directory that `target` (O_PATH) is.
    public static func move(_ mount: Int32, onto target: Descriptor, name: String) throws(SystemError) {
        try checkShim(argosy_move_mount_onto(mount, target.raw), "mount on", name)
    }

    /// Adds attributes to the mount that `path` is the root of.
    public static func restrict(_ path: String, _ attributes: Attributes) throws(SystemError) {
        let place = try Files.open(path, flags: Files.pathOnly | O_DIRECTORY)
        try checkShim(argosy_mount_attributes(place.raw, attributes.rawValue, 0, 0), "restrict mount", path)
    }

    /// mount(2). `flags` are MS_*.
    public static func mount(
        _ type: String, on target: String, source: String? = nil, flags: Flags = [], options: String = ""
    ) throws(SystemError) {
        try checkShim(
            argosy_mount(source ?? type, target, type, flags.rawValue, options), "mount \(type) on", target)
    }

    public struct Flags: OptionSet, Sendable {
        public let rawValue: UInt
        public init(rawValue: UInt) { self.rawValue = rawValue }
        public static let readOnly = Flags(rawValue: 1)
        public static let noSetuid = Flags(rawValue: 2)
        public static let noDevices = Flags(rawValue: 4)
        public static let noExecute = Flags(rawValue: 8)
    }

    /// Keeps what is mounted from now on from spreading to other namespaces, and theirs from us.
    public static func makeAllPrivate() throws(SystemError) {
        let privateRecursive: UInt = 1 << 18 | 1 << 14
        try checkShim(argosy_mount("none", "/", nil, privateRecursive, nil), "make mounts private")
    }

    /// The working directory (a mount's root) becomes "/"; the old root is gone from this namespace.
    public static func pivotIntoWorkingDirectory() throws(SystemError) {
        try checkShim(argosy_pivot_here(), "pivot root")
    }

    /// O_PATH of `path` with every link resolved inside `root`.
    public static func open(_ path: String, in root: Descriptor, flags: Int32) throws(SystemError) -> Descriptor {
        Descriptor(adopting: try checkShim(argosy_open_in_root(root.raw, path, flags, 0), "open", path))
    }

    /// Attaches a file to a loop device, read-only; it is freed when the last user goes. Keep the descriptor until it is
    /// mounted.
    public static func attachLoop(_ file: Descriptor) throws(SystemError) -> (device: String, descriptor: Descriptor) {
        var number: Int32 = -1
        let device = try checkShim(argosy_loop_attach(file.raw, &number), "attach loop device")
        return ("/dev/loop\(number)", Descriptor(adopting: device))
    }

    public static func makeCharacterDevice(_ path: String, major: UInt32, minor: UInt32) throws(SystemError) {
        try checkShim(argosy_make_device(path, 0, major, minor, 0o666), "make device", path)
    }
}
