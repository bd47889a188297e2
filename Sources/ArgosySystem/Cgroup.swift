import Glibc

/// One cgroup: the directory of the same path in every hierarchy of the layout.
///
/// Processes belong in leaves only (v2's rule), so a cgroup that gets children must not be joined. Limits are in
/// `Cgroup+Limits.swift`, killing and removing in `Cgroup+End.swift`.
public struct Cgroup: Hashable, Sendable {
    public let layout: CgroupLayout
    public let path: String

    init(layout: CgroupLayout, path: String) {
        self.layout = layout
        self.path = path
    }

    public func child(_ name: String) -> Cgroup { Cgroup(layout: layout, path: path + "/" + name) }

    /// Nil at the top.
    var parent: Cgroup? {
        guard let slash = path.lastIndex(of: "/") else { return nil }
        return Cgroup(layout: layout, path: String(path[..<slash]))
    }

    /// Makes it, its parents too, and sets limits. It may exist already.
    public func create(limits: CgroupLimits = CgroupLimits()) throws(SystemError) {
        for hierarchy in layout.v1 { try make(in: hierarchy) }
        if let v2 = layout.v2 { try make(inV2: v2) }
        try set(limits)
    }

    /// Makes it without asking its parent to hand controllers down (v2), so that the parent itself can still be joined.
    public func createForTracking() throws(SystemError) {
        for hierarchy in layout.v1 { try make(in: hierarchy) }
        if let v2 = layout.v2 {
            if let parent { try parent.make(inV2: v2) }
            try makeDirectory(v2 + "/" + path)
        }
    }

    public var exists: Bool { directories.contains { access($0, F_OK) == 0 } }

    /// Its cgroup.procs files, open for writing, for `ProcessSpec.cgroup`.
    public func joinDescriptors() throws(SystemError) -> [Descriptor] {
        var files: [Descriptor] = []
        for directory in directories { files.append(try Files.open(directory + "/cgroup.procs", flags: O_WRONLY)) }
        return files
    }

    /// Numbers (in our pid namespace) of the processes in it and in its descendants.
    public func processes() -> [Int32] {
        subtree(of: trackingDirectory).flatMap { Self.processes(in: $0) }
    }

    /// A live process is in it or below it.
    public func isPopulated() -> Bool {
        guard let v2 = directoryInV2 else { return !processes().isEmpty }
        return Self.number("populated", in: v2 + "/cgroup.events") == 1
    }

    /// Names of its child cgroups.
    public func children() -> [String] { Self.children(of: trackingDirectory) }

    // MARK: directories

    func directory(in hierarchy: CgroupLayout.Hierarchy) -> String { hierarchy.mountPoint + "/" + path }
    var directoryInV2: String? { layout.v2.map { $0 + "/" + path } }
    var directories: [String] { layout.v1.map { directory(in: $0) } + (directoryInV2.map { [$0] } ?? []) }

    /// The directory that carries `controller`, and whether it is v2's.
    func directory(of controller: String) -> (path: String, isV2: Bool)? {
        if let hierarchy = layout.v1.first(where: { $0.controllers.contains(controller) }) {
            return (directory(in: hierarchy), false)
        }
        guard let v2 = directoryInV2, layout.v2Controllers.contains(controller) else { return nil }
        return (v2, true)
    }

    /// Where processes are looked for: every one is in all hierarchies.
    var trackingDirectory: String {
        directoryInV2 ?? directory(of: "freezer")?.path ?? layout.v1.first.map { directory(in: $0) } ?? "/nonexistent"
    }

    private func make(in hierarchy: CgroupLayout.Hierarchy) throws(SystemError) {
        let directory = directory(in: hierarchy)
        // A new v1 cpuset is empty, and nothing can join it before it has CPUs and memory. One that is there may have been
        // made by another process this moment, which has not filled it yet.
        let mustHave = hierarchy.controllers.contains("cpuset") ? ["/cpuset.cpus", "/cpuset.mems"] : []
        func isEmpty(_ file: String) -> Bool { ((try? Files.readText(directory + file)) ?? "").isEmpty }
        if access(directory, F_OK) == 0 && !mustHave.contains(where: isEmpty) { return }
        if let parent { try parent.make(in: hierarchy) }
        try makeDirectory(directory)
        let above = parent.map { $0.directory(in: hierarchy) } ?? hierarchy.mountPoint
        for file in mustHave where isEmpty(file) {
            try Files.writeExisting(directory + file, try Files.readText(above + file))
        }
    }

    private func make(inV2 mountPoint: String) throws(SystemError) {
        let directory = mountPoint + "/" + path
        if access(directory, F_OK) != 0 { if let parent { try parent.make(inV2: mountPoint) } }
        try enableControllers(in: parent.map { mountPoint + "/" + $0.path } ?? mountPoint)
        try makeDirectory(directory)
    }

    private func makeDirectory(_ path: String) throws(SystemError) {
        if mkdir(path, 0o755) != 0 && errno != EEXIST { throw SystemError("mkdir", path, code: errno) }
    }

    /// A v2 directory's children have the controllers that its subtree_control names.
    private func enableControllers(in directory: String) throws(SystemError) {
        guard !layout.v2Controllers.isEmpty else { return }
        let file = directory + "/cgroup.subtree_control"
        let enabled = try Files.readText(file).split(separator: " ").map(String.init)
        let missing = layout.v2Controllers.filter { !enabled.contains($0) }
        if missing.isEmpty { return }
        do {
            try Files.writeExisting(file, missing.map { "+" + $0 }.joined(separator: " "))
        } catch {
            throw SystemError(
                "enable cgroup controllers (are processes in this cgroup itself?)", file, code: error.code)
        }
    }

    // MARK: reading

    static func processes(in directory: String) -> [Int32] {
        let text = (try? Files.readText(directory + "/cgroup.procs", max: 16 << 20)) ?? ""
        return text.split(separator: "\n").compactMap { Int32($0) }.filter { $0 > 0 }
    }

    static func children(of directory: String) -> [String] {
        guard let names = try? Files.list(directory) else { return [] }
        // Its files all have a dot in their names, but so may children; files are told by their type.
        return names.filter { name in
            var status = stat()
            return lstat(directory + "/" + name, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
        }
    }

    /// The directory and those below it, deepest last.
    func subtree(of directory: String) -> [String] {
        [directory] + Self.children(of: directory).flatMap { subtree(of: directory + "/" + $0) }
    }

    /// The number in a file of one, or nil.
    static func number(_ path: String) -> UInt64? {
        guard let text = try? Files.readText(path) else { return nil }
        return UInt64(text)
    }

    /// The number after `key` in a file of "key number" lines, or nil.
    static func number(_ key: String, in path: String) -> UInt64? {
        guard let text = try? Files.readText(path) else { return nil }
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            if words.count == 2 && words[0] == key { return UInt64(words[1]) }
        }
        return nil
    }
}
