import Foundation
import Testing

/// Rules of the house that a compiler does not hold: arrows between targets, what the deciding half may not touch,
/// and what never belongs in a source file.
@Suite struct HouseTests {
    /// Decide, and touch nothing: no clock, no randomness, no environment, no files.
    static let pureTargets: Set<String> = ["ArgosyDomain", "ArgosyConfig", "ArgosyScheduler", "ArgosyCore"]
    /// What comes with the toolchain and may be imported anywhere outside the pure targets.
    static let platform: Set<String> = ["Glibc", "Synchronization", "Dispatch", "Swift", "_Concurrency"]

    @Test func `every target folder is in the manifest`() {
        #expect(!SourceTree.files.isEmpty)
        let targets = Set(SourceTree.files.map(\.target))
        for target in targets.sorted() {
            #expect(SourceTree.manifest.allowed[target] != nil, "Package.swift has no target \(target)")
        }
    }

    @Test func `a file imports only what its target's line in the manifest names`() {
        for file in SourceTree.files {
            let allowed = SourceTree.manifest.allowed[file.target] ?? []
            for module in file.imports where !HouseTests.platform.contains(module) {
                // SwiftProtobuf's byte fields are FoundationEssentials' Data; whether a file may is asked below.
                if module.hasPrefix("Foundation") || (module == "NIOTLS" && allowed.contains("NIOSSL")) { continue }
                #expect(
                    allowed.contains(module),
                    "\(file) imports \(module), which \(file.target)'s line in Package.swift does not name")
            }
        }
    }

    @Test func `arrows of the manifest have no circle`() {
        let arrows = SourceTree.manifest.allowed
        func reaches(_ start: String) -> Set<String> {
            var seen: Set<String> = []
            var open = [start]
            while let next = open.popLast() {
                for target in arrows[next] ?? [] where seen.insert(target).inserted { open.append(target) }
            }
            return seen
        }
        for target in arrows.keys.sorted() { #expect(!reaches(target).contains(target), "\(target) reaches itself") }
        #expect(arrows["ArgosyDomain"] == [], "ArgosyDomain imports nothing of ours")
    }

    @Test func `a C module is imported by exactly one target`() {
        for module in SourceTree.manifest.foreign.sorted() where module != "CArgosyShim" {
            let users = Set(SourceTree.files.filter { $0.imports.contains(module) }.map(\.target)).sorted()
            #expect(users.count <= 1, "\(module) is imported by \(users.joined(separator: ", "))")
        }
    }

    @Test func `nothing imports Foundation, and only files with byte fields import FoundationEssentials`() {
        for file in SourceTree.files where !file.isGenerated {
            #expect(!file.imports.contains("Foundation"), "\(file) imports Foundation")
            guard file.imports.contains("FoundationEssentials") else { continue }
            let protobuf = SourceTree.manifest.allowed[file.target]?.contains("ArgosyWire") == true
            #expect(
                protobuf || file.target == "ArgosyWire",
                "\(file) imports FoundationEssentials away from the wire's edge")
        }
    }

    @Test func `the deciding half touches no clock, no randomness, no environment and no file`() {
        let banned = [
            "Clock", ".now()", "SystemRandomNumberGenerator", ".random(", ".randomElement(", ".shuffled()",
            ".shuffle()", "getenv", "time(nil)", "gettimeofday", "clock_gettime", "fopen", "open(", "arc4random",
            "Task {",
            "Task.sleep", "await ", "print(", "readLine",
        ]
        for file in SourceTree.files where HouseTests.pureTargets.contains(file.target) {
            for module in file.imports where HouseTests.platform.contains(module) {
                #expect(module == "Synchronization", "\(file) imports \(module); the deciding half does no I/O")
            }
            for (number, line) in file.code.enumerated() {
                for word in banned where HouseTests.uses(word, in: line) {
                    Issue.record("\(file):\(number + 1) uses \(word): \(line.trimmingCharacters(in: .whitespaces))")
                }
            }
        }
    }

    @Test func `there is one scheduling pass, the engine's, and simulations call it`() {
        let others = ["ArgosyTrace", "ArgosyCore", "ArgosyController"]
        for file in SourceTree.files where others.contains(file.target) {
            for (number, line) in file.code.enumerated() {
                for word in [".earliestStart(", ".reserve("] where line.contains(word) {
                    Issue.record("\(file):\(number + 1) plans by itself; BackfillEngine.pass does that")
                }
            }
        }
        let callers = SourceTree.files.filter { file in file.code.contains { $0.contains("engine.pass(") } }
        #expect(callers.contains { $0.path.hasSuffix("ReferenceSimulation.swift") })
        if SourceTree.files.contains(where: { $0.path.contains("/Planner/") }) {
            #expect(callers.contains { $0.path.contains("/Planner/") }, "the planner does not call the engine")
        }
    }

    @Test func `no force unwrap and no try! in sources`() {
        for file in SourceTree.files where !file.isGenerated {
            for (number, line) in file.code.enumerated() where HouseTests.forces(line) {
                Issue.record("\(file):\(number + 1) forces: \(line.trimmingCharacters(in: .whitespaces))")
            }
        }
    }

    @Test func `no path of a developer's machine in sources, scripts or pages`() {
        let places = ["Sources", "contrib", "etc", "man", "README.md", "CHANGELOG.md", "Package.swift"]
        let machines = ["work", "home"].map { "/\($0)/" }
        for path in places.flatMap(HouseTests.textFiles) {
            let text = (try? String(contentsOf: SourceTree.root.appendingPathComponent(path), encoding: .utf8)) ?? ""
            for (number, line) in text.components(separatedBy: "\n").enumerated() {
                for machine in machines where HouseTests.startsPath(machine, in: line) {
                    Issue.record("\(path):\(number + 1) names a path of one machine: \(line)")
                }
            }
        }
    }

    @Test func `a source file stays under 600 lines`() {
        for file in SourceTree.files where !file.isGenerated {
            #expect(file.lines.count <= 600, "\(file) has \(file.lines.count) lines; look for its second idea")
        }
    }
}

