// Keys that stand for themselves: one small reader each, found in one table.

import ArgosyDomain

/// What was wrong with a value: what is allowed instead.
struct WrongValue: Error { var allowed: String }

extension ConfigurationParser {
    typealias Reader = @Sendable (inout ClusterConfiguration, String) throws(WrongValue) -> Void

    mutating func readGlobal(_ pair: ConfigurationLine.Pair, _ line: ConfigurationLine) {
        let key = pair.key.lowercased()
        if !["slurmctldhost", "prolog", "epilog"].contains(key),
            let earlier = configuration.entries.last(where: { $0.key.lowercased() == key })
        {
            let place = earlier.file == line.file ? "line \(earlier.line)" : "\(earlier.file):\(earlier.line)"
            warn(line, "\(pair.key) is given in \(place) too; the later value is used")
        }
        configuration.entries.append(.init(key: pair.key, value: pair.value, file: line.file, line: line.number))
        if key.hasPrefix("argosy") || key.hasPrefix("container") { return readOwn(pair, line) }
        guard let known = ConfigurationTable.key(key) else {
            return fail(
                line, "\(pair.key) is not a key of slurm.conf\(Self.similar(key)); correct it or remove the line")
        }
        do throws(WrongValue) {
            let reader = Self.readers[key] ?? Self.priorityReaders[key] ?? Self.schedulingReaders[key]
            if let reader { try reader(&configuration, pair.value) } else { try known.check(pair.value) }
        } catch {
            fail(line, "\(pair.key)=\(pair.value): \(error.allowed)")
            return
        }
        if case .noEffect(let why) = known.state { note(pair, known, why, line) }
        guard key == "schedulerparameters" || key == "selecttypeparameters" else { return }
        for word in configuration.scheduling.unknownParameters {
            warn(line, "\(word) of \(pair.key) is not acted on")
        }
        configuration.scheduling.unknownParameters = []
    }

    /// A key of a line that nothing was done about: known, or a mistake.
    mutating func noEffect(
        _ pair: ConfigurationLine.Pair, _ place: ConfigurationTable.Place, _ what: String, _ line: ConfigurationLine
    ) {
        guard let key = ConfigurationTable.key(pair.key, place) else {
            return fail(line, "\(pair.key) is not a key of \(what) lines; correct it or remove it")
        }
        do throws(WrongValue) { try key.check(pair.value) } catch {
            return fail(line, "\(pair.key)=\(pair.value): \(error.allowed)")
        }
        guard case .noEffect(let why) = key.state else { return }
        warn(line, "\(pair.key) has no effect: \(why)")
    }

    /// Values that say what is so anyway need no word.
    private mutating func note(
        _ pair: ConfigurationLine.Pair, _ key: ConfigurationKey, _ why: String, _ line: ConfigurationLine
    ) {
        let rendered = key.rendered(pair.value, uid: { _ in nil }).lowercased()
        guard rendered != key.shown?.lowercased(), !Self.quiet.contains(key.name) else { return }
        warn(line, "\(pair.key) has no effect: \(why)")
    }

    private mutating func readOwn(_ pair: ConfigurationLine.Pair, _ line: ConfigurationLine) {
        guard let reader = Self.readers[pair.key.lowercased()] else { return }
        do throws(WrongValue) { try reader(&configuration, pair.value) } catch {
            fail(line, "\(pair.key)=\(pair.value): \(error.allowed)")
        }
    }

    /// `; did you mean KillWait` for a key with a letter too many, too few or wrong.
    private static func similar(_ key: String) -> String {
        let close = ConfigurationTable.keys(.general).filter { $0.state != .fact }.first { known in
            Self.differ(Array(key.utf8), Array(known.name.lowercased().utf8)) <= 2
        }
        return close.map { "; did you mean \($0.name)" } ?? ""
    }

    /// How many letters apart; counted up to 3.
    private static func differ(_ a: [UInt8], _ b: [UInt8]) -> Int {
        guard abs(a.count - b.count) < 3 else { return 3 }
        var row = Array(0...b.count)
        for (i, byte) in a.enumerated() {
            var corner = row[0]
            row[0] = i + 1
            for (j, other) in b.enumerated() {
                let next = min(row[j + 1] + 1, row[j] + 1, corner + (byte == other ? 0 : 1))
                corner = row[j + 1]
                row[j + 1] = next
            }
        }
        return min(row[b.count], 3)
    }

    /// Keys every file has, whose values no administrator needs to be told about.
    private static let quiet: Set<String> = [
        "AccountingStorageType", "AccountingStorageHost", "AccountingStoragePort", "AccountingStoragePass",
        "AccountingStorageUser", "JobAcctGatherType", "JobAcctGatherFrequency", "SlurmctldPidFile", "SlurmdPidFile",
        "SlurmctldDebug", "SlurmdDebug", "SlurmdUser", "ProctrackType", "TaskPlugin", "SwitchType", "CredType",
        "MessageTimeout", "SlurmctldTimeout", "TCPTimeout", "TreeWidth", "PluginDir", "LogTimeFormat",
    ]

    static func port(_ text: String) throws(WrongValue) -> UInt16 {
        guard let port = UInt16(text), port > 0 else { throw WrongValue(allowed: "must be a port from 1 to 65535") }
        return port
    }

