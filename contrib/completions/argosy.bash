# bash completion for Argosy; made by `argosy completion bash`.
_argosy_complete() {
    local current="${COMP_WORDS[COMP_CWORD]}" previous="${COMP_WORDS[COMP_CWORD-1]}" options="" words=""
    [[ $previous == "=" ]] && previous="${COMP_WORDS[COMP_CWORD-2]}"
    [[ $current == "=" ]] && current=""
    case "$(basename -- "$1")" in
        sacct) options="--accounts -A --allocations -X --allusers -a --brief -b --delimiter --duplicates -D --endtime -E --format -o --helpformat -e --jobs -j --long -l --name --nodelist -N --noheader -n --parsable -p --parsable2 -P --partition -r --starttime -S --state -s --uid -u --user --verbose -v --help -h --usage --version -V" ;;
        sbatch) options="--account -A --begin -b --chdir -D --comment --cpus-per-task -c --dependency -d --error -e --exclude -x --exclusive --export --hold -H --input -i --job-name -J --mem --mem-per-cpu --nice --no-requeue --requeue --nodelist -w --nodes -N --ntasks -n --ntasks-per-node --open-mode --output -o --partition -p --qos -q --quiet -Q --time -t --verbose -v --container-image --container-mounts --container-workdir --container-writable --container-readonly --container-mount-home --no-container-mount-home --array -a --get-user-env --parsable --wait -W --wrap --help -h --usage --version -V" ;;
        scancel) options="--account -A --batch -b --full -f --interactive -i --jobname -n --name --me --nodelist -w --partition -p --quiet -Q --signal -s --state -t --user -u --verbose -v --help --usage --version -V" ;;
        scontrol) options="--details -d --oneliner -o --quiet -Q --verbose -v --help -h --usage --version -V" ;;
        sinfo) options="--dead -d --exact -e --format -o --Format -O --iterate -i --list-reasons -R --long -l --Node -N --nodes -n --noheader -h --partition -p --responding -r --states -t --summarize -s --verbose -v --help --usage --version -V" ;;
        squeue) options="--account -A --array -r --format -o --Format -O --iterate -i --jobs -j --long -l --me --name -n --noheader -h --nodelist -w --partition -p --qos -q --sort -S --start --states -t --steps -s --user -u --users --verbose -v --help --usage --version -V" ;;
        srun) options="--account -A --begin -b --chdir -D --comment --cpus-per-task -c --dependency -d --error -e --exclude -x --exclusive --export --hold -H --input -i --job-name -J --mem --mem-per-cpu --nice --no-requeue --requeue --nodelist -w --nodes -N --ntasks -n --ntasks-per-node --open-mode --output -o --partition -p --qos -q --quiet -Q --time -t --verbose -v --container-image --container-mounts --container-workdir --container-writable --container-readonly --container-mount-home --no-container-mount-home --disable-status -X --exact --immediate -I --jobid --kill-on-bad-exit -K --label -l --mpi --no-container --overlap --quit-on-interrupt --relative -r --unbuffered -u --wait -W --help -h --usage --version -V" ;;
        argosy) options="sacct sbatch scancel scontrol sinfo squeue srun completion dev sim help version" ;;
    esac
    case "$previous" in
        --partition|-p) words="$(sinfo -h -o %R 2>/dev/null)" ;;
        --nodelist|-w|--exclude|-x) words="$(sinfo -h -N -o %N 2>/dev/null)" ;;
        --jobs|-j|--jobid) words="$(squeue -h -o %A 2>/dev/null)" ;;
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
complete -F _argosy_complete sacct sbatch scancel scontrol sinfo squeue srun argosy