extension HouseTests {
    /// Whether `word` stands in `line` as a word of its own at its front, so that `reopen(` is not `open(`.
    static func uses(_ word: String, in line: String) -> Bool {
        guard let range = line.range(of: word) else { return false }
        guard word.first?.isLetter == true, range.lowerBound > line.startIndex else { return true }
        let before = line[line.index(before: range.lowerBound)]
        return !(before.isLetter || before.isNumber || before == "_" || before == ".")
    }

    static func forces(_ line: String) -> Bool {
        if line.contains("try!") || line.contains("as!") { return true }
        guard line.utf8.contains(UInt8(ascii: "!")) else { return false }
        let characters = Array(line)
        for (at, character) in characters.enumerated() where character == "!" && at > 0 {
            let before = characters[at - 1]
            let after = at + 1 < characters.count ? characters[at + 1] : " "
            if after != "=", before.isLetter || before.isNumber || ")]}".contains(before) { return true }
        }
        return false
    }

    /// `/x/` at the start of a path: not in the middle of one such as `/run/x/` or `$DIR/x/`.
    static func startsPath(_ prefix: String, in line: String) -> Bool {
        line.components(separatedBy: prefix).dropLast().contains { before in
            guard let last = before.last else { return true }
            return !(last.isLetter || last.isNumber || "}_-.)$%*>\\".contains(last))
        }
    }

    static func textFiles(_ place: String) -> [String] {
        let path = SourceTree.root.appendingPathComponent(place).path
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else { return [] }
        guard isFolder.boolValue else { return [place] }
        let below = FileManager.default.enumerator(atPath: path)?.compactMap { $0 as? String } ?? []
        return below.sorted().map { "\(place)/\($0)" }
    }
}
