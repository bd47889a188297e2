// Turns an OCI layer (OCI image specification, layer.md) into what overlayfs stacks:
//   .wh.NAME          -> character device 0:0 called NAME
//   DIR/.wh..wh..opq  -> attribute trusted.overlay.opaque=y of DIR
// All else passes through unchanged, except that attributes which steer overlayfs or the kernel are dropped.
//
// An opaque mark may come after its directory was written, and a name may come twice (the later entry counts, as tar has
// it; and an entry counts more than a whiteout of its name, which is about the layers below). Then the layer is read to the
// end for all of that and must be read again with it known: `Outcome.again`.

/// A stream of bytes to read; `LayerFilter` never asks for more than it needs.
protocol TarSource {
    /// Exactly `count` bytes, or fewer at the end.
    mutating func read(_ count: Int) throws(LayerFilter.Malformed) -> [UInt8]
}

struct LayerFilter {
    struct Malformed: Error { let why: String }
    enum Outcome: Equatable { case done, again }
    static let maxEntries = 5_000_000
    static let maxExtension: UInt64 = 1 << 20

    /// Opaque directories.
    private(set) var opaque: Set<String>
    /// Entries, by number, that a later one of the same name replaces.
    private(set) var replaced: Set<Int>
    /// What was output before is wrong.
    private var isLate = false
    private var written: Set<String> = []
    private var whiteouts: Set<String> = []
    /// Name to entry number.
    private var seen: [String: Int] = [:]
    private var entries = 0

    // Extensions that belong to the next entry.
    private var pax: PaxRecords?
    private var longName: String?
    private var longBlocks: [UInt8] = []

    /// - Parameter first: the filter that said `again`.
    init(after first: LayerFilter? = nil) {
        opaque = first?.opaque ?? []
        replaced = first?.replaced ?? []
    }

    /// Reads `source` to its end. `output` gets the new archive; ignored when `again` is returned.
    mutating func run(
        _ source: inout some TarSource, _ output: ([UInt8]) throws(Malformed) -> Void
    ) throws(Malformed) -> Outcome {
        while true {
            let block = try source.read(TarHeader.size)
            if block.isEmpty { break }
            guard block.count == TarHeader.size else { throw Malformed(why: "the layer ends within a header") }
            let header = TarHeader(block: block)
            if header.isEnd { break }
            try entry(header, &source, output)
        }
        if isLate { return .again }
        for directory in opaque.subtracting(written).sorted() {
            var records = PaxRecords()
            records.records = [("path", Array(directory.utf8)), Self.opaqueRecord]
            try output(records.blocks + TarHeader(name: directory, type: "5", mode: 0o755).block)
        }
        try output([UInt8](repeating: 0, count: 2 * TarHeader.size))
        return .done
    }

    private static let opaqueRecord = (key: "SCHILY.xattr.trusted.overlay.opaque", value: Array("y".utf8))

    private mutating func entry(
        _ header: TarHeader, _ source: inout some TarSource, _ output: ([UInt8]) throws(Malformed) -> Void
    ) throws(Malformed) {
        entries += 1
        guard entries <= Self.maxEntries else { throw Malformed(why: "more than \(Self.maxEntries) entries") }
        guard var size = header.dataSize else { throw Malformed(why: "\(header.name) has no valid size") }
        switch header.type {
        case UInt8(ascii: "x"):
            guard let records = PaxRecords(try small(size, &source)) else { throw Malformed(why: "a bad pax header") }
            pax = records
            return
        case UInt8(ascii: "g"):
            _ = try small(size, &source)
            return
        case UInt8(ascii: "L"), UInt8(ascii: "K"):
            let data = try small(size, &source)
            if header.type == UInt8(ascii: "L") { longName = String(decoding: data.prefix { $0 != 0 }, as: UTF8.self) }
            longBlocks += header.block + data
            longBlocks += [UInt8](repeating: 0, count: Int(TarHeader.padded(size)) - data.count)
            return
        default: break
        }
        if let text = pax?["size"] {
            guard let number = UInt64(text) else { throw Malformed(why: "a bad pax size") }
            size = number
        }
        guard size < 1 << 60 else { throw Malformed(why: "\(header.name) has no valid size") }
        try write(header, size: size, &source, output)
        pax = nil
        longName = nil
        longBlocks = []
    }

