import ArgosyDomain
import ArgosySystem
import Glibc
import Testing

@Suite(.enabled(if: isRoot, "needs root"))
struct SpawnTests {
    @Test func childHasTheIdsGroupsAndUmaskOfItsSpec() throws {
        let result = try run("sh", ["-c", "id -u; id -g; id -G; umask"]) {
            $0.credentials = Credentials(uid: 64123, gid: 64124, groups: [64125, 64126])
            $0.umask = 0o027
        }
        #expect(result.output == "64123\n64124\n64124 64125 64126\n0027\n")
    }

    @Test func exitCodeAndSignalAreTold() throws {
        #expect(try run("sh", ["-c", "exit 7"]).code == 7)
        let killed = try run("sh", ["-c", "kill -9 $$"])
        #expect(killed.signal == 9 && killed.code == 0)
    }

    @Test func sigtermEndsATaskWithoutHandler() throws {
        // Ours may be blocked or ignored; a task's must not be.
        signal(SIGTERM, SIG_IGN)
        defer { signal(SIGTERM, SIG_DFL) }
        let process = try Spawn.start(ProcessSpec(path: "/bin/sleep", arguments: ["sleep", "100"]))
        #expect(try process.signal(SIGTERM))
        #expect(try process.wait().signal == UInt32(SIGTERM))
        #expect(try !process.signal(SIGTERM))
    }

