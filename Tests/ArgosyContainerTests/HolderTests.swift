import ArgosyDomain
import ArgosySystem
import Glibc
import Testing

@testable import ArgosyContainer

@Suite(.enabled(if: missing == nil, "\(missing ?? "")"), .serialized)
struct HolderTests {
    /// A holder of a squashfs (or `dir:`) busybox image.
    func withHolder<Result>(
        directory: Bool = false, change: (inout HolderSpec, String) throws -> Void = { _, _ throws in },
        _ body: (Holder, String) throws -> Result
    ) throws -> Result {
        try withDirectory { path throws in
            try makeTree(path + "/tree")
            var image = LayerStack(source: .directory(path + "/tree"))
            if !directory {
                try makeSquashfs(path + "/tree", path + "/image.sqfs")
                image.source = .squashfs([path + "/image.sqfs"])
            }
            var spec = HolderSpec(
                image: image, identity: somebody, hostName: "node7", stagingDirectory: path + "/staging",
                helper: [probe, "holder"])
            try change(&spec, path)
            let holder = try Holder.start(spec)
            defer { _ = holder.stop() }
            return try body(holder, path)
        }
    }

    @Test func taskSeesTheImageItsNameAndItself() throws {
        try withHolder { holder, _ throws in
            let ran = try holder.run("id; hostname; ls /; cat /etc/passwd; ls /proc | grep '^[0-9]' | wc -l; echo $$")
            #expect(ran.code == 0)
            #expect(
                ran.output.contains("uid=64123(somebody) gid=64123(somebody) groups=64999(group64999)"))
            #expect(ran.output.contains("node7\n"))
            #expect(ran.output.contains("somebody:x:64123:64123::/home/somebody:/bin/sh\n"))
            #expect(!ran.output.contains("staging"))
        }
    }

    @Test func nothingOfItIsMountedOnTheHost() throws {
        // Others may mount meanwhile: only what bears our directory's name is looked at.
        let mine = try withHolder { _, path throws in
            #expect(try !shell("cat /proc/self/mountinfo").contains(path))
            #expect(try Files.list(path + "/staging").isEmpty)
            return path
        }
        #expect(try !shell("cat /proc/self/mountinfo").contains(mine))
        #expect(try loopDevicesGo(mine))
    }

    @Test func rootIsReadOnlyUnlessAskedOtherwise() throws {
        try withHolder { holder, _ throws in
            #expect(try holder.run("touch /opt/x").output.contains("Read-only file system"))
            #expect(try holder.run("touch /tmp/x /dev/shm/x && echo ok").output == "ok\n")
        }
        try withHolder(change: { spec, _ in spec.writable = true }) { holder, _ throws in
            // Writable, but still only where the user may write.
            #expect(try holder.run("touch /opt/x").output.contains("Permission denied"))
        }
    }

    @Test func exitStatusAndSignalsOfATaskComeThrough() throws {
        try withHolder { holder, _ throws in
            #expect(try holder.run("exit 9").code == 9)
            var spec = ProcessSpec(path: "/bin/sleep", arguments: ["sleep", "100"])
            spec.holder = holder.process.pidfd
            spec.credentials = Credentials(somebody)
            let task = try Spawn.start(spec)
            try task.signal(SIGTERM)
            #expect(try task.wait().signal == UInt32(SIGTERM))
        }
    }

    @Test func endingTheHolderEndsItsTasks() throws {
        try withHolder { holder, _ throws in
            var spec = ProcessSpec(path: "/bin/sleep", arguments: ["sleep", "100"])
            spec.holder = holder.process.pidfd
            spec.credentials = Credentials(somebody)
            let task = try Spawn.start(spec)
            try holder.process.signal(SIGTERM)
            #expect(try task.wait().signal == UInt32(SIGKILL))
            #expect(try holder.process.wait().isSuccess)
        }
    }

    @Test func holderIsFoundAgainByPidAndStartTimeOnly() throws {
        try withHolder { holder, _ throws in
            let again = try #require(Holder.find(pid: holder.process.pid, startTime: holder.startTime))
            #expect(try again.run("echo here").output == "here\n")
            #expect(Holder.find(pid: holder.process.pid, startTime: holder.startTime + 1) == nil)
        }
    }

    @Test func setuidProgramsGainNothingAndDevicesOfTheImageAreDead() throws {
        try withHolder(directory: true) { holder, _ throws in
            #expect(try holder.run("/opt/suid/busybox id -u; head -c 1 /opt/kmsg").output.hasPrefix("64123\n"))
            #expect(try holder.run("head -c 1 /opt/kmsg").output.contains("Permission denied"))
        }
        try withHolder { holder, _ throws in
            #expect(try holder.run("/opt/suid/busybox id -u").output == "64123\n")
            #expect(try holder.run("head -c 1 /opt/kmsg").output.contains("Permission denied"))
            #expect(try holder.run("mknod /tmp/k c 1 11").output.contains("not permitted"))
            #expect(try holder.run("mount -t tmpfs x /tmp").code != 0)
            #expect(
                try holder.run("grep -E '^(CapBnd|NoNewPrivs|Seccomp):' /proc/self/status").output
                    == "CapBnd:\t0000000000000000\nNoNewPrivs:\t1\nSeccomp:\t2\n")
        }
    }

    @Test func mountsAreMadeAsTheUser() throws {
        try withHolder(change: { spec, path in
            try shell("mkdir -p \(path)/data && echo hello > \(path)/data/f && chown -R 64123 \(path)/data")
            spec.mounts = [
                MountRequest(source: path + "/data", target: "/data"),
                MountRequest(source: path + "/data", target: "/mnt/deep/ro", readOnly: true),
                MountRequest(source: path + "/data/f", target: "/data2/file"),
                MountRequest(source: path + "/nowhere", target: "/nowhere", optional: true),
            ]
        }) { holder, path throws in
            #expect(
                try holder.run("cat /data/f /data2/file; touch /data/new; touch /mnt/deep/ro/x").output
                    == "hello\nhello\ntouch: /mnt/deep/ro/x: Read-only file system\n")
            var status = stat()
            #expect(stat(path + "/data/new", &status) == 0 && status.st_uid == 64123)
        }
    }

    @Test func mountTargetsBelowPrivateTmpAreMade() throws {
        try withHolder(change: { spec, path in
            try shell(
                "mkdir -p \(path)/home/job && echo hello > \(path)/home/job/f && chown -R 64123 \(path)/home")
            // As for a job whose home and working directory lie below /tmp; the second is there once the first is mounted.
            spec.mounts = [
                MountRequest(source: path + "/home", target: path + "/home"),
                MountRequest(source: path + "/home/job", target: path + "/home/job"),
                MountRequest(source: path + "/home/job/f", target: "/tmp/deep/er/file"),
                MountRequest(source: path + "/home", target: "/dev/shm/home"),
            ]
        }) { holder, path throws in
            #expect(
                try holder.run(
                    "cd \(path)/home/job; cat f /tmp/deep/er/file /dev/shm/home/job/f; echo new > new; touch /tmp/deep/x"
                ).output == "hello\nhello\nhello\n")
            #expect(access(path + "/home/job/new", F_OK) == 0)
            #expect(access("/tmp/deep/er", F_OK) != 0)
        }
    }

    @Test func mountTargetsAreNotMadeInWhatTheUserMounted() throws {
        try withDirectory { path throws in
            try shell("mkdir \(path)/mine && chown 64123 \(path)/mine")
            let target = "/tmp/mine/missing"
            let failure = HolderFailure(
                "mount target \(target) does not exist, and lies in another mount, where it is yours to make",
                userFault: true)
            #expect(throws: failure) {
                try withHolder(change: { spec, _ in
                    spec.mounts = [
                        MountRequest(source: path + "/mine", target: "/tmp/mine"),
                        MountRequest(source: path + "/mine", target: target),
                    ]
                }) { _, _ throws in }
            }
            #expect(try Files.list(path + "/mine").isEmpty)
        }
    }

    @Test func mountTargetsCannotEscapeThroughLinks() throws {
        let hosts = try Files.read("/etc/hosts")
        try withHolder(
            directory: true,
            change: { spec, path in
                try shell("mkdir \(path)/data; echo trap > \(path)/data/f; chmod -R a+rX \(path)/data")
                spec.mounts = [
                    MountRequest(source: path + "/data", target: "/escape/argosy-escaped"),
                    MountRequest(source: path + "/data/f", target: "/hostfile"),
                ]
            }
        ) { holder, _ throws in
            #expect(access("/etc/argosy-escaped", F_OK) != 0)
            #expect(try Files.read("/etc/hosts") == hosts)
            #expect(try holder.run("cat /etc/argosy-escaped/f /etc/hosts").output == "trap\ntrap\n")
        }
    }

    @Test func swappedMountSourceDoesNotMatter() throws {
        // The source is opened before anything else happens; what the path means later is not looked at.
        try withDirectory { path throws in
            try shell("mkdir \(path)/data && echo mine > \(path)/data/f")
            let place = try Files.openAs(Credentials(somebody), path + "/data", flags: Files.pathOnly)
            try shell("mv \(path)/data \(path)/old && ln -s /root \(path)/data")
            let copy = try Mounts.clone(place, recursive: true, attributes: [.noSetuid], name: "data")
            let file = openat(copy.raw, "f", O_RDONLY)
            #expect(file >= 0)
            close(file)
        }
    }

    @Test func sourceTheUserMayNotReachIsRefused() throws {
        try withDirectory { path throws in
            try shell("mkdir -m 700 \(path)/secret && mkdir \(path)/secret/data && ln -s secret/data \(path)/link")
            for source in [path + "/secret/data", path + "/link"] {
                #expect(throws: HolderFailure("mount source: open \(source): Permission denied", userFault: true)) {
                    try withHolder(change: { spec, _ in
                        spec.mounts = [MountRequest(source: source, target: "/data")]
                    }) { _, _ throws in }
                }
            }
        }
    }

    @Test func memberOfAGroupMountsTheGroupsDirectory() throws {
        try withDirectory { path throws in
            try shell("mkdir -m 750 \(path)/group && mkdir \(path)/group/data && chgrp 64999 \(path)/group")
            try withHolder(change: { spec, _ in
                spec.mounts = [MountRequest(source: path + "/group/data", target: "/data")]
            }) { holder, _ throws in #expect(try holder.run("ls -d /data").output == "/data\n") }
        }
    }

    @Test func imageFilesOthersCanWriteAreRefused() throws {
        try withDirectory { path throws in
            try makeTree(path + "/tree")
            try makeSquashfs(path + "/tree", path + "/image.sqfs")
            chmod(path + "/image.sqfs", 0o664)
            let spec = HolderSpec(
                image: LayerStack(source: .squashfs([path + "/image.sqfs"])), identity: somebody, hostName: "n",
                stagingDirectory: path + "/staging", helper: [probe, "holder"])
            #expect(throws: HolderFailure.self) { try Holder.start(spec) }
        }
    }

    @Test func brokenImageIsAnErrorAndNothingStays() throws {
        try withDirectory { path throws in
            try shell("echo nonsense > \(path)/image.sqfs; truncate -s 8192 \(path)/image.sqfs")
            let spec = HolderSpec(
                image: LayerStack(source: .squashfs([path + "/image.sqfs"])), identity: somebody, hostName: "n",
                stagingDirectory: path + "/staging", helper: [probe, "holder"])
            do {
                _ = try Holder.start(spec)
                Issue.record("started")
            } catch let failure as HolderFailure {
                #expect(failure.description.hasPrefix("mount image layer 0: mount squashfs on 0"))
            }
            #expect(try loopDevicesGo(path))
        }
    }

    @Test func layersAreStackedAndHideWhatIsBelow() throws {
        try withDirectory { path throws in
            try makeTree(path + "/tree")
            try shell(
                "mkdir -p \(path)/top/opt && echo upper > \(path)/top/opt/new && mknod \(path)/top/opt/suid c 0 0")
            try makeSquashfs(path + "/tree", path + "/0.sqfs")
            try makeSquashfs(path + "/top", path + "/1.sqfs")
            let holder = try Holder.start(
                HolderSpec(
                    image: LayerStack(source: .squashfs([path + "/0.sqfs", path + "/1.sqfs"])), identity: somebody,
                    hostName: "n", stagingDirectory: path + "/staging", helper: [probe, "holder"]))
            defer { _ = holder.stop() }
            #expect(try holder.run("ls /opt").output == "kmsg\nnew\n")
        }
    }

    @Test func jobsCgroupKillsHolderAndTasks() throws {
        let layout = try CgroupLayout.discover()
        let job = layout.cgroup("argosy/test/job-\(getpid())")
        try job.create(limits: CgroupLimits(memoryBytes: 256 << 20))
        defer { try? job.remove() }
        try withHolder(change: { spec, _ in spec.jobCgroup = job }) { holder, _ throws in
            let leaf = job.child("step_0")
            try leaf.create(limits: CgroupLimits(memoryBytes: 256 << 20, devices: .container))
            let ran = try holder.run(
                "cat /proc/self/cgroup; ls /sys/fs/cgroup; head -c 1 /dev/zero | wc -c", cgroup: leaf.joinDescriptors())
            #expect(ran.output.contains(":/step_0\n"))
            #expect(ran.output.hasSuffix("\n1\n"))
            #expect(!ran.output.contains("argosy/test"))
            #expect(try job.kill())
            #expect(try holder.process.wait().signal == UInt32(SIGKILL))
        }
    }

    /// On v2 a cgroup that hands controllers down cannot be joined: the holder comes before the job's first step, or it may
    /// not, as after a restart. Any controller that v2 has here will do.
    @Test(arguments: [(false, "0::/step_0\n"), (true, "0::/../step_0\n")])
    func tasksSeeNoCgroupOfTheHostWhereControllersAreHandedDown(before: Bool, path: String) throws {
        var layout = try CgroupLayout.discover()
        guard let v2 = layout.v2,
            let controller = try Files.readText(v2 + "/cgroup.controllers").split(separator: " ").first
        else { return }
        if layout.v2Controllers.isEmpty { layout.v2Controllers = [String(controller)] }
        // The top is put back as it was: not under the feet of another run of this.
        var lock = try FileLock.tryLock("/run/argosy-test.lock")
        while lock == nil {
            usleep(50000)
            lock = try FileLock.tryLock("/run/argosy-test.lock")
        }
        defer { withExtendedLifetime(lock) {} }
        let top = v2 + "/cgroup.subtree_control"
        let enabled = try Files.readText(top)
        let job = layout.cgroup("argosy-handing-down-\(getpid())")
        defer {
            _ = try? job.kill()
            try? job.remove()
            if !enabled.contains(controller) { try? Files.writeExisting(top, "-\(controller)") }
        }
        try job.create()
        try job.child("system").createForTracking()
        let leaf = job.child("step_0")
        if before { try leaf.create() }
        try withHolder(change: { spec, _ in spec.jobCgroup = job }) { holder, _ throws in
            try leaf.create()
            let ran = try holder.run(
                "cat /proc/self/cgroup; ls -d /sys/fs/cgroup/*/ /sys/fs/cgroup/*/*/", cgroup: leaf.joinDescriptors())
            #expect(ran.output.contains(path))
            #expect(!ran.output.contains("argosy"))
        }
    }

    @Test func twoHoldersOfOneImageAreApart() throws {
        try withHolder { first, path throws in
            var spec = HolderSpec(
                image: LayerStack(source: .squashfs([path + "/image.sqfs"])), identity: somebody, hostName: "other",
                stagingDirectory: path + "/staging2", helper: [probe, "holder"])
            spec.tmpBytes = 1 << 20
            let second = try Holder.start(spec)
            defer { _ = second.stop() }
            _ = try first.run("touch /tmp/first /dev/shm/first")
            #expect(try second.run("ls /tmp /dev/shm; hostname").output == "/dev/shm:\n\n/tmp:\nother\n")
            #expect(
                try second.run("head -c 2000000 /dev/zero > /tmp/big; stat -c %s /tmp/big").output.hasSuffix(
                    "1048576\n"))
        }
    }
}

struct MountRequestTests {
    @Test func grammar() throws {
        #expect(try MountRequest.parse("/a:/b") == MountRequest(source: "/a", target: "/b"))
        #expect(try MountRequest.parse("/a") == MountRequest(source: "/a", target: "/a"))
        #expect(try MountRequest.parse("/a:/b:ro") == MountRequest(source: "/a", target: "/b", readOnly: true))
    }
    @Test(arguments: [
        "a:/b", "/a:b", "/a:/b:rx", "/a:/", "/a:/b/../c", "/a:/proc/sys", "/a:/dev/shm", "/a:/run/argosy/bin", "",
    ])
    func nonsenseIsRefused(_ text: String) {
        #expect(throws: HolderFailure.self) { try MountRequest.parse(text) }
    }
}
