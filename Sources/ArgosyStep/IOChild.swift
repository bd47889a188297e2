internal import ArgosyTransport
internal import ArgosyWire
internal import FoundationEssentials
internal import Glibc

/// The unprivileged half of a step daemon: carries stdio between the tasks of this node and one srun (or relay).
///
/// Runs with the job's uid in the step's cgroup. Root tells it about tasks by `StepMessage`s and hands it the client's
/// socket; it alone reads what tasks and srun write. Buffers are bounded: when srun is slow, tasks wait on their
/// pipes. When srun is gone before the end, root is told and output is dropped.
final class IOChild {
    /// One task's pipes here; -1: that stream is a file (or closed).
    struct TaskPipes {
        var rank: UInt32
        var input: Int32
        var output: Int32
        var error: Int32
        var management: Int32 = -1
    }
    private struct Line {
        var descriptor: Int32
        var rank: UInt32
        var bytes: [UInt8] = []
    }
    private struct Output {
        var descriptor: Int32
        var rank: UInt32
        var isError: Bool
    }
    private struct Input {
        var descriptor: Int32
        var rank: UInt32
        var queue = WriteQueue()
        var endWanted = false
    }

    /// Somebody who looks on beside srun (sattach); what it cannot take in time, it does not get.
    private struct Viewer {
        var descriptor: Int32
        var queue = WriteQueue()
        var frames = FrameAssembler()
    }
    private static let viewerBound = 4 << 20
    private static let mostViewers = 16
    private var viewers: [Viewer] = []

    private let control: Int32
    private let node: String
    private var outputs: [Output] = []
    private var inputs: [Input] = []
    private var lines: [Line] = []
    private var service: ProcessManagement
    private var client: Int32 = -1
    private var frames = FrameAssembler()
    private var toClient = WriteQueue()
    private var clientGone = false
    private var finished = false
    private var finishSent = false
    /// Bytes that may wait for srun before tasks have to wait too.
    private static let outputBound = 1 << 20
    private static let inputBound = 1 << 20
    private static let chunk = 64 << 10

    init(control: Int32, node: String, tasks: [TaskPipes], service: ProcessManagement) {
        self.service = service
        self.control = control
        self.node = node
        for task in tasks {
            if task.output >= 0 { outputs.append(Output(descriptor: task.output, rank: task.rank, isError: false)) }
            if task.error >= 0 { outputs.append(Output(descriptor: task.error, rank: task.rank, isError: true)) }
            if task.management >= 0 { lines.append(Line(descriptor: task.management, rank: task.rank)) }
            if task.input >= 0 { inputs.append(Input(descriptor: task.input, rank: task.rank)) }
        }
        for descriptor in outputs.map(\.descriptor) + inputs.map(\.descriptor) { setNonBlocking(descriptor) }
        signal(SIGPIPE, SIG_IGN)
    }

    /// Serves until everything is delivered, or root goes away. Returns the exit code.
    func run() -> Int32 {
        while true {
            if finished, outputs.isEmpty, !finishSent { sendFinish() }
            if finishSent, clientGone || toClient.isEmpty, viewers.allSatisfy({ $0.queue.isEmpty }) { return end() }
            var entries = pollEntries()
            let ready = poll(&entries, nfds_t(entries.count), -1)
            if ready < 0, errno != EINTR { return 1 }
            guard ready > 0 else { continue }
            for entry in entries where entry.revents != 0 {
                if !handle(entry) { return 1 }
            }
        }
    }

