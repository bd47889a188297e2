/// What is taken for whom: holds by the engine's numbers of the jobs. Equal jobs in one node's room share a hold.
struct HoldTable {
    private(set) var holds: [NodeHold] = []
    private var indices: [Int32] = []

    /// Position in `holds`; -1: the job holds nothing.
    func index(of number: Int) -> Int { number < indices.count ? Int(indices[number]) : -1 }

    subscript(number: Int) -> NodeHold? {
        let index = index(of: number)
        return index < 0 ? nil : holds[index]
    }

    /// Sets what a job holds; what it held is forgotten.
    mutating func set(_ hold: NodeHold, for number: Int) {
        grow(to: number)
        let index = Int(indices[number])
        if index >= 0 {
            holds[index] = hold
        } else {
            indices[number] = Int32(holds.count)
            holds.append(hold)
        }
    }

    /// The same hold for several jobs that hold nothing yet; whole nodes are each job's own.
    mutating func insert(_ hold: NodeHold, for numbers: ArraySlice<Int32>) {
        let isShared = numbers.count > 1 && hold.parts.allSatisfy { !$0.isWhole }
        for (offset, number) in numbers.enumerated() {
            grow(to: Int(number))
            if offset == 0 || !isShared { holds.append(hold) }
            indices[Int(number)] = Int32(holds.count - 1)
        }
    }

    private mutating func grow(to number: Int) {
        if number >= indices.count {
            indices += repeatElement(-1, count: max(number + 1 - indices.count, indices.count))
        }
    }
}
