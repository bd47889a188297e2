// What libFuzzer calls: the first byte of an input chooses the parser, the rest is its text. A parser may refuse; it must
// not crash, hang or eat memory, and what reads its own output back must read the same.

import ArgosyConfig
import ArgosyDomain

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOne(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    guard count > 1 else { return 0 }
    let input = UnsafeBufferPointer(start: bytes, count: count)
    let rest = Array(input.dropFirst())
    parsers[Int(input[0]) % parsers.count](rest, String(decoding: rest, as: UTF8.self))
    return 0
}

nonisolated(unsafe) private let parsers: [([UInt8], String) -> Void] = [
    { _, text in
        guard let hosts = try? Hostlist.expand(text), hosts.count < 2000 else { return }
        let again = try? Hostlist.expand(Hostlist.compress(hosts))
        precondition(again.map { $0.sorted() } == hosts.sorted(), "a host list changed by being written: \(text)")
    },
    { _, text in _ = (SlurmText.seconds(text), SlurmText.timeLimit(text), SlurmText.number(text)) },
    { _, text in _ = (SlurmText.mebibytes(text), SlurmText.mebibytes(text, defaultUnit: "K"), SlurmText.boolean(text))
    },
    { _, text in _ = try? JobDependency(parsing: text) },
    { _, text in _ = ConfigurationParser.parse(ConfigurationText(file: "slurm.conf", text: text)) },
    { _, text in _ = ArrayText.parse(text) },
    { _, text in _ = MomentParser(now: 1_800_000_000, future: true).parse(text) },
    { _, text in _ = MomentParser(now: 1_800_000_000, future: false).parse(text) },
    { _, text in
        let values = FileNamePattern.Values(
            job: 7, array: (3, 4), step: "0", node: "n1", task: 2, user: "u", jobName: text)
        _ = FileNamePattern(text).path(values, in: "/tmp")
        _ = FileNamePattern(text).differsByTask
    },
    { _, text in _ = (try? ResourceText.gres(text), try? ResourceText.gpus(text, per: .job)) },
    { _, text in _ = (try? ResourceText.licenses(text), try? ResourceText.switches(text)) },
    { _, text in _ = try? Constraint.parse(text) },
    { bytes, _ in _ = try? BatchScript.words(bytes) },
    { bytes, _ in _ = (BatchScript.heading(bytes), try? ForeignDirectives.words(bytes)) },
]

// What the parsers' files need of others and no input reaches.
enum Process {
    static func variable(_ name: String) -> String? { nil }
}
func baseName(_ path: String) -> String { path }
struct Session {
    struct Entry {
        var key: String
        var value: String
    }
    struct Configuration {
        var entries: [Entry]
    }
    var configuration = Configuration(entries: [])
    init() throws {}
}
