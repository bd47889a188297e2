import Glibc
import Testing

@testable import ArgosyCommands

/// Tests/Documented has the names that Slurm 22.05 documents, a file for each command and kind: none of them is unknown.
@Suite("what Slurm documents") struct CoverageTests {
    private static let root = String(#filePath.split(separator: "/").dropLast(3).map { "/" + $0 }.joined())

    private static func lines(_ path: String) -> [String] {
        let bytes = FileBytes.read(path: "\(root)/\(path)", limit: 1 << 20) ?? []
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    private static func text(_ path: String) -> String { lines(path).joined(separator: "\n") + "\n" }

    private static let rows = Coverage.rows

    /// Lower case: fields and keys are known in any.
    private static func known(_ owner: String, _ kind: CoverageRow.Kind) -> Set<String> {
        Set(rows.filter { $0.owner == owner && $0.kind == kind }.map { $0.name.lowercased() })
    }

    private static let commands = Completion.commands.map(\.name)

    private func missing(_ owner: String, _ suffix: String, _ kind: CoverageRow.Kind) -> [String] {
        let known = Self.known(owner, kind)
        return Self.lines("Tests/Documented/\(owner).\(suffix)").filter { !known.contains($0.lowercased()) }
    }

    @Test(arguments: commands) func `has each documented option`(command: String) {
        let missing = missing(command, "options", .option)
        #expect(missing.isEmpty, "\(command) does not know \(missing.joined(separator: " "))")
    }

    @Test(arguments: commands) func `reads each documented variable`(command: String) {
        let missing = missing(command, "variables", .variable)
        #expect(missing.isEmpty, "\(command) does not know \(missing.joined(separator: " "))")
    }

    @Test(arguments: ["squeue", "sinfo", "sacct", "sprio", "sstat", "sshare", "sacctmgr"])
    func `shows each documented field`(command: String) {
        let missing = missing(command, "names", .field) + missing(command, "letters", .field)
        #expect(missing.isEmpty, "\(command) does not know \(missing.joined(separator: " "))")
    }

    @Test(arguments: [
        "slurm.conf.general", "slurm.conf.node", "slurm.conf.downNodes", "slurm.conf.frontEnd", "slurm.conf.nodeSet",
        "slurm.conf.partition", "cgroup.conf", "gres.conf", "topology.conf",
    ])
    func `reads each documented key`(file: String) {
        let documented = Self.lines("Tests/Documented/\(file).keys")
        #expect(!documented.isEmpty)
        let known = Self.known(file == "slurm.conf.general" ? "slurm.conf" : file, .key)
        let missing = documented.filter { !known.contains($0.lowercased()) }
        #expect(missing.isEmpty, "\(file) does not know \(missing.joined(separator: " "))")
    }

    @Test func `the manual page has the table of keys as it is`() {
        let page = Self.text("man/argosy.conf.5.scd")
        let whole = page.split(separator: "\n").joined(separator: "\n")
        let table = Coverage.manual.split(separator: "\n").joined(separator: "\n")
        #expect(whole.contains(table), "put what `argosy coverage man` prints under KEYS of man/argosy.conf.5.scd")
    }

    @Test func `a refusal says why, and so does a key without effect`() {
        for row in Self.rows where row.state == "refused" || row.state == "no effect" {
            #expect(row.what.utf8.count > 3, "\(row.line)")
        }
    }
}
