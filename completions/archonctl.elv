
use builtin;
use str;

set edit:completion:arg-completer[archonctl] = {|@words|
    fn spaces {|n|
        builtin:repeat $n ' ' | str:join ''
    }
    fn cand {|text desc|
        edit:complex-candidate $text &display=$text' '(spaces (- 14 (wcswidth $text)))$desc
    }
    var command = 'archonctl'
    for word $words[1..-1] {
        if (str:has-prefix $word '-') {
            break
        }
        set command = $command';'$word
    }
    var completions = [
        &'archonctl'= {
            cand -h 'Print help'
            cand --help 'Print help'
            cand -V 'Print version'
            cand --version 'Print version'
            cand serve 'Relay MCP traffic to a server and track its sessions'
            cand run 'Run an MCP server over stdio and track its session'
            cand bridge 'Be a stdio server that forwards to an MCP server over HTTP, and track its session'
            cand sessions 'Show sessions: who works with a server, who left and why'
            cand test-connection 'Test that an MCP server answers, and that its session is tracked'
            cand migrate 'Bring the database to this version, and prove it'
            cand doctor 'Check the data directory, journals, the store and its instances, and explain what is wrong'
            cand pricing 'Show and set what models cost'
            cand token 'Make, list and revoke tokens for the API'
            cand config 'Show settings'
            cand schema 'Print a description of the REST API'
            cand completions 'Print the completion script of a shell'
            cand man 'Print the manual page'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'archonctl;serve'= {
            cand --listen 'Where to listen [default: 127.0.0.1:8051]'
            cand --api-listen 'Where the REST API listens; elsewhere than on loopback it asks for a token; ''off'' for none [default: 127.0.0.1:8181]'
            cand --api-cors-origin 'A site whose pages may use the API (https://app.example.com); can be given more than once [default: none]'
            cand --jwt-key-file 'A file of public keys that JWTs for the API are verified with, PEM or JWKS: RS256, ES256, EdDSA'
            cand --jwt-secret-file 'A file with a secret that JWTs for the API are verified with: HS256'
            cand --jwt-issuer 'What the claim iss of a JWT has to be'
            cand --jwt-audience 'What has to be in the claim aud of a JWT'
            cand --upstream 'An MCP server to relay to, served at /mcp/NAME, the first one also at /mcp; can be given more than once; /mcp is added to a URL without a path'
            cand --upstream-name 'The name for sessions of a server given without one [default: default]'
            cand --session-timeout 'Time without activity that ends a session [default: 3600s]'
            cand --idle-after 'Time without activity after which a session counts as idle [default: 5m]'
            cand --disconnect-grace 'How long a client that dropped its stream may take to come back [default: 30s]'
            cand --request-timeout 'How long the server may take to answer [default: 300s]'
            cand --connect-timeout 'How long a connection to the server may take to come about [default: 10s]'
            cand --max-head 'Longest head of a request; a longer one gets 431 [default: 64KiB]'
            cand --max-body 'Longest body of a request; a longer one gets 413 [default: 64MiB]'
            cand --max-connections 'Connections at the same time; one more gets 503 [default: 20000]'
            cand --max-streams 'Streams held open at the same time; one more gets 503 [default: 10000]'
            cand --keep-alive-timeout 'How long a connection may stay open without a request [default: 2m]'
            cand --head-timeout 'How long the head of a request may take to arrive; then 408 [default: 30s]'
            cand --body-timeout 'How long a client may take to send the next piece of a body; then 408 [default: 30s]'
            cand --write-timeout 'How long a client may take to read a piece of an answer [default: 60s]'
            cand --allowed-hosts 'A name that may stand in Host, beside loopback''s own (name, host:port, *.domain, *); can be given more than once'
            cand --allowed-origins 'A site that may stand in Origin, beside this machine''s own (https://app.example.com, *); can be given more than once'
            cand --public-url 'Where clients reach the daemon, if that is not what they write into Host (https://mcp.example.com)'
            cand --drain-timeout 'How long requests in flight may take to finish at the end [default: 10s]'
            cand --workers 'Worker threads [default: one for each core]'
            cand --instance-timeout 'How long an instance counts as alive without another word [default: 30s]'
            cand --journal-bound 'How much of the disk records may fill that the store has not taken [default: 1GiB]'
            cand --max-counted-text 'How much of one text is counted in tokens, the rest is taken to be like it; 0 estimates all by length [default: 16KiB]'
            cand --default-model 'The model that costs are estimated for, where nothing else says one'
            cand --upstream-models 'The model behind sessions with a server; can be given more than once'
            cand --client-models 'The model behind sessions of a client, by its name or type; can be given more than once'
            cand --otlp-endpoint 'An OpenTelemetry collector that spans and metrics are sent to (OTLP over HTTP, such as http://127.0.0.1:4318); OTEL_EXPORTER_OTLP_ENDPOINT and its kin are understood'
            cand --log-format 'Form of the log: text or json; what is logged is ARCHONCTL_LOG''s to say [default: text]'
            cand --data-dir 'Where journals and the embedded store are'
            cand --database-url 'Another database: postgres://USER@HOST/DATABASE or sqlite:FILE; no password here'
            cand --database-url-file 'A file that holds this URL, with the password'
            cand --database-schema 'The schema with our tables, for PostgreSQL [default: the role''s own]'
            cand --no-auth 'Let everybody into the API who can reach it, wherever it listens'
            cand --journal-fsync 'Have records on the disk itself before an answer ends, so that a loss of power loses none'
            cand --migrate 'Apply pending migrations to a PostgreSQL store before serving; the embedded one is always migrated'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'archonctl;run'= {
            cand --name 'The name its session is stored under [default: made from the command]'
            cand --session-timeout 'Time without activity that ends a session [default: 3600s]'
            cand --idle-after 'Time without activity after which a session counts as idle [default: 5m]'
            cand --request-timeout 'How long the server may take to answer [default: 300s]'
            cand --drain-timeout 'How long answers may still take when the client has left [default: 10s]'
            cand --default-model 'The model that costs are estimated for'
            cand --data-dir 'Where journals and the embedded store are'
            cand --database-url 'Another database: postgres://USER@HOST/DATABASE or sqlite:FILE; no password here'
            cand --database-url-file 'A file that holds this URL, with the password'
            cand --database-schema 'The schema with our tables, for PostgreSQL [default: the role''s own]'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'archonctl;bridge'= {
            cand --header 'A header to send with every request; may be given several times'
            cand --header-file 'A file with headers, one on each line'
            cand --name 'The name its session is stored under [default: made from the URL]'
            cand --retry-for 'How long a server that cannot be reached is tried before a request is answered with an error'
            cand --session-timeout 'Time without activity that ends a session [default: 3600s]'
            cand --idle-after 'Time without activity after which a session counts as idle [default: 5m]'
            cand --request-timeout 'How long the server may take to answer [default: 300s]'
            cand --drain-timeout 'How long answers may still take when the client has left [default: 10s]'
            cand --default-model 'The model that costs are estimated for'
            cand --data-dir 'Where journals and the embedded store are'
            cand --database-url 'Another database: postgres://USER@HOST/DATABASE or sqlite:FILE; no password here'
            cand --database-url-file 'A file that holds this URL, with the password'
            cand --database-schema 'The schema with our tables, for PostgreSQL [default: the role''s own]'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'archonctl;sessions'= {
            cand -h 'Print help'
            cand --help 'Print help'
            cand list 'List sessions, newest activity first'
            cand show 'Show one session and its operations, newest first'
            cand disconnected 'List sessions that ended, newest end first, and why [default: the last 7 days]'
            cand stats 'Count sessions by client type: how many, how they ended, how long they lasted [default: of all time]'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'archonctl;sessions;list'= {
            cand --status 'Only sessions that are so; repeat it or separate with commas [default: all]'
            cand --client 'Only sessions of this client type, such as Claude or Cursor'
            cand --server 'Only sessions with this server'
            cand --limit 'Rows at the most, 1 to 10000'
            cand --offset 'Rows to leave out before the first'
            cand --data-dir 'Where journals and the embedded store are'
            cand --database-url 'Another database: postgres://USER@HOST/DATABASE or sqlite:FILE; no password here'
            cand --database-url-file 'A file that holds this URL, with the password'
            cand --database-schema 'The schema with our tables, for PostgreSQL [default: the role''s own]'
            cand --api-url 'Ask the API of a daemon in place of a database, such as https://archon.example.com'
            cand --api-token-file 'A file with the token for it; ARCHONCTL_API_TOKEN holds the token itself'
            cand --since 'From here on: a time ago (7d, 1h30m) or RFC 3339; UTC if no offset is given'
            cand --until 'Up to here: a time ago (7d, 1h30m) or RFC 3339; UTC if no offset is given [default: now]'
            cand --days 'The last N days, 1 to 3650'
            cand -o 'Form of the answer; wide has more columns, csv has all [default: table]'
            cand --output 'Form of the answer; wide has more columns, csv has all [default: table]'
            cand --columns 'Columns to show, in this order (table, wide, csv); a wrong name lists the right ones'
            cand --color 'When to colour'
            cand --time 'How tables show times; the other formats have RFC 3339 in UTC [default: relative]'
            cand --with-calls 'Only sessions with at least one call'
            cand --json 'Short for -o json'
            cand --no-headers 'Leave out the header of tables and CSV'
            cand --no-trunc 'Cut nothing and leave nothing out to fit the terminal'
            cand -q 'Only ids, one on each line, for tables that have them; no remarks on standard error'
            cand --quiet 'Only ids, one on each line, for tables that have them; no remarks on standard error'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'archonctl;sessions;show'= {
            cand --limit 'Rows at the most, 1 to 10000'
            cand --offset 'Rows to leave out before the first'
            cand --data-dir 'Where journals and the embedded store are'
            cand --database-url 'Another database: postgres://USER@HOST/DATABASE or sqlite:FILE; no password here'
            cand --database-url-file 'A file that holds this URL, with the password'
            cand --database-schema 'The schema with our tables, for PostgreSQL [default: the role''s own]'
            cand --api-url 'Ask the API of a daemon in place of a database, such as https://archon.example.com'
            cand --api-token-file 'A file with the token for it; ARCHONCTL_API_TOKEN holds the token itself'
            cand -o 'Form of the answer; wide has more columns, csv has all [default: table]'
            cand --output 'Form of the answer; wide has more columns, csv has all [default: table]'
            cand --columns 'Columns to show, in this order (table, wide, csv); a wrong name lists the right ones'
            cand --color 'When to colour'
            cand --time 'How tables show times; the other formats have RFC 3339 in UTC [default: relative]'
            cand --json 'Short for -o json'
            cand --no-headers 'Leave out the header of tables and CSV'
            cand --no-trunc 'Cut nothing and leave nothing out to fit the terminal'
            cand -q 'Only ids, one on each line, for tables that have them; no remarks on standard error'
            cand --quiet 'Only ids, one on each line, for tables that have them; no remarks on standard error'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'archonctl;sessions;disconnected'= {
            cand --limit 'Rows at the most, 1 to 10000'
            cand --offset 'Rows to leave out before the first'
            cand --data-dir 'Where journals and the embedded store are'
            cand --database-url 'Another database: postgres://USER@HOST/DATABASE or sqlite:FILE; no password here'
            cand --database-url-file 'A file that holds this URL, with the password'
            cand --database-schema 'The schema with our tables, for PostgreSQL [default: the role''s own]'
            cand --api-url 'Ask the API of a daemon in place of a database, such as https://archon.example.com'
            cand --api-token-file 'A file with the token for it; ARCHONCTL_API_TOKEN holds the token itself'
            cand --since 'From here on: a time ago (7d, 1h30m) or RFC 3339; UTC if no offset is given'
            cand --until 'Up to here: a time ago (7d, 1h30m) or RFC 3339; UTC if no offset is given [default: now]'
            cand --days 'The last N days, 1 to 3650'
            cand -o 'Form of the answer; wide has more columns, csv has all [default: table]'
            cand --output 'Form of the answer; wide has more columns, csv has all [default: table]'
            cand --columns 'Columns to show, in this order (table, wide, csv); a wrong name lists the right ones'
            cand --color 'When to colour'
            cand --time 'How tables show times; the other formats have RFC 3339 in UTC [default: relative]'
            cand --json 'Short for -o json'
            cand --no-headers 'Leave out the header of tables and CSV'
            cand --no-trunc 'Cut nothing and leave nothing out to fit the terminal'
            cand -q 'Only ids, one on each line, for tables that have them; no remarks on standard error'
            cand --quiet 'Only ids, one on each line, for tables that have them; no remarks on standard error'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'archonctl;sessions;stats'= {
            cand --data-dir 'Where journals and the embedded store are'
            cand --database-url 'Another database: postgres://USER@HOST/DATABASE or sqlite:FILE; no password here'
            cand --database-url-file 'A file that holds this URL, with the password'
            cand --database-schema 'The schema with our tables, for PostgreSQL [default: the role''s own]'
            cand --api-url 'Ask the API of a daemon in place of a database, such as https://archon.example.com'
            cand --api-token-file 'A file with the token for it; ARCHONCTL_API_TOKEN holds the token itself'
            cand --since 'From here on: a time ago (7d, 1h30m) or RFC 3339; UTC if no offset is given'
            cand --until 'Up to here: a time ago (7d, 1h30m) or RFC 3339; UTC if no offset is given [default: now]'
            cand --days 'The last N days, 1 to 3650'
            cand -o 'Form of the answer; wide has more columns, csv has all [default: table]'
            cand --output 'Form of the answer; wide has more columns, csv has all [default: table]'
            cand --columns 'Columns to show, in this order (table, wide, csv); a wrong name lists the right ones'
            cand --color 'When to colour'
            cand --time 'How tables show times; the other formats have RFC 3339 in UTC [default: relative]'
            cand --json 'Short for -o json'
            cand --no-headers 'Leave out the header of tables and CSV'
            cand --no-trunc 'Cut nothing and leave nothing out to fit the terminal'
            cand -q 'Only ids, one on each line, for tables that have them; no remarks on standard error'
            cand --quiet 'Only ids, one on each line, for tables that have them; no remarks on standard error'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'archonctl;sessions;help'= {
            cand list 'List sessions, newest activity first'
            cand show 'Show one session and its operations, newest first'
            cand disconnected 'List sessions that ended, newest end first, and why [default: the last 7 days]'
            cand stats 'Count sessions by client type: how many, how they ended, how long they lasted [default: of all time]'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'archonctl;sessions;help;list'= {
        }
        &'archonctl;sessions;help;show'= {
        }
        &'archonctl;sessions;help;disconnected'= {
        }
        &'archonctl;sessions;help;stats'= {
        }
        &'archonctl;sessions;help;help'= {
        }
        &'archonctl;test-connection'= {
            cand --timeout 'How long each step may take'
            cand --data-dir 'Where journals and the embedded store are'
            cand --database-url 'Another database: postgres://USER@HOST/DATABASE or sqlite:FILE; no password here'
            cand --database-url-file 'A file that holds this URL, with the password'
            cand --database-schema 'The schema with our tables, for PostgreSQL [default: the role''s own]'
            cand -o 'Form of the answer; wide has more columns, csv has all [default: table]'
            cand --output 'Form of the answer; wide has more columns, csv has all [default: table]'
            cand --columns 'Columns to show, in this order (table, wide, csv); a wrong name lists the right ones'
            cand --color 'When to colour'
            cand --time 'How tables show times; the other formats have RFC 3339 in UTC [default: relative]'
            cand --no-store-check 'Do not look for the session in the store'
            cand --any-server 'Test any MCP server, with no archonctl in front of it: nothing is looked for in the store'
            cand --json 'Short for -o json'
            cand --no-headers 'Leave out the header of tables and CSV'
            cand --no-trunc 'Cut nothing and leave nothing out to fit the terminal'
            cand -q 'Only ids, one on each line, for tables that have them; no remarks on standard error'
            cand --quiet 'Only ids, one on each line, for tables that have them; no remarks on standard error'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'archonctl;migrate'= {
            cand --to 'The number of the last migration to apply [default: all]'
            cand --wait-timeout 'How long to wait at the most'
            cand --lock-timeout 'How long a statement waits for a lock, before it is undone and tried again (PostgreSQL)'
            cand --data-dir 'Where journals and the embedded store are'
            cand --database-url 'Another database: postgres://USER@HOST/DATABASE or sqlite:FILE; no password here'
            cand --database-url-file 'A file that holds this URL, with the password'
            cand --database-schema 'The schema with our tables, for PostgreSQL [default: the role''s own]'
            cand -o 'Form of the answer; wide has more columns, csv has all [default: table]'
            cand --output 'Form of the answer; wide has more columns, csv has all [default: table]'
            cand --columns 'Columns to show, in this order (table, wide, csv); a wrong name lists the right ones'
            cand --color 'When to colour'
            cand --time 'How tables show times; the other formats have RFC 3339 in UTC [default: relative]'
            cand --rehearse 'Run everything in one transaction, and undo it'
            cand --wait 'Wait for the end of another run of migrations, instead of exit code 6'
            cand --no-copy 'Do not copy the embedded database before it is changed'
            cand --json 'Short for -o json'
            cand --no-headers 'Leave out the header of tables and CSV'
            cand --no-trunc 'Cut nothing and leave nothing out to fit the terminal'
            cand -q 'Only ids, one on each line, for tables that have them; no remarks on standard error'
            cand --quiet 'Only ids, one on each line, for tables that have them; no remarks on standard error'
            cand -h 'Print help'
            cand --help 'Print help'
            cand up 'Apply what is pending, record what was made by hand, make what is missing'
            cand status 'Show every migration: recorded, really there, and the verdict'
            cand verify 'Prove that the schema is what the migrations make; exit code 5 and every difference by name if not'
            cand plan 'Print the SQL that `migrate up` would run, without running it'
            cand adopt 'Record migrations that were made by hand, as far as they are all there'
            cand repair 'Make what is missing of migrations that are there in part, or recorded and not there'
            cand down 'Undo the last migration, or all after a number'
            cand dump 'Print the schema as it is, as SQL that makes it again'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'archonctl;migrate;up'= {
            cand --to 'The number of the last migration to apply [default: all]'
            cand --wait-timeout 'How long to wait at the most'
            cand --lock-timeout 'How long a statement waits for a lock, before it is undone and tried again (PostgreSQL)'
            cand --data-dir 'Where journals and the embedded store are'
            cand --database-url 'Another database: postgres://USER@HOST/DATABASE or sqlite:FILE; no password here'
            cand --database-url-file 'A file that holds this URL, with the password'
            cand --database-schema 'The schema with our tables, for PostgreSQL [default: the role''s own]'
            cand -o 'Form of the answer; wide has more columns, csv has all [default: table]'
            cand --output 'Form of the answer; wide has more columns, csv has all [default: table]'
            cand --columns 'Columns to show, in this order (table, wide, csv); a wrong name lists the right ones'
            cand --color 'When to colour'
            cand --time 'How tables show times; the other formats have RFC 3339 in UTC [default: relative]'
            cand --rehearse 'Run everything in one transaction, and undo it'
            cand --wait 'Wait for the end of another run of migrations, instead of exit code 6'
            cand --no-copy 'Do not copy the embedded database before it is changed'
            cand --json 'Short for -o json'
            cand --no-headers 'Leave out the header of tables and CSV'
            cand --no-trunc 'Cut nothing and leave nothing out to fit the terminal'
            cand -q 'Only ids, one on each line, for tables that have them; no remarks on standard error'
            cand --quiet 'Only ids, one on each line, for tables that have them; no remarks on standard error'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'archonctl;migrate;status'= {
            cand --data-dir 'Where journals and the embedded store are'
            cand --database-url 'Another database: postgres://USER@HOST/DATABASE or sqlite:FILE; no password here'
            cand --database-url-file 'A file that holds this URL, with the password'
            cand --database-schema 'The schema with our tables, for PostgreSQL [default: the role''s own]'
            cand -o 'Form of the answer; wide has more columns, csv has all [default: table]'
            cand --output 'Form of the answer; wide has more columns, csv has all [default: table]'
            cand --columns 'Columns to show, in this order (table, wide, csv); a wrong name lists the right ones'
            cand --color 'When to colour'
            cand --time 'How tables show times; the other formats have RFC 3339 in UTC [default: relative]'
            cand --exit-code 'Exit with 8 if migrations are pending, with 5 if something is not as it should be'
            cand --json 'Short for -o json'
            cand --no-headers 'Leave out the header of tables and CSV'
            cand --no-trunc 'Cut nothing and leave nothing out to fit the terminal'
            cand -q 'Only ids, one on each line, for tables that have them; no remarks on standard error'
            cand --quiet 'Only ids, one on each line, for tables that have them; no remarks on standard error'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'archonctl;migrate;verify'= {
            cand --data-dir 'Where journals and the embedded store are'
            cand --database-url 'Another database: postgres://USER@HOST/DATABASE or sqlite:FILE; no password here'
            cand --database-url-file 'A file that holds this URL, with the password'
            cand --database-schema 'The schema with our tables, for PostgreSQL [default: the role''s own]'
            cand -o 'Form of the answer; wide has more columns, csv has all [default: table]'
            cand --output 'Form of the answer; wide has more columns, csv has all [default: table]'
            cand --columns 'Columns to show, in this order (table, wide, csv); a wrong name lists the right ones'
            cand --color 'When to colour'
            cand --time 'How tables show times; the other formats have RFC 3339 in UTC [default: relative]'
            cand --exit-code 'Exit with 8 if migrations are pending'
            cand --json 'Short for -o json'
            cand --no-headers 'Leave out the header of tables and CSV'
            cand --no-trunc 'Cut nothing and leave nothing out to fit the terminal'
            cand -q 'Only ids, one on each line, for tables that have them; no remarks on standard error'
            cand --quiet 'Only ids, one on each line, for tables that have them; no remarks on standard error'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'archonctl;migrate;plan'= {
            cand --to 'The number of the last migration to apply [default: all]'
            cand --data-dir 'Where journals and the embedded store are'
            cand --database-url 'Another database: postgres://USER@HOST/DATABASE or sqlite:FILE; no password here'
            cand --database-url-file 'A file that holds this URL, with the password'
            cand --database-schema 'The schema with our tables, for PostgreSQL [default: the role''s own]'
            cand -o 'Form of the answer; wide has more columns, csv has all [default: table]'
            cand --output 'Form of the answer; wide has more columns, csv has all [default: table]'
            cand --columns 'Columns to show, in this order (table, wide, csv); a wrong name lists the right ones'
            cand --color 'When to colour'
            cand --time 'How tables show times; the other formats have RFC 3339 in UTC [default: relative]'
            cand --json 'Short for -o json'
            cand --no-headers 'Leave out the header of tables and CSV'
            cand --no-trunc 'Cut nothing and leave nothing out to fit the terminal'
            cand -q 'Only ids, one on each line, for tables that have them; no remarks on standard error'
            cand --quiet 'Only ids, one on each line, for tables that have them; no remarks on standard error'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'archonctl;migrate;adopt'= {
            cand --wait-timeout 'How long to wait at the most'
            cand --lock-timeout 'How long a statement waits for a lock, before it is undone and tried again (PostgreSQL)'
            cand --data-dir 'Where journals and the embedded store are'
            cand --database-url 'Another database: postgres://USER@HOST/DATABASE or sqlite:FILE; no password here'
            cand --database-url-file 'A file that holds this URL, with the password'
            cand --database-schema 'The schema with our tables, for PostgreSQL [default: the role''s own]'
            cand -o 'Form of the answer; wide has more columns, csv has all [default: table]'
            cand --output 'Form of the answer; wide has more columns, csv has all [default: table]'
            cand --columns 'Columns to show, in this order (table, wide, csv); a wrong name lists the right ones'
            cand --color 'When to colour'
            cand --time 'How tables show times; the other formats have RFC 3339 in UTC [default: relative]'
            cand --dry-run 'Only say what would be recorded'
            cand --wait 'Wait for the end of another run of migrations, instead of exit code 6'
            cand --no-copy 'Do not copy the embedded database before it is changed'
            cand --json 'Short for -o json'
            cand --no-headers 'Leave out the header of tables and CSV'
            cand --no-trunc 'Cut nothing and leave nothing out to fit the terminal'
            cand -q 'Only ids, one on each line, for tables that have them; no remarks on standard error'
            cand --quiet 'Only ids, one on each line, for tables that have them; no remarks on standard error'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'archonctl;migrate;repair'= {
            cand --wait-timeout 'How long to wait at the most'
            cand --lock-timeout 'How long a statement waits for a lock, before it is undone and tried again (PostgreSQL)'
            cand --data-dir 'Where journals and the embedded store are'
            cand --database-url 'Another database: postgres://USER@HOST/DATABASE or sqlite:FILE; no password here'
            cand --database-url-file 'A file that holds this URL, with the password'
            cand --database-schema 'The schema with our tables, for PostgreSQL [default: the role''s own]'
            cand -o 'Form of the answer; wide has more columns, csv has all [default: table]'
            cand --output 'Form of the answer; wide has more columns, csv has all [default: table]'
            cand --columns 'Columns to show, in this order (table, wide, csv); a wrong name lists the right ones'
            cand --color 'When to colour'
            cand --time 'How tables show times; the other formats have RFC 3339 in UTC [default: relative]'
            cand --dry-run 'Only say what would be run'
            cand --wait 'Wait for the end of another run of migrations, instead of exit code 6'
            cand --no-copy 'Do not copy the embedded database before it is changed'
            cand --json 'Short for -o json'
            cand --no-headers 'Leave out the header of tables and CSV'
            cand --no-trunc 'Cut nothing and leave nothing out to fit the terminal'
            cand -q 'Only ids, one on each line, for tables that have them; no remarks on standard error'
            cand --quiet 'Only ids, one on each line, for tables that have them; no remarks on standard error'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'archonctl;migrate;down'= {
            cand --to 'The number of the last migration that stays; 0 undoes all [default: undo the last one]'
            cand --wait-timeout 'How long to wait at the most'
            cand --lock-timeout 'How long a statement waits for a lock, before it is undone and tried again (PostgreSQL)'
            cand --data-dir 'Where journals and the embedded store are'
            cand --database-url 'Another database: postgres://USER@HOST/DATABASE or sqlite:FILE; no password here'
            cand --database-url-file 'A file that holds this URL, with the password'
            cand --database-schema 'The schema with our tables, for PostgreSQL [default: the role''s own]'
            cand -o 'Form of the answer; wide has more columns, csv has all [default: table]'
            cand --output 'Form of the answer; wide has more columns, csv has all [default: table]'
            cand --columns 'Columns to show, in this order (table, wide, csv); a wrong name lists the right ones'
            cand --color 'When to colour'
            cand --time 'How tables show times; the other formats have RFC 3339 in UTC [default: relative]'
            cand --dry-run 'Only print the SQL'
            cand --yes 'Do not ask'
            cand --confirm 'Also where data is lost; does not ask either'
            cand --wait 'Wait for the end of another run of migrations, instead of exit code 6'
            cand --no-copy 'Do not copy the embedded database before it is changed'
            cand --json 'Short for -o json'
            cand --no-headers 'Leave out the header of tables and CSV'
            cand --no-trunc 'Cut nothing and leave nothing out to fit the terminal'
            cand -q 'Only ids, one on each line, for tables that have them; no remarks on standard error'
            cand --quiet 'Only ids, one on each line, for tables that have them; no remarks on standard error'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'archonctl;migrate;dump'= {
            cand --data-dir 'Where journals and the embedded store are'
            cand --database-url 'Another database: postgres://USER@HOST/DATABASE or sqlite:FILE; no password here'
            cand --database-url-file 'A file that holds this URL, with the password'
            cand --database-schema 'The schema with our tables, for PostgreSQL [default: the role''s own]'
            cand -o 'Form of the answer; wide has more columns, csv has all [default: table]'
            cand --output 'Form of the answer; wide has more columns, csv has all [default: table]'
            cand --columns 'Columns to show, in this order (table, wide, csv); a wrong name lists the right ones'
            cand --color 'When to colour'
            cand --time 'How tables show times; the other formats have RFC 3339 in UTC [default: relative]'
            cand --json 'Short for -o json'
            cand --no-headers 'Leave out the header of tables and CSV'
            cand --no-trunc 'Cut nothing and leave nothing out to fit the terminal'
            cand -q 'Only ids, one on each line, for tables that have them; no remarks on standard error'
            cand --quiet 'Only ids, one on each line, for tables that have them; no remarks on standard error'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'archonctl;migrate;help'= {
            cand up 'Apply what is pending, record what was made by hand, make what is missing'
            cand status 'Show every migration: recorded, really there, and the verdict'
            cand verify 'Prove that the schema is what the migrations make; exit code 5 and every difference by name if not'
            cand plan 'Print the SQL that `migrate up` would run, without running it'
            cand adopt 'Record migrations that were made by hand, as far as they are all there'
            cand repair 'Make what is missing of migrations that are there in part, or recorded and not there'
            cand down 'Undo the last migration, or all after a number'
            cand dump 'Print the schema as it is, as SQL that makes it again'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'archonctl;migrate;help;up'= {
        }
        &'archonctl;migrate;help;status'= {
        }
        &'archonctl;migrate;help;verify'= {
        }
        &'archonctl;migrate;help;plan'= {
        }
        &'archonctl;migrate;help;adopt'= {
        }
        &'archonctl;migrate;help;repair'= {
        }
        &'archonctl;migrate;help;down'= {
        }
        &'archonctl;migrate;help;dump'= {
        }
        &'archonctl;migrate;help;help'= {
        }
        &'archonctl;doctor'= {
            cand --data-dir 'Where journals and the embedded store are'
            cand --database-url 'Another database: postgres://USER@HOST/DATABASE or sqlite:FILE; no password here'
            cand --database-url-file 'A file that holds this URL, with the password'
            cand --database-schema 'The schema with our tables, for PostgreSQL [default: the role''s own]'
            cand -o 'Form of the answer; wide has more columns, csv has all [default: table]'
            cand --output 'Form of the answer; wide has more columns, csv has all [default: table]'
            cand --columns 'Columns to show, in this order (table, wide, csv); a wrong name lists the right ones'
            cand --color 'When to colour'
            cand --time 'How tables show times; the other formats have RFC 3339 in UTC [default: relative]'
            cand --json 'Short for -o json'
            cand --no-headers 'Leave out the header of tables and CSV'
            cand --no-trunc 'Cut nothing and leave nothing out to fit the terminal'
            cand -q 'Only ids, one on each line, for tables that have them; no remarks on standard error'
            cand --quiet 'Only ids, one on each line, for tables that have them; no remarks on standard error'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'archonctl;pricing'= {
            cand -h 'Print help'
            cand --help 'Print help'
            cand list 'List what models cost: prices in force and to come, in US dollars'
            cand set 'Set what a model costs from a day on, in US dollars'
            cand import 'Set prices from a CSV or JSON file, all or none'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'archonctl;pricing;list'= {
            cand --provider 'Only providers whose names contain this'
            cand --model 'Only models whose names contain this'
            cand --data-dir 'Where journals and the embedded store are'
            cand --database-url 'Another database: postgres://USER@HOST/DATABASE or sqlite:FILE; no password here'
            cand --database-url-file 'A file that holds this URL, with the password'
            cand --database-schema 'The schema with our tables, for PostgreSQL [default: the role''s own]'
            cand --api-url 'Ask the API of a daemon in place of a database, such as https://archon.example.com'
            cand --api-token-file 'A file with the token for it; ARCHONCTL_API_TOKEN holds the token itself'
            cand -o 'Form of the answer; wide has more columns, csv has all [default: table]'
            cand --output 'Form of the answer; wide has more columns, csv has all [default: table]'
            cand --columns 'Columns to show, in this order (table, wide, csv); a wrong name lists the right ones'
            cand --color 'When to colour'
            cand --time 'How tables show times; the other formats have RFC 3339 in UTC [default: relative]'
            cand --all 'Prices that newer ones have replaced as well'
            cand --json 'Short for -o json'
            cand --no-headers 'Leave out the header of tables and CSV'
            cand --no-trunc 'Cut nothing and leave nothing out to fit the terminal'
            cand -q 'Only ids, one on each line, for tables that have them; no remarks on standard error'
            cand --quiet 'Only ids, one on each line, for tables that have them; no remarks on standard error'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'archonctl;pricing;set'= {
            cand --provider 'Who offers it'
            cand --input-per-1m 'Price of 1,000,000 tokens of input'
            cand --output-per-1m 'Price of 1,000,000 tokens of output'
            cand --input-per-1k 'Price of 1,000 tokens of input'
            cand --output-per-1k 'Price of 1,000 tokens of output'
            cand --since 'The day it takes effect, UTC [default: today]'
            cand --notes 'Where the price is from, or other remarks'
            cand --data-dir 'Where journals and the embedded store are'
            cand --database-url 'Another database: postgres://USER@HOST/DATABASE or sqlite:FILE; no password here'
            cand --database-url-file 'A file that holds this URL, with the password'
            cand --database-schema 'The schema with our tables, for PostgreSQL [default: the role''s own]'
            cand -o 'Form of the answer; wide has more columns, csv has all [default: table]'
            cand --output 'Form of the answer; wide has more columns, csv has all [default: table]'
            cand --columns 'Columns to show, in this order (table, wide, csv); a wrong name lists the right ones'
            cand --color 'When to colour'
            cand --time 'How tables show times; the other formats have RFC 3339 in UTC [default: relative]'
            cand --dry-run 'Say what would be set, and set nothing'
            cand --json 'Short for -o json'
            cand --no-headers 'Leave out the header of tables and CSV'
            cand --no-trunc 'Cut nothing and leave nothing out to fit the terminal'
            cand -q 'Only ids, one on each line, for tables that have them; no remarks on standard error'
            cand --quiet 'Only ids, one on each line, for tables that have them; no remarks on standard error'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'archonctl;pricing;import'= {
            cand --data-dir 'Where journals and the embedded store are'
            cand --database-url 'Another database: postgres://USER@HOST/DATABASE or sqlite:FILE; no password here'
            cand --database-url-file 'A file that holds this URL, with the password'
            cand --database-schema 'The schema with our tables, for PostgreSQL [default: the role''s own]'
            cand -o 'Form of the answer; wide has more columns, csv has all [default: table]'
            cand --output 'Form of the answer; wide has more columns, csv has all [default: table]'
            cand --columns 'Columns to show, in this order (table, wide, csv); a wrong name lists the right ones'
            cand --color 'When to colour'
            cand --time 'How tables show times; the other formats have RFC 3339 in UTC [default: relative]'
            cand --dry-run 'Say what would be set, and set nothing'
            cand --json 'Short for -o json'
            cand --no-headers 'Leave out the header of tables and CSV'
            cand --no-trunc 'Cut nothing and leave nothing out to fit the terminal'
            cand -q 'Only ids, one on each line, for tables that have them; no remarks on standard error'
            cand --quiet 'Only ids, one on each line, for tables that have them; no remarks on standard error'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'archonctl;pricing;help'= {
            cand list 'List what models cost: prices in force and to come, in US dollars'
            cand set 'Set what a model costs from a day on, in US dollars'
            cand import 'Set prices from a CSV or JSON file, all or none'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'archonctl;pricing;help;list'= {
        }
        &'archonctl;pricing;help;set'= {
        }
        &'archonctl;pricing;help;import'= {
        }
        &'archonctl;pricing;help;help'= {
        }
        &'archonctl;token'= {
            cand -h 'Print help'
            cand --help 'Print help'
            cand create 'Make a token; it is shown this once, with -q nothing else'
            cand list 'List tokens, the newest first'
            cand revoke 'Revoke a token; it is good no more at once'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'archonctl;token;create'= {
            cand --scope 'What it may be used for; repeat it or separate with commas: read to ask, write to report sessions, admin for everything'
            cand --expires 'How long it is good for, such as 90d [default: until it is revoked]'
            cand --data-dir 'Where journals and the embedded store are'
            cand --database-url 'Another database: postgres://USER@HOST/DATABASE or sqlite:FILE; no password here'
            cand --database-url-file 'A file that holds this URL, with the password'
            cand --database-schema 'The schema with our tables, for PostgreSQL [default: the role''s own]'
            cand -o 'Form of the answer; wide has more columns, csv has all [default: table]'
            cand --output 'Form of the answer; wide has more columns, csv has all [default: table]'
            cand --columns 'Columns to show, in this order (table, wide, csv); a wrong name lists the right ones'
            cand --color 'When to colour'
            cand --time 'How tables show times; the other formats have RFC 3339 in UTC [default: relative]'
            cand --json 'Short for -o json'
            cand --no-headers 'Leave out the header of tables and CSV'
            cand --no-trunc 'Cut nothing and leave nothing out to fit the terminal'
            cand -q 'Only ids, one on each line, for tables that have them; no remarks on standard error'
            cand --quiet 'Only ids, one on each line, for tables that have them; no remarks on standard error'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'archonctl;token;list'= {
            cand --data-dir 'Where journals and the embedded store are'
            cand --database-url 'Another database: postgres://USER@HOST/DATABASE or sqlite:FILE; no password here'
            cand --database-url-file 'A file that holds this URL, with the password'
            cand --database-schema 'The schema with our tables, for PostgreSQL [default: the role''s own]'
            cand -o 'Form of the answer; wide has more columns, csv has all [default: table]'
            cand --output 'Form of the answer; wide has more columns, csv has all [default: table]'
            cand --columns 'Columns to show, in this order (table, wide, csv); a wrong name lists the right ones'
            cand --color 'When to colour'
            cand --time 'How tables show times; the other formats have RFC 3339 in UTC [default: relative]'
            cand --json 'Short for -o json'
            cand --no-headers 'Leave out the header of tables and CSV'
            cand --no-trunc 'Cut nothing and leave nothing out to fit the terminal'
            cand -q 'Only ids, one on each line, for tables that have them; no remarks on standard error'
            cand --quiet 'Only ids, one on each line, for tables that have them; no remarks on standard error'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'archonctl;token;revoke'= {
            cand --data-dir 'Where journals and the embedded store are'
            cand --database-url 'Another database: postgres://USER@HOST/DATABASE or sqlite:FILE; no password here'
            cand --database-url-file 'A file that holds this URL, with the password'
            cand --database-schema 'The schema with our tables, for PostgreSQL [default: the role''s own]'
            cand -o 'Form of the answer; wide has more columns, csv has all [default: table]'
            cand --output 'Form of the answer; wide has more columns, csv has all [default: table]'
            cand --columns 'Columns to show, in this order (table, wide, csv); a wrong name lists the right ones'
            cand --color 'When to colour'
            cand --time 'How tables show times; the other formats have RFC 3339 in UTC [default: relative]'
            cand --json 'Short for -o json'
            cand --no-headers 'Leave out the header of tables and CSV'
            cand --no-trunc 'Cut nothing and leave nothing out to fit the terminal'
            cand -q 'Only ids, one on each line, for tables that have them; no remarks on standard error'
            cand --quiet 'Only ids, one on each line, for tables that have them; no remarks on standard error'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'archonctl;token;help'= {
            cand create 'Make a token; it is shown this once, with -q nothing else'
            cand list 'List tokens, the newest first'
            cand revoke 'Revoke a token; it is good no more at once'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'archonctl;token;help;create'= {
        }
        &'archonctl;token;help;list'= {
        }
        &'archonctl;token;help;revoke'= {
        }
        &'archonctl;token;help;help'= {
        }
        &'archonctl;config'= {
            cand -h 'Print help'
            cand --help 'Print help'
            cand show 'Show every setting and its value'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'archonctl;config;show'= {
            cand --data-dir 'Where journals and the embedded store are'
            cand --database-url 'Another database: postgres://USER@HOST/DATABASE or sqlite:FILE; no password here'
            cand --database-url-file 'A file that holds this URL, with the password'
            cand --database-schema 'The schema with our tables, for PostgreSQL [default: the role''s own]'
            cand -o 'Form of the answer; wide has more columns, csv has all [default: table]'
            cand --output 'Form of the answer; wide has more columns, csv has all [default: table]'
            cand --columns 'Columns to show, in this order (table, wide, csv); a wrong name lists the right ones'
            cand --color 'When to colour'
            cand --time 'How tables show times; the other formats have RFC 3339 in UTC [default: relative]'
            cand --origin 'Also show where each value comes from'
            cand --json 'Short for -o json'
            cand --no-headers 'Leave out the header of tables and CSV'
            cand --no-trunc 'Cut nothing and leave nothing out to fit the terminal'
            cand -q 'Only ids, one on each line, for tables that have them; no remarks on standard error'
            cand --quiet 'Only ids, one on each line, for tables that have them; no remarks on standard error'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'archonctl;config;help'= {
            cand show 'Show every setting and its value'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'archonctl;config;help;show'= {
        }
        &'archonctl;config;help;help'= {
        }
        &'archonctl;schema'= {
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'archonctl;completions'= {
            cand --out 'Write the scripts of all shells into this directory'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'archonctl;man'= {
            cand --out 'Write the pages of all commands into this directory instead'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'archonctl;help'= {
            cand serve 'Relay MCP traffic to a server and track its sessions'
            cand run 'Run an MCP server over stdio and track its session'
            cand bridge 'Be a stdio server that forwards to an MCP server over HTTP, and track its session'
            cand sessions 'Show sessions: who works with a server, who left and why'
            cand test-connection 'Test that an MCP server answers, and that its session is tracked'
            cand migrate 'Bring the database to this version, and prove it'
            cand doctor 'Check the data directory, journals, the store and its instances, and explain what is wrong'
            cand pricing 'Show and set what models cost'
            cand token 'Make, list and revoke tokens for the API'
            cand config 'Show settings'
            cand schema 'Print a description of the REST API'
            cand completions 'Print the completion script of a shell'
            cand man 'Print the manual page'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'archonctl;help;serve'= {
        }
        &'archonctl;help;run'= {
        }
        &'archonctl;help;bridge'= {
        }
        &'archonctl;help;sessions'= {
            cand list 'List sessions, newest activity first'
            cand show 'Show one session and its operations, newest first'
            cand disconnected 'List sessions that ended, newest end first, and why [default: the last 7 days]'
            cand stats 'Count sessions by client type: how many, how they ended, how long they lasted [default: of all time]'
        }
        &'archonctl;help;sessions;list'= {
        }
        &'archonctl;help;sessions;show'= {
        }
        &'archonctl;help;sessions;disconnected'= {
        }
        &'archonctl;help;sessions;stats'= {
        }
        &'archonctl;help;test-connection'= {
        }
        &'archonctl;help;migrate'= {
            cand up 'Apply what is pending, record what was made by hand, make what is missing'
            cand status 'Show every migration: recorded, really there, and the verdict'
            cand verify 'Prove that the schema is what the migrations make; exit code 5 and every difference by name if not'
            cand plan 'Print the SQL that `migrate up` would run, without running it'
            cand adopt 'Record migrations that were made by hand, as far as they are all there'
            cand repair 'Make what is missing of migrations that are there in part, or recorded and not there'
            cand down 'Undo the last migration, or all after a number'
            cand dump 'Print the schema as it is, as SQL that makes it again'
        }
        &'archonctl;help;migrate;up'= {
        }
        &'archonctl;help;migrate;status'= {
        }
        &'archonctl;help;migrate;verify'= {
        }
        &'archonctl;help;migrate;plan'= {
        }
        &'archonctl;help;migrate;adopt'= {
        }
        &'archonctl;help;migrate;repair'= {
        }
        &'archonctl;help;migrate;down'= {
        }
        &'archonctl;help;migrate;dump'= {
        }
        &'archonctl;help;doctor'= {
        }
        &'archonctl;help;pricing'= {
            cand list 'List what models cost: prices in force and to come, in US dollars'
            cand set 'Set what a model costs from a day on, in US dollars'
            cand import 'Set prices from a CSV or JSON file, all or none'
        }
        &'archonctl;help;pricing;list'= {
        }
        &'archonctl;help;pricing;set'= {
        }
        &'archonctl;help;pricing;import'= {
        }
        &'archonctl;help;token'= {
            cand create 'Make a token; it is shown this once, with -q nothing else'
            cand list 'List tokens, the newest first'
            cand revoke 'Revoke a token; it is good no more at once'
        }
        &'archonctl;help;token;create'= {
        }
        &'archonctl;help;token;list'= {
        }
        &'archonctl;help;token;revoke'= {
        }
        &'archonctl;help;config'= {
            cand show 'Show every setting and its value'
        }
        &'archonctl;help;config;show'= {
        }
        &'archonctl;help;schema'= {
        }
        &'archonctl;help;completions'= {
        }
        &'archonctl;help;man'= {
        }
        &'archonctl;help;help'= {
        }
    ]
    $completions[$command]
}
