// Users by /etc/passwd, read by hand: the static executable has no name service. Only a fallback, for what no reply of
// the controller named.

import Glibc

public enum PasswordFile {
    public static func name(of uid: UInt32, path: String = "/etc/passwd") -> String? {
        first(path) { $0[2] == String(uid) }?[0]
    }

    public static func uid(of name: String, path: String = "/etc/passwd") -> UInt32? {
        first(path) { $0[0] == name }.flatMap { UInt32($0[2]) }
    }

    /// Numbers of a user and its group.
    public static func entry(of name: String, path: String = "/etc/passwd") -> (uid: UInt32, gid: UInt32)? {
        guard let fields = first(path, { $0[0] == name || $0[2] == name }), let uid = UInt32(fields[2]),
            let gid = UInt32(fields[3])
        else { return nil }
        return (uid, gid)
    }

    private static func first(_ path: String, _ matches: ([String]) -> Bool) -> [String]? {
        guard let file = fopen(path, "re") else { return nil }
        defer { fclose(file) }
        var buffer = [CChar](repeating: 0, count: 4096)
        while fgets(&buffer, Int32(buffer.count), file) != nil {
            let line = buffer.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } ?? "" }
            let fields = line.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
            if fields.count >= 4, matches(fields) { return fields }
        }
        return nil
    }
}
