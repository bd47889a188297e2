# bash completion for Argosy; made by `argosy completion bash`.
_argosy_complete() {
    local current="${COMP_WORDS[COMP_CWORD]}" previous="${COMP_WORDS[COMP_CWORD-1]}" options="" words=""
    [[ $previous == "=" ]] && previous="${COMP_WORDS[COMP_CWORD-2]}"
    [[ $current == "=" ]] && current=""
    case "$(basename -- "$1")" in
        sacct) options="--accounts -A --allusers -a --associations -x --clusters -M --cluster --completion -c --constraints -C --duplicates -D --endtime -E --flags -F --gid -g --group --jobs -j --name --ncpus -I --nnodes -i --nodelist -N --partition -r --qos -q --reason -R --starttime -S --state -s --timelimit-min -k --timelimit-max -K --truncate -T --uid -u --user --wckeys -W --allocations -X --batch-script -B --brief -b --delimiter --env-vars --format -o --helpformat -e --json --long -l --noconvert --noheader -n --parsable -p --parsable2 -P --units --verbose -v --yaml --help -h --usage --version -V" ;;
        sacctmgr) options="--associations -s --immediate -i --noheader -n --parsable -p --parsable2 -P --quiet -Q --readonly -r --verbose -v --help -h --usage --version -V" ;;
        sbatch) options="--account -A --begin -b --chdir -D --comment --cpus-per-task -c --dependency -d --error -e --exclude -x --export --hold -H --input -i --job-name -J --mem --mem-per-cpu --nice --no-requeue --requeue --nodelist -w --nodes -N --ntasks -n --ntasks-per-node --open-mode --output -o --partition -p --qos -q --quiet -Q --time -t --verbose -v --gres --gpus -G --gpus-per-node --gpus-per-socket --gpus-per-task --cpus-per-gpu --mem-per-gpu --ntasks-per-gpu --ntasks-per-socket --ntasks-per-core --threads-per-core --hint --extra-node-info -B --sockets-per-node --cores-per-socket --mincpus --tmp --distribution -m --core-spec -S --thread-spec --exclusive --oversubscribe -s --overcommit -O --contiguous --spread-job --use-min-nodes --constraint -C --prefer --licenses -L --reservation --switches --wckey --deadline --time-min --priority --kill-on-invalid-dep --container-image --container-mounts --container-workdir --container-writable --container-readonly --container-mount-home --no-container-mount-home --array -a --get-user-env --parsable --wait -W --wrap --test-only --help -h --usage --version -V" ;;
        scancel) options="--account -A --batch -b --cron --full -f --interactive -i --jobname -n --name --me --nodelist -w --partition -p --quiet -Q --signal -s --state -t --user -u --verbose -v --help --usage --version -V" ;;
        scontrol) options="--details -d --oneliner -o --quiet -Q --verbose -v --help -h --usage --version -V" ;;
        scrontab) options="--edit -e --list -l --remove -r --user -u --verbose -v --help --usage --version -V" ;;
        sdiag) options="--all -a --reset -r --sort-by-id -i --sort-by-time -t --sort-by-time2 -T --help --usage --version -V" ;;
        seff) options="--debug -d --help -h --usage --version -V" ;;
        sreport) options="--noheader -n --parsable -p --parsable2 -P --quiet -Q --time -t --tres -T --verbose -v --help -h --usage --version -V" ;;
        strigger) options="--set --get --clear --burst_buffer --front_end --primary_slurmctld_failure -a --primary_slurmctld_resumed_operation -A --primary_slurmctld_resumed_control -b --backup_slurmctld_failure -B --backup_slurmctld_resumed_operation -c --backup_slurmctld_assumed_control -C --down -d --drained -D --primary_slurmctld_acct_buffer_full -e --fail -F --fini -f --flags --primary_slurmdbd_failure -g --primary_slurmdbd_resumed_operation -G --primary_database_failure -h --primary_database_resumed_operation -H --id -i --idle -I --jobid -j --node -n --noheader -N --offset -o --program -p --quiet -Q --reconfig -r --time -t --up -u --user --verbose -v --help --usage --version -V" ;;
        sinfo) options="--dead -d --exact -e --format -o --Format -O --iterate -i --list-reasons -R --long -l --Node -N --nodes -n --noheader -h --partition -p --responding -r --states -t --summarize -s --verbose -v --reservation -T --help --usage --version -V" ;;
        sprio) options="--jobs -j --long -l --noheader -h --norm -n --format -o --partition -p --sort -S --user -u --verbose -v --weights -w --help --usage --version -V" ;;
        squeue) options="--account -A --array -r --format -o --Format -O --iterate -i --jobs -j --long -l --me --name -n --noheader -h --nodelist -w --partition -p --qos -q --sort -S --start --states -t --steps -s --user -u --users --verbose -v --help --usage --version -V" ;;
        srun) options="--account -A --begin -b --chdir -D --comment --cpus-per-task -c --dependency -d --error -e --exclude -x --export --hold -H --input -i --job-name -J --mem --mem-per-cpu --nice --no-requeue --requeue --nodelist -w --nodes -N --ntasks -n --ntasks-per-node --open-mode --output -o --partition -p --qos -q --quiet -Q --time -t --verbose -v --gres --gpus -G --gpus-per-node --gpus-per-socket --gpus-per-task --cpus-per-gpu --mem-per-gpu --ntasks-per-gpu --ntasks-per-socket --ntasks-per-core --threads-per-core --hint --extra-node-info -B --sockets-per-node --cores-per-socket --mincpus --tmp --distribution -m --core-spec -S --thread-spec --exclusive --oversubscribe -s --overcommit -O --contiguous --spread-job --use-min-nodes --constraint -C --prefer --licenses -L --reservation --switches --wckey --deadline --time-min --priority --kill-on-invalid-dep --container-image --container-mounts --container-workdir --container-writable --container-readonly --container-mount-home --no-container-mount-home --disable-status -X --exact --immediate -I --jobid --kill-on-bad-exit -K --mpi --no-container --no-kill -k --overlap --quit-on-interrupt --relative -r --wait -W --het-group --test-only --label -l --pty --unbuffered -u --cpu-bind --mem-bind --gpu-bind --propagate --multi-prog --bcast --task-prolog --task-epilog --prolog --epilog --help -h --usage --version -V" ;;
        sshare) options="--all -a --accounts -A --helpformat -e --long -l --partition -m --noheader -n --format -o --parsable -p --parsable2 -P --users -u --Users -U --verbose -v --help -h --usage --version -V" ;;
        argosy) options="sacct sacctmgr sbatch scancel scontrol scrontab sdiag seff sreport strigger sinfo sprio squeue srun sshare completion dev sim help version" ;;
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
complete -F _argosy_complete sacct sacctmgr sbatch scancel scontrol scrontab sdiag seff sreport strigger sinfo sprio squeue srun sshare argosy
