internal import ArgosyDomain
internal import ArgosyWire

/// Little conversions the step side needs of the wire's types.
extension WireIdentity {
    var domain: Identity {
        Identity(uid: uid, gid: gid, groups: groups, user: user, group: group, home: home, shell: shell)
    }
}

extension WireExitStatus {
    init(_ exit: ExitStatus) {
        self.init()
        code = exit.code
        signal = exit.signal
    }
}

extension WireUsage {
    init(_ usage: Usage) {
        self.init()
        userCpuUs = usage.userCPU
        systemCpuUs = usage.systemCPU
        peakMemoryBytes = usage.peakMemory
        oomKills = usage.oomKills
    }
}

extension WireResourceLimit {
    var domain: ResourceLimit { ResourceLimit(resource: resource, soft: soft, hard: hard) }
}