    static func count(_ text: String, _ range: ClosedRange<UInt64>) throws(WrongValue) -> UInt64 {
        guard let number = SlurmText.number(text), range.contains(number) else {
            throw WrongValue(allowed: "must be a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    static func seconds(_ text: String) throws(WrongValue) -> Duration {
        if text.uppercased() == "INFINITE" || text.uppercased() == "UNLIMITED" { return .zero }
        return .seconds(Int64(try count(text, 0...0xffff_fffe)))
    }

    static func yes(_ text: String) throws(WrongValue) -> Bool {
        guard let answer = SlurmText.boolean(text) else { throw WrongValue(allowed: "must be YES or NO") }
        return answer
    }

    static func path(_ text: String) throws(WrongValue) -> String {
        guard text.hasPrefix("/") else { throw WrongValue(allowed: "must be an absolute path") }
        return text
    }

    static func mebibytes(_ text: String) throws(WrongValue) -> UInt64 {
        if text.uppercased() == "UNLIMITED" { return 0 }
        guard let size = SlurmText.mebibytes(text) else {
            throw WrongValue(allowed: "must be a number of MiB, or a number with K, M, G or T")
        }
        return size
    }

    /// `name`, `name(address)`
    static func host(_ text: String) throws(WrongValue) -> ClusterConfiguration.Host {
        let parts = text.split(separator: "(", maxSplits: 1, omittingEmptySubsequences: false)
        let name = String(parts.first ?? "")
        guard !name.isEmpty, parts.count == 1 || (parts[1].last == ")" && parts[1].count > 1) else {
            throw WrongValue(allowed: "must be NAME or NAME(ADDRESS)")
        }
        return .init(name: name, address: parts.count == 1 ? name : String(parts[1].dropLast()))
    }

    static let readers: [String: Reader] = [
        "clustername": { configuration, text throws(WrongValue) in
            let fine = !text.isEmpty && text.utf8.count <= 40 && text.utf8.allSatisfy(isNameByte)
            guard fine else { throw WrongValue(allowed: "must be up to 40 letters, digits, - and _") }
            configuration.clusterName = text.lowercased()
        },
        "slurmctldhost": { configuration, text throws(WrongValue) in
            configuration.controllers.append(try host(text))
        },
        "controlmachine": { configuration, text throws(WrongValue) in
            configuration.controllers = [try host(text)]
        },
        "controladdr": { configuration, text throws(WrongValue) in
            guard !configuration.controllers.isEmpty else {
                throw WrongValue(allowed: "must follow ControlMachine; SlurmctldHost=NAME(ADDRESS) replaces both")
            }
            configuration.controllers[0].address = text
        },
        "slurmctldport": { configuration, text throws(WrongValue) in
            configuration.controllerPort = try port(String(text.split(separator: "-").first ?? ""))
        },
        "slurmuser": { configuration, text throws(WrongValue) in
            guard !text.isEmpty else { throw WrongValue(allowed: "must be a user's name") }
            configuration.slurmUser = String(text.prefix { $0 != "(" })
        },
        "statesavelocation": { configuration, text throws(WrongValue) in
            configuration.stateSaveLocation = try path(text)
        },
        "slurmdspooldir": { configuration, text throws(WrongValue) in configuration.slurmdSpoolDir = try path(text) },
        "argosysocket": { configuration, text throws(WrongValue) in configuration.socketPath = try path(text) },
        "authtype": { _, text throws(WrongValue) in
            guard text.lowercased() == "auth/munge" else { throw WrongValue(allowed: "must be auth/munge") }
        },
        "authinfo": { configuration, text throws(WrongValue) in
            for part in text.split(separator: ",") where part.lowercased().hasPrefix("socket=") {
                configuration.mungeSocket = try path(String(part.dropFirst(7)))
            }
        },
        "killwait": { configuration, text throws(WrongValue) in configuration.killWait = try seconds(text) },
        "slurmdtimeout": { configuration, text throws(WrongValue) in configuration.slurmdTimeout = try seconds(text) },
        "minjobage": { configuration, text throws(WrongValue) in configuration.minJobAge = try seconds(text) },
        "inactivelimit": { configuration, text throws(WrongValue) in configuration.inactiveLimit = try seconds(text) },
        "maxjobcount": { configuration, text throws(WrongValue) in
            configuration.maxJobCount = Int(try count(text, 2...10_000_000))
        },
        "maxarraysize": { configuration, text throws(WrongValue) in
            configuration.maxArraySize = UInt32(try count(text, 0...4_000_001))
        },
        "firstjobid": { configuration, text throws(WrongValue) in
            configuration.firstJobID = UInt32(try count(text, 1...0x3fff_ffff))
        },
        "maxjobid": { configuration, text throws(WrongValue) in
            configuration.maxJobID = UInt32(try count(text, 1...0x3fff_ffff))
        },
        "slurmdparameters": { configuration, text throws(WrongValue) in
            let words = text.lowercased().split(separator: ",")
            configuration.configOverrides = words.contains("config_overrides")
        },
        "communicationparameters": { configuration, text throws(WrongValue) in
            let words = text.lowercased().split(separator: ",")
            configuration.controllerBindsItsAddress = words.contains("noctldinaddrany")
            configuration.nodesBindTheirAddress = words.contains("noinaddrany")
        },
        "defmempernode": { configuration, text throws(WrongValue) in
            configuration.defaultMemoryPerNodeMiB = try mebibytes(text)
        },
        "defmempercpu": { configuration, text throws(WrongValue) in
            configuration.defaultMemoryPerCPUMiB = try mebibytes(text)
        },
        "returntoservice": { configuration, text throws(WrongValue) in
            configuration.returnToService = Int(try count(text, 0...2))
        },
        "jobrequeue": { configuration, text throws(WrongValue) in configuration.requeueByDefault = try yes(text) },
    ]

    static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
            true
        default: false
        }
    }
}
