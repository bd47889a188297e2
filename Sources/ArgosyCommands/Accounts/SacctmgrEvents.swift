// What sacctmgr shows that is no record of accounts: events of nodes, reservations, statistics.

import ArgosyDomain
import ArgosyWire

extension SacctmgrSession {
    /// Slurm's window: since midnight, and to now; open events always.
    func events(_ session: Session, _ words: [String], _ shown: SacctmgrShow) throws -> [SacctmgrRow] {
        let conditions = try shown.conditions(.event, words)
        var request = WireListNodeEvents()
        let allTime = conditions.flags.contains("all_time")
        let today = MomentParser(now: Times.now(), future: false).parse("today") ?? 0
        request.sinceUs = allTime ? 0 : (conditions.start ?? today) * 1_000_000
        request.untilUs = (conditions.end ?? 0) * 1_000_000
        guard case .nodeEvents(let list)? = try session.ask(.nodeEvents(request)).body else {
            throw Failure("Invalid reply of the controller")
        }
        let isOpenOnly = conditions.start == nil && conditions.end == nil && !allTime
        return list.events.filter { event in
            (!isOpenOnly || event.endUs == 0) && conditions.wants(event)
        }.map { event in
            var row = SacctmgrRow()
            let end = event.endUs == 0 ? list.nowUs : event.endUs
            row.texts = [
                "cluster": list.cluster, "node": event.node, "start": Times.stamp(event.startUs),
                "end": Times.stamp(event.endUs, unset: "Unknown"), "state": event.state,
                "stateraw": "\(NodeStateNumber.of(event.state))", "reason": event.reason,
                "user": event.node.isEmpty ? "" : "\(event.user)(\(event.uid))",
                "duration": Times.long((end - event.startUs) / 1_000_000),
                "event": event.node.isEmpty ? "Cluster" : "Node",
                "eventraw": event.node.isEmpty ? "1" : "2", "tres": event.tres,
                "clusternodes": event.node.isEmpty ? list.clusterNodes : "", "cpu": Self.cpus(event.tres),
            ]
            return row
        }
    }

    private static func cpus(_ tres: String) -> String {
        tres.split(separator: ",").first { $0.hasPrefix("cpu=") }.map { String($0.dropFirst(4)) } ?? ""
    }

    func reservations(_ session: Session, _ words: [String], _ shown: SacctmgrShow) throws -> [SacctmgrRow] {
        let conditions = try shown.conditions(.reservation, words)
        var request = WireListReservationRecords()
        let today = MomentParser(now: Times.now(), future: false).parse("today") ?? 0
        request.sinceUs = (conditions.start ?? today) * 1_000_000
        request.untilUs = (conditions.end ?? 0) * 1_000_000
        guard case .reservationRecords(let list)? = try session.ask(.reservationRecords(request)).body else {
            throw Failure("Invalid reply of the controller")
        }
        let wanted = list.reservations.filter { one in
            conditions.names.isEmpty || conditions.names.contains(one.name.lowercased())
        }
        return wanted.map { one in
            var row = SacctmgrRow()
            let cpus = one.counts.first { $0.tres == TRESID.cpu.rawValue }?.seconds ?? 0
            row.texts = [
                "cluster": list.cluster, "name": one.name, "tres": cpus > 0 ? "cpu=\(Int64(cpus))" : "",
                "start": Times.stamp(one.startUs), "end": Times.stamp(one.endUs), "associations": one.associations,
                "flags": one.flags, "nodenames": one.nodeList, "id": "\(one.id)",
                "unusedwall": FieldWriter.fixed(one.unusedWallS, 6),
            ]
            return row
        }
    }

    func clearStatistics() throws -> Int32 {
        var request = WireShowStatistics()
        request.reset = true
        _ = try Session().ask(.statistics(request))
        return 0
    }

    /// What slurmdbd would tell of itself: here the controller does its work.
    func statisticsText(_ session: Session) throws -> String {
        guard case .statistics(let found)? = try session.ask(.statistics(.init())).body else {
            throw Failure("Invalid reply of the controller")
        }
        let (now, since) = (found.nowUs / 1_000_000, found.sinceUs / 1_000_000)
        let rule = String(repeating: "*", count: 67) + "\n"
        var text =
            rule + "sacctmgr show stats output at \(Times.dateLine(now)) (\(now))\n"
            + "Data since                    \(Times.dateLine(since)) (\(since))\n"
            + "All statistics are in microseconds\n" + rule
        text += "\nRemote Procedure Call statistics by message type\n"
        let requests = found.requests.filter { (1400..<1500).contains($0.number) }
        for one in requests.sorted(by: { ($1.count, $0.number) < ($0.count, $1.number) }) {
            text +=
                "\t\(pad(Sdiag.name(one.number), 25))(\(pad("\(one.number)", 5, right: true)))"
                + figures(one.count, one.totalUs)
        }
        text += "\nRemote Procedure Call statistics by user\n"
        for one in found.users.sorted(by: { ($1.count, $0.uid) < ($0.count, $1.uid) }) {
            text += "\t\(pad(one.user, 20))(\(pad("\(one.uid)", 10, right: true)))" + figures(one.count, one.totalUs)
        }
        return text
    }

    private func figures(_ count: UInt64, _ total: Int64) -> String {
        " count:\(pad("\(count)", 6)) ave_time:\(pad("\(count > 0 ? total / Int64(count) : 0)", 6)) total_time:\(total)\n"
    }
}

extension SacctmgrConditions {
    fileprivate func wants(_ event: WireNodeEvent) -> Bool {
        if flags.contains("event=cluster"), !event.node.isEmpty { return false }
        if flags.contains("event=node"), event.node.isEmpty { return false }
        if !nodeNames.isEmpty, !nodeNames.contains(event.node) { return false }
        if !users.isEmpty, !users.contains(event.user) { return false }
        if !states.isEmpty, !states.contains(where: { event.state.lowercased().contains($0) }) { return false }
        return reasons.isEmpty || reasons.contains { event.reason.lowercased().contains($0) }
    }
}
