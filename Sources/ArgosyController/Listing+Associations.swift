// `scontrol show assoc_mgr`: users, associations and QOS as the scheduler has them, each limit with what counts against
// it. Lines are Slurm's: `GrpJobs=10(3)` is a limit of ten of which three are used, N is none.
internal import ArgosyCore
internal import ArgosyDomain
internal import ArgosyScheduler
internal import ArgosyWire

extension Listing {
    func associationManager(in view: CoreView) -> WireAssociationManager {
        var answer = WireAssociationManager()
        let records = view.book.records
        let shares = Dictionary(
            view.shares(at: clock.now).map { ($0.association, $0) }, uniquingKeysWith: { a, _ in a })
        answer.cluster = configuration.clusterName
        answer.users = records.users.map { user in
            var info = WireManagedUser()
            info.name = user.name
            info.hasUid_p = user.uid != nil
            info.uid = user.uid ?? 0
            info.defaultAccount = user.defaultAccount
            info.adminLevel = "\(user.adminLevel)".prefix(1).uppercased() + "\(user.adminLevel)".dropFirst()
            return info
        }
        answer.associations = records.associations.indices.map { place in
            self.association(place, shares[place], in: view)
        }
        answer.qos = records.qos.indices.map { qos($0, in: view) }
        return answer
    }

    private func association(_ place: Int, _ share: ShareLine?, in view: CoreView) -> WireManagedAssociation {
        let (book, records) = (view.book, view.book.records)
        let association = records.associations[place]
        var info = WireManagedAssociation()
        info.id = association.id.rawValue
        info.account = association.account
        info.user = association.user
        info.partition = association.partition
        if let uid = records.user(named: association.user)?.uid { (info.uid, info.hasUid_p) = (uid, true) }
        let parent = records.chains[place].dropFirst().first.map { records.associations[$0] }
        if let parent, association.user.isEmpty { (info.parent, info.parentID) = (parent.account, parent.id.rawValue) }
        info.isDefault =
            !association.user.isEmpty && records.defaultAccount(of: association.user) == association.account
        let limits = association.limits
        let counts = LimitCounts(
            running: book.jobs(association: place), held: book.held(association: place),
            runMinutes: share?.tresRunMins ?? [:], usedMinutes: share?.grpTRESRaw ?? [:],
            wallMinutes: book.usage.wallSeconds(association: place, at: clock.now) / 60, table: records.tres)
        let raw = Self.decimals(Double(share?.rawUsage ?? 0))
        let (norm, effective) = (
            Self.decimals(place == 0 ? 1 : share?.normUsage ?? 0), Self.decimals(share?.effectiveUsage ?? 0)
        )
        var lines = [
            "SharesRaw/Norm/Level/Factor=\(share?.rawShares.isEmpty ?? true ? "1" : share?.rawShares ?? "1")/"
                + "\(Self.decimals(share?.normShares ?? 0))/\(share.map { $0.depth + 1 } ?? 1)/"
                + Self.decimals(share?.fairShare ?? 0),
            "UsageRaw/Norm/Efctv=\(raw)/\(norm)/\(effective)",
            "ParentAccount=\(info.parent.isEmpty ? "" : "\(info.parent)(\(info.parentID))") Lft=\(place + 1) "
                + "DefAssoc=\(info.isDefault ? "Yes" : "No")",
            "GrpJobs=\(counts.text(limits.grpJobs, counts.running.running)) "
                + "GrpJobsAccrue=\(counts.text(limits.grpJobsAccrue, counts.running.accruing))",
            "GrpSubmitJobs=\(counts.text(limits.grpSubmitJobs, counts.running.submitted)) "
                + "GrpWall=\(counts.wall(limits.grpWall))",
            "GrpTRES=\(counts.text(limits.grpTRES, counts.held))",
            "GrpTRESMins=\(counts.text(limits.grpTRESMins, counts.usedMinutes))",
            "GrpTRESRunMins=\(counts.text(limits.grpTRESRunMins, counts.runMinutes))",
        ]
        lines += [
            "MaxJobs=\(counts.text(limits.maxJobs, nil)) "
                + "MaxJobsAccrue=\(counts.text(limits.maxJobsAccrue, nil)) "
                + "MaxSubmitJobs=\(counts.text(limits.maxSubmitJobs, nil)) "
                + "MaxWallPJ=\(limits.maxWallDurationPerJob.map { "\($0.rawValue)" } ?? "")",
            "MaxTRESPJ=\(limits.maxTRESPerJob.text(records.tres))",
            "MaxTRESPN=\(limits.maxTRESPerNode.text(records.tres))",
            "MaxTRESMinsPJ=\(limits.maxTRESMinsPerJob.text(records.tres))",
            "MinPrioThresh=\(limits.minPrioThresh.map { "\($0)" } ?? "")",
        ]
        info.values = lines.map(Self.line)
        return info
    }

