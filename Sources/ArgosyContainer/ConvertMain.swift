import ArgosyDomain
import ArgosySystem
import Glibc

// The mode `argosystepd convert`: a layer's blob on stdin, a squashfs out. It runs as nobody, without network and
// capabilities, as pid 1 of its own pid namespace: what it reads comes from strangers.
//
//     stdin -> gzip -dc or zstd -dc -> LayerFilter -> tar2sqfs

public enum ConvertMain {
    /// - Parameter arguments: those after "convert": output file; none, gzip or zstd; most bytes unpacked.
    public static func run(arguments: [String]) -> Never {
        do {
            guard arguments.count == 3, let compression = ImageManifest.Compression(rawValue: arguments[1]),
                let limit = UInt64(arguments[2])
            else { throw LayerFilter.Malformed(why: "usage: convert OUTPUT none|gzip|zstd MAX-BYTES") }
            var filter = LayerFilter()
            if try attempt(&filter, arguments[0], compression, limit) == .again {
                var second = LayerFilter(after: filter)
                guard try attempt(&second, arguments[0], compression, limit) == .done else {
                    throw LayerFilter.Malformed(why: "its marks and names do not settle")
                }
            }
            exit(0)
        } catch let error as LayerFilter.Malformed {
            fail(error.why)
        } catch {
            fail("\(error)")
        }
    }

    private static func fail(_ why: String) -> Never {
        _ = try? Files.write(Array("the layer is not usable: \(why)\n".utf8), to: 2)
        exit(1)
    }

    private static func attempt(
        _ filter: inout LayerFilter, _ output: String, _ compression: ImageManifest.Compression, _ limit: UInt64
    ) throws -> LayerFilter.Outcome {
        lseek(0, 0, SEEK_SET)
        let (source, unpacker) = try unpack(compression)
        var input = StreamSource(file: source, left: limit)
        let (read, write) = try UnixSocket.pair(sequenced: false)
        var spec = ProcessSpec(
            path: "tar2sqfs", arguments: ["tar2sqfs", "-q", "-f", "-s", "-c", "lz4", output],
            environment: ["PATH=/usr/bin:/bin"])
        spec.stdin = read.raw
        spec.stderr = 2
        spec.newSession = false
        let packer = try Spawn.start(spec)
        read.close()
        signal(SIGPIPE, SIG_IGN)
        let outcome = try filter.run(&input) { bytes throws(LayerFilter.Malformed) in
            do {
                try Files.write(bytes, to: write.raw)
            } catch {
                throw LayerFilter.Malformed(why: "tar2sqfs stopped: \(error)")
            }
        }
        if outcome == .again {
            try packer.signal(SIGKILL)
            _ = try packer.wait()
            _ = try unpacker.map { try $0.signal(SIGKILL) }
            return .again
        }
        write.close()
        guard try packer.wait().isSuccess else { throw LayerFilter.Malformed(why: "tar2sqfs refused it") }
        try finish(&input, unpacker)
        return .done
    }

    /// Trailing zeros are read, so that the unpacker can say whether all was well.
    private static func finish(_ input: inout StreamSource, _ unpacker: ChildProcess?) throws {
        while try !input.read(1 << 18).isEmpty {}
        guard try unpacker?.wait().isSuccess ?? true else {
            throw LayerFilter.Malformed(why: "it is not compressed as its manifest says, or damaged")
        }
    }

    private static func unpack(_ compression: ImageManifest.Compression) throws -> (Descriptor, ChildProcess?) {
        if compression == .none { return (Descriptor(adopting: dup(0)), nil) }
        let (ours, theirs) = try UnixSocket.pair(sequenced: false)
        let program = compression.rawValue
        var spec = ProcessSpec(path: program, arguments: [program, "-dc"], environment: ["PATH=/usr/bin:/bin"])
        spec.stdin = 0
        spec.stdout = theirs.raw
        spec.newSession = false
        return (ours, try Spawn.start(spec))
    }
}

/// A descriptor read in large pieces; ends with an error when more than `left` bytes come.
struct StreamSource: TarSource {
    let file: Descriptor
    var left: UInt64
    private var buffer: [UInt8] = []
    private var position = 0

    init(file: Descriptor, left: UInt64) {
        self.file = file
        self.left = left
    }

    mutating func read(_ count: Int) throws(LayerFilter.Malformed) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(count)
        while result.count < count {
            if position == buffer.count {
                try fill()
                if buffer.isEmpty { break }
            }
            let part = min(count - result.count, buffer.count - position)
            result += buffer[position..<position + part]
            position += part
        }
        return result
    }

    private mutating func fill() throws(LayerFilter.Malformed) {
        var fresh = [UInt8](repeating: 0, count: 1 << 18)
        var count = Glibc.read(file.raw, &fresh, fresh.count)
        while count < 0 && errno == EINTR { count = Glibc.read(file.raw, &fresh, fresh.count) }
        guard count >= 0 else { throw LayerFilter.Malformed(why: "reading it failed") }
        fresh.removeSubrange(count...)
        guard UInt64(count) <= left else { throw LayerFilter.Malformed(why: "it unpacks to more than is allowed") }
        left -= UInt64(count)
        buffer = fresh
        position = 0
    }
}
