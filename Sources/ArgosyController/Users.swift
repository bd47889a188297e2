internal import ArgosyDomain
internal import Glibc
internal import Synchronization

/// The name service, asked once for a user in half a minute. Calls may block.
final class Users: Sendable {
    private struct Known {
        var identity: Identity
        var until: Int64
    }
    private static let keepMicroseconds: Int64 = 30_000_000
    private static let limit = 10_000
    private let known = Mutex<[UInt32: Known]>([:])

    /// The user with all groups; `gid` is kept as the primary group when the user is in it, or root chose it. Nil: there
    /// is no such user.
    func identity(uid: UInt32, gid: UInt32? = nil, isChosen: Bool = false) -> Identity? {
        guard var identity = cached(uid) else { return nil }
        guard let gid, gid != identity.gid, isChosen || identity.groups.contains(gid) || uid == 0 else {
            return identity
        }
        identity.groups = identity.groups.filter { $0 != gid } + [identity.gid]
        identity.gid = gid
        identity.group = Self.groupName(gid)
        return identity
    }

    /// By name only.
    func uid(named name: String) -> UInt32? { Self.entry({ getpwnam_r(name, $0, $1, $2, $3) })?.uid }

    /// By name, or by number as text.
    func uid(of text: String) -> UInt32? {
        if let found = Self.entry({ getpwnam_r(text, $0, $1, $2, $3) }) { return found.uid }
        return UInt32(text)
    }

    /// A group by name, or by number as text.
    func gid(of text: String) -> UInt32? {
        var buffer = [CChar](repeating: 0, count: 1 << 16)
        var record = group()
        var result: UnsafeMutablePointer<group>?
        let count = buffer.count
        if getgrnam_r(text, &record, &buffer, count, &result) == 0, result != nil { return record.gr_gid }
        return UInt32(text)
    }

    /// Seconds east of UTC, now.
    var utcOffset: Int32 {
        var now = time(nil)
        var parts = tm()
        localtime_r(&now, &parts)
        return Int32(clamping: parts.tm_gmtoff)
    }

    /// The first of what the name service says of a person; the name where it says nothing.
    func fullName(of uid: UInt32) -> String {
        let name = name(of: uid)
        guard let entry = Self.entry({ getpwuid_r(uid, $0, $1, $2, $3) }) else { return name }
        let full = entry.comment.split(separator: ",", omittingEmptySubsequences: false).first.map(String.init) ?? ""
        return full.isEmpty ? name : full
    }

    func name(of uid: UInt32) -> String { cached(uid)?.user ?? String(uid) }

    private func cached(_ uid: UInt32) -> Identity? {
        let now = MachineClock.boot
        if let found = known.withLock({ $0[uid] }), found.until > now { return found.identity }
        guard let entry = Self.entry({ getpwuid_r(uid, $0, $1, $2, $3) }) else { return nil }
        let identity = Identity(
            uid: uid, gid: entry.gid, groups: Self.groups(entry.name, entry.gid), user: entry.name,
            group: Self.groupName(entry.gid), home: entry.home, shell: entry.shell)
        known.withLock { known in
            if known.count >= Self.limit { known.removeAll() }
            known[uid] = Known(identity: identity, until: now + Self.keepMicroseconds)
        }
        return identity
    }

    // MARK: - The name service

    private struct Entry {
        var uid: UInt32
        var gid: UInt32
        var name: String
        var home: String
        var shell: String
        var comment = ""
    }

    private static func entry(
        _ lookUp: (
            UnsafeMutablePointer<passwd>, UnsafeMutablePointer<CChar>, Int,
            UnsafeMutablePointer<UnsafeMutablePointer<passwd>?>
        ) -> Int32
    ) -> Entry? {
        var buffer = [CChar](repeating: 0, count: 1 << 14)
        while buffer.count <= 1 << 20 {
            var record = passwd()
            var result: UnsafeMutablePointer<passwd>?
            let count = buffer.count
            let status = buffer.withUnsafeMutableBufferPointer { bytes -> Int32 in
                guard let base = bytes.baseAddress else { return EINVAL }
                return lookUp(&record, base, count, &result)
            }
            if status == ERANGE {
                buffer = [CChar](repeating: 0, count: count * 4)
                continue
            }
            guard status == 0, result != nil else { return nil }
            return Entry(
                uid: record.pw_uid, gid: record.pw_gid, name: String(cString: record.pw_name),
                home: String(cString: record.pw_dir), shell: String(cString: record.pw_shell),
                comment: record.pw_gecos.map { String(cString: $0) } ?? "")
        }
        return nil
    }

    private static func groups(_ user: String, _ gid: UInt32) -> [UInt32] {
        var count: Int32 = 64
        while true {
            var list = [gid_t](repeating: 0, count: Int(count))
            let asked = count
            if getgrouplist(user, gid, &list, &count) >= 0 { return list.prefix(Int(count)).filter { $0 != gid } }
            if count <= asked || count > 1 << 16 { return [] }
        }
    }

    private static func groupName(_ gid: UInt32) -> String {
        var buffer = [CChar](repeating: 0, count: 1 << 16)
        var record = group()
        var result: UnsafeMutablePointer<group>?
        let count = buffer.count
        guard getgrgid_r(gid, &record, &buffer, count, &result) == 0, result != nil else { return String(gid) }
        return String(cString: record.gr_name)
    }
}
