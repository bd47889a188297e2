// `--constraint` and `--prefer`, in Slurm's grammar.
//
//     constraint = "[" groups "]" | expression with at most one "[...]" | counts
//     groups     = expression { "|" expression }      all nodes of one of these
//                | count { "&" count }                so many nodes of each
//     count      = operand [ "*" number ]
//     expression = operand { ("&" | "|") operand }    from left to right: & and | bind alike; "," is &
//     operand    = feature | "(" expression ")"
//
// A feature is a run of letters, digits and the characters . _ - = + : @ %. Counts may stand without brackets.

/// What is wrong with a constraint, and where.
public struct ConstraintError: Error, Hashable, Sendable, CustomStringConvertible {
    public var text: String
    /// In characters, from 1.
    public var position: Int
    public var why: String
    public var description: String { "constraint \"\(text)\", character \(position): \(why)" }
}

extension Constraint {
    /// - Returns: nil for an empty text: no constraint.
    public static func parse(_ text: String) throws(ConstraintError) -> Constraint? {
        var parser = ConstraintParser(text)
        return try parser.parse()
    }
}

private struct ConstraintParser {
    /// Nested deeper than this is an error, not a crash.
    static let maxDepth = 32
    /// As many groups as a set of them has bits.
    static let maxGroups = 64

    private let text: String
    private let characters: [Character]
    private var next = 0

    private struct Operand {
        var constraint: Constraint
        var count: Int?
        var position: Int
        var isGroup: Bool
    }

    init(_ text: String) {
        self.text = text
        characters = Array(text)
    }

    mutating func parse() throws(ConstraintError) -> Constraint? {
        guard peek != nil else { return nil }
        let parsed = try expression(depth: 0, inGroup: false)
        if let extra = peek { throw error("\"\(extra)\" closes nothing; remove it or open it before", at: next) }
        return parsed
    }

    /// Skips blanks.
    private var peek: Character? {
        mutating get {
            while next < characters.count, characters[next] == " " || characters[next] == "\t" { next += 1 }
            return next < characters.count ? characters[next] : nil
        }
    }

    private func error(_ why: String, at position: Int) -> ConstraintError {
        ConstraintError(text: text, position: position + 1, why: why)
    }

    /// Operands with operators between them, up to the end or a closing character.
    private mutating func expression(depth: Int, inGroup: Bool) throws(ConstraintError) -> Constraint {
        guard depth < Self.maxDepth else { throw error("nested more than \(Self.maxDepth) deep", at: next) }
        var operands = [try operand(depth)]
        var operators: [(symbol: Character, position: Int)] = []
        while let symbol = peek, "&|,".contains(symbol) {
            operators.append((symbol == "," ? "&" : symbol, next))
            next += 1
            operands.append(try operand(depth))
        }
        if let symbol = peek, symbol != ")", symbol != "]" {
            throw error("expected & or | before \"\(symbol)\"", at: next)
        }
        if operands.contains(where: { $0.count != nil }) {
            return try counts(operands, operators, isTop: depth == 0 || inGroup && depth == 1)
        }
        if let stray = operands.first(where: \.isGroup), operators.contains(where: { $0.symbol == "|" }) {
            throw error("[...] may be joined with & only", at: stray.position)
        }
        if operands.filter(\.isGroup).count > 1 || depth > 0 && operands.contains(where: \.isGroup) {
            throw error(
                "one [...] is allowed, and not within parentheses", at: operands.last { $0.isGroup }?.position ?? 0)
        }
        if inGroup { return try alternatives(operands, operators) }
        return joined(operands, operators)
    }

