// Words for resources as sbatch, srun and scontrol take them, read into requests. What is a known GRES, license or
// feature is for the controller to say: here only the grammar is checked.

import ArgosyConfig
import ArgosyDomain

enum ResourceText {
    /// What `--gres=help` answers: the GRES that the cluster has.
    static func gresHelp() -> String {
        let entry = (try? Session())?.configuration.entries.last { $0.key.lowercased() == "grestypes" }
        let names = (entry?.value ?? "").split(separator: ",")
        return "Valid gres options are:\n" + names.map { "\($0)[[:type]:count]\n" }.joined()
    }

    static let invalidGRES = "Invalid generic resource (gres) specification"

    /// `--gres`: `name[[:type]:count]`, with commas; a count may end in k, m, g, t or p. `none`: nothing.
    static func gres(_ text: String) throws(OptionError) -> [GRESRequest] {
        if text.isEmpty || text.lowercased() == "none" || text == "0" { return [] }
        var requests: [GRESRequest] = []
        for item in text.split(separator: ",", omittingEmptySubsequences: false) {
            var words = item.split(separator: ":", omittingEmptySubsequences: false)
            if words.count > 1, words[0].lowercased() == "gres" { words.removeFirst() }
            if item.hasPrefix("gres/") { words[0] = words[0].dropFirst(5) }
            try add(words, per: .node, to: &requests)
        }
        return requests.filter { $0.count > 0 }
    }

    /// `--gpus` and its kin: `[type:]number`, with commas.
    static func gpus(_ text: String, per: GRESRequest.Per) throws(OptionError) -> [GRESRequest] {
        if text.isEmpty || text.lowercased() == "none" { return [] }
        var requests: [GRESRequest] = []
        for item in text.split(separator: ",", omittingEmptySubsequences: false) {
            let words = item.split(separator: ":", omittingEmptySubsequences: false)
            try add(["gpu"] + words, per: per, to: &requests)
        }
        return requests.filter { $0.count > 0 }
    }

    private static func add(
        _ words: [Substring], per: GRESRequest.Per, to requests: inout [GRESRequest]
    ) throws(OptionError) {
        guard (1...3).contains(words.count), words.allSatisfy(isName) else { throw OptionError(invalidGRES) }
        var type = ""
        var count: UInt64 = 1
        if words.count == 3 {
            guard let number = number(words[2]) else { throw OptionError(invalidGRES) }
            type = String(words[1])
            count = number
        } else if words.count == 2 {
            if let number = number(words[1]) { count = number } else { type = String(words[1]) }
        }
        let name = String(words[0])
        if let known = requests.firstIndex(where: { $0.name == name && $0.type == type && $0.per == per }) {
            requests[known].count += count
        } else {
            requests.append(GRESRequest(name: name, type: type, count: count, per: per))
        }
    }

    private static func isName(_ word: Substring) -> Bool {
        !word.isEmpty && word.utf8.allSatisfy { $0 > 32 && $0 < 127 && $0 != UInt8(ascii: "=") }
    }

    /// A count with an optional k, m, g, t or p (powers of 1024).
    static func number(_ text: some StringProtocol) -> UInt64? {
        let shift: UInt64 =
            switch text.last {
            case "k", "K": 10
            case "m", "M": 20
            case "g", "G": 30
            case "t", "T": 40
            case "p", "P": 50
            default: 0
            }
        guard let number = SlurmText.number(shift == 0 ? text[...] : text.dropLast()), number <= .max >> shift else {
            return nil
        }
        return number << shift
    }

