// Options that exclude each other; the texts are Slurm's.

import ArgosyDomain

extension JobOptions {
    /// The last of --mem, --mem-per-cpu and --mem-per-gpu holds; that there were others is remembered.
    mutating func chooseMemory(_ option: String) {
        memoryPerNodeMiB = 0
        memoryPerCPUMiB = 0
        resources.memoryPerGPUMiB = 0
        memoryOptions.insert(option)
    }

    /// Called when the environment was read: what it said counts no further.
    mutating func checkMemoryVariables() throws(OptionError) {
        let isWrong = memoryOptions.count > 1
        memoryOptions = []
        if isWrong { throw Self.wrongMemoryVariables }
    }

    static let wrongMemoryVariables = OptionError(
        "SLURM_MEM_PER_CPU, SLURM_MEM_PER_GPU, and SLURM_MEM_PER_NODE are mutually exclusive.", isFatal: true)

    /// Called when all was read.
    func checkMemoryOptions() throws(OptionError) {
        guard memoryOptions.count > 1 else { return }
        throw OptionError("--mem, --mem-per-cpu, and --mem-per-gpu are mutually exclusive.", isFatal: true)
    }

    /// As many nodes as --nodes allows may be named.
    func checkNodeList() throws(OptionError) {
        guard let count = namedNodes, maxNodes > 0, count > Int(maxNodes) else { return }
        throw OptionError("invalid number of nodes (-N \(count)-\(maxNodes))")
    }

    /// srun leaves out the last of too many names.
    mutating func cutNodeList() {
        guard let count = namedNodes, maxNodes > 0, count > Int(maxNodes), let names = try? Hostlist.expand(nodeList)
        else { return }
        Console.error(
            "srun",
            "Required nodelist includes more nodes than permitted by max-node count (\(count) > \(maxNodes)). Eliminating "
                + "nodes from the nodelist.")
        nodeList = Hostlist.compress(Array(names.prefix(Int(maxNodes))))
    }

    private var namedNodes: Int? {
        guard !nodeList.isEmpty, !resources.distribution.lowercased().hasPrefix("arbitrary") else { return nil }
        return (try? Hostlist.expand(nodeList)).map { Set($0).count }
    }
}
