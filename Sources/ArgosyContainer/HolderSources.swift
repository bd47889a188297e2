import ArgosyDomain
import ArgosySystem
import Glibc

/// Opens, in the daemon, what a holder's process gets as descriptors.
struct HolderSources {
    /// Fixed numbers in the holder's process.
    enum Number: Int32 { case plan = 3, ready = 4, first = 5 }

    private(set) var kept: [ProcessSpec.KeptDescriptor] = []
    private var owned: [Descriptor] = []
    private var next = Number.first.rawValue

    mutating func keep(_ descriptor: Descriptor, as number: Number) {
        owned.append(descriptor)
        kept.append(.init(from: descriptor.raw, to: number.rawValue))
    }

    /// The number it will have.
    private mutating func keep(_ descriptor: Descriptor) -> Int32 {
        owned.append(descriptor)
        kept.append(.init(from: descriptor.raw, to: next))
        next += 1
        return next - 1
    }

    mutating func makePlan(_ spec: HolderSpec) throws(HolderFailure) -> HolderPlan {
        try explained("make \(spec.stagingDirectory)") { () throws(SystemError) in
            try Files.makeDirectories(spec.stagingDirectory, mode: 0o700)
        }
        var plan = HolderPlan()
        plan.staging = spec.stagingDirectory
        plan.hostName = spec.hostName
        plan.hosts = spec.hosts.map { "\($0.address)\t\($0.name)" }
        plan.resolvConf = (try? Files.readText("/etc/resolv.conf")) ?? ""
        plan.identity = spec.identity
        plan.writable = spec.writable
        (plan.tmpBytes, plan.shmBytes, plan.rootBytes) = (spec.tmpBytes, spec.shmBytes, spec.rootBytes)
        try addImage(spec, to: &plan)
        plan.devices = spec.devices.filter { $0.hasPrefix("/dev/") }.flatMap { path in
            DevicePolicy.rules(for: [path]).filter { !$0.block }
                .map { "\(path) \($0.major) \($0.minor ?? 0)" }
        }
        for request in spec.systemMounts { try add(request, as: nil, to: &plan) }
        for request in spec.mounts {
            try request.checkTarget()
            try add(request, as: Credentials(spec.identity), to: &plan)
        }
        try addCgroups(spec, to: &plan)
        return plan
    }

    private mutating func addImage(_ spec: HolderSpec, to plan: inout HolderPlan) throws(HolderFailure) {
        switch spec.image.source {
        case .squashfs(let paths):
            for path in paths { plan.layers.append(keep(try Self.openLayer(path))) }
        case .directory(let path):
            let place = try Self.open(path, as: Credentials(spec.identity), "image directory")
            let tree = try explained("image directory \(path)", userFault: true) { () throws(SystemError) in
                try Mounts.clone(
                    place, recursive: false, attributes: [.readOnly, .noSetuid, .noDevices], name: path)
            }
            plan.tree = keep(tree)
        }
    }

    /// The kernel parses this file as root: only what root alone could have written.
    private static func openLayer(_ path: String) throws(HolderFailure) -> Descriptor {
        let file = try explained("image layer") { () throws(SystemError) in
            try Files.open(path, flags: O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
        }
        var status = stat()
        guard fstat(file.raw, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_uid == 0,
            status.st_mode & 0o022 == 0
        else {
            throw HolderFailure(
                "image file \(path) must be a regular file that belongs to root and that only root can write",
                userFault: true)
        }
        return file
    }

    private mutating func add(
        _ request: MountRequest, as user: Credentials?, to plan: inout HolderPlan
    ) throws(HolderFailure) {
        let place: Descriptor
        do {
            place = try Self.open(request.source, as: user, "mount source")
        } catch {
            if request.optional { return }
            throw error
        }
        var status = stat()
        fstat(place.raw, &status)
        var attributes: Mounts.Attributes = [.noSetuid, .noDevices]
        if request.readOnly { attributes.insert(.readOnly) }
        let mount = try explained("mount source \(request.source)", userFault: user != nil) {
            () throws(SystemError) in
            try Mounts.clone(place, recursive: user != nil, attributes: attributes, name: request.source)
        }
        plan.mounts.append(
            HolderPlan.Mount(
                descriptor: keep(mount), target: request.target,
                isDirectory: status.st_mode & S_IFMT == S_IFDIR, isUsers: user != nil))
    }

    /// What it is now is what is mounted, whatever the path means later.
    private static func open(
        _ path: String, as user: Credentials?, _ what: String
    ) throws(HolderFailure) -> Descriptor {
        try explained(what, userFault: user != nil) { () throws(SystemError) in
            guard let user else { return try Files.open(path, flags: Files.pathOnly) }
            return try Files.openAs(user, path, flags: Files.pathOnly)
        }
    }

    private mutating func addCgroups(_ spec: HolderSpec, to plan: inout HolderPlan) throws(HolderFailure) {
        let layout = spec.jobCgroup?.layout ?? (try? CgroupLayout.discover())
        plan.cgroupV2 = layout?.v2 ?? ""
        plan.cgroupsV1 = layout?.v1.map { ($0.mountPoint, $0.controllers.joined(separator: ",")) } ?? []
        guard let job = spec.jobCgroup else { return }
        do throws(SystemError) {
            // The namespace's root shall be the job, which can be joined only while no controller is handed down.
            let files = try job.joinDescriptors()
            plan.jobCgroup = files.map { keep($0) }
            let system = job.child("system")
            try system.createForTracking()
            let leaf = try system.joinDescriptors()
            plan.systemCgroup = leaf.map { keep($0) }
        } catch {
            throw HolderFailure("container's cgroup: \(error)", userFault: false)
        }
    }
}
