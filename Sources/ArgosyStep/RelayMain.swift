internal import Glibc

/// The mode `argosystepd relay`.
public enum RelayMain {
    public static func run(arguments: [String]) -> Int32 { 64 }
}