    @Test func missingProgramFailsAtExec() {
        #expect(throws: SystemError("exec", "/nonexistent", code: ENOENT)) {
            try Spawn.start(ProcessSpec(path: "/nonexistent", arguments: ["x"]))
        }
        #expect(throws: SystemError("exec", "no-such-program", code: ENOENT)) {
            try Spawn.start(ProcessSpec(path: "no-such-program", arguments: ["x"], environment: ["PATH=/bin:/usr"]))
        }
        #expect(throws: SystemError("exec", "/etc/passwd", code: EACCES)) {
            try Spawn.start(ProcessSpec(path: "/etc/passwd", arguments: ["x"]))
        }
    }

    @Test func unsearchableDirectoryOfPathDoesNotHideThatAProgramIsMissing() throws {
        try withDirectory { directory in
            try Files.makeDirectories(directory + "/closed", mode: 0o700)
            try Files.makeDirectories(directory + "/open/folder", mode: 0o755)
            try Files.replace(directory + "/open/plain", with: [], mode: 0o644)
            let path = "PATH=\(directory)/closed:\(directory)/open:/usr/bin:/bin"
            func start(_ program: String) throws -> ChildProcess {
                var spec = ProcessSpec(path: program, arguments: [program], environment: [path])
                spec.credentials = somebody
                return try Spawn.start(spec)
            }
            for missing in ["no-such-program", "folder"] {
                #expect(throws: SystemError("exec", missing, code: ENOENT)) { try start(missing) }
            }
            #expect(throws: SystemError("exec", "plain", code: EACCES)) { try start("plain") }
            let closed = directory + "/closed/x"
            #expect(throws: SystemError("exec", closed, code: EACCES)) { try start(closed) }
            #expect(try start("true").wait().isSuccess)
        }
    }

    @Test func workingDirectoryIsEnteredWithSupplementaryGroups() throws {
        try withDirectory { directory in
            chown(directory, 0, 64999)
            chmod(directory, 0o750)
            let member = try run("pwd", []) {
                $0.credentials = Credentials(uid: 64123, gid: 64123, groups: [64999])
                $0.workingDirectory = directory
            }
            #expect(member.output == directory + "\n")
            #expect(throws: SystemError("chdir", directory, code: EACCES)) {
                try run("pwd", []) {
                    $0.credentials = somebody
                    $0.workingDirectory = directory
                }
            }
        }
    }

    @Test func onlyKeptDescriptorsPassAndCrossedNumbersWork() throws {
        let (a, b) = try UnixSocket.pair(sequenced: false)
        let leak = dup(2)
        defer { close(leak) }
        let result = try run("sh", ["-c", "cd /proc/self/fd; echo *; readlink 5 >&6"]) {
            $0.keptDescriptors = [.init(from: a.raw, to: 5), .init(from: b.raw, to: 6)]
        }
        #expect(result.output == "0 1 2 5 6\n" || result.output == "0 1 2 3 5 6\n")
        #expect(try UnixSocket.receive(a.raw)?.bytes.starts(with: "socket:".utf8) == true)
        // Each goes where the other was.
        let swapped = try run("sh", ["-c", "echo one; echo two >&2"]) { spec in
            (spec.stdout, spec.stderr) = (spec.stderr, spec.stdout)
            spec.keptDescriptors = [.init(from: b.raw, to: a.raw), .init(from: a.raw, to: b.raw)]
        }
        #expect(swapped.output == "one\ntwo\n")
    }

    @Test func standardStreamsAreNullUnlessGiven() throws {
        let result = try run("sh", ["-c", "cat; readlink /proc/self/fd/0"])
        #expect(result.output == "/dev/null\n")
    }

    @Test func capabilitiesAreGoneForGood() throws {
        let result = try run("grep", ["-E", "^(Cap|NoNewPrivs|SigBlk|SigIgn)", "/proc/self/status"]) {
            $0.credentials = somebody
            $0.dropAllCapabilities = true
            $0.noNewPrivileges = true
        }
        let none = "0000000000000000"
        #expect(
            result.output == """
                SigBlk:\t\(none)
                SigIgn:\t\(none)
                CapInh:\t\(none)
                CapPrm:\t\(none)
                CapEff:\t\(none)
                CapBnd:\t\(none)
                CapAmb:\t\(none)
                NoNewPrivs:\t1

                """)
    }

    @Test func limitsAboveOursAreLowered() throws {
        let result = try run("sh", ["-c", "ulimit -n; ulimit -c"]) {
            $0.limits = [
                ResourceLimit(resource: 7, soft: 77, hard: .max),
                ResourceLimit(resource: 4, soft: 0, hard: 0),
            ]
        }
        #expect(result.output == "77\n0\n")
    }

    @Test func affinityAndSessionAreItsOwn() throws {
        let first = try #require(try Machine.affinity().first)
        let result = try run(
            "sh", ["-c", "grep Cpus_allowed_list /proc/self/status; ps -o sid= -p $$ | tr -d ' '; echo $$"]
        ) { $0.affinity = [first] }
        let lines = result.output.split(separator: "\n")
        #expect(lines.first == "Cpus_allowed_list:\t\(first)")
        #expect(lines.count == 3 && lines[1] == lines[2])
    }

    @Test func diesWithItsParentThreadOnlyWhenAsked() throws {
        let result = try run("true", []) { $0.parentDeathSignal = SIGKILL }
        #expect(result.code == 0)
    }

    @Test func newPidNamespaceHasOnlyTheChild() throws {
        let result = try run("sh", ["-c", "echo $$"]) { $0.newNamespaces = [.pid, .mount, .network] }
        #expect(result.output == "1\n")
    }

    @Test func unreadableWorkIsRefusedForTheUserNotForRoot() throws {
        try withDirectory { directory in
            chmod(directory, 0o777)
            let secret = directory + "/secret"
            try Files.replace(secret, with: Array("x".utf8), mode: 0o600)
            symlink(secret, directory + "/out")
            #expect(throws: SystemError("open", directory + "/out", code: EACCES)) {
                try Files.openAs(somebody, directory + "/out", flags: O_WRONLY | O_CREAT | O_TRUNC)
            }
            #expect(try Files.readText(secret) == "x")
            let mine = try Files.openAs(
                somebody, "mine", flags: O_WRONLY | O_CREAT | O_EXCL, umask: 0o077, directory: directory)
            var status = stat()
            fstat(mine.raw, &status)
            #expect(status.st_uid == somebody.uid && status.st_mode & 0o777 == 0o600)
        }
    }

    @Test func groupDirectoryIsOpenedByItsMembersOnly() throws {
        try withDirectory { directory in
            chown(directory, 0, 64999)
            chmod(directory, 0o730)
            let member = Credentials(uid: 64123, gid: 64123, groups: [64999])
            _ = try Files.openAs(member, "f", flags: O_WRONLY | O_CREAT, directory: directory)
            #expect(throws: SystemError("chdir", directory, code: EACCES)) {
                try Files.openAs(somebody, "g", flags: O_WRONLY | O_CREAT, directory: directory)
            }
        }
    }

    @Test func openingThatHangsIsGivenUp() throws {
        try withDirectory { directory in
            let fifo = directory + "/fifo"
            mkfifo(fifo, 0o666)
            #expect(throws: SystemError("open", fifo, code: ETIMEDOUT)) {
                try Files.openAs(
                    Credentials(uid: 0, gid: 0), fifo, flags: O_RDONLY, timeout: .milliseconds(50))
            }
        }
    }
}
