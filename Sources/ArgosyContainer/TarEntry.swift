/// A tar header block: POSIX ustar with pax and GNU extensions, as far as layers need it.
struct TarHeader {
    static let size = 512
    var block: [UInt8]

    /// All zero: the end of the archive.
    var isEnd: Bool { block.allSatisfy { $0 == 0 } }
    var type: UInt8 { block[156] }
    var isDirectory: Bool { type == UInt8(ascii: "5") }

    /// prefix/name.
    var name: String {
        let name = text(0..<100)
        let prefix = block[257..<262].elementsEqual("ustar".utf8) && block[262] == 0 ? text(345..<500) : ""
        return prefix.isEmpty ? name : prefix + "/" + name
    }

    /// Of the data that follows; nil when the field is not a number. Octal, or base 256 when the top bit is set.
    var dataSize: UInt64? {
        let field = block[124..<136]
        if field[124] & 0x80 != 0 {
            return field.dropFirst(4).reduce(0) { $0 << 8 | UInt64($1) }
        }
        let digits = field.filter { $0 != 0 && $0 != 32 }
        return digits.isEmpty ? 0 : UInt64(String(decoding: digits, as: UTF8.self), radix: 8)
    }

    private func text(_ range: Range<Int>) -> String {
        String(decoding: block[range].prefix { $0 != 0 }, as: UTF8.self)
    }

    init(block: [UInt8]) { self.block = block }

    /// A header of our own: names longer than the field go into a pax record before it.
    init(name: String, type: Unicode.Scalar, mode: UInt32, dataSize: Int = 0) {
        block = [UInt8](repeating: 0, count: Self.size)
        put(Array(name.utf8.prefix(99)), at: 0)
        put(Self.octal(UInt64(mode), 7), at: 100)
        for offset in [108, 116] { put(Self.octal(0, 7), at: offset) }
        put(Self.octal(UInt64(dataSize), 11), at: 124)
        put(Self.octal(0, 11), at: 136)
        block[156] = UInt8(ascii: type)
        put(Array("ustar".utf8) + [0] + Array("00".utf8), at: 257)
        for offset in [329, 337] { put(Self.octal(0, 7), at: offset) }
        put([UInt8](repeating: 32, count: 8), at: 148)
        put(Self.octal(block.reduce(0) { $0 + UInt64($1) }, 6) + [0, 32], at: 148)
    }

    private mutating func put(_ bytes: [UInt8], at offset: Int) {
        block.replaceSubrange(offset..<offset + bytes.count, with: bytes)
    }

    private static func octal(_ value: UInt64, _ digits: Int) -> [UInt8] {
        let text = String(value, radix: 8)
        return Array((String(repeating: "0", count: max(0, digits - text.count)) + text).utf8)
    }

    /// Bytes that data of this size takes up.
    static func padded(_ size: UInt64) -> UInt64 { (size + 511) & ~511 }
}

/// A pax extended header's records: "length key=value\n".
struct PaxRecords {
    var records: [(key: String, value: [UInt8])] = []

    /// Nil when the data is malformed.
    init?(_ data: [UInt8]) {
        var rest = data[...]
        while let first = rest.first, first != 0 {
            guard let space = rest.firstIndex(of: 32),
                let length = Int(String(decoding: rest[..<space], as: UTF8.self)),
                length <= rest.count, length > space - rest.startIndex + 2,
                let equals = rest[space..<rest.startIndex + length].firstIndex(of: UInt8(ascii: "="))
            else { return nil }
            let end = rest.startIndex + length
            records.append(
                (String(decoding: rest[space + 1..<equals], as: UTF8.self), Array(rest[equals + 1..<end - 1])))
            rest = rest[end...]
        }
    }

    init() {}

    subscript(_ key: String) -> String? {
        records.last { $0.key == key }.map { String(decoding: $0.value, as: UTF8.self) }
    }

    /// Attributes that steer overlayfs or the kernel must come from us alone.
    mutating func removePrivileged() {
        records.removeAll { record in
            ["SCHILY.xattr.", "LIBARCHIVE.xattr."].contains { prefix in
                record.key.hasPrefix(prefix + "trusted.") || record.key.hasPrefix(prefix + "security.")
            }
        }
    }

    /// Header and data blocks; empty when there are no records.
    var blocks: [UInt8] {
        if records.isEmpty { return [] }
        var data: [UInt8] = []
        for (key, value) in records {
            let body = [32] + Array(key.utf8) + [UInt8(ascii: "=")] + value + [10]
            // The length counts its own digits.
            var length = body.count + 1
            while String(length).utf8.count + body.count != length { length = String(length).utf8.count + body.count }
            data += Array(String(length).utf8) + body
        }
        let header = TarHeader(name: "pax", type: "x", mode: 0o644, dataSize: data.count)
        let padding = Int(TarHeader.padded(UInt64(data.count))) - data.count
        return header.block + data + [UInt8](repeating: 0, count: padding)
    }
}
