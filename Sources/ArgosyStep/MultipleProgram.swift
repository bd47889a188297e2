internal import ArgosyWire

/// What each rank of a `--multi-prog` step runs.
enum MultipleProgram {
    /// Of the first line that names the rank, else of the one for all others (`*`). A control
    /// character and `t` is the rank, and `o` its place among the line's ranks.
    static func arguments(of rank: UInt32, in programs: [WireStepProgram]) -> [String] {
        let named = programs.first { $0.ranks.contains(rank) }
        guard let program = named ?? programs.first(where: { $0.rest }) else { return [] }
        let offset = program.ranks.firstIndex(of: rank) ?? 0
        return program.arguments.map { expand($0, rank: rank, offset: UInt32(offset)) }
    }

    private static func expand(_ text: String, rank: UInt32, offset: UInt32) -> String {
        var result = ""
        var isMarked = false
        for character in text {
            switch (isMarked, character) {
            case (false, "\u{1}"):
                isMarked = true
                continue
            case (true, "t"): result += "\(rank)"
            case (true, "o"): result += "\(offset)"
            case (_, _): result.append(character)
            }
            isMarked = false
        }
        return result
    }
}