    private func pollEntries() -> [pollfd] {
        var entries = [pollfd(fd: control, events: Int16(POLLIN), revents: 0)]
        let mayRead = clientGone || toClient.count < Self.outputBound
        if mayRead { entries += outputs.map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) } }
        entries += lines.map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
        for input in inputs where !input.queue.isEmpty {
            entries.append(pollfd(fd: input.descriptor, events: Int16(POLLOUT), revents: 0))
        }
        if client >= 0 {
            var events: Int16 = 0
            if inputs.allSatisfy({ $0.queue.count < Self.inputBound }) { events |= Int16(POLLIN) }
            if !toClient.isEmpty { events |= Int16(POLLOUT) }
            entries.append(pollfd(fd: client, events: events, revents: 0))
        }
        for viewer in viewers {
            let events = Int16(POLLIN) | (viewer.queue.isEmpty ? 0 : Int16(POLLOUT))
            entries.append(pollfd(fd: viewer.descriptor, events: events, revents: 0))
        }
        return entries
    }

    private func handle(_ entry: pollfd) -> Bool {
        if entry.fd == control { return handleControl() }
        if entry.fd == client {
            if entry.revents & Int16(POLLOUT) != 0 { flushClient() }
            if client >= 0, entry.revents & Int16(POLLIN | POLLHUP | POLLERR) != 0 { readClient() }
        } else if let index = viewers.firstIndex(where: { $0.descriptor == entry.fd }) {
            serveViewer(index, entry.revents)
        } else if let index = outputs.firstIndex(where: { $0.descriptor == entry.fd }) {
            readOutput(index)
        } else if let index = lines.firstIndex(where: { $0.descriptor == entry.fd }) {
            readLine(index)
        } else if let index = inputs.firstIndex(where: { $0.descriptor == entry.fd }) {
            flushInput(index)
        }
        return true
    }

    // MARK: root

    private func handleControl() -> Bool {
        guard let (message, descriptor) = ControlSocket.receive(from: control) else { return false }
        switch message.kind {
        case .connection: if let descriptor { adopt(descriptor) }
        case .taskExited: sendExit(message)
        case .failure:
            var failure = WireStepFailure()
            failure.message = message.text
            failure.node = node
            var frame = WireIOFrame()
            frame.failure = failure
            send(frame)
        case .note:
            var output = WireTaskOutput()
            output.rank = message.rank
            output.isError = true
            output.data = Data((message.text + "\n").utf8)
            var frame = WireIOFrame()
            frame.output = output
            send(frame)
        case .finished:
            finished = true
            finishOOM = message.a != 0
            finishTimedOut = message.b != 0
        case .hello, .started, .ended, .signal, .suspend, .resume, .limit, .terminate, .clientConnected, .clientLost,
            .drained:
            break
        }
        return true
    }
    private var finishOOM = false
    private var finishTimedOut = false

    private func sendExit(_ message: StepMessage) {
        var exited = WireTaskExited()
        exited.rank = message.rank
        exited.exit.code = UInt32(truncatingIfNeeded: message.a)
        exited.exit.signal = UInt32(truncatingIfNeeded: message.b)
        exited.pid = UInt32(truncatingIfNeeded: message.c)
        exited.node = node
        exited.oom = message.text == "oom"
        var frame = WireIOFrame()
        frame.exited = exited
        send(frame)
    }

    private func sendFinish() {
        var last = WireNodeFinished()
        last.node = node
        last.oom = finishOOM
        last.timedOut = finishTimedOut
        var frame = WireIOFrame()
        frame.finished = last
        finishSent = true
        send(frame)
        // Nobody ever connected: there is nobody to wait for.
        if client < 0 { toClient.removeAll() }
    }

    private func end() -> Int32 {
        if client >= 0 { shutdown(client, Int32(SHUT_WR)) }
        _ = ControlSocket.send(StepMessage(.drained), to: control)
        return 0
    }

    // MARK: srun

    /// The one client of this node's part; a second connection is turned away.
    private func adopt(_ descriptor: Int32) {
        setNonBlocking(descriptor)
        var welcome = WireIOWelcome()
        if client >= 0, viewers.count < Self.mostViewers { return addViewer(descriptor) }
        guard client < 0, !clientGone else {
            welcome.refusal = "somebody is connected to this step on node \(node) already"
            if let bytes: [UInt8] = try? welcome.serializedBytes() {
                let frame = Frame.encode(bytes)
                _ = Glibc.send(descriptor, frame, frame.count, Int32(MSG_NOSIGNAL))
            }
            close(descriptor)
            return
        }
        client = descriptor
        guard let bytes: [UInt8] = try? welcome.serializedBytes() else { return }
        // In front of whatever tasks wrote before anybody listened.
        var queue = WriteQueue()
        queue.append(Frame.encode(bytes))
        queue.append(toClient.contents)
        toClient = queue
        _ = ControlSocket.send(StepMessage(.clientConnected), to: control)
        flushClient()
    }

    private func send(_ frame: WireIOFrame) {
        guard !clientGone, let bytes: [UInt8] = try? frame.serializedBytes() else { return }
        toClient.append(Frame.encode(bytes))
        if client >= 0 { flushClient() }
        for index in viewers.indices.reversed() {
            viewers[index].queue.append(Frame.encode(bytes))
            if viewers[index].queue.count > Self.viewerBound { loseViewer(index) } else { flushViewer(index) }
        }
    }

    // MARK: sattach

    private func addViewer(_ descriptor: Int32) {
        var viewer = Viewer(descriptor: descriptor)
        guard let bytes: [UInt8] = try? WireIOWelcome().serializedBytes() else {
            close(descriptor)
            return
        }
        viewer.queue.append(Frame.encode(bytes))
        viewers.append(viewer)
        flushViewer(viewers.count - 1)
    }

    private func loseViewer(_ index: Int) {
        close(viewers[index].descriptor)
        viewers.remove(at: index)
    }

    private func flushViewer(_ index: Int) {
        let socket = viewers[index].descriptor
        let failure = viewers[index].queue.flush {
            let count = Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            return count < 0 ? -Int(errno) : count
        }
        if failure != 0, failure != EINTR { loseViewer(index) }
    }

    private func serveViewer(_ index: Int, _ events: Int16) {
        if events & Int16(POLLIN | POLLHUP | POLLERR) == 0 { return flushViewer(index) }
        var buffer = [UInt8](repeating: 0, count: Self.chunk)
        let count = recv(viewers[index].descriptor, &buffer, buffer.count, 0)
        if count < 0, errno == EAGAIN || errno == EINTR { return }
        guard count > 0 else { return loseViewer(index) }
        viewers[index].frames.append(buffer[..<count])
        do {
            while let body = try viewers[index].frames.next() { take(try WireIOFrame(serializedBytes: body)) }
        } catch {
            loseViewer(index)
        }
    }

    private func flushClient() {
        let socket = client
        let failure = toClient.flush {
            let count = Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            return count < 0 ? -Int(errno) : count
        }
        if failure != 0, failure != EINTR { loseClient() }
    }

    private func loseClient() {
        close(client)
        client = -1
        clientGone = true
        toClient.removeAll()
        for index in inputs.indices { closeInput(index) }
        inputs = []
        if !finishSent { _ = ControlSocket.send(StepMessage(.clientLost), to: control) }
    }

    private func readClient() {
        var buffer = [UInt8](repeating: 0, count: Self.chunk)
        let count = recv(client, &buffer, buffer.count, 0)
        if count < 0, errno == EAGAIN || errno == EINTR { return }
        guard count > 0 else { return loseClient() }
        frames.append(buffer[..<count])
        do {
            while let body = try frames.next() { take(try WireIOFrame(serializedBytes: body)) }
        } catch {
            loseClient()
        }
    }

    private func take(_ frame: WireIOFrame) {
        switch frame.body {
        case .input(let input):
            let bytes = Array(input.data)
            for index in inputs.indices where !input.oneTask || inputs[index].rank == input.rank {
                if !bytes.isEmpty { inputs[index].queue.append(bytes) }
                if input.end { inputs[index].endWanted = true }
            }
            for index in inputs.indices.reversed() { flushInput(index) }
        case .signal(let order):
            var message = StepMessage(.signal)
            message.a = Int64(order.number)
            _ = ControlSocket.send(message, to: control)
        case .window(let size): resize(size)
        case .exchange(let pairs):
            act(service.exchanged(round: pairs.round, String(decoding: Array(pairs.data), as: UTF8.self)))
        // The rest only goes the other way.
        case .output, .exited, .finished, .failure, .created, .refused, nil: break
        }
    }

    /// Of a terminal, which is one descriptor both ways; a pipe has no size and does not mind.
    private func resize(_ window: WireWindowSize) {
        var size = winsize()
        size.ws_row = UInt16(clamping: window.rows)
        size.ws_col = UInt16(clamping: window.columns)
        for output in outputs { _ = ioctl(output.descriptor, UInt(TIOCSWINSZ), &size) }
    }

    // MARK: PMI

    private func readLine(_ index: Int) {
        var buffer = [UInt8](repeating: 0, count: ProcessManagement.longestLine)
        let count = recv(lines[index].descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
        if count < 0, errno == EAGAIN || errno == EINTR { return }
        let rank = lines[index].rank
        if count > 0 { lines[index].bytes += buffer[..<count] }
        guard count > 0, lines[index].bytes.count <= 4 * ProcessManagement.longestLine else {
            close(lines[index].descriptor)
            lines.remove(at: index)
            return
        }
        while let place = lines.firstIndex(where: { $0.rank == rank }),
            let end = lines[place].bytes.firstIndex(of: UInt8(ascii: "\n"))
        {
            let line = String(decoding: lines[place].bytes[..<end], as: UTF8.self)
            lines[place].bytes.removeSubrange(...end)
            act(service.take(line, from: rank))
        }
    }

    private func act(_ actions: [ProcessManagement.Action]) {
        for action in actions {
            switch action {
            case .answer(let rank, let text):
                guard let line = lines.first(where: { $0.rank == rank }) else { continue }
                let bytes = Array(text.utf8)
                _ = Glibc.send(line.descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
            case .exchange(let round, let pairs):
                var frame = WireIOFrame()
                frame.exchange.round = round
                frame.exchange.node = node
                frame.exchange.data = Data(pairs.utf8)
                send(frame)
            case .abort:
                var message = StepMessage(.signal)
                message.a = 9
                _ = ControlSocket.send(message, to: control)
            }
        }
    }

    // MARK: tasks

    private func readOutput(_ index: Int) {
        let stream = outputs[index]
        var buffer = [UInt8](repeating: 0, count: Self.chunk)
        let count = read(stream.descriptor, &buffer, buffer.count)
        if count < 0, errno == EAGAIN || errno == EINTR { return }
        var output = WireTaskOutput()
        output.rank = stream.rank
        output.isError = stream.isError
        if count > 0 {
            output.data = Data(buffer[..<count])
        } else {
            output.end = true
            close(stream.descriptor)
            outputs.remove(at: index)
        }
        var frame = WireIOFrame()
        frame.output = output
        send(frame)
    }

    private func flushInput(_ index: Int) {
        let descriptor = inputs[index].descriptor
        let failure = inputs[index].queue.flush {
            let count = write(descriptor, $0.baseAddress, $0.count)
            return count < 0 ? -Int(errno) : count
        }
        // A task that closed its stdin, or all that was wanted is delivered.
        if (failure != 0 && failure != EINTR) || (inputs[index].endWanted && inputs[index].queue.isEmpty) {
            closeInput(index)
            inputs.remove(at: index)
        }
    }

    private func closeInput(_ index: Int) { close(inputs[index].descriptor) }
}

private func setNonBlocking(_ descriptor: Int32) {
    _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
}
