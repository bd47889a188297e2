// The PMI-1 service of a step on one node: what MPICH's programs ask at their start (srun --mpi=pmi2).
//
// Each task has a socket (PMI_FD) on which it writes lines of `cmd=NAME key=value ...` and reads answers of the same
// form; the protocol is the "simple" wire of MPICH's PMI, version 1.1. Tasks put pairs into a space that all of them can
// read after a barrier. At a barrier, the pairs of this node go to srun, which sends back those of all nodes.
//
// Pure: lines in, answers out. Bytes come from tasks and are believed nothing: what has no sense ends that task's line.

/// The service for the tasks of one node.
struct ProcessManagement {
    enum Action: Equatable {
        /// A line for that rank, with its end.
        case answer(rank: UInt32, String)
        /// Everybody here stands at the barrier: the node's new pairs, for all nodes.
        case exchange(round: UInt32, String)
        /// A task gives the whole step up.
        case abort(code: Int32)
    }

    /// Tasks of the whole step.
    let size: UInt32
    /// Of the space of pairs, and of the step.
    let name: String
    private let ranks: [UInt32]
    private var pairs: [String: String]
    /// Since the last barrier, in order.
    private var fresh: [(key: String, value: String)] = []
    private var waiting: Set<UInt32> = []
    private var round: UInt32 = 0
    /// Bounds on what one step keeps.
    private static let mostPairs = 1 << 18
    static let longestLine = 4096

    /// - Parameter mapping: ranks to nodes, as MPICH spells it: `(vector,(0,2,4))`.
    init(size: UInt32, name: String, mapping: String, ranks: [UInt32]) {
        self.size = size
        self.name = name
        self.ranks = ranks
        pairs = ["PMI_process_mapping": mapping]
    }

    /// - Parameter line: without its end.
    mutating func take(_ line: String, from rank: UInt32) -> [Action] {
        let words = Self.words(line)
        func answer(_ text: String) -> [Action] { [.answer(rank: rank, text + "\n")] }
        switch words["cmd"] {
        case "init":
            return answer("cmd=response_to_init pmi_version=1 pmi_subversion=1 rc=0")
        case "get_maxes": return answer("cmd=maxes kvsname_max=256 keylen_max=256 vallen_max=1024")
        case "get_appnum": return answer("cmd=appnum appnum=0")
        case "get_my_kvsname": return answer("cmd=my_kvsname kvsname=\(name)")
        case "get_universe_size": return answer("cmd=universe_size size=\(size)")
        case "put":
            guard let key = words["key"], let value = words["value"], fresh.count < Self.mostPairs else {
                return answer("cmd=put_result rc=-1 msg=no_key_or_value")
            }
            fresh.append((key, value))
            pairs[key] = value
            return answer("cmd=put_result rc=0 msg=success")
        case "get":
            let key = words["key"] ?? ""
            guard let value = pairs[key] else {
                return answer("cmd=get_result rc=-1 msg=key_\(key)_not_found value=unknown")
            }
            return answer("cmd=get_result rc=0 msg=success value=\(value)")
        case "barrier_in":
            waiting.insert(rank)
            return everybodyWaits()
        case "finalize": return answer("cmd=finalize_ack")
        case "abort": return [.abort(code: words["exitcode"].flatMap { Int32($0) } ?? 1)]
        case "spawn": return answer("cmd=spawn_result rc=-1 msg=spawning_is_not_supported")
        case "publish_name", "unpublish_name", "lookup_name":
            return answer("cmd=\(words["cmd"] ?? "")_result info=not_supported rc=1")
        default: return []
        }
    }

    /// The pairs of all nodes came: the barrier opens.
    mutating func exchanged(round: UInt32, _ text: String) -> [Action] {
        guard round == self.round, !waiting.isEmpty else { return [] }
        self.round += 1
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if parts.count == 2 { pairs[String(parts[0])] = String(parts[1]) }
        }
        defer { waiting = [] }
        return waiting.sorted().map { .answer(rank: $0, "cmd=barrier_out\n") }
    }

    private mutating func everybodyWaits() -> [Action] {
        guard ranks.allSatisfy(waiting.contains) else { return [] }
        let text = fresh.map { "\($0.key)=\($0.value)\n" }.joined()
        fresh = []
        return [.exchange(round: round, text)]
    }

    /// `cmd=put kvsname=7.0 key=P0 value=a=b`: a value goes to the next blank.
    static func words(_ line: String) -> [String: String] {
        var words: [String: String] = [:]
        for word in line.split(separator: " ") {
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if parts.count == 2, words[String(parts[0])] == nil { words[String(parts[0])] = String(parts[1]) }
        }
        return words
    }

    /// Which ranks lie on which node: blocks of (first node, nodes, ranks on each), in order of ranks.
    ///
    /// - Parameter nodes: the node's number of each rank.
    static func mapping(_ nodes: [Int]) -> String {
        var runs: [(node: Int, ranks: Int)] = []
        for node in nodes {
            if runs.last?.node == node { runs[runs.count - 1].ranks += 1 } else { runs.append((node, 1)) }
        }
        var blocks: [(first: Int, nodes: Int, ranks: Int)] = []
        for run in runs {
            if let last = blocks.last, last.ranks == run.ranks, last.first + last.nodes == run.node {
                blocks[blocks.count - 1].nodes += 1
            } else {
                blocks.append((run.node, 1, run.ranks))
            }
        }
        return "(vector" + blocks.map { ",(\($0.first),\($0.nodes),\($0.ranks))" }.joined() + ")"
    }
}