    private func qos(_ place: Int, in view: CoreView) -> WireManagedQOS {
        let (book, records) = (view.book, view.book.records)
        let qos = records.qos[place]
        let limits = qos.limits
        var info = WireManagedQOS()
        info.name = qos.name
        info.id = qos.id.rawValue
        let counts = LimitCounts(
            running: book.jobs(qos: place), held: book.held(qos: place), runMinutes: [:], usedMinutes: [:],
            wallMinutes: book.usage.wallSeconds(qos: place, at: clock.now) / 60, table: records.tres)
        let lines = [
            "UsageRaw=\(Self.decimals(book.usage.raw(qos: place, at: clock.now), 6))",
            "GrpJobs=\(counts.text(limits.grpJobs, counts.running.running)) "
                + "GrpJobsAccrue=\(counts.text(limits.grpJobsAccrue, counts.running.accruing)) "
                + "GrpSubmitJobs=\(counts.text(limits.grpSubmitJobs, counts.running.submitted)) "
                + "GrpWall=\(counts.wall(limits.grpWall))",
            "GrpTRES=\(counts.text(limits.grpTRES, counts.held))",
            "GrpTRESMins=\(counts.text(limits.grpTRESMins, counts.usedMinutes))",
            "GrpTRESRunMins=\(counts.text(limits.grpTRESRunMins, counts.runMinutes))",
            "MaxWallPJ=\(limits.maxWallDurationPerJob.map { "\($0.rawValue)" } ?? "")",
            "MaxTRESPJ=\(limits.maxTRESPerJob.text(records.tres))",
            "MaxTRESPN=\(limits.maxTRESPerNode.text(records.tres))",
            "MaxTRESMinsPJ=\(limits.maxTRESMinsPerJob.text(records.tres))",
            "MinPrioThresh=\(limits.minPrioThresh.map { "\($0)" } ?? "") ",
            "MinTRESPJ=\(limits.minTRESPerJob.text(records.tres))",
            "PreemptMode=\((qos.preemptMode ?? .off).name)",
            "Priority=\(qos.priority)",
            "Account Limits", "    No Accounts", "User Limits", "    No Users",
        ]
        info.values = lines.map(Self.line)
        return info
    }

    private static func line(_ text: String) -> WireConfigurationEntry {
        var entry = WireConfigurationEntry()
        entry.value = text
        return entry
    }

    /// With so many places; rounded.
    fileprivate static func decimals(_ value: Double, _ places: Int = 2) -> String {
        guard value.isFinite else { return "inf" }
        var unit = 1.0
        for _ in 0..<places { unit *= 10 }
        let scaled = Int64((value * unit).rounded())
        let rest = String(scaled % Int64(unit))
        return "\(scaled / Int64(unit))." + String(repeating: "0", count: places - rest.count) + rest
    }
}

/// Limits beside what counts against them.
private struct LimitCounts {
    var running: (running: Int, submitted: Int, accruing: Int)
    var held: TRESCounts
    var runMinutes: TRESCounts
    var usedMinutes: TRESCounts
    var wallMinutes: Double
    var table: TRESTable

    /// Nothing where there is no limit and nobody counts.
    func text(_ limit: UInt32?, _ used: Int?) -> String {
        guard let used else { return limit.map { "\($0)" } ?? "" }
        return "\(limit.map { "\($0)" } ?? "N")(\(used))"
    }

    func wall(_ limit: UInt32?) -> String {
        "\(limit.map { "\($0)" } ?? "N")(\(Listing.decimals(wallMinutes)))"
    }

    func text(_ limit: TRESCounts, _ used: TRESCounts) -> String {
        table.all.map { tres in
            let bound = limit.entries.first { $0.id == tres.id }.map { "\($0.count)" } ?? "N"
            return "\(tres.text)=\(bound)(\(used[tres.id]))"
        }.joined(separator: ",")
    }
}
