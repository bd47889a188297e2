// A batch script: where it comes from, what makes it one, and the options in its #SBATCH lines.

import Glibc

struct BatchScript {
    static let maxBytes = 4 << 20

    var bytes: [UInt8]
    /// Words of the #SBATCH lines before the first command, apart for each component of a heterogeneous job.
    var components: [[String]]
    var directives: [String] { components[0] }

    /// Checks that it is a script; the texts are Slurm's.
    init(_ bytes: [UInt8], name: String = "stdin") throws(OptionError) {
        if bytes.isEmpty { throw OptionError("Batch script is empty!") }
        if bytes.allSatisfy({ $0 == 32 || $0 == 9 || $0 == 10 || $0 == 13 }) {
            throw OptionError("Batch script contains only whitespace!")
        }
        guard bytes.starts(with: Array("#!".utf8)) else {
            throw OptionError(
                """
                This does not look like a batch script.  The first
                line must start with #! followed by the path to an interpreter.
                For instance: #!/bin/sh
                """)
        }
        if bytes.contains(0) {
            throw OptionError(
                "The Slurm controller does not allow scripts that\ncontain a NULL character '\\0'.")
        }
        if zip(bytes, bytes.dropFirst()).contains(where: { $0 == 13 && $1 == 10 }) {
            throw OptionError(
                "Batch script contains DOS line breaks (\\r\\n)\ninstead of expected UNIX line breaks (\\n).")
        }
        if bytes.count > Self.maxBytes {
            throw OptionError("the batch script has \(bytes.count) bytes, the limit is \(Self.maxBytes)")
        }
        self.bytes = bytes
        components = try Self.directives(bytes, name: name)
    }

    /// As `sbatch --wrap` makes one.
    static func wrapping(_ command: String) throws(OptionError) -> BatchScript {
        try BatchScript(Array("#!/bin/sh\n# This script was created by sbatch --wrap.\n\n\(command)\n".utf8))
    }

    /// Lines that may carry directives: all before the first command.
    static func heading(_ bytes: [UInt8]) -> [(number: Int, line: ArraySlice<UInt8>)] {
        var lines: [(Int, ArraySlice<UInt8>)] = []
        for (index, line) in bytes.split(separator: 10, omittingEmptySubsequences: false).enumerated() {
            guard let first = line.first(where: { $0 != 32 && $0 != 9 }) else { continue }
            guard first == UInt8(ascii: "#") else { break }
            lines.append((index + 1, line))
        }
        return lines
    }

    /// One list of words for each component of a heterogeneous job; one for an ordinary job.
    private static func directives(_ bytes: [UInt8], name: String) throws(OptionError) -> [[String]] {
        var components: [[String]] = [[]]
        let mark = Array("#SBATCH".utf8)
        for (number, line) in heading(bytes) where line.starts(with: mark) {
            let found: [String]
            do throws(OptionError) { found = try Self.words(Array(line.dropFirst(mark.count))) } catch {
                throw OptionError("\(name): line \(number): \(error.message)", isFatal: true)
            }
            if ["hetjob", "packjob"].contains(found.first) {
                components.append([])
            } else {
                components[components.count - 1] += found
            }
        }
        return components
    }

    /// Splits as Slurm does: blanks separate, quotes and backslashes protect, an unprotected # ends the line.
    static func words(_ line: [UInt8]) throws(OptionError) -> [String] {
        var words: [String] = []
        var word: [UInt8]?
        var quote: UInt8?
        var wordStart = 0
        var index = 0
        while index < line.count {
            let byte = line[index]
            if word == nil { wordStart = index }
            index += 1
            if let open = quote {
                if byte == open { quote = nil } else { word?.append(byte) }
            } else if byte == UInt8(ascii: "\\"), index < line.count {
                word = (word ?? []) + [line[index]]
                index += 1
            } else if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") {
                quote = byte
                word = word ?? []
            } else if byte == 32 || byte == 9 {
                if let done = word { words.append(String(decoding: done, as: UTF8.self)) }
                word = nil
            } else if byte == UInt8(ascii: "#"), word == nil {
                break
            } else {
                word = (word ?? []) + [byte]
            }
        }
        if let quote {
            let text = String(decoding: line[wordStart...], as: UTF8.self)
            throw OptionError("Unmatched `\(Character(UnicodeScalar(quote)))` in [ \(text)]")
        }
        if let done = word { words.append(String(decoding: done, as: UTF8.self)) }
        return words
    }
}

/// Files as commands read them: whole, up to a limit.
enum FileBytes {
    /// All of `descriptor`, at most one byte more than `limit`. Nil with errno set on failure.
    static func read(_ descriptor: Int32, limit: Int) -> [UInt8]? {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65536)
        while bytes.count <= limit {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            if count < 0 { return nil }
            if count == 0 { break }
            bytes += chunk[..<count]
        }
        return bytes
    }

    static func read(path: String, limit: Int) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        return read(descriptor, limit: limit)
    }

    /// A new file, or a new content of an old one. False with errno set on failure.
    static func write(_ bytes: [UInt8], path: String) -> Bool {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return Console.write(bytes, to: descriptor)
    }
}
