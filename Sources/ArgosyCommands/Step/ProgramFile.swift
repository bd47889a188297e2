// The file of --multi-prog: lines of `ranks program arguments`, where ranks is `0-3,5` or `*`.
//
// Single quotes hold an argument together as it is, a backslash takes the next character as it is (at the end of a line:
// the line goes on), `#` begins a comment line. %t and %o outside of both are marked for the nodes, other letters behind a
// percent sign go with it.

import ArgosyWire

struct ProgramFile {
    private(set) var programs: [WireStepProgram] = []

    /// - Parameters:
    ///   - text: the file's.
    ///   - tasks: of the step.
    init(_ text: String, name: String, tasks: UInt32) throws(Failure) {
        var number = 0
        var pending = ""
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            number += 1
            if line.hasSuffix("\\") {
                pending += line.dropLast()
                continue
            }
            let whole = pending + line
            pending = ""
            let words = Self.words(whole)
            guard let first = words.first, !first.hasPrefix("#") else { continue }
            do throws(Failure) { try add(first, words, tasks) } catch {
                let why = error.message.isEmpty ? "" : error.message + "\nsrun: error: "
                throw Failure("\(why)Line \(number) of configuration file \(name) invalid")
            }
        }
        let rest = programs.contains { $0.rest }
        let named = Set(programs.flatMap(\.ranks))
        if !rest, let missing = (0..<tasks).first(where: { !named.contains($0) }) {
            throw Failure("Configuration file \(name) invalid, no record for task id \(missing)")
        }
    }

    private mutating func add(_ ranks: String, _ words: [String], _ tasks: UInt32) throws(Failure) {
        var program = WireStepProgram()
        program.arguments = Array(words.dropFirst())
        guard !program.arguments.isEmpty else { throw Failure("") }
        if ranks == "*" {
            program.rest = true
            let named = Set(programs.flatMap(\.ranks))
            program.ranks = (0..<tasks).filter { !named.contains($0) }
        } else {
            for part in ranks.split(separator: ",") {
                let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { UInt32($0) }
                guard (1...2).contains(ends.count), let first = ends[0], let last = ends[ends.count - 1], first <= last
                else { throw Failure("Invalid task range specification (\(ranks))") }
                guard last < tasks else { throw Failure("Invalid task id, \(last) >= ntasks") }
                if let twice = (first...last).first(where: { rank in programs.contains { $0.ranks.contains(rank) } }) {
                    throw Failure("Duplicate record for task \(twice)")
                }
                program.ranks += first...last
            }
        }
        programs.append(program)
    }

    /// Stands before the letter of what the nodes put in.
    private static let mark: Character = "\u{1}"

    /// By blanks outside of single quotes.
    static func words(_ line: String) -> [String] {
        var words: [String] = []
        var word: String?
        var isQuoted = false
        var isEscaped = false
        var isAfterPercent = false
        for character in line {
            if isAfterPercent {
                isAfterPercent = false
                if character == "t" || character == "o" { word = (word ?? "") + "\(Self.mark)\(character)" }
            } else if isEscaped {
                word = (word ?? "") + String(character)
                isEscaped = false
            } else if character == "%", !isQuoted {
                isAfterPercent = true
                word = word ?? ""
            } else if character == "\\" {
                isEscaped = true
            } else if character == "'" {
                isQuoted.toggle()
                word = word ?? ""
            } else if !isQuoted, character == " " || character == "\t" || character == "\r" {
                if let word { words.append(word) }
                word = nil
            } else {
                word = (word ?? "") + String(character)
            }
        }
        if let word { words.append(word) }
        return words
    }
}
