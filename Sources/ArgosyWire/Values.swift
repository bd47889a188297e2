// Small values, to the wire and back. What a newer release added and this one does not know reads as its default.
public import ArgosyDomain

extension WireRefusal {
    public init(_ refusal: Refusal) {
        self.init()
        code = refusal.code.rawValue
        message = refusal.message
        detail = refusal.detail
    }
    /// A code of a newer release reads as `.notSupported`; its text is kept.
    public var domain: Refusal { Refusal(Refusal.Code(rawValue: code) ?? .notSupported, message, detail: detail) }
}

extension WireExitStatus {
    public init(_ status: ExitStatus) {
        self.init()
        code = status.code
        signal = status.signal
    }
    public var domain: ExitStatus { ExitStatus(code: code, signal: signal) }
}

extension WireUsage {
    public init(_ usage: Usage) {
        self.init()
        userCpuUs = usage.userCPU
        systemCpuUs = usage.systemCPU
        peakMemoryBytes = usage.peakMemory
        oomKills = usage.oomKills
    }
    public var domain: Usage {
        var usage = Usage()
        usage.userCPU = userCpuUs
        usage.systemCPU = systemCpuUs
        usage.peakMemory = peakMemoryBytes
        usage.oomKills = oomKills
        return usage
    }
}

extension WireIndexRange {
    public init(_ range: IndexRange) {
        self.init()
        first = range.first
        last = range.last
        step = range.step
    }
    public var domain: IndexRange { IndexRange(first: first, last: last, step: step) }
}

extension WireArraySpec {
    public init(_ array: ArraySpec) {
        self.init()
        indices = array.indices.map(WireIndexRange.init)
        maxRunning = array.maxRunning
        text = array.text
    }
    public var domain: ArraySpec {
        ArraySpec(indices: indices.map(\.domain), maxRunning: maxRunning, text: text)
    }
}

extension WireIncarnation {
    public init(_ incarnation: Incarnation) {
        self.init()
        bootID = incarnation.bootID
        registration = incarnation.registration
    }
    public var domain: Incarnation { Incarnation(bootID: bootID, registration: registration) }
}

extension WireIdentity {
    public init(_ identity: Identity) {
        self.init()
        uid = identity.uid
        gid = identity.gid
        groups = identity.groups
        user = identity.user
        group = identity.group
        home = identity.home
        shell = identity.shell
    }
    public var domain: Identity {
        Identity(uid: uid, gid: gid, groups: groups, user: user, group: group, home: home, shell: shell)
    }
}

extension WireContainer {
    public init(_ container: ContainerSpec) {
        self.init()
        image = container.image
        digest = container.digest
        mounts = container.mounts
        workdir = container.workdir
        writable = container.writable
        mountHome = container.mountHome
    }
    public var domain: ContainerSpec {
        var container = ContainerSpec(image: image)
        container.digest = digest
        container.mounts = mounts
        container.workdir = workdir
        container.writable = writable
        container.mountHome = mountHome
        return container
    }
}

extension WireResourceLimit {
    public init(_ limit: ResourceLimit) {
        self.init()
        resource = limit.resource
        soft = limit.soft
        hard = limit.hard
    }
    public var domain: ResourceLimit { ResourceLimit(resource: resource, soft: soft, hard: hard) }
}
