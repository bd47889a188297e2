import ArgosyDomain
import ArgosySystem
import Glibc

/// Runs a program to its end, with bounded time and output.
enum Tool {
    struct Outcome {
        var output: [UInt8]
        /// Its last words, at most `maxMessages` bytes.
        var messages: String
        var status: ExitStatus
    }
    static let maxMessages = 64 << 10

    /// - Throws: `ImageError`: `.toolMissing`, `.timeout`, `.tooLarge` (output over `max` bytes).
    static func run(_ spec: ProcessSpec, timeout: Duration, max: Int = ImageManifest.maxBytes) throws(ImageError)
        -> Outcome
    {
        do {
            let (output, outputEnd) = try UnixSocket.pair(sequenced: false)
            let (messages, messagesEnd) = try UnixSocket.pair(sequenced: false)
            var spec = spec
            spec.stdout = outputEnd.raw
            spec.stderr = messagesEnd.raw
            let process = try Spawn.start(spec)
            outputEnd.close()
            messagesEnd.close()
            return try collect(process, output, messages, BootClock.now + timeout, max, spec.path)
        } catch let error as ImageError {
            throw error
        } catch let error as SystemError {
            let missing = error.stage == "exec" && error.code == ENOENT
            throw ImageError(
                missing ? .toolMissing : .failed,
                missing ? "\(spec.path) is not installed on this machine" : "cannot run \(spec.path): \(error)")
        } catch {
            throw ImageError(.failed, "cannot run \(spec.path): \(error)")
        }
    }

    private static func collect(
        _ process: ChildProcess, _ output: Descriptor, _ messages: Descriptor, _ deadline: Duration, _ max: Int,
        _ name: String
    ) throws -> Outcome {
        defer { _ = try? process.signal(SIGKILL) }
        var collected: [[UInt8]] = [[], []]
        var open = [output, messages]
        while open.contains(where: { $0.raw >= 0 }) {
            let left = deadline - BootClock.now
            let ready = try Poll.wait(open.map { Poll.Interest($0.raw) }, timeout: left)
            guard left > .zero, ready.contains(where: \.any) else {
                _ = try? process.signal(SIGKILL)
                _ = try? process.wait()
                throw ImageError(.timeout, "\(name) did not finish in time")
            }
            for index in 0..<2 where ready[index].any {
                guard let message = try? UnixSocket.receive(open[index].raw) else {
                    open[index] = Descriptor(adopting: -1)
                    continue
                }
                collected[index] += message.bytes
                if index == 1 { collected[1] = Array(collected[1].suffix(maxMessages)) }
            }
            if collected[0].count > max {
                throw ImageError(.tooLarge, "\(name) answered with more than \(max) bytes")
            }
        }
        let status = try process.wait()
        return Outcome(output: collected[0], messages: String(decoding: collected[1], as: UTF8.self), status: status)
    }
}
