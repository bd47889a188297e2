// Records by number, in pages that are copied one by one.
//
// A published Swift array is copied whole at its next change. The controller publishes snapshots all the time and holds
// tens of thousands of records, so they live in pages of 256: a change after a publication copies one page and the two
// directories above it, whatever the table's size. Keys are dense job and node numbers; a page without records is dropped.

/// An ordered table keyed by `UInt32`. Copying it costs nothing; the first change after a copy costs one page.
public struct PagedTable<Record: Sendable>: Sendable {
    typealias Page = ContiguousArray<Record?>
    struct Directory: Sendable {
        var pages: ContiguousArray<Page>
        var used = 0
        init() { pages = ContiguousArray(repeating: Page(), count: 256) }
    }

    private var directories: ContiguousArray<Directory?> = []
    public private(set) var count = 0

    public init() {}

    public var isEmpty: Bool { count == 0 }

    /// The record of `key`; setting nil removes it. Constant time.
    public subscript(key: UInt32) -> Record? {
        get {
            let top = Int(key >> 16)
            guard top < directories.count, let directory = directories[top] else { return nil }
            let page = directory.pages[Int(key >> 8 & 255)]
            return page.isEmpty ? nil : page[Int(key & 255)]
        }
        set {
            guard let newValue else { return remove(key) }
            insert(newValue, at: key)
        }
    }

    /// Changes the record of `key` where it lies; nil when there is none.
    @discardableResult
    public mutating func update<Result>(_ key: UInt32, _ body: (inout Record) -> Result) -> Result? {
        let (top, middle, low) = (Int(key >> 16), Int(key >> 8 & 255), Int(key & 255))
        guard self[key] != nil else { return nil }
        return directories[top]?.pages[middle][low].mutate(body)
    }

    /// All records, keys ascending.
    public func forEach(_ body: (UInt32, Record) -> Void) {
        for (top, directory) in directories.enumerated() {
            guard let directory else { continue }
            for (middle, page) in directory.pages.enumerated() where !page.isEmpty {
                // Empty places are told without copying a record.
                for low in page.indices where page[low] != nil {
                    if let record = page[low] { body(UInt32(top << 16 | middle << 8 | low), record) }
                }
            }
        }
    }

    /// Ascending.
    public var keys: [UInt32] {
        var keys: [UInt32] = []
        keys.reserveCapacity(count)
        forEach { key, _ in keys.append(key) }
        return keys
    }

    /// Bytes of buffers that this table does not share with `other`: what changes since a copy have cost.
    public func bytesNotShared(with other: Self) -> Int {
        var bytes = Self.bytes(directories, unlessIn: other.directories)
        for (top, directory) in directories.enumerated() {
            guard let directory else { continue }
            let old = top < other.directories.count ? other.directories[top] : nil
            bytes += Self.bytes(directory.pages, unlessIn: old?.pages ?? [])
            for (middle, page) in directory.pages.enumerated() where !page.isEmpty {
                bytes += Self.bytes(page, unlessIn: old?.pages[middle] ?? [])
            }
        }
        return bytes
    }

    private static func bytes<Element>(_ new: ContiguousArray<Element>, unlessIn old: ContiguousArray<Element>) -> Int {
        let isShared = new.withUnsafeBufferPointer { a in
            old.withUnsafeBufferPointer { b in a.baseAddress == b.baseAddress }
        }
        return isShared ? 0 : 32 + new.capacity * MemoryLayout<Element>.stride
    }

    private mutating func insert(_ record: Record, at key: UInt32) {
        let (top, middle, low) = (Int(key >> 16), Int(key >> 8 & 255), Int(key & 255))
        while directories.count <= top { directories.append(nil) }
        if directories[top] == nil { directories[top] = Directory() }
        if directories[top]?.pages[middle].isEmpty ?? true {
            directories[top]?.pages[middle] = Page(repeating: nil, count: 256)
            directories[top]?.used += 1
        }
        if self[key] == nil { count += 1 }
        directories[top]?.pages[middle][low] = record
    }

    private mutating func remove(_ key: UInt32) {
        guard self[key] != nil else { return }
        let (top, middle, low) = (Int(key >> 16), Int(key >> 8 & 255), Int(key & 255))
        count -= 1
        directories[top]?.pages[middle][low] = nil
        if directories[top]?.pages[middle].allSatisfy({ $0 == nil }) ?? false {
            directories[top]?.pages[middle] = Page()
            directories[top]?.used -= 1
            if directories[top]?.used == 0 { directories[top] = nil }
        }
    }
}

extension Optional {
    /// In place: a copy out and back would copy what the value refers to.
    fileprivate mutating func mutate<Result>(_ body: (inout Wrapped) -> Result) -> Result? {
        switch self {
        case .none: return nil
        case .some(var value):
            self = .none
            defer { self = .some(value) }
            return body(&value)
        }
    }
}