    private mutating func write(
        _ header: TarHeader, size: UInt64, _ source: inout some TarSource,
        _ output: ([UInt8]) throws(Malformed) -> Void
    ) throws(Malformed) {
        let path = Self.normal(pax?["path"] ?? longName ?? header.name)
        let slash = path.lastIndex(of: "/")
        let parent = slash.map { String(path[..<$0]) } ?? ""
        let name = slash.map { String(path[path.index(after: $0)...]) } ?? path
        if replaced.contains(entries) { return try skip(TarHeader.padded(size), &source) }
        guard name.hasPrefix(".wh.") else {
            note(path, isDirectory: header.isDirectory)
            try pass(header, path, size, &source, output)
            return
        }
        try skip(TarHeader.padded(size), &source)
        if name == ".wh..wh..opq" {
            markOpaque(parent)
        } else if !name.hasPrefix(".wh..wh.") {
            try hide((parent.isEmpty ? "" : parent + "/") + name.dropFirst(4), output)
        }
    }

    private mutating func note(_ path: String, isDirectory: Bool) {
        if let earlier = seen.updateValue(entries, forKey: path) {
            replaced.insert(earlier)
            isLate = true
        }
        guard isDirectory else { return }
        if whiteouts.contains(path) { opaque.insert(path) }
        written.insert(path)
    }

    private mutating func markOpaque(_ directory: String) {
        if opaque.insert(directory).inserted && written.contains(directory) { isLate = true }
    }

    private mutating func hide(_ path: String, _ output: ([UInt8]) throws(Malformed) -> Void) throws(Malformed) {
        guard seen[path] == nil else {
            // What the layer has of its own hides a file below anyway, but a directory would be merged.
            if written.contains(path) { markOpaque(path) }
            return
        }
        seen[path] = entries
        whiteouts.insert(path)
        if isLate { return }
        var records = PaxRecords()
        records.records = [("path", Array(path.utf8))]
        try output(records.blocks + TarHeader(name: path, type: "3", mode: 0).block)
    }

    private mutating func pass(
        _ header: TarHeader, _ path: String, _ size: UInt64, _ source: inout some TarSource,
        _ output: ([UInt8]) throws(Malformed) -> Void
    ) throws(Malformed) {
        var records = pax ?? PaxRecords()
        records.removePrivileged()
        if header.isDirectory && opaque.contains(path) { records.records.append(Self.opaqueRecord) }
        if !isLate { try output(longBlocks + records.blocks + header.block) }
        var left = TarHeader.padded(size)
        while left > 0 {
            let chunk = try source.read(Int(min(left, 1 << 18)))
            if chunk.isEmpty { throw Malformed(why: "the layer ends within \(path)") }
            if !isLate { try output(chunk) }
            left -= UInt64(chunk.count)
        }
    }

    private func skip(_ count: UInt64, _ source: inout some TarSource) throws(Malformed) {
        var left = count
        while left > 0 {
            let chunk = try source.read(Int(min(left, 1 << 18)))
            if chunk.isEmpty { throw Malformed(why: "the layer ends too early") }
            left -= UInt64(chunk.count)
        }
    }

    private func small(_ size: UInt64, _ source: inout some TarSource) throws(Malformed) -> [UInt8] {
        guard size <= Self.maxExtension else { throw Malformed(why: "an extended header of \(size) bytes") }
        let data = try source.read(Int(TarHeader.padded(size)))
        guard data.count == Int(TarHeader.padded(size)) else { throw Malformed(why: "the layer ends within a header") }
        return Array(data.prefix(Int(size)))
    }

    /// Without "./" and slashes at the ends.
    static func normal(_ path: String) -> String {
        path.split(separator: "/").filter { $0 != "." }.joined(separator: "/")
    }
}
