import Glibc
import Testing

@testable import ArgosyCommands

/// Pages and options agree: what a command acts on is described, and nothing else is.
@Suite struct ManualPageTests {
    private static let root = String(#filePath.split(separator: "/").dropLast(3).map { "/" + $0 }.joined())

    private func page(_ name: String) -> String {
        FileBytes.read(path: "\(Self.root)/man/\(name).scd", limit: 1 << 20).map { String(decoding: $0, as: UTF8.self) }
            ?? ""
    }

    /// Those with a page of options: Slurm's, and of Argosy's own `argosy sim`.
    private static let commands =
        Completion.commands + [CommandSummary(Sim.description), CommandSummary(Why.description)]

    @Test(arguments: commands.map(\.name))
    func everyOptionIsDescribedAndEveryDescribedOptionExists(name: String) throws {
        let command = try #require(Self.commands.first { $0.name == name })
        let name = name.split(separator: " ").joined(separator: "-")
        let text = page("\(name).1")
        #expect(!text.isEmpty, "man/\(name).1.scd is missing")
        for option in command.options { #expect(text.contains("*\(option)*"), "\(name).1 does not describe \(option)") }
        let lines = text.split(separator: "\n").filter { $0.hasPrefix("*-") }
        for line in lines {
            for word in line.split(separator: "*") where word.hasPrefix("-") && !word.contains(" ") {
                let option = String(word.prefix { $0 != "=" && $0 != "[" })
                #expect(command.known.contains(option), "\(name).1 describes \(option), which \(name) does not have")
            }
        }
    }

    @Test(arguments: [
        "sbatch.1", "srun.1", "squeue.1", "scancel.1", "sinfo.1", "sacct.1", "scontrol.1", "argosy.1", "argosy-sim.1",
        "argosy-why.1", "sacctmgr.1", "sprio.1", "sshare.1", "scrontab.1", "sdiag.1", "seff.1", "sreport.1",
        "strigger.1",
        "sstat.1",
        "argosy.conf.5", "argosy-policy.7", "argosyctld.8", "argosyd.8", "argosystepd.8",
    ])
    func everyPageHasItsParts(name: String) {
        let text = page(name)
        for part in ["# NAME", "# DESCRIPTION", "# SEE ALSO"] { #expect(text.contains(part), "\(name) has no \(part)") }
    }

    @Test func theCompletionFileIsWhatTheProgramPrints() {
        let file = FileBytes.read(path: "\(Self.root)/contrib/completions/argosy.bash", limit: 1 << 20) ?? []
        #expect(String(decoding: file, as: UTF8.self) == Completion.bash(), "run: argosy completion bash")
    }
}
