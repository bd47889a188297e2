/// The mode `argosystepd convert`: an unprivileged process that turns one OCI layer (stdin) into a squashfs.
public enum ConvertMain {
    /// - Parameter arguments: those after "convert".
    public static func run(arguments: [String]) -> Never { fatalError("not built yet") }
}
