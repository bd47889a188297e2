package import ArgosyDomain
package import ArgosyWire

/// Little conversions the step side needs of the wire's types.
extension WireIdentity {
    package var domain: Identity {
        Identity(uid: uid, gid: gid, groups: groups, user: user, group: group, home: home, shell: shell)
    }
}

extension WireExitStatus {
    package init(_ exit: ExitStatus) {
        self.init()
        code = exit.code
        signal = exit.signal
    }
}

extension WireUsage {
    package init(_ usage: Usage) {
        self.init()
        userCpuUs = usage.userCPU
        systemCpuUs = usage.systemCPU
        peakMemoryBytes = usage.peakMemory
        oomKills = usage.oomKills
    }
}

extension WireResourceLimit {
    package var domain: ResourceLimit { ResourceLimit(resource: resource, soft: soft, hard: hard) }
}

extension WireIncarnation {
    package init(_ incarnation: Incarnation) {
        self.init()
        bootID = incarnation.bootID
        registration = incarnation.registration
    }
}
