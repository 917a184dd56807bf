# fish completion for stevie.

set -l settings jobs min-jobs per-process-limit load-average load-recheck-timeout \
    min-memory-avail job-memory max-cpu-pressure max-memory-pressure max-io-pressure

# What takes a value is no command.
set -l valued -D --device --auth --limit --weight --lease-jobs --lease-min-memory-avail --reclaim --set-$settings
complete -c stevie -x -a "(__fish_complete_subcommand -- $valued)"
complete -c stevie -s t -l get-tokens -d 'Print the tokens that could be taken now'
for setting in $settings
    complete -c stevie -l get-$setting -d 'Print the setting'
    complete -c stevie -l set-$setting -x -d 'Change the setting'
end
complete -c stevie -s D -l device -r -F -d 'The device to use'
complete -c stevie -l auth -x -a 'auto fifo fds bridge' -d 'How the command reaches the pool'
complete -c stevie -l limit -x -d 'Most tokens for this build'
complete -c stevie -l weight -x -d 'Shares this build counts for'
complete -c stevie -l lease-jobs -x -d 'Lower the jobs of the pool while the command lives'
complete -c stevie -l lease-min-memory-avail -x -d 'Raise the memory floor while the command lives, MiB'
complete -c stevie -l status -d 'Print who holds and who waits'
complete -c stevie -l json -d 'Print the status as JSON'
complete -c stevie -l watch -d 'Show the pool live'
complete -c stevie -l metrics -d 'Print the totals for Prometheus'
complete -c stevie -l reclaim -x -a '(__fish_complete_pids)' -d 'Take back the tokens of a process'
complete -c stevie -s v -l verbose -d 'Say what --auth auto picks'
complete -c stevie -s h -l help -d 'Show the help'
complete -c stevie -s V -l version -d 'Show the version'