    /// `--licenses`: `name[:count]` with commas or semicolons; with `|` between them any one will do.
    static func licenses(_ text: String) throws(OptionError) -> (all: [LicenseRequest], any: Bool) {
        let isAny = text.contains("|")
        var requests: [LicenseRequest] = []
        for item in text.split(whereSeparator: { isAny ? $0 == "|" : $0 == "," || $0 == ";" }) {
            let words = item.split(separator: ":", omittingEmptySubsequences: false)
            let count = words.count == 2 ? SlurmText.number(words[1]) : 1
            guard (1...2).contains(words.count), isName(words[0]), !words[0].contains("|"), !words[0].contains(","),
                let count, count < 0xffff_fffe
            else { throw OptionError("Invalid license specification") }
            if count > 0 { requests.append(LicenseRequest(name: String(words[0]), count: UInt32(count))) }
        }
        return (requests, isAny)
    }

    /// `--switches=count[@time]`: the count, and seconds to wait for so few (`.max`: as long as it takes).
    static func switches(_ text: String) throws(OptionError) -> (count: UInt32, wait: UInt32?) {
        let halves = text.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
        let count = try JobValue.count(String(halves[0]), "--switches", from: 0)
        guard halves.count == 2 else { return (count, nil) }
        return (count, try switchWait(String(halves[1])))
    }

    /// Seconds that a job may wait for its count of switches.
    static func switchWait(_ word: String) throws(OptionError) -> UInt32 {
        if ["UNLIMITED", "INFINITE", "-1"].contains(word.uppercased()) { return .max }
        guard let seconds = SlurmText.seconds(word), seconds < UInt64(UInt32.max) else {
            throw OptionError("Invalid --switches specification", status: 255)
        }
        return UInt32(seconds)
    }

    /// `--distribution`, checked word by word and kept as written.
    static func distribution(_ text: String) throws(OptionError) -> String {
        let wrong = OptionError("Invalid --distribution specification", status: 255)
        let parts = text.lowercased().split(separator: ",", omittingEmptySubsequences: false)
        let levels = parts[0].split(separator: ":", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), (1...3).contains(levels.count) else { throw wrong }
        if parts.count == 2, !["pack", "nopack"].contains(parts[1]) { throw wrong }
        if ["pack", "nopack"].contains(parts[0]), parts.count == 1 { return text }
        for (place, level) in levels.enumerated() {
            if place == 0, level.hasPrefix("plane") {
                let size = level.dropFirst(5)
                if size.isEmpty || size.first == "=" && (SlurmText.number(size.dropFirst()) ?? 0) > 0 { continue }
                throw wrong
            }
            let allowed = place == 0 ? ["*", "block", "cyclic", "arbitrary"] : ["*", "block", "cyclic", "fcyclic"]
            guard allowed.contains(String(level)) else { throw wrong }
        }
        return text
    }
}

extension ResourceOptions {
    /// `-B sockets[:cores[:threads]]`; each a number, a range (whose lower end counts) or `*`.
    mutating func setExtraNodeInfo(_ text: String) throws(OptionError) {
        let words = text.split(separator: ":", omittingEmptySubsequences: false)
        guard words.count <= 3 else { throw OptionError("Invalid -B specification \"\(text)\"") }
        let ordinals = ["first", "second", "third"]
        var counts: [UInt32] = [0, 0, 0]
        for (place, word) in words.enumerated() where !word.isEmpty && word != "*" {
            let least = word.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)[0]
            guard let number = SlurmText.number(least), number < 0xffff else {
                throw OptionError("Invalid numeric value \"\(word)\" for \(ordinals[place]) arg of -B.")
            }
            counts[place] = UInt32(number)
        }
        (socketsPerNode, coresPerSocket) = (counts[0], counts[1])
        if counts[2] > 0 { threadsPerCore = counts[2] }
    }

    /// `--hint`: a short way to say what several options say.
    mutating func setHint(_ text: String) throws(OptionError) {
        for word in text.lowercased().split(separator: ",") {
            switch word {
            case "compute_bound": threadsPerCore = 1
            case "memory_bound":
                threadsPerCore = 1
                tasksPerSocket = 1
            case "multithread": threadsPerCore = 0
            case "nomultithread": threadsPerCore = 1
            default: throw OptionError("unrecognized --hint argument \"\(word)\", see --hint=help")
            }
        }
    }
}
