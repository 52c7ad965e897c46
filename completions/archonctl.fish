# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_archonctl_global_optspecs
    string join \n h/help V/version
end

function __fish_archonctl_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_archonctl_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_archonctl_using_subcommand
    set -l cmd (__fish_archonctl_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c archonctl -n "__fish_archonctl_needs_command" -s h -l help -d 'Print help'
complete -c archonctl -n "__fish_archonctl_needs_command" -s V -l version -d 'Print version'
complete -c archonctl -n "__fish_archonctl_needs_command" -f -a "serve" -d 'Relay MCP traffic to a server and track its sessions'
complete -c archonctl -n "__fish_archonctl_needs_command" -f -a "run" -d 'Run an MCP server over stdio and track its session'
complete -c archonctl -n "__fish_archonctl_needs_command" -f -a "bridge" -d 'Be a stdio server that forwards to an MCP server over HTTP, and track its session'
complete -c archonctl -n "__fish_archonctl_needs_command" -f -a "sessions" -d 'Show sessions: who works with a server, who left and why'
complete -c archonctl -n "__fish_archonctl_needs_command" -f -a "test-connection" -d 'Test that an MCP server answers, and that its session is tracked'
complete -c archonctl -n "__fish_archonctl_needs_command" -f -a "migrate" -d 'Bring the store to this version'
complete -c archonctl -n "__fish_archonctl_needs_command" -f -a "config" -d 'Show settings'
complete -c archonctl -n "__fish_archonctl_needs_command" -f -a "completions" -d 'Print the completion script of a shell'
complete -c archonctl -n "__fish_archonctl_needs_command" -f -a "man" -d 'Print the manual page'
complete -c archonctl -n "__fish_archonctl_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c archonctl -n "__fish_archonctl_using_subcommand serve" -l listen -d 'Where to listen [default: 127.0.0.1:8051]' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand serve" -l upstream -d 'The MCP server to relay to; /mcp is added to a URL without a path' -r -f
complete -c archonctl -n "__fish_archonctl_using_subcommand serve" -l upstream-name -d 'The name its sessions are stored under [default: default]' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand serve" -l session-timeout -d 'Time without activity that ends a session [default: 3600s]' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand serve" -l idle-after -d 'Time without activity after which a session counts as idle [default: 5m]' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand serve" -l disconnect-grace -d 'How long a client that dropped its stream may take to come back [default: 30s]' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand serve" -l request-timeout -d 'How long the server may take to answer [default: 300s]' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand serve" -l drain-timeout -d 'How long requests in flight may take to finish at the end [default: 10s]' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand serve" -l workers -d 'Worker threads [default: one for each core]' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand serve" -l log-format -d 'Form of the log: text or json; what is logged is ARCHONCTL_LOG\'s to say [default: text]' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand serve" -l data-dir -d 'Where journals and the store are' -r -f -a "(__fish_complete_directories)"
complete -c archonctl -n "__fish_archonctl_using_subcommand serve" -s h -l help -d 'Print help'
complete -c archonctl -n "__fish_archonctl_using_subcommand run" -l name -d 'The name its session is stored under [default: made from the command]' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand run" -l session-timeout -d 'Time without activity that ends a session [default: 3600s]' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand run" -l idle-after -d 'Time without activity after which a session counts as idle [default: 5m]' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand run" -l request-timeout -d 'How long the server may take to answer [default: 300s]' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand run" -l drain-timeout -d 'How long answers may still take when the client has left [default: 10s]' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand run" -l data-dir -d 'Where journals and the store are' -r -f -a "(__fish_complete_directories)"
complete -c archonctl -n "__fish_archonctl_using_subcommand run" -s h -l help -d 'Print help'
complete -c archonctl -n "__fish_archonctl_using_subcommand bridge" -l header -d 'A header to send with every request; may be given several times' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand bridge" -l header-file -d 'A file with headers, one on each line' -r -F
complete -c archonctl -n "__fish_archonctl_using_subcommand bridge" -l name -d 'The name its session is stored under [default: made from the URL]' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand bridge" -l retry-for -d 'How long a server that cannot be reached is tried before a request is answered with an error' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand bridge" -l session-timeout -d 'Time without activity that ends a session [default: 3600s]' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand bridge" -l idle-after -d 'Time without activity after which a session counts as idle [default: 5m]' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand bridge" -l request-timeout -d 'How long the server may take to answer [default: 300s]' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand bridge" -l drain-timeout -d 'How long answers may still take when the client has left [default: 10s]' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand bridge" -l data-dir -d 'Where journals and the store are' -r -f -a "(__fish_complete_directories)"
complete -c archonctl -n "__fish_archonctl_using_subcommand bridge" -s h -l help -d 'Print help'
complete -c archonctl -n "__fish_archonctl_using_subcommand sessions; and not __fish_seen_subcommand_from list show disconnected stats help" -s h -l help -d 'Print help'
complete -c archonctl -n "__fish_archonctl_using_subcommand sessions; and not __fish_seen_subcommand_from list show disconnected stats help" -f -a "list" -d 'List sessions, newest activity first'
complete -c archonctl -n "__fish_archonctl_using_subcommand sessions; and not __fish_seen_subcommand_from list show disconnected stats help" -f -a "show" -d 'Show one session and its operations, newest first'
complete -c archonctl -n "__fish_archonctl_using_subcommand sessions; and not __fish_seen_subcommand_from list show disconnected stats help" -f -a "disconnected" -d 'List sessions that ended, newest end first, and why [default: the last 7 days]'
complete -c archonctl -n "__fish_archonctl_using_subcommand sessions; and not __fish_seen_subcommand_from list show disconnected stats help" -f -a "stats" -d 'Count sessions by client type: how many, how they ended, how long they lasted [default: of all time]'
complete -c archonctl -n "__fish_archonctl_using_subcommand sessions; and not __fish_seen_subcommand_from list show disconnected stats help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c archonctl -n "__fish_archonctl_using_subcommand sessions; and __fish_seen_subcommand_from list" -l status -d 'Only sessions that are so; repeat it or separate with commas [default: all]' -r -f -a "active\t''
idle\t''
disconnected\t''
all\t''"
complete -c archonctl -n "__fish_archonctl_using_subcommand sessions; and __fish_seen_subcommand_from list" -l client -d 'Only sessions of this client type, such as Claude or Cursor' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand sessions; and __fish_seen_subcommand_from list" -l server -d 'Only sessions with this server' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand sessions; and __fish_seen_subcommand_from list" -l limit -d 'Rows at the most, 1 to 10000' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand sessions; and __fish_seen_subcommand_from list" -l offset -d 'Rows to leave out before the first' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand sessions; and __fish_seen_subcommand_from list" -l data-dir -d 'Where journals and the store are' -r -f -a "(__fish_complete_directories)"
complete -c archonctl -n "__fish_archonctl_using_subcommand sessions; and __fish_seen_subcommand_from list" -l since -d 'From here on: a time ago (7d, 1h30m) or RFC 3339; UTC if no offset is given' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand sessions; and __fish_seen_subcommand_from list" -l until -d 'Up to here: a time ago (7d, 1h30m) or RFC 3339; UTC if no offset is given [default: now]' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand sessions; and __fish_seen_subcommand_from list" -l days -d 'The last N days, 1 to 3650' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand sessions; and __fish_seen_subcommand_from list" -s o -l output -d 'Form of the answer; wide has more columns, csv has all [default: table]' -r -f -a "table\t''
wide\t''
json\t''
jsonl\t''
yaml\t''
csv\t''"
complete -c archonctl -n "__fish_archonctl_using_subcommand sessions; and __fish_seen_subcommand_from list" -l columns -d 'Columns to show, in this order (table, wide, csv); a wrong name lists the right ones' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand sessions; and __fish_seen_subcommand_from list" -l color -d 'When to colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c archonctl -n "__fish_archonctl_using_subcommand sessions; and __fish_seen_subcommand_from list" -l time -d 'How tables show times; the other formats have RFC 3339 in UTC [default: relative]' -r -f -a "relative\t''
iso\t''"
complete -c archonctl -n "__fish_archonctl_using_subcommand sessions; and __fish_seen_subcommand_from list" -l with-calls -d 'Only sessions with at least one call'
complete -c archonctl -n "__fish_archonctl_using_subcommand sessions; and __fish_seen_subcommand_from list" -l json -d 'Short for -o json'
complete -c archonctl -n "__fish_archonctl_using_subcommand sessions; and __fish_seen_subcommand_from list" -l no-headers -d 'Leave out the header of tables and CSV'
complete -c archonctl -n "__fish_archonctl_using_subcommand sessions; and __fish_seen_subcommand_from list" -l no-trunc -d 'Cut nothing and leave nothing out to fit the terminal'
complete -c archonctl -n "__fish_archonctl_using_subcommand sessions; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Only ids, one on each line, for tables that have them; no remarks on standard error'
complete -c archonctl -n "__fish_archonctl_using_subcommand sessions; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help'
complete -c archonctl -n "__fish_archonctl_using_subcommand sessions; and __fish_seen_subcommand_from show" -l limit -d 'Rows at the most, 1 to 10000' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand sessions; and __fish_seen_subcommand_from show" -l offset -d 'Rows to leave out before the first' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand sessions; and __fish_seen_subcommand_from show" -l data-dir -d 'Where journals and the store are' -r -f -a "(__fish_complete_directories)"
complete -c archonctl -n "__fish_archonctl_using_subcommand sessions; and __fish_seen_subcommand_from show" -s o -l output -d 'Form of the answer; wide has more columns, csv has all [default: table]' -r -f -a "table\t''
wide\t''
json\t''
jsonl\t''
yaml\t''
csv\t''"
complete -c archonctl -n "__fish_archonctl_using_subcommand sessions; and __fish_seen_subcommand_from show" -l columns -d 'Columns to show, in this order (table, wide, csv); a wrong name lists the right ones' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand sessions; and __fish_seen_subcommand_from show" -l color -d 'When to colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c archonctl -n "__fish_archonctl_using_subcommand sessions; and __fish_seen_subcommand_from show" -l time -d 'How tables show times; the other formats have RFC 3339 in UTC [default: relative]' -r -f -a "relative\t''
iso\t''"
complete -c archonctl -n "__fish_archonctl_using_subcommand sessions; and __fish_seen_subcommand_from show" -l json -d 'Short for -o json'
complete -c archonctl -n "__fish_archonctl_using_subcommand sessions; and __fish_seen_subcommand_from show" -l no-headers -d 'Leave out the header of tables and CSV'
complete -c archonctl -n "__fish_archonctl_using_subcommand sessions; and __fish_seen_subcommand_from show" -l no-trunc -d 'Cut nothing and leave nothing out to fit the terminal'
complete -c archonctl -n "__fish_archonctl_using_subcommand sessions; and __fish_seen_subcommand_from show" -s q -l quiet -d 'Only ids, one on each line, for tables that have them; no remarks on standard error'
complete -c archonctl -n "__fish_archonctl_using_subcommand sessions; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help'
complete -c archonctl -n "__fish_archonctl_using_subcommand sessions; and __fish_seen_subcommand_from disconnected" -l limit -d 'Rows at the most, 1 to 10000' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand sessions; and __fish_seen_subcommand_from disconnected" -l offset -d 'Rows to leave out before the first' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand sessions; and __fish_seen_subcommand_from disconnected" -l data-dir -d 'Where journals and the store are' -r -f -a "(__fish_complete_directories)"
complete -c archonctl -n "__fish_archonctl_using_subcommand sessions; and __fish_seen_subcommand_from disconnected" -l since -d 'From here on: a time ago (7d, 1h30m) or RFC 3339; UTC if no offset is given' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand sessions; and __fish_seen_subcommand_from disconnected" -l until -d 'Up to here: a time ago (7d, 1h30m) or RFC 3339; UTC if no offset is given [default: now]' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand sessions; and __fish_seen_subcommand_from disconnected" -l days -d 'The last N days, 1 to 3650' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand sessions; and __fish_seen_subcommand_from disconnected" -s o -l output -d 'Form of the answer; wide has more columns, csv has all [default: table]' -r -f -a "table\t''
wide\t''
json\t''
jsonl\t''
yaml\t''
csv\t''"
complete -c archonctl -n "__fish_archonctl_using_subcommand sessions; and __fish_seen_subcommand_from disconnected" -l columns -d 'Columns to show, in this order (table, wide, csv); a wrong name lists the right ones' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand sessions; and __fish_seen_subcommand_from disconnected" -l color -d 'When to colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c archonctl -n "__fish_archonctl_using_subcommand sessions; and __fish_seen_subcommand_from disconnected" -l time -d 'How tables show times; the other formats have RFC 3339 in UTC [default: relative]' -r -f -a "relative\t''
iso\t''"
complete -c archonctl -n "__fish_archonctl_using_subcommand sessions; and __fish_seen_subcommand_from disconnected" -l json -d 'Short for -o json'
complete -c archonctl -n "__fish_archonctl_using_subcommand sessions; and __fish_seen_subcommand_from disconnected" -l no-headers -d 'Leave out the header of tables and CSV'
complete -c archonctl -n "__fish_archonctl_using_subcommand sessions; and __fish_seen_subcommand_from disconnected" -l no-trunc -d 'Cut nothing and leave nothing out to fit the terminal'
complete -c archonctl -n "__fish_archonctl_using_subcommand sessions; and __fish_seen_subcommand_from disconnected" -s q -l quiet -d 'Only ids, one on each line, for tables that have them; no remarks on standard error'
complete -c archonctl -n "__fish_archonctl_using_subcommand sessions; and __fish_seen_subcommand_from disconnected" -s h -l help -d 'Print help'
complete -c archonctl -n "__fish_archonctl_using_subcommand sessions; and __fish_seen_subcommand_from stats" -l data-dir -d 'Where journals and the store are' -r -f -a "(__fish_complete_directories)"
complete -c archonctl -n "__fish_archonctl_using_subcommand sessions; and __fish_seen_subcommand_from stats" -l since -d 'From here on: a time ago (7d, 1h30m) or RFC 3339; UTC if no offset is given' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand sessions; and __fish_seen_subcommand_from stats" -l until -d 'Up to here: a time ago (7d, 1h30m) or RFC 3339; UTC if no offset is given [default: now]' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand sessions; and __fish_seen_subcommand_from stats" -l days -d 'The last N days, 1 to 3650' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand sessions; and __fish_seen_subcommand_from stats" -s o -l output -d 'Form of the answer; wide has more columns, csv has all [default: table]' -r -f -a "table\t''
wide\t''
json\t''
jsonl\t''
yaml\t''
csv\t''"
complete -c archonctl -n "__fish_archonctl_using_subcommand sessions; and __fish_seen_subcommand_from stats" -l columns -d 'Columns to show, in this order (table, wide, csv); a wrong name lists the right ones' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand sessions; and __fish_seen_subcommand_from stats" -l color -d 'When to colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c archonctl -n "__fish_archonctl_using_subcommand sessions; and __fish_seen_subcommand_from stats" -l time -d 'How tables show times; the other formats have RFC 3339 in UTC [default: relative]' -r -f -a "relative\t''
iso\t''"
complete -c archonctl -n "__fish_archonctl_using_subcommand sessions; and __fish_seen_subcommand_from stats" -l json -d 'Short for -o json'
complete -c archonctl -n "__fish_archonctl_using_subcommand sessions; and __fish_seen_subcommand_from stats" -l no-headers -d 'Leave out the header of tables and CSV'
complete -c archonctl -n "__fish_archonctl_using_subcommand sessions; and __fish_seen_subcommand_from stats" -l no-trunc -d 'Cut nothing and leave nothing out to fit the terminal'
complete -c archonctl -n "__fish_archonctl_using_subcommand sessions; and __fish_seen_subcommand_from stats" -s q -l quiet -d 'Only ids, one on each line, for tables that have them; no remarks on standard error'
complete -c archonctl -n "__fish_archonctl_using_subcommand sessions; and __fish_seen_subcommand_from stats" -s h -l help -d 'Print help'
complete -c archonctl -n "__fish_archonctl_using_subcommand sessions; and __fish_seen_subcommand_from help" -f -a "list" -d 'List sessions, newest activity first'
complete -c archonctl -n "__fish_archonctl_using_subcommand sessions; and __fish_seen_subcommand_from help" -f -a "show" -d 'Show one session and its operations, newest first'
complete -c archonctl -n "__fish_archonctl_using_subcommand sessions; and __fish_seen_subcommand_from help" -f -a "disconnected" -d 'List sessions that ended, newest end first, and why [default: the last 7 days]'
complete -c archonctl -n "__fish_archonctl_using_subcommand sessions; and __fish_seen_subcommand_from help" -f -a "stats" -d 'Count sessions by client type: how many, how they ended, how long they lasted [default: of all time]'
complete -c archonctl -n "__fish_archonctl_using_subcommand sessions; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c archonctl -n "__fish_archonctl_using_subcommand test-connection" -l timeout -d 'How long each step may take' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand test-connection" -l data-dir -d 'Where journals and the store are' -r -f -a "(__fish_complete_directories)"
complete -c archonctl -n "__fish_archonctl_using_subcommand test-connection" -s o -l output -d 'Form of the answer; wide has more columns, csv has all [default: table]' -r -f -a "table\t''
wide\t''
json\t''
jsonl\t''
yaml\t''
csv\t''"
complete -c archonctl -n "__fish_archonctl_using_subcommand test-connection" -l columns -d 'Columns to show, in this order (table, wide, csv); a wrong name lists the right ones' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand test-connection" -l color -d 'When to colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c archonctl -n "__fish_archonctl_using_subcommand test-connection" -l time -d 'How tables show times; the other formats have RFC 3339 in UTC [default: relative]' -r -f -a "relative\t''
iso\t''"
complete -c archonctl -n "__fish_archonctl_using_subcommand test-connection" -l no-store-check -d 'Do not look for the session in the store'
complete -c archonctl -n "__fish_archonctl_using_subcommand test-connection" -l any-server -d 'Test any MCP server, with no archonctl in front of it: nothing is looked for in the store'
complete -c archonctl -n "__fish_archonctl_using_subcommand test-connection" -l json -d 'Short for -o json'
complete -c archonctl -n "__fish_archonctl_using_subcommand test-connection" -l no-headers -d 'Leave out the header of tables and CSV'
complete -c archonctl -n "__fish_archonctl_using_subcommand test-connection" -l no-trunc -d 'Cut nothing and leave nothing out to fit the terminal'
complete -c archonctl -n "__fish_archonctl_using_subcommand test-connection" -s q -l quiet -d 'Only ids, one on each line, for tables that have them; no remarks on standard error'
complete -c archonctl -n "__fish_archonctl_using_subcommand test-connection" -s h -l help -d 'Print help'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and not __fish_seen_subcommand_from up status help" -l data-dir -d 'Where journals and the store are' -r -f -a "(__fish_complete_directories)"
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and not __fish_seen_subcommand_from up status help" -s o -l output -d 'Form of the answer; wide has more columns, csv has all [default: table]' -r -f -a "table\t''
wide\t''
json\t''
jsonl\t''
yaml\t''
csv\t''"
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and not __fish_seen_subcommand_from up status help" -l columns -d 'Columns to show, in this order (table, wide, csv); a wrong name lists the right ones' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and not __fish_seen_subcommand_from up status help" -l color -d 'When to colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and not __fish_seen_subcommand_from up status help" -l time -d 'How tables show times; the other formats have RFC 3339 in UTC [default: relative]' -r -f -a "relative\t''
iso\t''"
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and not __fish_seen_subcommand_from up status help" -l json -d 'Short for -o json'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and not __fish_seen_subcommand_from up status help" -l no-headers -d 'Leave out the header of tables and CSV'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and not __fish_seen_subcommand_from up status help" -l no-trunc -d 'Cut nothing and leave nothing out to fit the terminal'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and not __fish_seen_subcommand_from up status help" -s q -l quiet -d 'Only ids, one on each line, for tables that have them; no remarks on standard error'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and not __fish_seen_subcommand_from up status help" -s h -l help -d 'Print help'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and not __fish_seen_subcommand_from up status help" -f -a "up" -d 'Apply every pending migration'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and not __fish_seen_subcommand_from up status help" -f -a "status" -d 'Show every migration and how it stands'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and not __fish_seen_subcommand_from up status help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from up" -l data-dir -d 'Where journals and the store are' -r -f -a "(__fish_complete_directories)"
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from up" -s o -l output -d 'Form of the answer; wide has more columns, csv has all [default: table]' -r -f -a "table\t''
wide\t''
json\t''
jsonl\t''
yaml\t''
csv\t''"
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from up" -l columns -d 'Columns to show, in this order (table, wide, csv); a wrong name lists the right ones' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from up" -l color -d 'When to colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from up" -l time -d 'How tables show times; the other formats have RFC 3339 in UTC [default: relative]' -r -f -a "relative\t''
iso\t''"
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from up" -l json -d 'Short for -o json'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from up" -l no-headers -d 'Leave out the header of tables and CSV'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from up" -l no-trunc -d 'Cut nothing and leave nothing out to fit the terminal'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from up" -s q -l quiet -d 'Only ids, one on each line, for tables that have them; no remarks on standard error'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from up" -s h -l help -d 'Print help'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from status" -l data-dir -d 'Where journals and the store are' -r -f -a "(__fish_complete_directories)"
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from status" -s o -l output -d 'Form of the answer; wide has more columns, csv has all [default: table]' -r -f -a "table\t''
wide\t''
json\t''
jsonl\t''
yaml\t''
csv\t''"
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from status" -l columns -d 'Columns to show, in this order (table, wide, csv); a wrong name lists the right ones' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from status" -l color -d 'When to colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from status" -l time -d 'How tables show times; the other formats have RFC 3339 in UTC [default: relative]' -r -f -a "relative\t''
iso\t''"
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from status" -l exit-code -d 'Exit with 8 if migrations are pending, with 5 if some were changed or are unknown here'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from status" -l json -d 'Short for -o json'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from status" -l no-headers -d 'Leave out the header of tables and CSV'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from status" -l no-trunc -d 'Cut nothing and leave nothing out to fit the terminal'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from status" -s q -l quiet -d 'Only ids, one on each line, for tables that have them; no remarks on standard error'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from status" -s h -l help -d 'Print help'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from help" -f -a "up" -d 'Apply every pending migration'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from help" -f -a "status" -d 'Show every migration and how it stands'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c archonctl -n "__fish_archonctl_using_subcommand config; and not __fish_seen_subcommand_from show help" -s h -l help -d 'Print help'
complete -c archonctl -n "__fish_archonctl_using_subcommand config; and not __fish_seen_subcommand_from show help" -f -a "show" -d 'Show every setting and its value'
complete -c archonctl -n "__fish_archonctl_using_subcommand config; and not __fish_seen_subcommand_from show help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c archonctl -n "__fish_archonctl_using_subcommand config; and __fish_seen_subcommand_from show" -l data-dir -d 'Where journals and the store are' -r -f -a "(__fish_complete_directories)"
complete -c archonctl -n "__fish_archonctl_using_subcommand config; and __fish_seen_subcommand_from show" -s o -l output -d 'Form of the answer; wide has more columns, csv has all [default: table]' -r -f -a "table\t''
wide\t''
json\t''
jsonl\t''
yaml\t''
csv\t''"
complete -c archonctl -n "__fish_archonctl_using_subcommand config; and __fish_seen_subcommand_from show" -l columns -d 'Columns to show, in this order (table, wide, csv); a wrong name lists the right ones' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand config; and __fish_seen_subcommand_from show" -l color -d 'When to colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c archonctl -n "__fish_archonctl_using_subcommand config; and __fish_seen_subcommand_from show" -l time -d 'How tables show times; the other formats have RFC 3339 in UTC [default: relative]' -r -f -a "relative\t''
iso\t''"
complete -c archonctl -n "__fish_archonctl_using_subcommand config; and __fish_seen_subcommand_from show" -l origin -d 'Also show where each value comes from'
complete -c archonctl -n "__fish_archonctl_using_subcommand config; and __fish_seen_subcommand_from show" -l json -d 'Short for -o json'
complete -c archonctl -n "__fish_archonctl_using_subcommand config; and __fish_seen_subcommand_from show" -l no-headers -d 'Leave out the header of tables and CSV'
complete -c archonctl -n "__fish_archonctl_using_subcommand config; and __fish_seen_subcommand_from show" -l no-trunc -d 'Cut nothing and leave nothing out to fit the terminal'
complete -c archonctl -n "__fish_archonctl_using_subcommand config; and __fish_seen_subcommand_from show" -s q -l quiet -d 'Only ids, one on each line, for tables that have them; no remarks on standard error'
complete -c archonctl -n "__fish_archonctl_using_subcommand config; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help'
complete -c archonctl -n "__fish_archonctl_using_subcommand config; and __fish_seen_subcommand_from help" -f -a "show" -d 'Show every setting and its value'
complete -c archonctl -n "__fish_archonctl_using_subcommand config; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c archonctl -n "__fish_archonctl_using_subcommand completions" -l out -d 'Write the scripts of all shells into this directory' -r -F
complete -c archonctl -n "__fish_archonctl_using_subcommand completions" -s h -l help -d 'Print help'
complete -c archonctl -n "__fish_archonctl_using_subcommand man" -l out -d 'Write the pages of all commands into this directory instead' -r -f -a "(__fish_complete_directories)"
complete -c archonctl -n "__fish_archonctl_using_subcommand man" -s h -l help -d 'Print help'
complete -c archonctl -n "__fish_archonctl_using_subcommand help; and not __fish_seen_subcommand_from serve run bridge sessions test-connection migrate config completions man help" -f -a "serve" -d 'Relay MCP traffic to a server and track its sessions'
complete -c archonctl -n "__fish_archonctl_using_subcommand help; and not __fish_seen_subcommand_from serve run bridge sessions test-connection migrate config completions man help" -f -a "run" -d 'Run an MCP server over stdio and track its session'
complete -c archonctl -n "__fish_archonctl_using_subcommand help; and not __fish_seen_subcommand_from serve run bridge sessions test-connection migrate config completions man help" -f -a "bridge" -d 'Be a stdio server that forwards to an MCP server over HTTP, and track its session'
complete -c archonctl -n "__fish_archonctl_using_subcommand help; and not __fish_seen_subcommand_from serve run bridge sessions test-connection migrate config completions man help" -f -a "sessions" -d 'Show sessions: who works with a server, who left and why'
complete -c archonctl -n "__fish_archonctl_using_subcommand help; and not __fish_seen_subcommand_from serve run bridge sessions test-connection migrate config completions man help" -f -a "test-connection" -d 'Test that an MCP server answers, and that its session is tracked'
complete -c archonctl -n "__fish_archonctl_using_subcommand help; and not __fish_seen_subcommand_from serve run bridge sessions test-connection migrate config completions man help" -f -a "migrate" -d 'Bring the store to this version'
complete -c archonctl -n "__fish_archonctl_using_subcommand help; and not __fish_seen_subcommand_from serve run bridge sessions test-connection migrate config completions man help" -f -a "config" -d 'Show settings'
complete -c archonctl -n "__fish_archonctl_using_subcommand help; and not __fish_seen_subcommand_from serve run bridge sessions test-connection migrate config completions man help" -f -a "completions" -d 'Print the completion script of a shell'
complete -c archonctl -n "__fish_archonctl_using_subcommand help; and not __fish_seen_subcommand_from serve run bridge sessions test-connection migrate config completions man help" -f -a "man" -d 'Print the manual page'
complete -c archonctl -n "__fish_archonctl_using_subcommand help; and not __fish_seen_subcommand_from serve run bridge sessions test-connection migrate config completions man help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c archonctl -n "__fish_archonctl_using_subcommand help; and __fish_seen_subcommand_from sessions" -f -a "list" -d 'List sessions, newest activity first'
complete -c archonctl -n "__fish_archonctl_using_subcommand help; and __fish_seen_subcommand_from sessions" -f -a "show" -d 'Show one session and its operations, newest first'
complete -c archonctl -n "__fish_archonctl_using_subcommand help; and __fish_seen_subcommand_from sessions" -f -a "disconnected" -d 'List sessions that ended, newest end first, and why [default: the last 7 days]'
complete -c archonctl -n "__fish_archonctl_using_subcommand help; and __fish_seen_subcommand_from sessions" -f -a "stats" -d 'Count sessions by client type: how many, how they ended, how long they lasted [default: of all time]'
complete -c archonctl -n "__fish_archonctl_using_subcommand help; and __fish_seen_subcommand_from migrate" -f -a "up" -d 'Apply every pending migration'
complete -c archonctl -n "__fish_archonctl_using_subcommand help; and __fish_seen_subcommand_from migrate" -f -a "status" -d 'Show every migration and how it stands'
complete -c archonctl -n "__fish_archonctl_using_subcommand help; and __fish_seen_subcommand_from config" -f -a "show" -d 'Show every setting and its value'
