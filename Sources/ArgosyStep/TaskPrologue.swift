/// `--task-prolog`: a program whose output changes the task's environment.
///
/// It runs as the task, in its place: a shell starts it, does what its lines say (`export NAME=value`, `unset NAME`,
/// `print text`), and becomes the program. So nothing of what it writes is read with other rights than the user's.
enum TaskPrologue {
    static func arguments(_ prolog: String, _ command: [String]) -> [String] {
        ["/bin/sh", "-c", script, "slurmstepd", prolog] + command
    }

    private static let script = #"""
        p=$1; shift
        fail() {
          echo "slurmstepd: error: user task_prolog did not exit normally. reason: $1" >&2
          echo "slurmstepd: error: --task-prolog failed status=$2" >&2
          exit 1
        }
        if [ ! -x "$p" ] || [ -d "$p" ]; then
          [ -e "$p" ] && w='Permission denied' || w='No such file or directory'
          echo "slurmstepd: error: run_command: user task_prolog can not be executed ($p) $w" >&2
          fail 'Run command failed - configuration error' 1
        fi
        o=$("$p" </dev/null; printf '\n%s' "$?")
        s=${o##*
        }
        case $o in
        "$s") o= ;;
        *) o=${o%
        *} ;;
        esac
        [ "$s" = 0 ] || fail "exit code $s" "$s"
        while IFS= read -r l; do
          case $l in
          "export "*=*) n=${l#export }; export "${n%%=*}=${n#*=}" ;;
          "unset "*) unset "${l#unset }" ;;
          "print "*) printf '%s\n' "${l#print }" ;;
          esac
        done <<.
        $o
        .
        unset p o s l n w
        command -v -- "$1" >/dev/null || {
          echo "slurmstepd: error: execve(): $1: No such file or directory" >&2
          exit 2
        }
        exec "$@"
        """#
}