    /// `a*4&b*2`
    private func counts(
        _ operands: [Operand], _ operators: [(symbol: Character, position: Int)], isTop: Bool
    ) throws(ConstraintError) -> Constraint {
        if !isTop { throw error("*count is not allowed within parentheses", at: operands[0].position) }
        if let or = operators.first(where: { $0.symbol == "|" }) {
            throw error("features with *count are joined with &", at: or.position)
        }
        if let group = operands.first(where: \.isGroup) {
            throw error("[...] cannot be joined with *count", at: group.position)
        }
        guard operands.count <= Self.maxGroups else {
            throw error("more than \(Self.maxGroups) counts", at: operands[Self.maxGroups].position)
        }
        let plain = operands.filter { $0.count == nil }.map(\.constraint)
        let counted = Constraint.counts(
            operands.compactMap { operand in operand.count.map { Constraint.Count(operand.constraint, nodes: $0) } })
        return plain.isEmpty ? counted : .all(plain + [counted])
    }

    /// `[a|b&c]`: from left to right, each `|` begins another alternative.
    private func alternatives(
        _ operands: [Operand], _ operators: [(symbol: Character, position: Int)]
    ) throws(ConstraintError) -> Constraint {
        var groups: [[Constraint]] = [[operands[0].constraint]]
        for (index, part) in operators.enumerated() {
            if part.symbol == "|" {
                groups.append([operands[index + 1].constraint])
            } else {
                groups[groups.count - 1].append(operands[index + 1].constraint)
            }
        }
        guard groups.count <= Self.maxGroups else {
            throw error("more than \(Self.maxGroups) alternatives", at: operands[Self.maxGroups].position)
        }
        let all = groups.map { $0.count == 1 ? $0[0] : Constraint.all($0) }
        return all.count == 1 ? all[0] : .sameOne(all)
    }

    private func joined(_ operands: [Operand], _ operators: [(symbol: Character, position: Int)]) -> Constraint {
        var result = operands[0].constraint
        for (index, part) in operators.enumerated() {
            let operand = operands[index + 1].constraint
            switch (part.symbol, result) {
            case ("&", .all(let members)): result = .all(members + [operand])
            case ("&", _): result = .all([result, operand])
            case (_, .any(let members)): result = .any(members + [operand])
            default: result = .any([result, operand])
            }
        }
        return result
    }

    private mutating func operand(_ depth: Int) throws(ConstraintError) -> Operand {
        guard let first = peek else { throw error("a feature is missing at the end", at: next) }
        let position = next
        var constraint: Constraint
        var isGroup = false
        if first == "(" || first == "[" {
            next += 1
            constraint = try expression(depth: depth + 1, inGroup: first == "[")
            let close: Character = first == "(" ? ")" : "]"
            guard peek == close else { throw error("\(first) is not closed by \(close)", at: position) }
            next += 1
            if first == "[" { isGroup = Self.isGroup(constraint) }
        } else {
            constraint = .feature(try feature(first))
        }
        guard peek == "*" else {
            return Operand(constraint: constraint, count: nil, position: position, isGroup: isGroup)
        }
        next += 1
        return Operand(constraint: constraint, count: try count(), position: position, isGroup: isGroup)
    }

    private static func isGroup(_ constraint: Constraint) -> Bool {
        switch constraint {
        case .sameOne, .counts: true
        case .all(let members): members.contains(where: isGroup)
        case .feature, .any: false
        }
    }

    private mutating func feature(_ first: Character) throws(ConstraintError) -> String {
        let start = next
        while next < characters.count, Self.isOfFeature(characters[next]) { next += 1 }
        guard next > start else { throw error("expected a feature, not \"\(first)\"", at: next) }
        return String(characters[start..<next])
    }

    private mutating func count() throws(ConstraintError) -> Int {
        let start = next
        while next < characters.count, characters[next].isASCII, characters[next].isNumber { next += 1 }
        guard let number = Int(String(characters[start..<next])), (1...1 << 20).contains(number) else {
            throw error("* needs a number of nodes, at least 1", at: start)
        }
        return number
    }

    private static func isOfFeature(_ character: Character) -> Bool {
        character.isLetter || character.isNumber || "._-=+:@%".contains(character)
    }
}
