import Foundation
import Testing

extension EndToEnd {
    /// What an ordinary user might try.
    @Suite struct Abuse {
        /// Sends one framed RelayCall to the socket argv[1] and prints what came back in hexadecimal.
        /// argv[2] is the request in hexadecimal.
        static let relayClient = """
            import socket, sys
            request = bytes.fromhex(sys.argv[2])
            call = b"\\x0a" + bytes([len(request)]) + request
            s = socket.socket(socket.AF_UNIX)
            s.settimeout(8)
            try:
                s.connect(sys.argv[1])
                s.sendall(b"Ar\\x01\\x00" + len(call).to_bytes(4, "big") + call)
                answer = s.recv(65536)
            except OSError as error:
                print("error", error)
                sys.exit(1)
            print(answer.hex() if answer else "closed")
            """
        /// Request{version: 1, ping: {}}
        static let ping = "08016200"

        /// Request{version: 1, create_step: {job, tasks: 1, nodes: 1, arguments: ["id"], work_dir: "/"}}
        static func createStep(job: Int) -> String {
            func varint(_ value: Int) -> [UInt8] {
                value < 0x80 ? [UInt8(value)] : [UInt8(value & 0x7f) | 0x80] + varint(value >> 7)
            }
            let step =
                [0x08] + varint(job) + [0x10, 1, 0x18, 1, 0x42, 2] + Array("id".utf8) + [0x52, 1] + Array("/".utf8)
            let request: [UInt8] = [0x08, 1, 0x42] + varint(step.count) + step
            return request.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        }

        /// Puts the client where every user may read it.
        private func installClient() async -> String {
            let path = "\(Cluster.root)/relay.py"
            try? Self.relayClient.write(toFile: path, atomically: true, encoding: .utf8)
            _ = await Shell.run("chmod 644 \(path)")
            return path
        }

        /// A running host job and the path of its relay socket.
        private func relayJob(_ cluster: Cluster) async throws -> (job: Int, socket: String) {
            let job = try await cluster.submit(
                "-o relay-%j.txt", "#!/bin/sh\necho \"$ARGOSY_RELAY\"\nexec sleep 120")
            #expect(await cluster.running(job))
            return (job, await cluster.text(of: "\(Cluster.home)/relay-\(job).txt").trimmingCharacters(in: .newlines))
        }

        @Test func `another user, and another process of the same user, are refused on a job's relay socket`()
            async throws
        {
            let cluster = try await Cluster.shared()
            let client = await installClient()
            let (job, socket) = try await relayJob(cluster)
            #expect(socket.hasPrefix("/"), "ARGOSY_RELAY in the job: \(socket)")
            let within = try await cluster.submit(
                "-o within-%j.txt", "#!/bin/sh\npython3 \(client) \"$ARGOSY_RELAY\" \(Self.ping)")
            #expect(await cluster.ended(within) == "COMPLETED")
            let answered = await cluster.text(of: "\(Cluster.home)/within-\(within).txt")
            #expect(answered.hasPrefix("4172"), "the job itself gets a frame: \(answered)")
            for user in [Cluster.stranger, Cluster.user] {
                let outcome = await cluster.run(
                    "python3 \(client) '\(socket)' \(Self.ping)", as: user, in: "/", seconds: 20)
                // Field 3 of Reply (refusal) or 9 of IOFrame (refused) would be an answer too; a Ping's answer is not.
                let refused = !outcome.word.hasPrefix("4172") || Self.isRefusal(outcome.word)
                #expect(refused, "\(user) outside the job was answered: \(outcome)")
                #expect(!"\(outcome)".contains("timed out"), "\(user) was left waiting, not refused: \(outcome)")
            }
            await cluster.cancel(job)
        }

        /// Whether the frame in `hex` carries text that says no.
        static func isRefusal(_ hex: String) -> Bool {
            let digits = Array(hex)
            let bytes = stride(from: 0, to: digits.count - 1, by: 2).compactMap {
                UInt8(String(digits[$0...$0 + 1]), radix: 16)
            }
            let text = String(decoding: bytes, as: UTF8.self).lowercased()
            return ["refuse", "denied", "not belong", "permission", "cgroup", "no such"].contains { text.contains($0) }
        }

        @Test func `a job that names another job on its relay starts nothing there and cancels nothing`() async throws {
            let cluster = try await Cluster.shared()
            let client = await installClient()
            let victim = try await cluster.submit("-o /dev/null", "#!/bin/sh\nexec sleep 120", as: Cluster.stranger)
            #expect(await cluster.running(victim))
            let job = try await cluster.submit(
                "-o claim-%j.txt",
                """
                #!/bin/sh
                timeout 15 python3 \(client) "$ARGOSY_RELAY" \(Self.createStep(job: victim))
                timeout 15 srun --jobid=\(victim) id
                scancel \(victim); echo scancel said $?
                """)
            _ = await cluster.ended(job)
            let text = await cluster.text(of: "\(Cluster.home)/claim-\(job).txt")
            #expect(!text.contains("uid=") || !text.contains("(\(Cluster.stranger))"), "\(text)")
            #expect(await cluster.state(victim) == "RUNNING", "\(text)")
            let steps = await cluster.asRoot("sacct -n -P -j \(victim) -o JobID").lines
            #expect(!steps.contains("\(victim).0"), "a step of job \(job) was started in job \(victim): \(text)")
            await cluster.cancel(victim)
        }

        @Test func `a user cannot cancel another's job, and sees why`() async throws {
            let cluster = try await Cluster.shared()
            let job = try await cluster.sleeper()
            let outcome = await cluster.run("scancel \(job)", as: Cluster.stranger)
            #expect(outcome.status != 0 && outcome.errors.contains("Access/permission denied"), "\(outcome)")
            #expect(["RUNNING", "PENDING"].contains(await cluster.state(job)))
            await cluster.cancel(job)
        }

        @Test func `an output path that is a link to root's file leaves that file alone`() async throws {
            let cluster = try await Cluster.shared()
            let target = "\(Cluster.root)/roots-own"
            _ = await Shell.run("echo precious >'\(target)'; chmod 600 '\(target)'")
            _ = await cluster.run("ln -sf '\(target)' link.txt")
            let outcome = await cluster.run("sbatch --parsable -o link.txt --wrap 'echo gotcha'")
            if outcome.status == 0 { #expect(await cluster.ended(Int(outcome.word) ?? 0) == "FAILED") }
            #expect(Shell.text(target) == "precious\n")
            #expect(await Shell.run("stat -c %U '\(target)'").word == "root")
        }

        @Test func `a working directory that only a supplementary group may enter works`() async throws {
            let cluster = try await Cluster.shared()
            let folder = "\(Cluster.root)/shared"
            let made = await Shell.run(
                "mkdir -p '\(folder)' && chown root:\(Cluster.extraGroup) '\(folder)' && chmod 2770 '\(folder)'")
            #expect(made.status == 0, "\(made)")
            let job = try await cluster.submit("-D '\(folder)' -o group-%j.txt", "#!/bin/sh\npwd\nid -Gn")
            #expect(await cluster.ended(job) == "COMPLETED")
            let text = await cluster.text(of: "\(folder)/group-\(job).txt")
            #expect(text.hasPrefix(folder + "\n") && text.contains(Cluster.extraGroup), "\(text)")
            #expect(await Shell.run("stat -c %U '\(folder)/group-\(job).txt'").word == Cluster.user)
        }
    }
}
