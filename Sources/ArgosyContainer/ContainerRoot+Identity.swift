import ArgosyDomain
import ArgosySystem
import Glibc

/// The files by which programs inside find names: the image's, with the job's owner added. No name service is asked.
extension ContainerRoot {
    func writeIdentityFiles() throws(HolderFailure) {
        let identity = plan.identity
        try replace("passwd", with: Self.passwd(imageFile("passwd"), identity))
        try replace("group", with: Self.group(imageFile("group"), identity))
        let hosts = ["127.0.0.1\tlocalhost", "::1\tlocalhost ip6-localhost ip6-loopback"] + plan.hosts
        try replace("hosts", with: hosts.joined(separator: "\n"))
        try replace("hostname", with: plan.hostName)
        try replace("resolv.conf", with: plan.resolvConf)
    }

    /// One file that is the user's entry and those of others in the image.
    static func passwd(_ image: String, _ identity: Identity) -> String {
        let kept = entries(image).filter { $0[0] != identity.user && $0[2] != String(identity.uid) }
        let mine = [identity.user, "x", "\(identity.uid)", "\(identity.gid)", "", identity.home, identity.shell]
        var all =
            kept.contains { $0[0] == "root" } ? kept : [["root", "x", "0", "0", "root", "/root", "/bin/sh"]] + kept
        all.append(mine)
        return all.map { $0.joined(separator: ":") }.joined(separator: "\n")
    }

    static func group(_ image: String, _ identity: Identity) -> String {
        var all = entries(image).filter { $0[0] != identity.group && $0[2] != String(identity.gid) }
        if !all.contains(where: { $0[0] == "root" }) { all.insert(["root", "x", "0", ""], at: 0) }
        all.append([identity.group, "x", "\(identity.gid)", ""])
        for gid in identity.groups where !all.contains(where: { $0[2] == String(gid) }) {
            all.append(["group\(gid)", "x", "\(gid)", identity.user])
        }
        return all.map { $0.joined(separator: ":") }.joined(separator: "\n")
    }

    private static func entries(_ text: String) -> [[String]] {
        text.split(separator: "\n").map {
            $0.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        }.filter { $0.count >= 3 }
    }

    private func imageFile(_ name: String) -> String {
        guard let file = try? Mounts.open("/etc/" + name, in: root, flags: O_RDONLY | O_NONBLOCK),
            let bytes = try? Files.read(file, max: 1 << 20)
        else { return "" }
        return String(decoding: bytes, as: UTF8.self)
    }

    private func replace(_ name: String, with text: String) throws(HolderFailure) {
        let etc = try place("/etc", directory: true)
        try explained("write /etc/\(name)") { () throws(SystemError) in
            unlinkat(etc.raw, name, 0)
            let file = openat(etc.raw, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o644)
            guard file >= 0 else { throw SystemError("create", name, code: errno) }
            defer { close(file) }
            try Files.write(Array((text + "\n").utf8), to: file, name: name)
        }
    }
}
