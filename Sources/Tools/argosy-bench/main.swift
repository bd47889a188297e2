// Measurements of the core, without daemons: `argosy-bench snapshot [WAITING-JOBS [NODES]]`.
let arguments = CommandLine.arguments.dropFirst()
switch arguments.first {
case "snapshot":
    let numbers = arguments.dropFirst().compactMap { Int($0) }
    SnapshotBenchmark(jobs: numbers.first ?? 50_000, nodes: numbers.dropFirst().first ?? 1000).run()
case "pass": PassBenchmark(arguments.dropFirst()).run()
default:
    print("usage: argosy-bench snapshot [WAITING-JOBS [NODES]] | pass [JOBS [NODES [SHAPES]]] [easy|all|conservative]")
}
