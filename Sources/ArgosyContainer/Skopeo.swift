import ArgosyDomain
import ArgosySystem
import Glibc

/// skopeo(1), run as the user: with the user's registry credentials, and reading what the user may read.
struct Skopeo {
    var settings: ImageSettings
    var identity: Identity

    /// The manifest's (or the configuration's) exact bytes.
    func inspect(_ reference: ImageReference, digest: String?, configuration: Bool) throws(ImageError) -> [UInt8] {
        let arguments =
            ["inspect", "--raw"] + (configuration ? ["--config"] : []) + tls("--tls-verify=false", reference)
            + [reference.skopeoName(digest: digest)]
        return try run(arguments, reference, timeout: .seconds(120))
    }

    /// Fetches everything into `directory` (the user's), in skopeo's `dir:` form: files named by digest.
    func copy(_ reference: ImageReference, digest: String, to directory: String) throws(ImageError) {
        let arguments =
            ["--tmpdir", directory, "copy", "--quiet", "--preserve-digests"]
            + tls("--src-tls-verify=false", reference)
            + [reference.skopeoName(digest: digest), "dir:" + directory + "/image"]
        _ = try run(arguments, reference, timeout: settings.timeout)
    }

    private func tls(_ option: String, _ reference: ImageReference) -> [String] {
        guard let host = reference.registryHost else { return [] }
        let name =
            host.hasPrefix("[") ? String(host.prefix { $0 != "]" }.dropFirst()) : String(host.prefix { $0 != ":" })
        let local = name == "localhost" || name.hasPrefix("127.") || name == "::1"
        return local || settings.insecureRegistries.contains(host) ? [option] : []
    }

    private func run(
        _ arguments: [String], _ reference: ImageReference, timeout: Duration
    ) throws(ImageError) -> [UInt8] {
        // --registries-conf is there, though not in --help.
        let global = settings.registriesConf.map { ["--registries-conf", $0] } ?? []
        var spec = ProcessSpec(path: "skopeo", arguments: ["skopeo"] + global + arguments, environment: environment)
        spec.credentials = Credentials(identity)
        spec.workingDirectory = "/"
        spec.umask = 0o077
        spec.dropAllCapabilities = identity.uid != 0
        spec.noNewPrivileges = true
        spec.parentDeathSignal = SIGKILL
        spec.limits = [ResourceLimit(resource: 1, soft: settings.maxImageBytes, hard: settings.maxImageBytes)]
        let outcome = try Tool.run(spec, timeout: timeout)
        guard outcome.status.isSuccess else { throw Self.error(outcome, reference) }
        return outcome.output
    }

    private var environment: [String] {
        var variables = ["PATH=/usr/local/bin:/usr/bin:/bin", "HOME=\(identity.home)", "USER=\(identity.user)"]
        let runtime = "/run/user/\(identity.uid)"
        if access(runtime, F_OK) == 0 { variables.append("XDG_RUNTIME_DIR=\(runtime)") }
        for name in ["http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"] {
            if let value = getenv(name) { variables.append("\(name)=\(String(cString: value))") }
        }
        return variables
    }

    /// The text of skopeo's last log line: `time="..." level=fatal msg="..."`.
    private static func error(_ outcome: Tool.Outcome, _ reference: ImageReference) -> ImageError {
        let line = outcome.messages.split(separator: "\n").last {
            $0.contains("level=fatal") || $0.contains("level=error")
        }
        var text = line.map(String.init) ?? outcome.messages
        if let start = text.range(ofText: "msg=\"") { text = String(text[start...].dropLast()) }
        text = String(text.filter { $0 != "\\" }.prefix(1000))
        if outcome.status.signal == UInt32(SIGXFSZ) { text = "it is larger than the node allows" }
        return ImageError(code(text.lowercased()), "image \(reference): \(text.isEmpty ? outcome.status.text : text)")
    }

    private static func code(_ text: String) -> ImageError.Code {
        func says(_ words: String...) -> Bool { words.contains { text.range(ofText: $0) != nil } }
        if says("no space left") { return .noSpace }
        if says("larger than the node", "file too large") { return .tooLarge }
        if says("unauthorized", "denied", "authentication required") { return .denied }
        if says("manifest unknown", "no such file", "not found", "name unknown") { return .notFound }
        return .failed
    }
}

extension String {
    /// Where the text after the first `needle` starts.
    func range(ofText needle: String) -> String.Index? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(needle) { return index(start, offsetBy: needle.count) }
            start = index(after: start)
        }
        return nil
    }
}
