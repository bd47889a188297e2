import Foundation

/// The arrows of Package.swift, read from its text: the manifest is the one table of who may import whom.
///
/// It understands exactly the forms the manifest uses: `library("X", [..])`, `daemon("X", [..])`,
/// `.executableTarget(name: "X", dependencies: [..])`, `foreign("X", ..)`, and the aliases of products at its top
/// (`let nio: .. = [.product(name: ..)]`). A new form makes `everyTargetFolderIsInTheManifest` fail rather than pass.
struct Manifest {
    /// Target name to the module names its sources may import.
    var allowed: [String: Set<String>] = [:]
    /// Modules of C code: our shim and the foreign libraries.
    var foreign: Set<String> = ["CArgosyShim"]

    init(text: String) {
        let products = Manifest.products(in: text)
        for line in text.split(separator: "\n") {
            guard let name = Manifest.quoted(after: "foreign(", in: String(line)) else { continue }
            foreign.insert(name)
        }
        for opening in ["library(", "daemon(", ".executableTarget("] {
            for call in Manifest.calls(opening, in: text) {
                guard let name = Manifest.strings(in: call).first else { continue }
                allowed[name] = Manifest.modules(of: call, name: name, products: products)
            }
        }
    }

    /// What one call's dependency list allows: quoted targets, and the products behind the aliases it mentions.
    private static func modules(of call: String, name: String, products: [String: [String]]) -> Set<String> {
        let settings = call.range(of: "linkerSettings:").map { String(call[..<$0.lowerBound]) } ?? call
        var modules = Set(strings(in: settings)).subtracting([name])
        for word in settings.split(whereSeparator: { !$0.isLetter && $0 != "\"" }) {
            modules.formUnion(products[String(word)] ?? [])
        }
        return modules
    }

    private static func products(in text: String) -> [String: [String]] {
        var products: [String: [String]] = [:]
        for piece in text.components(separatedBy: "\nlet ").dropFirst() {
            guard let name = piece.split(whereSeparator: { !$0.isLetter }).first else { continue }
            let declaration = piece.components(separatedBy: "\n\n")[0]
            let found = declaration.components(separatedBy: ".product(name: ").dropFirst().compactMap {
                strings(in: $0).first
            }
            if !found.isEmpty { products[String(name)] = found }
        }
        return products
    }

    /// The text between the parentheses of every call that opens with `opening` and gives a string first.
    private static func calls(_ opening: String, in text: String) -> [String] {
        text.components(separatedBy: opening).dropFirst().compactMap { rest in
            let start = rest.drop { $0.isWhitespace }
            guard start.first == "\"" || start.hasPrefix("name: \"") || start.hasPrefix("\n") else { return nil }
            var depth = 1
            var call = ""
            for character in start {
                if character == "(" { depth += 1 }
                if character == ")" { depth -= 1 }
                if depth == 0 { break }
                call.append(character)
            }
            return call
        }
    }

    private static func quoted(after prefix: String, in line: String) -> String? {
        let parts = line.components(separatedBy: prefix + "\"")
        return parts.count > 1 ? parts[1].components(separatedBy: "\"").first : nil
    }

    private static func strings(in text: String) -> [String] {
        let pieces = text.components(separatedBy: "\"")
        return stride(from: 1, to: pieces.count, by: 2).map { pieces[$0] }
    }
}
