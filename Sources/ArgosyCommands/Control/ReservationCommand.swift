// `scontrol create|update|delete reservation`: keys and values to a request. The texts of errors are Slurm's.

import ArgosyConfig
import ArgosyDomain
import ArgosyWire

enum ReservationCommand {
    /// A key with its value, and whether it stood before `=`, `+=` or `-=`.
    struct Pair {
        var key: String
        var value: String
        var sign: Character?
        var word: String

        init?(_ word: String) {
            guard let equals = word.firstIndex(of: "=") else { return nil }
            var key = word[..<equals]
            sign = key.last == "+" || key.last == "-" ? key.popLast() : nil
            self.key = key.lowercased()
            value = String(word[word.index(after: equals)...])
            self.word = word
        }

        var edit: ListEdit {
            switch sign {
            case "+": .add(value)
            case "-": .remove(value)
            default: .set(value)
            }
        }
    }

    /// Full names, with the least letters that stand for them.
    private static let keys: [(name: String, least: Int)] = [
        ("reservationname", 3), ("starttime", 2), ("endtime", 2), ("duration", 2), ("flags", 2), ("nodes", 5),
        ("nodecnt", 5), ("corecnt", 2), ("partitionname", 3), ("features", 2), ("licenses", 2), ("users", 1),
        ("accounts", 2), ("groups", 1), ("maxstartdelay", 2), ("tres", 1),
    ]

    private static func name(of key: String) -> String? {
        if key == "reservation" { return "reservationname" }
        return keys.first { key.count >= $0.least && $0.name.hasPrefix(key) }?.name
    }

    /// Reads the words after `create` or `update`. Throws Failure with the text for standard error.
    static func request(_ words: [String], creates: Bool, now: Int64) throws(Failure) -> ReservationRequest {
        var request = ReservationRequest()
        let action = creates ? "No reservation created." : "No reservation update."
        for word in words {
            if word.lowercased() == "reservation" { continue }
            if word.lowercased() == "skip", !creates {
                request.skip = true
                continue
            }
            guard let pair = Pair(word), let name = name(of: pair.key) else {
                throw Failure("Unknown parameter \(word).  \(action)")
            }
            try read(pair, name, into: &request, action, now: now)
        }
        return request
    }

    private static func read(
        _ pair: Pair, _ name: String, into request: inout ReservationRequest, _ action: String, now: Int64
    ) throws(Failure) {
        func wrong(_ what: String) -> Failure { Failure("Invalid \(what) \(pair.word).  \(action)") }
        switch name {
        case "reservationname": request.name = pair.value
        case "starttime", "endtime":
            guard let time = MomentParser(now: now, future: true).parse(pair.value) else {
                throw wrong(name == "starttime" ? "start time" : "end time")
            }
            if name == "starttime" { request.start = Timestamp(seconds: time) }
            if name == "endtime" { request.end = Timestamp(seconds: time) }
        case "duration":
            guard let limit = SlurmText.timeLimit(pair.value) else { throw wrong("duration") }
            request.duration = limit
        case "flags": try readFlags(pair, into: &request, action)
        case "nodes": request.nodes = pair.edit
        case "nodecnt": request.nodeCounts = try counts(pair.value, "Invalid node count \(pair.word).  \(action)")
        case "corecnt": request.coreCounts = try counts(pair.value, "Invalid core count \(pair.word).  \(action)")
        case "partitionname": request.partition = pair.value
        case "features": request.features = pair.value
        case "licenses": request.licenses = try licenses(pair.value, wrong("license"))
        case "users": request.users = pair.edit
        case "accounts": request.accounts = pair.edit
        case "groups": request.groups = pair.edit
        case "maxstartdelay":
            guard let seconds = SlurmText.seconds(pair.value) else { throw wrong("MaxStartDelay") }
            request.maxStartDelay = UInt32(clamping: seconds)
        default: try readTRES(pair, into: &request, action)
        }
    }

