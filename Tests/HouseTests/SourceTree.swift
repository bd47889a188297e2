import Foundation

/// One Swift file below Sources.
struct SourceFile: Sendable, CustomStringConvertible {
    /// The target it belongs to.
    var target: String
    /// Its path below the package, for messages.
    var path: String
    var lines: [String]
    /// Its lines with comments and the contents of string literals blanked, so that prose is not taken for code.
    let code: [String]

    init(target: String, path: String, lines: [String]) {
        self.target = target
        self.path = path
        self.lines = lines
        code = SourceFile.code(of: lines)
    }

    var description: String { path }
    var isGenerated: Bool { path.contains("/Generated/") }

    private static func code(of lines: [String]) -> [String] {
        var inBlock = false
        var inText = false
        return lines.map { line in
            if line.components(separatedBy: "\"\"\"").count == 2 {
                inText.toggle()
                return ""
            }
            if inText { return "" }
            if inBlock {
                if line.contains("*/") { inBlock = false }
                return ""
            }
            if line.trimmingCharacters(in: .whitespaces).hasPrefix("/*"), !line.contains("*/") {
                inBlock = true
                return ""
            }
            return SourceFile.withoutTextAndComment(line)
        }
    }

    private static func withoutTextAndComment(_ line: String) -> String {
        guard line.utf8.contains(UInt8(ascii: "\"")) || line.contains("//") else { return line }
        var result = ""
        var quoted = false
        var previous: Character = " "
        for character in line {
            if character == "\"", previous != "\\" {
                quoted.toggle()
                result.append(character)
            } else if !quoted {
                if character == "/", previous == "/" { return String(result.dropLast()) }
                result.append(character)
            }
            previous = previous == "\\" && character == "\\" ? " " : character
        }
        return result
    }

    /// The modules it imports, submodules reduced to their module.
    var imports: [String] {
        code.compactMap { line in
            let words = line.split(separator: " ")
            guard let at = words.firstIndex(of: "import"), at + 1 < words.count, at <= 3 else { return nil }
            let isModifier = { (word: Substring) in word.hasPrefix("@") || accessLevels.contains(String(word)) }
            guard words[..<at].allSatisfy(isModifier) else { return nil }
            let kinds: Set<String> = ["struct", "class", "enum", "func", "protocol", "typealias", "let", "var"]
            let module = kinds.contains(String(words[at + 1])) && at + 2 < words.count ? words[at + 2] : words[at + 1]
            return module.split(separator: ".").first.map(String.init)
        }
    }
}

private let accessLevels: Set<String> = ["public", "package", "internal", "fileprivate", "private"]

/// The package as it lies on disk.
enum SourceTree {
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    static let manifest: Manifest = Manifest(
        text: (try? String(contentsOf: root.appendingPathComponent("Package.swift"), encoding: .utf8)) ?? "")

    /// All Swift files below Sources, in order of their paths.
    static let files: [SourceFile] = {
        let sources = root.appendingPathComponent("Sources")
        let paths = FileManager.default.enumerator(atPath: sources.path)?.compactMap { $0 as? String } ?? []
        return paths.filter { $0.hasSuffix(".swift") }.sorted().compactMap { path in
            let parts = path.split(separator: "/").map(String.init)
            let nested = ["Daemons", "Tools", "C"].contains(parts[0])
            let file = sources.appendingPathComponent(path)
            guard let text = try? String(contentsOf: file, encoding: .utf8) else { return nil }
            return SourceFile(
                target: nested ? parts[1] : parts[0], path: "Sources/" + path, lines: text.components(separatedBy: "\n")
            )
        }
    }()
}
