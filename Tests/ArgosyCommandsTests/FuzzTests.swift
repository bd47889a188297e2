import ArgosyConfig
import ArgosyDomain
import Testing

@testable import ArgosyCommands

/// xorshift64*: the same texts in every run.
private struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state ^= state >> 12
        state ^= state << 25
        state ^= state >> 27
        return state &* 0x2545_F491_4F6C_DD1D
    }
}

/// What users write, cut, doubled, swapped and sprinkled with what parsers look for. contrib/fuzz does the same with the
/// compiler's help and for longer; this runs with every test.
@Suite struct FuzzTests {
    private static let samples = [
        "n[1-3,7],login", "rack[0-1]n[01-10]", "30", "1-2:03:04", "UNLIMITED", "4G", "1.5T", "0-7%2", "1,3,5-9:2",
        "afterok:1:2,afterany:3_4", "after:5+10?singleton", "now+1hour", "16:00:30", "01/31/25-12:00",
        "gpu:a100:2,fpga",
        "matlab:2,x|y:3", "[(a|b)&c*2]", "2@1:00", "B:USR1@60", "ALL,X=1,Y", "block:cyclic,NoPack", "BEGIN,END", "TOP",
        "1:2:3", "10-20", "cpu=4,gres/gpu:a=2", "verbose,map_cpu:0,1,0x3*2", "#BSUB -W ", "%.18i %.9P %#",
        "jobid:5,name:.10",
    ]
    private static let pieces = [
        "", ",", ":", "-", "=", "[", "]", "%", "@", "+", "*", "|", "&", "(", ")", "/", "\\", "\"", "'", "\n", "\0", " ",
        "0", "-1", "4294967295", "4294967296", "18446744073709551616", "9223372036854775807", "-9223372036854775808",
        "1e9",
        "０", "é", "e\u{301}", "👩‍👩‍👧", "%5", "[0-99999999]", "::", "..",
    ]

    private static func text(_ random: inout SeededGenerator) -> String {
        var characters = Array(samples.randomElement(using: &random) ?? "")
        for _ in 0..<Int.random(in: 0...4, using: &random) {
            let place = Int.random(in: 0...characters.count, using: &random)
            switch Int.random(in: 0...3, using: &random) {
            case 0: characters.removeSubrange(place..<min(characters.count, place + 3))
            case 1: characters.insert(contentsOf: pieces.randomElement(using: &random) ?? "", at: place)
            case 2: characters.insert(contentsOf: characters.prefix(place), at: place)
            default: characters.insert(contentsOf: samples.randomElement(using: &random) ?? "", at: place)
            }
        }
        return String(characters.prefix(300))
    }

    @Test func `no value of an option of sbatch or srun stops the program`() {
        var random = SeededGenerator(state: 4)
        var refused = 0
        for table in [JobOptionTable.sbatch, JobOptionTable.srun] {
            for option in table where option.argument != .none {
                for _ in 0..<60 {
                    var options = JobOptions()
                    do { try option.set(&options, Self.text(&random)) } catch { refused += 1 }
                }
            }
        }
        #expect(refused > 1000)
    }

    @Test func `no words of a batch script or its foreign directives stop the program`() {
        var random = SeededGenerator(state: 5)
        var read = 0
        for _ in 0..<3000 {
            let lines = ["#!/bin/sh", "#SBATCH ", "#PBS -l nodes=", "#PBS -", "#BSUB -", "#BSUB -W "].map {
                $0 + Self.text(&random)
            }
            let bytes = Array(lines.joined(separator: "\n").utf8)
            if let words = try? ForeignDirectives.words(bytes) { read += words.count }
            if let words = try? BatchScript.words(bytes) { read += words.count }
        }
        #expect(read > 0)
        #expect((try? ForeignDirectives.words(Array("#!/bin/sh\n#BSUB -W /\n".utf8))) != nil)
    }

    @Test func `a host list that is read and written stays the same`() {
        var random = SeededGenerator(state: 6)
        var read = 0
        for _ in 0..<5000 {
            guard let hosts = try? Hostlist.expand(Self.text(&random)), hosts.count < 500 else { continue }
            read += 1
            let again = (try? Hostlist.expand(Hostlist.compress(hosts))) ?? []
            #expect(again.sorted() == hosts.sorted())
        }
        #expect(read > 100)
    }

    @Test func `no configuration line, moment or format stops the program`() {
        var random = SeededGenerator(state: 7)
        let keys =
            ConfigurationTable.keys(.general).map(\.name) + ["NodeName", "PartitionName", "NodeSet", "DownNodes"]
        var told = 0
        for _ in 0..<3000 {
            let line = (keys.randomElement(using: &random) ?? "") + "=" + Self.text(&random)
            told += ConfigurationParser.parse(ConfigurationText(file: "slurm.conf", text: line)).diagnostics.count
            _ = MomentParser(now: 1_800_000_000, future: told % 2 == 0).parse(Self.text(&random))
            _ = ColumnFormat.letters(Self.text(&random), JobFields.all)
            _ = ColumnFormat.names(Self.text(&random), JobFields.all)
        }
        #expect(told > 100)
    }
}