    private static func counts(_ text: String, _ message: String) throws(Failure) -> [UInt32] {
        var counts: [UInt32] = []
        for word in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let number = ResourceText.number(word), number < 1 << 31 else { throw Failure(message) }
            counts.append(UInt32(number))
        }
        return counts
    }

    private static func licenses(_ text: String, _ wrong: Failure) throws(Failure) -> [LicenseRequest] {
        guard let read = try? ResourceText.licenses(text), !read.any else { throw wrong }
        return read.all
    }

    private static func readFlags(
        _ pair: Pair, into request: inout ReservationRequest, _ action: String
    ) throws(Failure) {
        for word in pair.value.split(separator: ",") {
            let parts = word.split(separator: "=", maxSplits: 1)
            guard let flag = ReservationFlags(word: parts[0]) else {
                throw Failure("Error parsing flags \(pair.value).  \(action)")
            }
            if parts.count == 2 {
                guard flag == .purgeWhenIdle, let seconds = SlurmText.seconds(String(parts[1])), seconds > 0 else {
                    throw Failure("Error parsing flags \(pair.value).  \(action)")
                }
                request.purgeAfter = UInt32(clamping: seconds)
            }
            if pair.sign == "-" { request.removedFlags.insert(flag) } else { request.flags.insert(flag) }
        }
    }

    /// `TRES=cpu=4,node=2,license/matlab=1`
    private static func readTRES(
        _ pair: Pair, into request: inout ReservationRequest, _ action: String
    ) throws(Failure) {
        let wrong = Failure("Invalid TRES \(pair.word).  \(action)")
        for item in pair.value.split(separator: ",") {
            let halves = item.split(separator: "=", maxSplits: 1)
            if halves.count == 1, !request.coreCounts.isEmpty, let number = SlurmText.number(item) {
                request.coreCounts.append(UInt32(clamping: number))
                continue
            }
            guard halves.count == 2, let number = ResourceText.number(halves[1]) else { throw wrong }
            let type = halves[0].lowercased()
            if type == "cpu" {
                request.coreCounts = [UInt32(clamping: number)]
            } else if type == "node" {
                request.nodeCounts = [UInt32(clamping: number)]
            } else if type.hasPrefix("license/") {
                let name = String(halves[0].dropFirst("license/".count))
                request.licenses = (request.licenses ?? []) + [.init(name: name, count: UInt32(clamping: number))]
            } else {
                throw wrong
            }
        }
    }

    /// What a new reservation must say.
    static func check(_ request: ReservationRequest) throws(Failure) {
        if request.start == nil { throw Failure("A start time must be given.  No reservation created.") }
        if request.end == nil, request.duration == nil {
            throw Failure("An end time or duration must be given.  No reservation created.")
        }
        let hasLicenses = !(request.licenses ?? []).isEmpty
        let hasNodes = request.nodes != nil || !request.nodeCounts.isEmpty || !request.coreCounts.isEmpty
        let isPartition = request.partition != nil && request.flags.contains(.partNodes)
        if !hasNodes, !hasLicenses, !isPartition, request.partition == nil {
            throw Failure(
                "CoreCnt, Nodes, NodeCnt, BurstBuffer, Licenses or Watts must be specified.  No reservation created.")
        }
        if [request.users, request.accounts, request.groups].allSatisfy({ $0?.text.isEmpty ?? true }) {
            throw Failure("Either Users/Groups and/or Accounts must be specified.  No reservation created.")
        }
    }
}

extension ReservationCommand {
    private static let note = """
        Note, unless nodes are directly requested a reservation must exist in a single partition.
        If no partition is requested the default partition is assumed.

        """

    static func create(_ words: [String]) throws(Failure) -> Int32 {
        let request: ReservationRequest
        do throws(Failure) {
            request = try self.request(words, creates: true, now: Times.now())
            try check(request)
        } catch {
            Console.error("scontrol", error.message, detail: error.detail)
            return 1
        }
        var message = WireCreateReservation()
        message.reservation = WireReservationRequest(request)
        do throws(Failure) {
            guard case .reservationCreated(let created)? = try Session().ask(.createReservation(message)).body else {
                throw Failure("Invalid reply of the controller")
            }
            Console.print("Reservation created: \(created.name)\n")
            return 0
        } catch {
            Console.complain("Error creating the reservation: \(error.message)\n")
            let isAboutNodes = ["Requested nodes are busy", "Requested node configuration is not available"]
            if isAboutNodes.contains(error.message) { Console.complain(note) }
            if !error.detail.isEmpty { Console.error("scontrol", error.detail) }
            return 1
        }
    }

    static func update(_ words: [String]) throws(Failure) -> Int32 {
        let request: ReservationRequest
        do throws(Failure) {
            request = try self.request(words, creates: false, now: Times.now())
            if request.name.isEmpty { throw Failure("Reservation must be given.  No reservation update.") }
        } catch {
            Console.error("scontrol", error.message, detail: error.detail)
            return 1
        }
        var message = WireUpdateReservation()
        message.reservation = WireReservationRequest(request)
        do throws(Failure) {
            _ = try Session().ask(.updateReservation(message))
            Console.print("Reservation updated.\n")
            return 0
        } catch {
            Console.complain("Error updating the reservation: \(error.message)\nslurm_update error: \(error.message)\n")
            if !error.detail.isEmpty { Console.error("scontrol", error.detail) }
            return 1
        }
    }

    static func delete(_ word: String, _ name: String) throws(Failure) -> Int32 {
        var message = WireDeleteReservation()
        message.name = name
        do throws(Failure) {
            _ = try Session().ask(.deleteReservation(message))
            return 0
        } catch {
            Console.complain("delete_reservation \(word): \(error.message)\n")
            if !error.detail.isEmpty { Console.error("scontrol", error.detail) }
            return 1
        }
    }

    static func list() throws(Failure) -> WireReservationList {
        do throws(Failure) {
            guard case .reservations(let list)? = try Session().ask(.listReservations(.init())).body else {
                throw Failure("Invalid reply of the controller")
            }
            return list
        } catch { throw Failure("slurm_load_reservations error: \(error.message)", detail: error.detail) }
    }
}
