// Reservations and what is asked of them, to the wire and back.
public import ArgosyDomain

extension WireReservation {
    public init(_ reservation: Reservation) {
        self.init()
        name = reservation.name
        startUs = reservation.start.microseconds
        endUs = reservation.end.microseconds
        flags = reservation.flags.rawValue
        purgeAfterS = reservation.purgeAfter
        floatOffsetS = reservation.floatOffset
        nodes = reservation.nodes.map { node in
            var wire = WireReservedNode()
            wire.name = node.name
            wire.cpus = node.cpus.members.map(UInt32.init)
            return wire
        }
        coreCount = reservation.coreCount
        partition = reservation.partition
        features = reservation.features
        licenses = reservation.licenses.map(WireLicenseRequest.init)
        users = reservation.users.names
        usersDenied = reservation.users.areDenied
        accounts = reservation.accounts.names
        accountsDenied = reservation.accounts.areDenied
        groups = reservation.groups
        uids = reservation.uids
        gids = reservation.gids
        idleSinceUs = reservation.idleSince.microseconds
        maxStartDelayS = reservation.maxStartDelay
        sequence = reservation.sequence
        utcOffsetS = reservation.utcOffset
    }

    /// A node that `indexOf` does not know gets the largest index.
    public func domain(indexOf: (String) -> NodeIndex?) -> Reservation {
        var reservation = Reservation(
            name: name, start: Timestamp(microseconds: startUs), end: Timestamp(microseconds: endUs),
            flags: ReservationFlags(rawValue: flags))
        reservation.purgeAfter = purgeAfterS
        reservation.floatOffset = floatOffsetS
        reservation.nodes = nodes.map { node in
            .init(
                index: indexOf(node.name) ?? NodeIndex(rawValue: .max), name: node.name,
                cpus: CPUSet(node.cpus.lazy.map { Int($0) }))
        }
        reservation.coreCount = coreCount
        reservation.partition = partition
        reservation.features = features
        reservation.licenses = licenses.map(\.domain)
        reservation.users = ReservationMembers(users, areDenied: usersDenied)
        reservation.accounts = ReservationMembers(accounts, areDenied: accountsDenied)
        reservation.groups = groups
        reservation.uids = uids
        reservation.gids = gids
        reservation.idleSince = Timestamp(microseconds: idleSinceUs)
        reservation.maxStartDelay = maxStartDelayS
        reservation.sequence = sequence
        reservation.utcOffset = utcOffsetS
        return reservation
    }
}

extension WireListEdit {
    public init(_ edit: ListEdit) {
        self.init()
        text = edit.text
        switch edit {
        case .set: how = 0
        case .add: how = 1
        case .remove: how = 2
        }
    }
    public var domain: ListEdit {
        switch how {
        case 1: .add(text)
        case 2: .remove(text)
        default: .set(text)
        }
    }
}

extension WireReservationRequest {
    public init(_ request: ReservationRequest) {
        self.init()
        name = request.name
        if let start = request.start { startUs = start.microseconds }
        if let end = request.end { endUs = end.microseconds }
        if let duration = request.duration { durationMinutes = duration.rawValue }
        flags = request.flags.rawValue
        removedFlags = request.removedFlags.rawValue
        if let purge = request.purgeAfter { purgeAfterS = purge }
        if let nodes = request.nodes { self.nodes = WireListEdit(nodes) }
        nodeCounts = request.nodeCounts
        coreCounts = request.coreCounts
        if let partition = request.partition { self.partition = partition }
        if let features = request.features { self.features = features }
        hasLicenses_p = request.licenses != nil
        licenses = (request.licenses ?? []).map(WireLicenseRequest.init)
        if let users = request.users { self.users = WireListEdit(users) }
        if let accounts = request.accounts { self.accounts = WireListEdit(accounts) }
        if let groups = request.groups { self.groups = WireListEdit(groups) }
        skip = request.skip
        if let delay = request.maxStartDelay { maxStartDelayS = delay }
    }

    public var domain: ReservationRequest {
        var request = ReservationRequest(name: name)
        request.start = hasStartUs ? Timestamp(microseconds: startUs) : nil
        request.end = hasEndUs ? Timestamp(microseconds: endUs) : nil
        request.duration = hasDurationMinutes ? TimeLimit(rawValue: durationMinutes) : nil
        request.flags = ReservationFlags(rawValue: flags)
        request.removedFlags = ReservationFlags(rawValue: removedFlags)
        request.purgeAfter = hasPurgeAfterS ? purgeAfterS : nil
        request.nodes = hasNodes ? nodes.domain : nil
        request.nodeCounts = nodeCounts
        request.coreCounts = coreCounts
        request.partition = hasPartition ? partition : nil
        request.features = hasFeatures ? features : nil
        request.licenses = hasLicenses_p ? licenses.map(\.domain) : nil
        request.users = hasUsers ? users.domain : nil
        request.accounts = hasAccounts ? accounts.domain : nil
        request.groups = hasGroups ? groups.domain : nil
        request.skip = skip
        request.maxStartDelay = hasMaxStartDelayS ? maxStartDelayS : nil
        return request
    }
}
