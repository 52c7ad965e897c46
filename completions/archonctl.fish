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
complete -c archonctl -n "__fish_archonctl_needs_command" -f -a "migrate" -d 'Bring the database to this version, and prove it'
complete -c archonctl -n "__fish_archonctl_needs_command" -f -a "doctor" -d 'Check the data directory, journals, the store and its instances, and explain what is wrong'
complete -c archonctl -n "__fish_archonctl_needs_command" -f -a "pricing" -d 'Show and set what models cost'
complete -c archonctl -n "__fish_archonctl_needs_command" -f -a "token" -d 'Make, list and revoke tokens for the API'
complete -c archonctl -n "__fish_archonctl_needs_command" -f -a "config" -d 'Show settings'
complete -c archonctl -n "__fish_archonctl_needs_command" -f -a "schema" -d 'Print a description of the REST API'
complete -c archonctl -n "__fish_archonctl_needs_command" -f -a "completions" -d 'Print the completion script of a shell'
complete -c archonctl -n "__fish_archonctl_needs_command" -f -a "man" -d 'Print the manual page'
complete -c archonctl -n "__fish_archonctl_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c archonctl -n "__fish_archonctl_using_subcommand serve" -l listen -d 'Where to listen [default: 127.0.0.1:8051]' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand serve" -l api-listen -d 'Where the REST API listens; elsewhere than on loopback it asks for a token; \'off\' for none [default: 127.0.0.1:8181]' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand serve" -l api-cors-origin -d 'A site whose pages may use the API (https://app.example.com); can be given more than once [default: none]' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand serve" -l jwt-key-file -d 'A file of public keys that JWTs for the API are verified with, PEM or JWKS: RS256, ES256, EdDSA' -r -F
complete -c archonctl -n "__fish_archonctl_using_subcommand serve" -l jwt-secret-file -d 'A file with a secret that JWTs for the API are verified with: HS256' -r -F
complete -c archonctl -n "__fish_archonctl_using_subcommand serve" -l jwt-issuer -d 'What the claim iss of a JWT has to be' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand serve" -l jwt-audience -d 'What has to be in the claim aud of a JWT' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand serve" -l upstream -d 'An MCP server to relay to, served at /mcp/NAME, the first one also at /mcp; can be given more than once; /mcp is added to a URL without a path' -r -f
complete -c archonctl -n "__fish_archonctl_using_subcommand serve" -l upstream-name -d 'The name for sessions of a server given without one [default: default]' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand serve" -l session-timeout -d 'Time without activity that ends a session [default: 3600s]' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand serve" -l idle-after -d 'Time without activity after which a session counts as idle [default: 5m]' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand serve" -l disconnect-grace -d 'How long a client that dropped its stream may take to come back [default: 30s]' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand serve" -l request-timeout -d 'How long the server may take to answer [default: 300s]' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand serve" -l connect-timeout -d 'How long a connection to the server may take to come about [default: 10s]' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand serve" -l max-head -d 'Longest head of a request; a longer one gets 431 [default: 64KiB]' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand serve" -l max-body -d 'Longest body of a request; a longer one gets 413 [default: 64MiB]' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand serve" -l max-connections -d 'Connections at the same time; one more gets 503 [default: 20000]' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand serve" -l max-streams -d 'Streams held open at the same time; one more gets 503 [default: 10000]' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand serve" -l keep-alive-timeout -d 'How long a connection may stay open without a request [default: 2m]' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand serve" -l head-timeout -d 'How long the head of a request may take to arrive; then 408 [default: 30s]' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand serve" -l body-timeout -d 'How long a client may take to send the next piece of a body; then 408 [default: 30s]' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand serve" -l write-timeout -d 'How long a client may take to read a piece of an answer [default: 60s]' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand serve" -l allowed-hosts -d 'A name that may stand in Host, beside loopback\'s own (name, host:port, *.domain, *); can be given more than once' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand serve" -l allowed-origins -d 'A site that may stand in Origin, beside this machine\'s own (https://app.example.com, *); can be given more than once' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand serve" -l public-url -d 'Where clients reach the daemon, if that is not what they write into Host (https://mcp.example.com)' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand serve" -l drain-timeout -d 'How long requests in flight may take to finish at the end [default: 10s]' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand serve" -l workers -d 'Worker threads [default: one for each core]' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand serve" -l instance-timeout -d 'How long an instance counts as alive without another word [default: 30s]' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand serve" -l journal-bound -d 'How much of the disk records may fill that the store has not taken [default: 1GiB]' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand serve" -l max-counted-text -d 'How much of one text is counted in tokens, the rest is taken to be like it; 0 estimates all by length [default: 16KiB]' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand serve" -l default-model -d 'The model that costs are estimated for, where nothing else says one' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand serve" -l upstream-models -d 'The model behind sessions with a server; can be given more than once' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand serve" -l client-models -d 'The model behind sessions of a client, by its name or type; can be given more than once' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand serve" -l otlp-endpoint -d 'An OpenTelemetry collector that spans and metrics are sent to (OTLP over HTTP, such as http://127.0.0.1:4318); OTEL_EXPORTER_OTLP_ENDPOINT and its kin are understood' -r -f
complete -c archonctl -n "__fish_archonctl_using_subcommand serve" -l log-format -d 'Form of the log: text or json; what is logged is ARCHONCTL_LOG\'s to say [default: text]' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand serve" -l data-dir -d 'Where journals and the embedded store are' -r -f -a "(__fish_complete_directories)"
complete -c archonctl -n "__fish_archonctl_using_subcommand serve" -l database-url -d 'Another database: postgres://USER@HOST/DATABASE or sqlite:FILE; no password here' -r -f
complete -c archonctl -n "__fish_archonctl_using_subcommand serve" -l database-url-file -d 'A file that holds this URL, with the password' -r -F
complete -c archonctl -n "__fish_archonctl_using_subcommand serve" -l database-schema -d 'The schema with our tables, for PostgreSQL [default: the role\'s own]' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand serve" -l no-auth -d 'Let everybody into the API who can reach it, wherever it listens'
complete -c archonctl -n "__fish_archonctl_using_subcommand serve" -l journal-fsync -d 'Have records on the disk itself before an answer ends, so that a loss of power loses none'
complete -c archonctl -n "__fish_archonctl_using_subcommand serve" -l migrate -d 'Apply pending migrations to a PostgreSQL store before serving; the embedded one is always migrated'
complete -c archonctl -n "__fish_archonctl_using_subcommand serve" -s h -l help -d 'Print help'
complete -c archonctl -n "__fish_archonctl_using_subcommand run" -l name -d 'The name its session is stored under [default: made from the command]' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand run" -l session-timeout -d 'Time without activity that ends a session [default: 3600s]' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand run" -l idle-after -d 'Time without activity after which a session counts as idle [default: 5m]' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand run" -l request-timeout -d 'How long the server may take to answer [default: 300s]' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand run" -l drain-timeout -d 'How long answers may still take when the client has left [default: 10s]' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand run" -l default-model -d 'The model that costs are estimated for' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand run" -l data-dir -d 'Where journals and the embedded store are' -r -f -a "(__fish_complete_directories)"
complete -c archonctl -n "__fish_archonctl_using_subcommand run" -l database-url -d 'Another database: postgres://USER@HOST/DATABASE or sqlite:FILE; no password here' -r -f
complete -c archonctl -n "__fish_archonctl_using_subcommand run" -l database-url-file -d 'A file that holds this URL, with the password' -r -F
complete -c archonctl -n "__fish_archonctl_using_subcommand run" -l database-schema -d 'The schema with our tables, for PostgreSQL [default: the role\'s own]' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand run" -s h -l help -d 'Print help'
complete -c archonctl -n "__fish_archonctl_using_subcommand bridge" -l header -d 'A header to send with every request; may be given several times' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand bridge" -l header-file -d 'A file with headers, one on each line' -r -F
complete -c archonctl -n "__fish_archonctl_using_subcommand bridge" -l name -d 'The name its session is stored under [default: made from the URL]' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand bridge" -l retry-for -d 'How long a server that cannot be reached is tried before a request is answered with an error' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand bridge" -l session-timeout -d 'Time without activity that ends a session [default: 3600s]' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand bridge" -l idle-after -d 'Time without activity after which a session counts as idle [default: 5m]' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand bridge" -l request-timeout -d 'How long the server may take to answer [default: 300s]' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand bridge" -l drain-timeout -d 'How long answers may still take when the client has left [default: 10s]' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand bridge" -l default-model -d 'The model that costs are estimated for' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand bridge" -l data-dir -d 'Where journals and the embedded store are' -r -f -a "(__fish_complete_directories)"
complete -c archonctl -n "__fish_archonctl_using_subcommand bridge" -l database-url -d 'Another database: postgres://USER@HOST/DATABASE or sqlite:FILE; no password here' -r -f
complete -c archonctl -n "__fish_archonctl_using_subcommand bridge" -l database-url-file -d 'A file that holds this URL, with the password' -r -F
complete -c archonctl -n "__fish_archonctl_using_subcommand bridge" -l database-schema -d 'The schema with our tables, for PostgreSQL [default: the role\'s own]' -r
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
complete -c archonctl -n "__fish_archonctl_using_subcommand sessions; and __fish_seen_subcommand_from list" -l data-dir -d 'Where journals and the embedded store are' -r -f -a "(__fish_complete_directories)"
complete -c archonctl -n "__fish_archonctl_using_subcommand sessions; and __fish_seen_subcommand_from list" -l database-url -d 'Another database: postgres://USER@HOST/DATABASE or sqlite:FILE; no password here' -r -f
complete -c archonctl -n "__fish_archonctl_using_subcommand sessions; and __fish_seen_subcommand_from list" -l database-url-file -d 'A file that holds this URL, with the password' -r -F
complete -c archonctl -n "__fish_archonctl_using_subcommand sessions; and __fish_seen_subcommand_from list" -l database-schema -d 'The schema with our tables, for PostgreSQL [default: the role\'s own]' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand sessions; and __fish_seen_subcommand_from list" -l api-url -d 'Ask the API of a daemon in place of a database, such as https://archon.example.com' -r -f
complete -c archonctl -n "__fish_archonctl_using_subcommand sessions; and __fish_seen_subcommand_from list" -l api-token-file -d 'A file with the token for it; ARCHONCTL_API_TOKEN holds the token itself' -r -F
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
complete -c archonctl -n "__fish_archonctl_using_subcommand sessions; and __fish_seen_subcommand_from show" -l data-dir -d 'Where journals and the embedded store are' -r -f -a "(__fish_complete_directories)"
complete -c archonctl -n "__fish_archonctl_using_subcommand sessions; and __fish_seen_subcommand_from show" -l database-url -d 'Another database: postgres://USER@HOST/DATABASE or sqlite:FILE; no password here' -r -f
complete -c archonctl -n "__fish_archonctl_using_subcommand sessions; and __fish_seen_subcommand_from show" -l database-url-file -d 'A file that holds this URL, with the password' -r -F
complete -c archonctl -n "__fish_archonctl_using_subcommand sessions; and __fish_seen_subcommand_from show" -l database-schema -d 'The schema with our tables, for PostgreSQL [default: the role\'s own]' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand sessions; and __fish_seen_subcommand_from show" -l api-url -d 'Ask the API of a daemon in place of a database, such as https://archon.example.com' -r -f
complete -c archonctl -n "__fish_archonctl_using_subcommand sessions; and __fish_seen_subcommand_from show" -l api-token-file -d 'A file with the token for it; ARCHONCTL_API_TOKEN holds the token itself' -r -F
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
complete -c archonctl -n "__fish_archonctl_using_subcommand sessions; and __fish_seen_subcommand_from disconnected" -l data-dir -d 'Where journals and the embedded store are' -r -f -a "(__fish_complete_directories)"
complete -c archonctl -n "__fish_archonctl_using_subcommand sessions; and __fish_seen_subcommand_from disconnected" -l database-url -d 'Another database: postgres://USER@HOST/DATABASE or sqlite:FILE; no password here' -r -f
complete -c archonctl -n "__fish_archonctl_using_subcommand sessions; and __fish_seen_subcommand_from disconnected" -l database-url-file -d 'A file that holds this URL, with the password' -r -F
complete -c archonctl -n "__fish_archonctl_using_subcommand sessions; and __fish_seen_subcommand_from disconnected" -l database-schema -d 'The schema with our tables, for PostgreSQL [default: the role\'s own]' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand sessions; and __fish_seen_subcommand_from disconnected" -l api-url -d 'Ask the API of a daemon in place of a database, such as https://archon.example.com' -r -f
complete -c archonctl -n "__fish_archonctl_using_subcommand sessions; and __fish_seen_subcommand_from disconnected" -l api-token-file -d 'A file with the token for it; ARCHONCTL_API_TOKEN holds the token itself' -r -F
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
complete -c archonctl -n "__fish_archonctl_using_subcommand sessions; and __fish_seen_subcommand_from stats" -l data-dir -d 'Where journals and the embedded store are' -r -f -a "(__fish_complete_directories)"
complete -c archonctl -n "__fish_archonctl_using_subcommand sessions; and __fish_seen_subcommand_from stats" -l database-url -d 'Another database: postgres://USER@HOST/DATABASE or sqlite:FILE; no password here' -r -f
complete -c archonctl -n "__fish_archonctl_using_subcommand sessions; and __fish_seen_subcommand_from stats" -l database-url-file -d 'A file that holds this URL, with the password' -r -F
complete -c archonctl -n "__fish_archonctl_using_subcommand sessions; and __fish_seen_subcommand_from stats" -l database-schema -d 'The schema with our tables, for PostgreSQL [default: the role\'s own]' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand sessions; and __fish_seen_subcommand_from stats" -l api-url -d 'Ask the API of a daemon in place of a database, such as https://archon.example.com' -r -f
complete -c archonctl -n "__fish_archonctl_using_subcommand sessions; and __fish_seen_subcommand_from stats" -l api-token-file -d 'A file with the token for it; ARCHONCTL_API_TOKEN holds the token itself' -r -F
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
complete -c archonctl -n "__fish_archonctl_using_subcommand test-connection" -l data-dir -d 'Where journals and the embedded store are' -r -f -a "(__fish_complete_directories)"
complete -c archonctl -n "__fish_archonctl_using_subcommand test-connection" -l database-url -d 'Another database: postgres://USER@HOST/DATABASE or sqlite:FILE; no password here' -r -f
complete -c archonctl -n "__fish_archonctl_using_subcommand test-connection" -l database-url-file -d 'A file that holds this URL, with the password' -r -F
complete -c archonctl -n "__fish_archonctl_using_subcommand test-connection" -l database-schema -d 'The schema with our tables, for PostgreSQL [default: the role\'s own]' -r
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
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and not __fish_seen_subcommand_from up status verify plan adopt repair down dump help" -l to -d 'The number of the last migration to apply [default: all]' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and not __fish_seen_subcommand_from up status verify plan adopt repair down dump help" -l wait-timeout -d 'How long to wait at the most' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and not __fish_seen_subcommand_from up status verify plan adopt repair down dump help" -l lock-timeout -d 'How long a statement waits for a lock, before it is undone and tried again (PostgreSQL)' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and not __fish_seen_subcommand_from up status verify plan adopt repair down dump help" -l data-dir -d 'Where journals and the embedded store are' -r -f -a "(__fish_complete_directories)"
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and not __fish_seen_subcommand_from up status verify plan adopt repair down dump help" -l database-url -d 'Another database: postgres://USER@HOST/DATABASE or sqlite:FILE; no password here' -r -f
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and not __fish_seen_subcommand_from up status verify plan adopt repair down dump help" -l database-url-file -d 'A file that holds this URL, with the password' -r -F
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and not __fish_seen_subcommand_from up status verify plan adopt repair down dump help" -l database-schema -d 'The schema with our tables, for PostgreSQL [default: the role\'s own]' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and not __fish_seen_subcommand_from up status verify plan adopt repair down dump help" -s o -l output -d 'Form of the answer; wide has more columns, csv has all [default: table]' -r -f -a "table\t''
wide\t''
json\t''
jsonl\t''
yaml\t''
csv\t''"
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and not __fish_seen_subcommand_from up status verify plan adopt repair down dump help" -l columns -d 'Columns to show, in this order (table, wide, csv); a wrong name lists the right ones' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and not __fish_seen_subcommand_from up status verify plan adopt repair down dump help" -l color -d 'When to colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and not __fish_seen_subcommand_from up status verify plan adopt repair down dump help" -l time -d 'How tables show times; the other formats have RFC 3339 in UTC [default: relative]' -r -f -a "relative\t''
iso\t''"
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and not __fish_seen_subcommand_from up status verify plan adopt repair down dump help" -l rehearse -d 'Run everything in one transaction, and undo it'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and not __fish_seen_subcommand_from up status verify plan adopt repair down dump help" -l wait -d 'Wait for the end of another run of migrations, instead of exit code 6'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and not __fish_seen_subcommand_from up status verify plan adopt repair down dump help" -l no-copy -d 'Do not copy the embedded database before it is changed'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and not __fish_seen_subcommand_from up status verify plan adopt repair down dump help" -l json -d 'Short for -o json'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and not __fish_seen_subcommand_from up status verify plan adopt repair down dump help" -l no-headers -d 'Leave out the header of tables and CSV'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and not __fish_seen_subcommand_from up status verify plan adopt repair down dump help" -l no-trunc -d 'Cut nothing and leave nothing out to fit the terminal'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and not __fish_seen_subcommand_from up status verify plan adopt repair down dump help" -s q -l quiet -d 'Only ids, one on each line, for tables that have them; no remarks on standard error'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and not __fish_seen_subcommand_from up status verify plan adopt repair down dump help" -s h -l help -d 'Print help'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and not __fish_seen_subcommand_from up status verify plan adopt repair down dump help" -f -a "up" -d 'Apply what is pending, record what was made by hand, make what is missing'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and not __fish_seen_subcommand_from up status verify plan adopt repair down dump help" -f -a "status" -d 'Show every migration: recorded, really there, and the verdict'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and not __fish_seen_subcommand_from up status verify plan adopt repair down dump help" -f -a "verify" -d 'Prove that the schema is what the migrations make; exit code 5 and every difference by name if not'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and not __fish_seen_subcommand_from up status verify plan adopt repair down dump help" -f -a "plan" -d 'Print the SQL that `migrate up` would run, without running it'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and not __fish_seen_subcommand_from up status verify plan adopt repair down dump help" -f -a "adopt" -d 'Record migrations that were made by hand, as far as they are all there'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and not __fish_seen_subcommand_from up status verify plan adopt repair down dump help" -f -a "repair" -d 'Make what is missing of migrations that are there in part, or recorded and not there'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and not __fish_seen_subcommand_from up status verify plan adopt repair down dump help" -f -a "down" -d 'Undo the last migration, or all after a number'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and not __fish_seen_subcommand_from up status verify plan adopt repair down dump help" -f -a "dump" -d 'Print the schema as it is, as SQL that makes it again'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and not __fish_seen_subcommand_from up status verify plan adopt repair down dump help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from up" -l to -d 'The number of the last migration to apply [default: all]' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from up" -l wait-timeout -d 'How long to wait at the most' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from up" -l lock-timeout -d 'How long a statement waits for a lock, before it is undone and tried again (PostgreSQL)' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from up" -l data-dir -d 'Where journals and the embedded store are' -r -f -a "(__fish_complete_directories)"
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from up" -l database-url -d 'Another database: postgres://USER@HOST/DATABASE or sqlite:FILE; no password here' -r -f
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from up" -l database-url-file -d 'A file that holds this URL, with the password' -r -F
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from up" -l database-schema -d 'The schema with our tables, for PostgreSQL [default: the role\'s own]' -r
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
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from up" -l rehearse -d 'Run everything in one transaction, and undo it'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from up" -l wait -d 'Wait for the end of another run of migrations, instead of exit code 6'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from up" -l no-copy -d 'Do not copy the embedded database before it is changed'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from up" -l json -d 'Short for -o json'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from up" -l no-headers -d 'Leave out the header of tables and CSV'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from up" -l no-trunc -d 'Cut nothing and leave nothing out to fit the terminal'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from up" -s q -l quiet -d 'Only ids, one on each line, for tables that have them; no remarks on standard error'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from up" -s h -l help -d 'Print help'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from status" -l data-dir -d 'Where journals and the embedded store are' -r -f -a "(__fish_complete_directories)"
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from status" -l database-url -d 'Another database: postgres://USER@HOST/DATABASE or sqlite:FILE; no password here' -r -f
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from status" -l database-url-file -d 'A file that holds this URL, with the password' -r -F
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from status" -l database-schema -d 'The schema with our tables, for PostgreSQL [default: the role\'s own]' -r
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
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from status" -l exit-code -d 'Exit with 8 if migrations are pending, with 5 if something is not as it should be'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from status" -l json -d 'Short for -o json'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from status" -l no-headers -d 'Leave out the header of tables and CSV'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from status" -l no-trunc -d 'Cut nothing and leave nothing out to fit the terminal'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from status" -s q -l quiet -d 'Only ids, one on each line, for tables that have them; no remarks on standard error'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from status" -s h -l help -d 'Print help'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from verify" -l data-dir -d 'Where journals and the embedded store are' -r -f -a "(__fish_complete_directories)"
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from verify" -l database-url -d 'Another database: postgres://USER@HOST/DATABASE or sqlite:FILE; no password here' -r -f
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from verify" -l database-url-file -d 'A file that holds this URL, with the password' -r -F
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from verify" -l database-schema -d 'The schema with our tables, for PostgreSQL [default: the role\'s own]' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from verify" -s o -l output -d 'Form of the answer; wide has more columns, csv has all [default: table]' -r -f -a "table\t''
wide\t''
json\t''
jsonl\t''
yaml\t''
csv\t''"
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from verify" -l columns -d 'Columns to show, in this order (table, wide, csv); a wrong name lists the right ones' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from verify" -l color -d 'When to colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from verify" -l time -d 'How tables show times; the other formats have RFC 3339 in UTC [default: relative]' -r -f -a "relative\t''
iso\t''"
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from verify" -l exit-code -d 'Exit with 8 if migrations are pending'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from verify" -l json -d 'Short for -o json'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from verify" -l no-headers -d 'Leave out the header of tables and CSV'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from verify" -l no-trunc -d 'Cut nothing and leave nothing out to fit the terminal'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from verify" -s q -l quiet -d 'Only ids, one on each line, for tables that have them; no remarks on standard error'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from verify" -s h -l help -d 'Print help'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from plan" -l to -d 'The number of the last migration to apply [default: all]' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from plan" -l data-dir -d 'Where journals and the embedded store are' -r -f -a "(__fish_complete_directories)"
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from plan" -l database-url -d 'Another database: postgres://USER@HOST/DATABASE or sqlite:FILE; no password here' -r -f
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from plan" -l database-url-file -d 'A file that holds this URL, with the password' -r -F
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from plan" -l database-schema -d 'The schema with our tables, for PostgreSQL [default: the role\'s own]' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from plan" -s o -l output -d 'Form of the answer; wide has more columns, csv has all [default: table]' -r -f -a "table\t''
wide\t''
json\t''
jsonl\t''
yaml\t''
csv\t''"
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from plan" -l columns -d 'Columns to show, in this order (table, wide, csv); a wrong name lists the right ones' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from plan" -l color -d 'When to colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from plan" -l time -d 'How tables show times; the other formats have RFC 3339 in UTC [default: relative]' -r -f -a "relative\t''
iso\t''"
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from plan" -l json -d 'Short for -o json'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from plan" -l no-headers -d 'Leave out the header of tables and CSV'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from plan" -l no-trunc -d 'Cut nothing and leave nothing out to fit the terminal'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from plan" -s q -l quiet -d 'Only ids, one on each line, for tables that have them; no remarks on standard error'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from plan" -s h -l help -d 'Print help'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from adopt" -l wait-timeout -d 'How long to wait at the most' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from adopt" -l lock-timeout -d 'How long a statement waits for a lock, before it is undone and tried again (PostgreSQL)' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from adopt" -l data-dir -d 'Where journals and the embedded store are' -r -f -a "(__fish_complete_directories)"
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from adopt" -l database-url -d 'Another database: postgres://USER@HOST/DATABASE or sqlite:FILE; no password here' -r -f
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from adopt" -l database-url-file -d 'A file that holds this URL, with the password' -r -F
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from adopt" -l database-schema -d 'The schema with our tables, for PostgreSQL [default: the role\'s own]' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from adopt" -s o -l output -d 'Form of the answer; wide has more columns, csv has all [default: table]' -r -f -a "table\t''
wide\t''
json\t''
jsonl\t''
yaml\t''
csv\t''"
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from adopt" -l columns -d 'Columns to show, in this order (table, wide, csv); a wrong name lists the right ones' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from adopt" -l color -d 'When to colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from adopt" -l time -d 'How tables show times; the other formats have RFC 3339 in UTC [default: relative]' -r -f -a "relative\t''
iso\t''"
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from adopt" -l dry-run -d 'Only say what would be recorded'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from adopt" -l wait -d 'Wait for the end of another run of migrations, instead of exit code 6'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from adopt" -l no-copy -d 'Do not copy the embedded database before it is changed'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from adopt" -l json -d 'Short for -o json'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from adopt" -l no-headers -d 'Leave out the header of tables and CSV'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from adopt" -l no-trunc -d 'Cut nothing and leave nothing out to fit the terminal'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from adopt" -s q -l quiet -d 'Only ids, one on each line, for tables that have them; no remarks on standard error'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from adopt" -s h -l help -d 'Print help'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from repair" -l wait-timeout -d 'How long to wait at the most' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from repair" -l lock-timeout -d 'How long a statement waits for a lock, before it is undone and tried again (PostgreSQL)' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from repair" -l data-dir -d 'Where journals and the embedded store are' -r -f -a "(__fish_complete_directories)"
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from repair" -l database-url -d 'Another database: postgres://USER@HOST/DATABASE or sqlite:FILE; no password here' -r -f
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from repair" -l database-url-file -d 'A file that holds this URL, with the password' -r -F
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from repair" -l database-schema -d 'The schema with our tables, for PostgreSQL [default: the role\'s own]' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from repair" -s o -l output -d 'Form of the answer; wide has more columns, csv has all [default: table]' -r -f -a "table\t''
wide\t''
json\t''
jsonl\t''
yaml\t''
csv\t''"
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from repair" -l columns -d 'Columns to show, in this order (table, wide, csv); a wrong name lists the right ones' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from repair" -l color -d 'When to colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from repair" -l time -d 'How tables show times; the other formats have RFC 3339 in UTC [default: relative]' -r -f -a "relative\t''
iso\t''"
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from repair" -l dry-run -d 'Only say what would be run'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from repair" -l wait -d 'Wait for the end of another run of migrations, instead of exit code 6'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from repair" -l no-copy -d 'Do not copy the embedded database before it is changed'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from repair" -l json -d 'Short for -o json'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from repair" -l no-headers -d 'Leave out the header of tables and CSV'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from repair" -l no-trunc -d 'Cut nothing and leave nothing out to fit the terminal'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from repair" -s q -l quiet -d 'Only ids, one on each line, for tables that have them; no remarks on standard error'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from repair" -s h -l help -d 'Print help'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from down" -l to -d 'The number of the last migration that stays; 0 undoes all [default: undo the last one]' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from down" -l wait-timeout -d 'How long to wait at the most' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from down" -l lock-timeout -d 'How long a statement waits for a lock, before it is undone and tried again (PostgreSQL)' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from down" -l data-dir -d 'Where journals and the embedded store are' -r -f -a "(__fish_complete_directories)"
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from down" -l database-url -d 'Another database: postgres://USER@HOST/DATABASE or sqlite:FILE; no password here' -r -f
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from down" -l database-url-file -d 'A file that holds this URL, with the password' -r -F
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from down" -l database-schema -d 'The schema with our tables, for PostgreSQL [default: the role\'s own]' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from down" -s o -l output -d 'Form of the answer; wide has more columns, csv has all [default: table]' -r -f -a "table\t''
wide\t''
json\t''
jsonl\t''
yaml\t''
csv\t''"
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from down" -l columns -d 'Columns to show, in this order (table, wide, csv); a wrong name lists the right ones' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from down" -l color -d 'When to colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from down" -l time -d 'How tables show times; the other formats have RFC 3339 in UTC [default: relative]' -r -f -a "relative\t''
iso\t''"
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from down" -l dry-run -d 'Only print the SQL'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from down" -l yes -d 'Do not ask'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from down" -l confirm -d 'Also where data is lost; does not ask either'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from down" -l wait -d 'Wait for the end of another run of migrations, instead of exit code 6'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from down" -l no-copy -d 'Do not copy the embedded database before it is changed'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from down" -l json -d 'Short for -o json'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from down" -l no-headers -d 'Leave out the header of tables and CSV'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from down" -l no-trunc -d 'Cut nothing and leave nothing out to fit the terminal'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from down" -s q -l quiet -d 'Only ids, one on each line, for tables that have them; no remarks on standard error'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from down" -s h -l help -d 'Print help'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from dump" -l data-dir -d 'Where journals and the embedded store are' -r -f -a "(__fish_complete_directories)"
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from dump" -l database-url -d 'Another database: postgres://USER@HOST/DATABASE or sqlite:FILE; no password here' -r -f
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from dump" -l database-url-file -d 'A file that holds this URL, with the password' -r -F
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from dump" -l database-schema -d 'The schema with our tables, for PostgreSQL [default: the role\'s own]' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from dump" -s o -l output -d 'Form of the answer; wide has more columns, csv has all [default: table]' -r -f -a "table\t''
wide\t''
json\t''
jsonl\t''
yaml\t''
csv\t''"
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from dump" -l columns -d 'Columns to show, in this order (table, wide, csv); a wrong name lists the right ones' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from dump" -l color -d 'When to colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from dump" -l time -d 'How tables show times; the other formats have RFC 3339 in UTC [default: relative]' -r -f -a "relative\t''
iso\t''"
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from dump" -l json -d 'Short for -o json'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from dump" -l no-headers -d 'Leave out the header of tables and CSV'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from dump" -l no-trunc -d 'Cut nothing and leave nothing out to fit the terminal'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from dump" -s q -l quiet -d 'Only ids, one on each line, for tables that have them; no remarks on standard error'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from dump" -s h -l help -d 'Print help'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from help" -f -a "up" -d 'Apply what is pending, record what was made by hand, make what is missing'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from help" -f -a "status" -d 'Show every migration: recorded, really there, and the verdict'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from help" -f -a "verify" -d 'Prove that the schema is what the migrations make; exit code 5 and every difference by name if not'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from help" -f -a "plan" -d 'Print the SQL that `migrate up` would run, without running it'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from help" -f -a "adopt" -d 'Record migrations that were made by hand, as far as they are all there'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from help" -f -a "repair" -d 'Make what is missing of migrations that are there in part, or recorded and not there'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from help" -f -a "down" -d 'Undo the last migration, or all after a number'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from help" -f -a "dump" -d 'Print the schema as it is, as SQL that makes it again'
complete -c archonctl -n "__fish_archonctl_using_subcommand migrate; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c archonctl -n "__fish_archonctl_using_subcommand doctor" -l data-dir -d 'Where journals and the embedded store are' -r -f -a "(__fish_complete_directories)"
complete -c archonctl -n "__fish_archonctl_using_subcommand doctor" -l database-url -d 'Another database: postgres://USER@HOST/DATABASE or sqlite:FILE; no password here' -r -f
complete -c archonctl -n "__fish_archonctl_using_subcommand doctor" -l database-url-file -d 'A file that holds this URL, with the password' -r -F
complete -c archonctl -n "__fish_archonctl_using_subcommand doctor" -l database-schema -d 'The schema with our tables, for PostgreSQL [default: the role\'s own]' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand doctor" -s o -l output -d 'Form of the answer; wide has more columns, csv has all [default: table]' -r -f -a "table\t''
wide\t''
json\t''
jsonl\t''
yaml\t''
csv\t''"
complete -c archonctl -n "__fish_archonctl_using_subcommand doctor" -l columns -d 'Columns to show, in this order (table, wide, csv); a wrong name lists the right ones' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand doctor" -l color -d 'When to colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c archonctl -n "__fish_archonctl_using_subcommand doctor" -l time -d 'How tables show times; the other formats have RFC 3339 in UTC [default: relative]' -r -f -a "relative\t''
iso\t''"
complete -c archonctl -n "__fish_archonctl_using_subcommand doctor" -l json -d 'Short for -o json'
complete -c archonctl -n "__fish_archonctl_using_subcommand doctor" -l no-headers -d 'Leave out the header of tables and CSV'
complete -c archonctl -n "__fish_archonctl_using_subcommand doctor" -l no-trunc -d 'Cut nothing and leave nothing out to fit the terminal'
complete -c archonctl -n "__fish_archonctl_using_subcommand doctor" -s q -l quiet -d 'Only ids, one on each line, for tables that have them; no remarks on standard error'
complete -c archonctl -n "__fish_archonctl_using_subcommand doctor" -s h -l help -d 'Print help'
complete -c archonctl -n "__fish_archonctl_using_subcommand pricing; and not __fish_seen_subcommand_from list set import help" -s h -l help -d 'Print help'
complete -c archonctl -n "__fish_archonctl_using_subcommand pricing; and not __fish_seen_subcommand_from list set import help" -f -a "list" -d 'List what models cost: prices in force and to come, in US dollars'
complete -c archonctl -n "__fish_archonctl_using_subcommand pricing; and not __fish_seen_subcommand_from list set import help" -f -a "set" -d 'Set what a model costs from a day on, in US dollars'
complete -c archonctl -n "__fish_archonctl_using_subcommand pricing; and not __fish_seen_subcommand_from list set import help" -f -a "import" -d 'Set prices from a CSV or JSON file, all or none'
complete -c archonctl -n "__fish_archonctl_using_subcommand pricing; and not __fish_seen_subcommand_from list set import help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c archonctl -n "__fish_archonctl_using_subcommand pricing; and __fish_seen_subcommand_from list" -l provider -d 'Only providers whose names contain this' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand pricing; and __fish_seen_subcommand_from list" -l model -d 'Only models whose names contain this' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand pricing; and __fish_seen_subcommand_from list" -l data-dir -d 'Where journals and the embedded store are' -r -f -a "(__fish_complete_directories)"
complete -c archonctl -n "__fish_archonctl_using_subcommand pricing; and __fish_seen_subcommand_from list" -l database-url -d 'Another database: postgres://USER@HOST/DATABASE or sqlite:FILE; no password here' -r -f
complete -c archonctl -n "__fish_archonctl_using_subcommand pricing; and __fish_seen_subcommand_from list" -l database-url-file -d 'A file that holds this URL, with the password' -r -F
complete -c archonctl -n "__fish_archonctl_using_subcommand pricing; and __fish_seen_subcommand_from list" -l database-schema -d 'The schema with our tables, for PostgreSQL [default: the role\'s own]' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand pricing; and __fish_seen_subcommand_from list" -l api-url -d 'Ask the API of a daemon in place of a database, such as https://archon.example.com' -r -f
complete -c archonctl -n "__fish_archonctl_using_subcommand pricing; and __fish_seen_subcommand_from list" -l api-token-file -d 'A file with the token for it; ARCHONCTL_API_TOKEN holds the token itself' -r -F
complete -c archonctl -n "__fish_archonctl_using_subcommand pricing; and __fish_seen_subcommand_from list" -s o -l output -d 'Form of the answer; wide has more columns, csv has all [default: table]' -r -f -a "table\t''
wide\t''
json\t''
jsonl\t''
yaml\t''
csv\t''"
complete -c archonctl -n "__fish_archonctl_using_subcommand pricing; and __fish_seen_subcommand_from list" -l columns -d 'Columns to show, in this order (table, wide, csv); a wrong name lists the right ones' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand pricing; and __fish_seen_subcommand_from list" -l color -d 'When to colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c archonctl -n "__fish_archonctl_using_subcommand pricing; and __fish_seen_subcommand_from list" -l time -d 'How tables show times; the other formats have RFC 3339 in UTC [default: relative]' -r -f -a "relative\t''
iso\t''"
complete -c archonctl -n "__fish_archonctl_using_subcommand pricing; and __fish_seen_subcommand_from list" -l all -d 'Prices that newer ones have replaced as well'
complete -c archonctl -n "__fish_archonctl_using_subcommand pricing; and __fish_seen_subcommand_from list" -l json -d 'Short for -o json'
complete -c archonctl -n "__fish_archonctl_using_subcommand pricing; and __fish_seen_subcommand_from list" -l no-headers -d 'Leave out the header of tables and CSV'
complete -c archonctl -n "__fish_archonctl_using_subcommand pricing; and __fish_seen_subcommand_from list" -l no-trunc -d 'Cut nothing and leave nothing out to fit the terminal'
complete -c archonctl -n "__fish_archonctl_using_subcommand pricing; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Only ids, one on each line, for tables that have them; no remarks on standard error'
complete -c archonctl -n "__fish_archonctl_using_subcommand pricing; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help'
complete -c archonctl -n "__fish_archonctl_using_subcommand pricing; and __fish_seen_subcommand_from set" -l provider -d 'Who offers it' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand pricing; and __fish_seen_subcommand_from set" -l input-per-1m -d 'Price of 1,000,000 tokens of input' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand pricing; and __fish_seen_subcommand_from set" -l output-per-1m -d 'Price of 1,000,000 tokens of output' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand pricing; and __fish_seen_subcommand_from set" -l input-per-1k -d 'Price of 1,000 tokens of input' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand pricing; and __fish_seen_subcommand_from set" -l output-per-1k -d 'Price of 1,000 tokens of output' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand pricing; and __fish_seen_subcommand_from set" -l since -d 'The day it takes effect, UTC [default: today]' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand pricing; and __fish_seen_subcommand_from set" -l notes -d 'Where the price is from, or other remarks' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand pricing; and __fish_seen_subcommand_from set" -l data-dir -d 'Where journals and the embedded store are' -r -f -a "(__fish_complete_directories)"
complete -c archonctl -n "__fish_archonctl_using_subcommand pricing; and __fish_seen_subcommand_from set" -l database-url -d 'Another database: postgres://USER@HOST/DATABASE or sqlite:FILE; no password here' -r -f
complete -c archonctl -n "__fish_archonctl_using_subcommand pricing; and __fish_seen_subcommand_from set" -l database-url-file -d 'A file that holds this URL, with the password' -r -F
complete -c archonctl -n "__fish_archonctl_using_subcommand pricing; and __fish_seen_subcommand_from set" -l database-schema -d 'The schema with our tables, for PostgreSQL [default: the role\'s own]' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand pricing; and __fish_seen_subcommand_from set" -s o -l output -d 'Form of the answer; wide has more columns, csv has all [default: table]' -r -f -a "table\t''
wide\t''
json\t''
jsonl\t''
yaml\t''
csv\t''"
complete -c archonctl -n "__fish_archonctl_using_subcommand pricing; and __fish_seen_subcommand_from set" -l columns -d 'Columns to show, in this order (table, wide, csv); a wrong name lists the right ones' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand pricing; and __fish_seen_subcommand_from set" -l color -d 'When to colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c archonctl -n "__fish_archonctl_using_subcommand pricing; and __fish_seen_subcommand_from set" -l time -d 'How tables show times; the other formats have RFC 3339 in UTC [default: relative]' -r -f -a "relative\t''
iso\t''"
complete -c archonctl -n "__fish_archonctl_using_subcommand pricing; and __fish_seen_subcommand_from set" -l dry-run -d 'Say what would be set, and set nothing'
complete -c archonctl -n "__fish_archonctl_using_subcommand pricing; and __fish_seen_subcommand_from set" -l json -d 'Short for -o json'
complete -c archonctl -n "__fish_archonctl_using_subcommand pricing; and __fish_seen_subcommand_from set" -l no-headers -d 'Leave out the header of tables and CSV'
complete -c archonctl -n "__fish_archonctl_using_subcommand pricing; and __fish_seen_subcommand_from set" -l no-trunc -d 'Cut nothing and leave nothing out to fit the terminal'
complete -c archonctl -n "__fish_archonctl_using_subcommand pricing; and __fish_seen_subcommand_from set" -s q -l quiet -d 'Only ids, one on each line, for tables that have them; no remarks on standard error'
complete -c archonctl -n "__fish_archonctl_using_subcommand pricing; and __fish_seen_subcommand_from set" -s h -l help -d 'Print help'
complete -c archonctl -n "__fish_archonctl_using_subcommand pricing; and __fish_seen_subcommand_from import" -l data-dir -d 'Where journals and the embedded store are' -r -f -a "(__fish_complete_directories)"
complete -c archonctl -n "__fish_archonctl_using_subcommand pricing; and __fish_seen_subcommand_from import" -l database-url -d 'Another database: postgres://USER@HOST/DATABASE or sqlite:FILE; no password here' -r -f
complete -c archonctl -n "__fish_archonctl_using_subcommand pricing; and __fish_seen_subcommand_from import" -l database-url-file -d 'A file that holds this URL, with the password' -r -F
complete -c archonctl -n "__fish_archonctl_using_subcommand pricing; and __fish_seen_subcommand_from import" -l database-schema -d 'The schema with our tables, for PostgreSQL [default: the role\'s own]' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand pricing; and __fish_seen_subcommand_from import" -s o -l output -d 'Form of the answer; wide has more columns, csv has all [default: table]' -r -f -a "table\t''
wide\t''
json\t''
jsonl\t''
yaml\t''
csv\t''"
complete -c archonctl -n "__fish_archonctl_using_subcommand pricing; and __fish_seen_subcommand_from import" -l columns -d 'Columns to show, in this order (table, wide, csv); a wrong name lists the right ones' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand pricing; and __fish_seen_subcommand_from import" -l color -d 'When to colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c archonctl -n "__fish_archonctl_using_subcommand pricing; and __fish_seen_subcommand_from import" -l time -d 'How tables show times; the other formats have RFC 3339 in UTC [default: relative]' -r -f -a "relative\t''
iso\t''"
complete -c archonctl -n "__fish_archonctl_using_subcommand pricing; and __fish_seen_subcommand_from import" -l dry-run -d 'Say what would be set, and set nothing'
complete -c archonctl -n "__fish_archonctl_using_subcommand pricing; and __fish_seen_subcommand_from import" -l json -d 'Short for -o json'
complete -c archonctl -n "__fish_archonctl_using_subcommand pricing; and __fish_seen_subcommand_from import" -l no-headers -d 'Leave out the header of tables and CSV'
complete -c archonctl -n "__fish_archonctl_using_subcommand pricing; and __fish_seen_subcommand_from import" -l no-trunc -d 'Cut nothing and leave nothing out to fit the terminal'
complete -c archonctl -n "__fish_archonctl_using_subcommand pricing; and __fish_seen_subcommand_from import" -s q -l quiet -d 'Only ids, one on each line, for tables that have them; no remarks on standard error'
complete -c archonctl -n "__fish_archonctl_using_subcommand pricing; and __fish_seen_subcommand_from import" -s h -l help -d 'Print help'
complete -c archonctl -n "__fish_archonctl_using_subcommand pricing; and __fish_seen_subcommand_from help" -f -a "list" -d 'List what models cost: prices in force and to come, in US dollars'
complete -c archonctl -n "__fish_archonctl_using_subcommand pricing; and __fish_seen_subcommand_from help" -f -a "set" -d 'Set what a model costs from a day on, in US dollars'
complete -c archonctl -n "__fish_archonctl_using_subcommand pricing; and __fish_seen_subcommand_from help" -f -a "import" -d 'Set prices from a CSV or JSON file, all or none'
complete -c archonctl -n "__fish_archonctl_using_subcommand pricing; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c archonctl -n "__fish_archonctl_using_subcommand token; and not __fish_seen_subcommand_from create list revoke help" -s h -l help -d 'Print help'
complete -c archonctl -n "__fish_archonctl_using_subcommand token; and not __fish_seen_subcommand_from create list revoke help" -f -a "create" -d 'Make a token; it is shown this once, with -q nothing else'
complete -c archonctl -n "__fish_archonctl_using_subcommand token; and not __fish_seen_subcommand_from create list revoke help" -f -a "list" -d 'List tokens, the newest first'
complete -c archonctl -n "__fish_archonctl_using_subcommand token; and not __fish_seen_subcommand_from create list revoke help" -f -a "revoke" -d 'Revoke a token; it is good no more at once'
complete -c archonctl -n "__fish_archonctl_using_subcommand token; and not __fish_seen_subcommand_from create list revoke help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c archonctl -n "__fish_archonctl_using_subcommand token; and __fish_seen_subcommand_from create" -l scope -d 'What it may be used for; repeat it or separate with commas: read to ask, write to report sessions, admin for everything' -r -f -a "read\t''
write\t''
admin\t''"
complete -c archonctl -n "__fish_archonctl_using_subcommand token; and __fish_seen_subcommand_from create" -l expires -d 'How long it is good for, such as 90d [default: until it is revoked]' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand token; and __fish_seen_subcommand_from create" -l data-dir -d 'Where journals and the embedded store are' -r -f -a "(__fish_complete_directories)"
complete -c archonctl -n "__fish_archonctl_using_subcommand token; and __fish_seen_subcommand_from create" -l database-url -d 'Another database: postgres://USER@HOST/DATABASE or sqlite:FILE; no password here' -r -f
complete -c archonctl -n "__fish_archonctl_using_subcommand token; and __fish_seen_subcommand_from create" -l database-url-file -d 'A file that holds this URL, with the password' -r -F
complete -c archonctl -n "__fish_archonctl_using_subcommand token; and __fish_seen_subcommand_from create" -l database-schema -d 'The schema with our tables, for PostgreSQL [default: the role\'s own]' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand token; and __fish_seen_subcommand_from create" -s o -l output -d 'Form of the answer; wide has more columns, csv has all [default: table]' -r -f -a "table\t''
wide\t''
json\t''
jsonl\t''
yaml\t''
csv\t''"
complete -c archonctl -n "__fish_archonctl_using_subcommand token; and __fish_seen_subcommand_from create" -l columns -d 'Columns to show, in this order (table, wide, csv); a wrong name lists the right ones' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand token; and __fish_seen_subcommand_from create" -l color -d 'When to colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c archonctl -n "__fish_archonctl_using_subcommand token; and __fish_seen_subcommand_from create" -l time -d 'How tables show times; the other formats have RFC 3339 in UTC [default: relative]' -r -f -a "relative\t''
iso\t''"
complete -c archonctl -n "__fish_archonctl_using_subcommand token; and __fish_seen_subcommand_from create" -l json -d 'Short for -o json'
complete -c archonctl -n "__fish_archonctl_using_subcommand token; and __fish_seen_subcommand_from create" -l no-headers -d 'Leave out the header of tables and CSV'
complete -c archonctl -n "__fish_archonctl_using_subcommand token; and __fish_seen_subcommand_from create" -l no-trunc -d 'Cut nothing and leave nothing out to fit the terminal'
complete -c archonctl -n "__fish_archonctl_using_subcommand token; and __fish_seen_subcommand_from create" -s q -l quiet -d 'Only ids, one on each line, for tables that have them; no remarks on standard error'
complete -c archonctl -n "__fish_archonctl_using_subcommand token; and __fish_seen_subcommand_from create" -s h -l help -d 'Print help'
complete -c archonctl -n "__fish_archonctl_using_subcommand token; and __fish_seen_subcommand_from list" -l data-dir -d 'Where journals and the embedded store are' -r -f -a "(__fish_complete_directories)"
complete -c archonctl -n "__fish_archonctl_using_subcommand token; and __fish_seen_subcommand_from list" -l database-url -d 'Another database: postgres://USER@HOST/DATABASE or sqlite:FILE; no password here' -r -f
complete -c archonctl -n "__fish_archonctl_using_subcommand token; and __fish_seen_subcommand_from list" -l database-url-file -d 'A file that holds this URL, with the password' -r -F
complete -c archonctl -n "__fish_archonctl_using_subcommand token; and __fish_seen_subcommand_from list" -l database-schema -d 'The schema with our tables, for PostgreSQL [default: the role\'s own]' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand token; and __fish_seen_subcommand_from list" -s o -l output -d 'Form of the answer; wide has more columns, csv has all [default: table]' -r -f -a "table\t''
wide\t''
json\t''
jsonl\t''
yaml\t''
csv\t''"
complete -c archonctl -n "__fish_archonctl_using_subcommand token; and __fish_seen_subcommand_from list" -l columns -d 'Columns to show, in this order (table, wide, csv); a wrong name lists the right ones' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand token; and __fish_seen_subcommand_from list" -l color -d 'When to colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c archonctl -n "__fish_archonctl_using_subcommand token; and __fish_seen_subcommand_from list" -l time -d 'How tables show times; the other formats have RFC 3339 in UTC [default: relative]' -r -f -a "relative\t''
iso\t''"
complete -c archonctl -n "__fish_archonctl_using_subcommand token; and __fish_seen_subcommand_from list" -l json -d 'Short for -o json'
complete -c archonctl -n "__fish_archonctl_using_subcommand token; and __fish_seen_subcommand_from list" -l no-headers -d 'Leave out the header of tables and CSV'
complete -c archonctl -n "__fish_archonctl_using_subcommand token; and __fish_seen_subcommand_from list" -l no-trunc -d 'Cut nothing and leave nothing out to fit the terminal'
complete -c archonctl -n "__fish_archonctl_using_subcommand token; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Only ids, one on each line, for tables that have them; no remarks on standard error'
complete -c archonctl -n "__fish_archonctl_using_subcommand token; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help'
complete -c archonctl -n "__fish_archonctl_using_subcommand token; and __fish_seen_subcommand_from revoke" -l data-dir -d 'Where journals and the embedded store are' -r -f -a "(__fish_complete_directories)"
complete -c archonctl -n "__fish_archonctl_using_subcommand token; and __fish_seen_subcommand_from revoke" -l database-url -d 'Another database: postgres://USER@HOST/DATABASE or sqlite:FILE; no password here' -r -f
complete -c archonctl -n "__fish_archonctl_using_subcommand token; and __fish_seen_subcommand_from revoke" -l database-url-file -d 'A file that holds this URL, with the password' -r -F
complete -c archonctl -n "__fish_archonctl_using_subcommand token; and __fish_seen_subcommand_from revoke" -l database-schema -d 'The schema with our tables, for PostgreSQL [default: the role\'s own]' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand token; and __fish_seen_subcommand_from revoke" -s o -l output -d 'Form of the answer; wide has more columns, csv has all [default: table]' -r -f -a "table\t''
wide\t''
json\t''
jsonl\t''
yaml\t''
csv\t''"
complete -c archonctl -n "__fish_archonctl_using_subcommand token; and __fish_seen_subcommand_from revoke" -l columns -d 'Columns to show, in this order (table, wide, csv); a wrong name lists the right ones' -r
complete -c archonctl -n "__fish_archonctl_using_subcommand token; and __fish_seen_subcommand_from revoke" -l color -d 'When to colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c archonctl -n "__fish_archonctl_using_subcommand token; and __fish_seen_subcommand_from revoke" -l time -d 'How tables show times; the other formats have RFC 3339 in UTC [default: relative]' -r -f -a "relative\t''
iso\t''"
complete -c archonctl -n "__fish_archonctl_using_subcommand token; and __fish_seen_subcommand_from revoke" -l json -d 'Short for -o json'
complete -c archonctl -n "__fish_archonctl_using_subcommand token; and __fish_seen_subcommand_from revoke" -l no-headers -d 'Leave out the header of tables and CSV'
complete -c archonctl -n "__fish_archonctl_using_subcommand token; and __fish_seen_subcommand_from revoke" -l no-trunc -d 'Cut nothing and leave nothing out to fit the terminal'
complete -c archonctl -n "__fish_archonctl_using_subcommand token; and __fish_seen_subcommand_from revoke" -s q -l quiet -d 'Only ids, one on each line, for tables that have them; no remarks on standard error'
complete -c archonctl -n "__fish_archonctl_using_subcommand token; and __fish_seen_subcommand_from revoke" -s h -l help -d 'Print help'
complete -c archonctl -n "__fish_archonctl_using_subcommand token; and __fish_seen_subcommand_from help" -f -a "create" -d 'Make a token; it is shown this once, with -q nothing else'
complete -c archonctl -n "__fish_archonctl_using_subcommand token; and __fish_seen_subcommand_from help" -f -a "list" -d 'List tokens, the newest first'
complete -c archonctl -n "__fish_archonctl_using_subcommand token; and __fish_seen_subcommand_from help" -f -a "revoke" -d 'Revoke a token; it is good no more at once'
complete -c archonctl -n "__fish_archonctl_using_subcommand token; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c archonctl -n "__fish_archonctl_using_subcommand config; and not __fish_seen_subcommand_from show help" -s h -l help -d 'Print help'
complete -c archonctl -n "__fish_archonctl_using_subcommand config; and not __fish_seen_subcommand_from show help" -f -a "show" -d 'Show every setting and its value'
complete -c archonctl -n "__fish_archonctl_using_subcommand config; and not __fish_seen_subcommand_from show help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c archonctl -n "__fish_archonctl_using_subcommand config; and __fish_seen_subcommand_from show" -l data-dir -d 'Where journals and the embedded store are' -r -f -a "(__fish_complete_directories)"
complete -c archonctl -n "__fish_archonctl_using_subcommand config; and __fish_seen_subcommand_from show" -l database-url -d 'Another database: postgres://USER@HOST/DATABASE or sqlite:FILE; no password here' -r -f
complete -c archonctl -n "__fish_archonctl_using_subcommand config; and __fish_seen_subcommand_from show" -l database-url-file -d 'A file that holds this URL, with the password' -r -F
complete -c archonctl -n "__fish_archonctl_using_subcommand config; and __fish_seen_subcommand_from show" -l database-schema -d 'The schema with our tables, for PostgreSQL [default: the role\'s own]' -r
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
complete -c archonctl -n "__fish_archonctl_using_subcommand schema" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c archonctl -n "__fish_archonctl_using_subcommand completions" -l out -d 'Write the scripts of all shells into this directory' -r -F
complete -c archonctl -n "__fish_archonctl_using_subcommand completions" -s h -l help -d 'Print help'
complete -c archonctl -n "__fish_archonctl_using_subcommand man" -l out -d 'Write the pages of all commands into this directory instead' -r -f -a "(__fish_complete_directories)"
complete -c archonctl -n "__fish_archonctl_using_subcommand man" -s h -l help -d 'Print help'
complete -c archonctl -n "__fish_archonctl_using_subcommand help; and not __fish_seen_subcommand_from serve run bridge sessions test-connection migrate doctor pricing token config schema completions man help" -f -a "serve" -d 'Relay MCP traffic to a server and track its sessions'
complete -c archonctl -n "__fish_archonctl_using_subcommand help; and not __fish_seen_subcommand_from serve run bridge sessions test-connection migrate doctor pricing token config schema completions man help" -f -a "run" -d 'Run an MCP server over stdio and track its session'
complete -c archonctl -n "__fish_archonctl_using_subcommand help; and not __fish_seen_subcommand_from serve run bridge sessions test-connection migrate doctor pricing token config schema completions man help" -f -a "bridge" -d 'Be a stdio server that forwards to an MCP server over HTTP, and track its session'
complete -c archonctl -n "__fish_archonctl_using_subcommand help; and not __fish_seen_subcommand_from serve run bridge sessions test-connection migrate doctor pricing token config schema completions man help" -f -a "sessions" -d 'Show sessions: who works with a server, who left and why'
complete -c archonctl -n "__fish_archonctl_using_subcommand help; and not __fish_seen_subcommand_from serve run bridge sessions test-connection migrate doctor pricing token config schema completions man help" -f -a "test-connection" -d 'Test that an MCP server answers, and that its session is tracked'
complete -c archonctl -n "__fish_archonctl_using_subcommand help; and not __fish_seen_subcommand_from serve run bridge sessions test-connection migrate doctor pricing token config schema completions man help" -f -a "migrate" -d 'Bring the database to this version, and prove it'
complete -c archonctl -n "__fish_archonctl_using_subcommand help; and not __fish_seen_subcommand_from serve run bridge sessions test-connection migrate doctor pricing token config schema completions man help" -f -a "doctor" -d 'Check the data directory, journals, the store and its instances, and explain what is wrong'
complete -c archonctl -n "__fish_archonctl_using_subcommand help; and not __fish_seen_subcommand_from serve run bridge sessions test-connection migrate doctor pricing token config schema completions man help" -f -a "pricing" -d 'Show and set what models cost'
complete -c archonctl -n "__fish_archonctl_using_subcommand help; and not __fish_seen_subcommand_from serve run bridge sessions test-connection migrate doctor pricing token config schema completions man help" -f -a "token" -d 'Make, list and revoke tokens for the API'
complete -c archonctl -n "__fish_archonctl_using_subcommand help; and not __fish_seen_subcommand_from serve run bridge sessions test-connection migrate doctor pricing token config schema completions man help" -f -a "config" -d 'Show settings'
complete -c archonctl -n "__fish_archonctl_using_subcommand help; and not __fish_seen_subcommand_from serve run bridge sessions test-connection migrate doctor pricing token config schema completions man help" -f -a "schema" -d 'Print a description of the REST API'
complete -c archonctl -n "__fish_archonctl_using_subcommand help; and not __fish_seen_subcommand_from serve run bridge sessions test-connection migrate doctor pricing token config schema completions man help" -f -a "completions" -d 'Print the completion script of a shell'
complete -c archonctl -n "__fish_archonctl_using_subcommand help; and not __fish_seen_subcommand_from serve run bridge sessions test-connection migrate doctor pricing token config schema completions man help" -f -a "man" -d 'Print the manual page'
complete -c archonctl -n "__fish_archonctl_using_subcommand help; and not __fish_seen_subcommand_from serve run bridge sessions test-connection migrate doctor pricing token config schema completions man help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c archonctl -n "__fish_archonctl_using_subcommand help; and __fish_seen_subcommand_from sessions" -f -a "list" -d 'List sessions, newest activity first'
complete -c archonctl -n "__fish_archonctl_using_subcommand help; and __fish_seen_subcommand_from sessions" -f -a "show" -d 'Show one session and its operations, newest first'
complete -c archonctl -n "__fish_archonctl_using_subcommand help; and __fish_seen_subcommand_from sessions" -f -a "disconnected" -d 'List sessions that ended, newest end first, and why [default: the last 7 days]'
complete -c archonctl -n "__fish_archonctl_using_subcommand help; and __fish_seen_subcommand_from sessions" -f -a "stats" -d 'Count sessions by client type: how many, how they ended, how long they lasted [default: of all time]'
complete -c archonctl -n "__fish_archonctl_using_subcommand help; and __fish_seen_subcommand_from migrate" -f -a "up" -d 'Apply what is pending, record what was made by hand, make what is missing'
complete -c archonctl -n "__fish_archonctl_using_subcommand help; and __fish_seen_subcommand_from migrate" -f -a "status" -d 'Show every migration: recorded, really there, and the verdict'
complete -c archonctl -n "__fish_archonctl_using_subcommand help; and __fish_seen_subcommand_from migrate" -f -a "verify" -d 'Prove that the schema is what the migrations make; exit code 5 and every difference by name if not'
complete -c archonctl -n "__fish_archonctl_using_subcommand help; and __fish_seen_subcommand_from migrate" -f -a "plan" -d 'Print the SQL that `migrate up` would run, without running it'
complete -c archonctl -n "__fish_archonctl_using_subcommand help; and __fish_seen_subcommand_from migrate" -f -a "adopt" -d 'Record migrations that were made by hand, as far as they are all there'
complete -c archonctl -n "__fish_archonctl_using_subcommand help; and __fish_seen_subcommand_from migrate" -f -a "repair" -d 'Make what is missing of migrations that are there in part, or recorded and not there'
complete -c archonctl -n "__fish_archonctl_using_subcommand help; and __fish_seen_subcommand_from migrate" -f -a "down" -d 'Undo the last migration, or all after a number'
complete -c archonctl -n "__fish_archonctl_using_subcommand help; and __fish_seen_subcommand_from migrate" -f -a "dump" -d 'Print the schema as it is, as SQL that makes it again'
complete -c archonctl -n "__fish_archonctl_using_subcommand help; and __fish_seen_subcommand_from pricing" -f -a "list" -d 'List what models cost: prices in force and to come, in US dollars'
complete -c archonctl -n "__fish_archonctl_using_subcommand help; and __fish_seen_subcommand_from pricing" -f -a "set" -d 'Set what a model costs from a day on, in US dollars'
complete -c archonctl -n "__fish_archonctl_using_subcommand help; and __fish_seen_subcommand_from pricing" -f -a "import" -d 'Set prices from a CSV or JSON file, all or none'
complete -c archonctl -n "__fish_archonctl_using_subcommand help; and __fish_seen_subcommand_from token" -f -a "create" -d 'Make a token; it is shown this once, with -q nothing else'
complete -c archonctl -n "__fish_archonctl_using_subcommand help; and __fish_seen_subcommand_from token" -f -a "list" -d 'List tokens, the newest first'
complete -c archonctl -n "__fish_archonctl_using_subcommand help; and __fish_seen_subcommand_from token" -f -a "revoke" -d 'Revoke a token; it is good no more at once'
complete -c archonctl -n "__fish_archonctl_using_subcommand help; and __fish_seen_subcommand_from config" -f -a "show" -d 'Show every setting and its value'
