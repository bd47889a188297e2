import ArgosyDomain

/// What `Holder.start` hands to `HolderMain`, as bytes: written and read by the same program, so it has no versions.
struct HolderPlan {
    struct Mount {
        var descriptor: Int32 = -1
        var target = ""
        var isDirectory = true
        var isUsers = true
    }
    var staging = ""
    var hostName = ""
    var hosts: [String] = []
    var resolvConf = ""
    var identity = Identity(uid: 0, gid: 0, user: "", group: "")
    var writable = false
    var tmpBytes: UInt64 = 0
    var shmBytes: UInt64 = 0
    var rootBytes: UInt64 = 0
    /// squashfs files, lowest first; or `tree`, a detached mount.
    var layers: [Int32] = []
    var tree: Int32 = -1
    var mounts: [Mount] = []
    /// Device files of the host that the container has too.
    var devices: [String] = []
    var jobCgroup: [Int32] = []
    var systemCgroup: [Int32] = []
    var cgroupV2 = ""
    var cgroupsV1: [(mountPoint: String, controllers: String)] = []

    func encoded() -> [UInt8] {
        var writer = PlanWriter()
        var copy = self
        copy.visit(&writer)
        return writer.bytes
    }

    /// Nil when the bytes are not a plan.
    init?(_ bytes: [UInt8]) {
        var reader = PlanReader(rest: bytes[...])
        visit(&reader)
        if reader.failed || !reader.rest.isEmpty { return nil }
    }

    init() {}

    /// One list of fields for both directions.
    private mutating func visit(_ coder: inout some PlanCoder) {
        coder.string(&staging)
        coder.string(&hostName)
        coder.list(&hosts, "") { $0.string(&$1) }
        coder.string(&resolvConf)
        coder.integer(&identity.uid)
        coder.integer(&identity.gid)
        coder.list(&identity.groups, 0) { $0.integer(&$1) }
        for field in [\Identity.user, \.group, \.home, \.shell] { coder.string(&identity[keyPath: field]) }
        var flag: UInt8 = writable ? 1 : 0
        coder.integer(&flag)
        writable = flag == 1
        for field in [\HolderPlan.tmpBytes, \.shmBytes, \.rootBytes] { coder.integer(&self[keyPath: field]) }
        coder.list(&layers, -1) { $0.integer(&$1) }
        coder.integer(&tree)
        coder.list(&mounts, Mount()) { coder, mount in
            coder.integer(&mount.descriptor)
            coder.string(&mount.target)
            var flags: UInt8 = (mount.isDirectory ? 1 : 0) | (mount.isUsers ? 2 : 0)
            coder.integer(&flags)
            mount.isDirectory = flags & 1 != 0
            mount.isUsers = flags & 2 != 0
        }
        coder.list(&devices, "") { $0.string(&$1) }
        coder.list(&jobCgroup, -1) { $0.integer(&$1) }
        coder.list(&systemCgroup, -1) { $0.integer(&$1) }
        coder.string(&cgroupV2)
        coder.list(&cgroupsV1, ("", "")) { coder, hierarchy in
            coder.string(&hierarchy.mountPoint)
            coder.string(&hierarchy.controllers)
        }
    }
}

/// Writes a field, or reads it.
private protocol PlanCoder {
    mutating func integer<Number: FixedWidthInteger>(_ value: inout Number)
    mutating func string(_ value: inout String)
    mutating func list<Element>(_ value: inout [Element], _ empty: Element, _ body: (inout Self, inout Element) -> Void)
}

private struct PlanWriter: PlanCoder {
    var bytes: [UInt8] = []

    mutating func integer<Number: FixedWidthInteger>(_ value: inout Number) {
        withUnsafeBytes(of: value) { bytes += $0 }
    }
    mutating func string(_ value: inout String) {
        var count = UInt32(value.utf8.count)
        integer(&count)
        bytes += value.utf8
    }
    mutating func list<Element>(_ value: inout [Element], _ empty: Element, _ body: (inout Self, inout Element) -> Void)
    {
        var count = UInt32(value.count)
        integer(&count)
        for index in value.indices { body(&self, &value[index]) }
    }
}

private struct PlanReader: PlanCoder {
    var rest: ArraySlice<UInt8>
    var failed = false

    private mutating func take(_ count: Int) -> ArraySlice<UInt8> {
        guard count <= rest.count else {
            failed = true
            return []
        }
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count)
    }
    mutating func integer<Number: FixedWidthInteger>(_ value: inout Number) {
        let bytes = take(MemoryLayout<Number>.size)
        value = 0
        for (index, byte) in bytes.enumerated() { value |= Number(truncatingIfNeeded: byte) << Number(index * 8) }
    }
    mutating func string(_ value: inout String) {
        var count: UInt32 = 0
        integer(&count)
        value = String(decoding: take(Int(count)), as: UTF8.self)
    }
    mutating func list<Element>(_ value: inout [Element], _ empty: Element, _ body: (inout Self, inout Element) -> Void)
    {
        var count: UInt32 = 0
        integer(&count)
        value = []
        for _ in 0..<count where !failed {
            var element = empty
            body(&self, &element)
            value.append(element)
        }
    }
}
