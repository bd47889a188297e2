import Foundation
import Testing

/// A submission that must be refused, and the words its message must have.
struct BadSubmission: Sendable, CustomTestStringConvertible {
    var what: String
    var options: String
    var words: [String]
    var testDescription: String { what }
}

extension EndToEnd {
    @Suite struct BadInput {
        static let refused: [BadSubmission] = [
            .init(what: "unknown option", options: "--no-such-option", words: ["no-such-option"]),
            .init(what: "unknown partition", options: "-p nowhere", words: ["nvalid partition"]),
            .init(what: "more CPUs than any node has", options: "-c 9999", words: ["ode", "not available"]),
            .init(what: "more memory than any node has", options: "--mem=900G", words: ["921600 MiB"]),
            .init(
                what: "missing image", options: "--container-image=oci:/nonexistent/image:latest",
                words: ["/nonexistent/image"]),
            .init(
                what: "unreadable image", options: "--container-image=oci:\(Cluster.root)/secret:latest",
                words: ["secret", "ermission denied"]),
            .init(what: "not an image's name", options: "--container-image=docker://", words: ["docker://"]),
        ]

        @Test(arguments: refused) func `sbatch refuses with a message`(_ bad: BadSubmission) async throws {
            let cluster = try await Cluster.shared()
            _ = await Shell.run("mkdir -p '\(Cluster.root)/secret' && chmod 700 '\(Cluster.root)/secret'")
            let before = await cluster.run("squeue -h -o %i | wc -l").word
            let outcome = await cluster.run("sbatch \(bad.options) --wrap true")
            #expect(outcome.status != 0, "\(bad.what) was accepted: \(outcome)")
            #expect(outcome.errors.hasPrefix("sbatch: "), "\(outcome)")
            for word in bad.words { #expect(outcome.errors.contains(word), "no \"\(word)\" in \(outcome)") }
            #expect(await cluster.run("squeue -h -o %i | wc -l").word == before)
        }

        @Test(.needsImages) func `an image of another architecture is refused by name`() async throws {
            let cluster = try await Cluster.shared()
            let copy = "\(Cluster.root)/foreign"
            let made = await Shell.run(
                """
                rm -rf '\(copy)'; cp -a '\(Cluster.images)/busybox' '\(copy)' && cd '\(copy)' &&
                    umoci config --image '\(copy):latest' --architecture s390x && chmod -R a+rX '\(copy)'
                """)
            #expect(made.status == 0, "\(made)")
            let outcome = await cluster.run("sbatch --container-image=oci:\(copy):latest --wrap true")
            #expect(outcome.status != 0, "\(outcome)")
            #expect(outcome.errors.contains("s390x"), "\(outcome)")
        }

        @Test(.needsImages) func `a command the image does not have ends the job with a message`() async throws {
            let cluster = try await Cluster.shared()
            let job = try await cluster.submit(
                "-o missing-%j.txt \(ContainerJobs.image("busybox"))", "#!/bin/sh\nsrun no-such-program")
            #expect(await cluster.ended(job) == "FAILED")
            let text = await cluster.text(of: "\(Cluster.home)/missing-\(job).txt")
            #expect(text.contains("no-such-program"), "\(text)")
            #expect(text.lowercased().contains("no such file"), "\(text)")
            #expect(await cluster.run("sacct -X -n -P -j \(job) -o ExitCode").word == "2:0")
        }

        @Test(.needsImages) func `a script whose interpreter the image does not have ends with a message`() async throws
        {
            let cluster = try await Cluster.shared()
            let job = try await cluster.submit(
                "-o interpreter-%j.txt \(ContainerJobs.image("busybox"))", "#!/usr/bin/no-such-shell\ntrue")
            #expect(await cluster.ended(job) == "FAILED")
            let text = await cluster.text(of: "\(Cluster.home)/interpreter-\(job).txt")
            #expect(text.contains("no-such-shell") || text.contains("slurm_script"), "\(text)")
        }

        @Test(arguments: ["/nonexistent/folder/out.txt", "/root/out.txt"])
        func `an output that cannot be written ends the job with the reason`(_ path: String) async throws {
            let cluster = try await Cluster.shared()
            let outcome = await cluster.run("sbatch --parsable -o \(path) --wrap true")
            if outcome.status != 0 {
                #expect(outcome.errors.contains(path) || outcome.errors.contains("output"), "\(outcome)")
                return
            }
            let job = Int(outcome.word) ?? 0
            #expect(await cluster.ended(job) == "FAILED")
            let shown = await cluster.run("scontrol show job \(job)")
            #expect(shown.output.contains(path), "scontrol show job does not say which file: \(shown)")
            let said = ["No such file", "Permission denied"].contains { shown.output.contains($0) }
            #expect(said, "scontrol show job does not say why: \(shown)")
        }
    }
}
