// A reservation as scontrol and sinfo show it.

import ArgosyDomain
import ArgosyWire

struct ReservationText {
    var info: WireReservationInfo
    /// Microseconds, by the controller's clock.
    var now: Int64

    private var reservation: WireReservation { info.reservation }
    private var flags: ReservationFlags { ReservationFlags(rawValue: reservation.flags) }

    var state: String { reservation.startUs <= now && now < reservation.endUs ? "ACTIVE" : "INACTIVE" }

    var duration: String { Times.long((reservation.endUs - reservation.startUs) / 1_000_000) }

    var nodeList: String {
        let names = reservation.nodes.map(\.name)
        return names.isEmpty ? "(null)" : Hostlist.compress(names)
    }

    /// Lines of `scontrol show reservation`.
    func details() -> [[String]] {
        let null = JobFields.orNull
        let users = ReservationMembers(reservation.users, areDenied: reservation.usersDenied)
        let accounts = ReservationMembers(reservation.accounts, areDenied: reservation.accountsDenied)
        let licenses = reservation.licenses.map { "\($0.name):\($0.count)" }.joined(separator: ",")
        var lines = [
            [
                "ReservationName=\(reservation.name)", "StartTime=\(Times.stamp(reservation.startUs))",
                "EndTime=\(Times.stamp(reservation.endUs))", "Duration=\(duration)",
            ],
            [
                "Nodes=\(nodeList)", "NodeCnt=\(reservation.nodes.count)", "CoreCnt=\(info.cores)",
                "Features=\(null(reservation.features))", "PartitionName=\(null(reservation.partition))",
                "Flags=\(flags.text(purge: Times.long(Int64(reservation.purgeAfterS))))",
            ],
        ]
        for (node, cores) in zip(reservation.nodes, info.coreLists) where !cores.isEmpty {
            lines.append(["  NodeName=\(node.name)", "CoreIDs=\(cores)"])
        }
        lines += [
            ["TRES=\(info.cpus == 0 ? "(null)" : "cpu=\(info.cpus)")"],
            [
                "Users=\(null(users.text))", "Groups=\(null(reservation.groups.joined(separator: ",")))",
                "Accounts=\(null(accounts.text))", "Licenses=\(null(licenses))", "State=\(state)",
                "BurstBuffer=(null)", "Watts=n/a",
            ],
            [
                "MaxStartDelay="
                    + (reservation.maxStartDelayS == 0 ? "(null)" : Times.long(Int64(reservation.maxStartDelayS)))
            ],
        ]
        return lines
    }

    /// `sinfo -T`
    static func table(_ list: WireReservationList, header: Bool) -> String {
        let rows = list.reservations.map { ReservationText(info: $0, now: list.nowUs) }
        if rows.isEmpty { return "No reservations in the system\n" }
        let width = max(9, rows.map { $0.reservation.name.count }.max() ?? 0)
        func line(_ name: String, _ state: String, _ start: String, _ end: String, _ time: String, _ nodes: String)
            -> String
        {
            [
                pad(name, width), pad(state, 8, right: true), pad(start, 19, right: true), pad(end, 19, right: true),
                pad(time, 11, right: true), nodes,
            ].joined(separator: "  ") + "\n"
        }
        let title = header ? line("RESV_NAME", "STATE", "START_TIME", "END_TIME", "DURATION", "NODELIST") : ""
        return title
            + rows.map {
                line(
                    $0.reservation.name, $0.state, Times.stamp($0.reservation.startUs),
                    Times.stamp($0.reservation.endUs), $0.duration, $0.nodeList)
            }.joined()
    }
}
