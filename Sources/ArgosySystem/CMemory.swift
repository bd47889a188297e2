import Glibc

/// C strings and arrays that live until it goes; for plans handed to the shim.
final class CMemory {
    private var blocks: [UnsafeMutableRawPointer] = []

    private func block(_ size: Int, _ alignment: Int) -> UnsafeMutableRawPointer {
        let block = UnsafeMutableRawPointer.allocate(byteCount: max(size, 1), alignment: max(alignment, 1))
        blocks.append(block)
        return block
    }

    func array<Element: BitwiseCopyable>(_ elements: [Element]) -> UnsafePointer<Element> {
        let size = elements.count * MemoryLayout<Element>.stride
        let copy = block(size, MemoryLayout<Element>.alignment)
        elements.withUnsafeBytes { bytes in
            if let base = bytes.baseAddress { copy.copyMemory(from: base, byteCount: bytes.count) }
        }
        return UnsafePointer(copy.assumingMemoryBound(to: Element.self))
    }

    func string(_ text: String) -> UnsafePointer<CChar> {
        array(text.utf8.map { CChar(bitPattern: $0) } + [0])
    }

    /// NULL-terminated.
    func strings(_ texts: [String]) -> UnsafePointer<UnsafePointer<CChar>?> {
        array(texts.map { Optional(string($0)) } + [nil])
    }

    deinit { for block in blocks { block.deallocate() } }
}
