// Shell completion, made from the option tables.

/// What completion and the test of the man pages need of a command.
struct CommandSummary: Sendable {
    var name: String
    /// `--long` and `-s` of the options that have an effect.
    var options: [String]
    /// Also of those that are taken without one, or refused.
    var known: [String]
    /// Options whose argument must follow.
    var taking: Set<String>
    var help: String
    /// What becomes of each option.
    var coverage: [CoverageRow]

    init<Settings>(_ description: CommandDescription<Settings>) {
        name = description.name
        func words(_ options: [Option<Settings>]) -> [String] {
            options.flatMap { option in
                (option.long.isEmpty ? [] : ["--\(option.long)"]) + (option.short.map { ["-\($0)"] } ?? [])
            }
        }
        options = words(description.options.filter { $0.standing == .acted })
        known = words(description.options)
        taking = Set(words(description.options.filter { $0.argument == .required }))
        help = description.help
        coverage = Coverage.rows(description)
    }
}

enum Completion {
    static let commands: [CommandSummary] = [
        .init(Sacct.description), .init(Sacctmgr.description), .init(Salloc.description), .init(Sattach.description),
        .init(Sbatch.description), .init(Sbcast.description), .init(Scancel.description), .init(Scontrol.description),
        .init(Scrontab.description), .init(Sdiag.description), .init(Seff.description), .init(Sreport.description),
        .init(Strigger.description),
        .init(Sinfo.description), .init(Sprio.description), .init(Squeue.description), .init(Srun.description),
        .init(Sshare.description), .init(Sstat.description),
    ]

    /// Values worth offering, by option.
    private static let values: [(String, String)] = [
        ("--partition|-p", "$(sinfo -h -o %R 2>/dev/null)"),
        ("--nodelist|-w|--exclude|-x", "$(sinfo -h -N -o %N 2>/dev/null)"),
        ("--jobs|-j|--jobid", "$(squeue -h -o %A 2>/dev/null)"),
    ]

    static func bash() -> String {
        var text = """
            # bash completion for Argosy; made by `argosy completion bash`.
            _argosy_complete() {
                local current="${COMP_WORDS[COMP_CWORD]}" previous="${COMP_WORDS[COMP_CWORD-1]}" options="" words=""
                [[ $previous == "=" ]] && previous="${COMP_WORDS[COMP_CWORD-2]}"
                [[ $current == "=" ]] && current=""
                case "$(basename -- "$1")" in

            """
        for command in commands {
            text += "        \(command.name)) options=\"\(command.options.joined(separator: " "))\" ;;\n"
        }
        text +=
            "        argosy) options=\"\(commands.map(\.name).joined(separator: " ")) completion dev sim help version\" ;;\n"
        text += "    esac\n    case \"$previous\" in\n"
        for (options, words) in values {
            text += "        \(options)) words=\"\(words)\" ;;\n"
        }
        text += """
                esac
                if [[ -n $words && $current != -* ]]; then
                    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
                elif [[ $current == -* || $(basename -- "$1") == argosy ]]; then
                    mapfile -t COMPREPLY < <(compgen -W "$options" -- "$current")
                elif [[ $(basename -- "$1") == scancel ]]; then
                    mapfile -t COMPREPLY < <(compgen -W "$(squeue -h -o %A 2>/dev/null)" -- "$current")
                else
                    mapfile -t COMPREPLY < <(compgen -f -- "$current")
                fi
            }

            """
        return text + "complete -F _argosy_complete \(commands.map(\.name).joined(separator: " ")) argosy\n"
    }

    static func run(_ arguments: [String]) -> Int32 {
        guard arguments == ["bash"] else {
            Console.complain("argosy: error: completion is for bash: eval \"$(argosy completion bash)\"\n")
            return 1
        }
        Console.print(bash())
        return 0
    }
}
