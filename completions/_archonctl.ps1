
using namespace System.Management.Automation
using namespace System.Management.Automation.Language

Register-ArgumentCompleter -Native -CommandName 'archonctl' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $commandElements = $commandAst.CommandElements
    $command = @(
        'archonctl'
        for ($i = 1; $i -lt $commandElements.Count; $i++) {
            $element = $commandElements[$i]
            if ($element -isnot [StringConstantExpressionAst] -or
                $element.StringConstantType -ne [StringConstantType]::BareWord -or
                $element.Value.StartsWith('-') -or
                $element.Value -eq $wordToComplete) {
                break
        }
        $element.Value
    }) -join ';'

    $completions = @(switch ($command) {
        'archonctl' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('serve', 'serve', [CompletionResultType]::ParameterValue, 'Relay MCP traffic to a server and track its sessions')
            [CompletionResult]::new('run', 'run', [CompletionResultType]::ParameterValue, 'Run an MCP server over stdio and track its session')
            [CompletionResult]::new('bridge', 'bridge', [CompletionResultType]::ParameterValue, 'Be a stdio server that forwards to an MCP server over HTTP, and track its session')
            [CompletionResult]::new('sessions', 'sessions', [CompletionResultType]::ParameterValue, 'Show sessions: who works with a server, who left and why')
            [CompletionResult]::new('test-connection', 'test-connection', [CompletionResultType]::ParameterValue, 'Test that an MCP server answers, and that its session is tracked')
            [CompletionResult]::new('migrate', 'migrate', [CompletionResultType]::ParameterValue, 'Bring the database to this version, and prove it')
            [CompletionResult]::new('doctor', 'doctor', [CompletionResultType]::ParameterValue, 'Check the data directory, journals, the store and its instances, and explain what is wrong')
            [CompletionResult]::new('pricing', 'pricing', [CompletionResultType]::ParameterValue, 'Show and set what models cost')
            [CompletionResult]::new('token', 'token', [CompletionResultType]::ParameterValue, 'Make, list and revoke tokens for the API')
            [CompletionResult]::new('config', 'config', [CompletionResultType]::ParameterValue, 'Show settings')
            [CompletionResult]::new('schema', 'schema', [CompletionResultType]::ParameterValue, 'Print a description of the REST API')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Print the completion script of a shell')
            [CompletionResult]::new('man', 'man', [CompletionResultType]::ParameterValue, 'Print the manual page')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'archonctl;serve' {
            [CompletionResult]::new('--listen', '--listen', [CompletionResultType]::ParameterName, 'Where to listen [default: 127.0.0.1:8051]')
            [CompletionResult]::new('--api-listen', '--api-listen', [CompletionResultType]::ParameterName, 'Where the REST API listens; elsewhere than on loopback it asks for a token; ''off'' for none [default: 127.0.0.1:8181]')
            [CompletionResult]::new('--api-cors-origin', '--api-cors-origin', [CompletionResultType]::ParameterName, 'A site whose pages may use the API (https://app.example.com); can be given more than once [default: none]')
            [CompletionResult]::new('--jwt-key-file', '--jwt-key-file', [CompletionResultType]::ParameterName, 'A file of public keys that JWTs for the API are verified with, PEM or JWKS: RS256, ES256, EdDSA')
            [CompletionResult]::new('--jwt-secret-file', '--jwt-secret-file', [CompletionResultType]::ParameterName, 'A file with a secret that JWTs for the API are verified with: HS256')
            [CompletionResult]::new('--jwt-issuer', '--jwt-issuer', [CompletionResultType]::ParameterName, 'What the claim iss of a JWT has to be')
            [CompletionResult]::new('--jwt-audience', '--jwt-audience', [CompletionResultType]::ParameterName, 'What has to be in the claim aud of a JWT')
            [CompletionResult]::new('--upstream', '--upstream', [CompletionResultType]::ParameterName, 'An MCP server to relay to, served at /mcp/NAME, the first one also at /mcp; can be given more than once; /mcp is added to a URL without a path')
            [CompletionResult]::new('--upstream-name', '--upstream-name', [CompletionResultType]::ParameterName, 'The name for sessions of a server given without one [default: default]')
            [CompletionResult]::new('--session-timeout', '--session-timeout', [CompletionResultType]::ParameterName, 'Time without activity that ends a session [default: 3600s]')
            [CompletionResult]::new('--idle-after', '--idle-after', [CompletionResultType]::ParameterName, 'Time without activity after which a session counts as idle [default: 5m]')
            [CompletionResult]::new('--disconnect-grace', '--disconnect-grace', [CompletionResultType]::ParameterName, 'How long a client that dropped its stream may take to come back [default: 30s]')
            [CompletionResult]::new('--request-timeout', '--request-timeout', [CompletionResultType]::ParameterName, 'How long the server may take to answer [default: 300s]')
            [CompletionResult]::new('--connect-timeout', '--connect-timeout', [CompletionResultType]::ParameterName, 'How long a connection to the server may take to come about [default: 10s]')
            [CompletionResult]::new('--max-head', '--max-head', [CompletionResultType]::ParameterName, 'Longest head of a request; a longer one gets 431 [default: 64KiB]')
            [CompletionResult]::new('--max-body', '--max-body', [CompletionResultType]::ParameterName, 'Longest body of a request; a longer one gets 413 [default: 64MiB]')
            [CompletionResult]::new('--max-connections', '--max-connections', [CompletionResultType]::ParameterName, 'Connections at the same time; one more gets 503 [default: 20000]')
            [CompletionResult]::new('--max-streams', '--max-streams', [CompletionResultType]::ParameterName, 'Streams held open at the same time; one more gets 503 [default: 10000]')
            [CompletionResult]::new('--keep-alive-timeout', '--keep-alive-timeout', [CompletionResultType]::ParameterName, 'How long a connection may stay open without a request [default: 2m]')
            [CompletionResult]::new('--head-timeout', '--head-timeout', [CompletionResultType]::ParameterName, 'How long the head of a request may take to arrive; then 408 [default: 30s]')
            [CompletionResult]::new('--body-timeout', '--body-timeout', [CompletionResultType]::ParameterName, 'How long a client may take to send the next piece of a body; then 408 [default: 30s]')
            [CompletionResult]::new('--write-timeout', '--write-timeout', [CompletionResultType]::ParameterName, 'How long a client may take to read a piece of an answer [default: 60s]')
            [CompletionResult]::new('--allowed-hosts', '--allowed-hosts', [CompletionResultType]::ParameterName, 'A name that may stand in Host, beside loopback''s own (name, host:port, *.domain, *); can be given more than once')
            [CompletionResult]::new('--allowed-origins', '--allowed-origins', [CompletionResultType]::ParameterName, 'A site that may stand in Origin, beside this machine''s own (https://app.example.com, *); can be given more than once')
            [CompletionResult]::new('--public-url', '--public-url', [CompletionResultType]::ParameterName, 'Where clients reach the daemon, if that is not what they write into Host (https://mcp.example.com)')
            [CompletionResult]::new('--drain-timeout', '--drain-timeout', [CompletionResultType]::ParameterName, 'How long requests in flight may take to finish at the end [default: 10s]')
            [CompletionResult]::new('--workers', '--workers', [CompletionResultType]::ParameterName, 'Worker threads [default: one for each core]')
            [CompletionResult]::new('--instance-timeout', '--instance-timeout', [CompletionResultType]::ParameterName, 'How long an instance counts as alive without another word [default: 30s]')
            [CompletionResult]::new('--journal-bound', '--journal-bound', [CompletionResultType]::ParameterName, 'How much of the disk records may fill that the store has not taken [default: 1GiB]')
            [CompletionResult]::new('--max-counted-text', '--max-counted-text', [CompletionResultType]::ParameterName, 'How much of one text is counted in tokens, the rest is taken to be like it; 0 estimates all by length [default: 16KiB]')
            [CompletionResult]::new('--default-model', '--default-model', [CompletionResultType]::ParameterName, 'The model that costs are estimated for, where nothing else says one')
            [CompletionResult]::new('--upstream-models', '--upstream-models', [CompletionResultType]::ParameterName, 'The model behind sessions with a server; can be given more than once')
            [CompletionResult]::new('--client-models', '--client-models', [CompletionResultType]::ParameterName, 'The model behind sessions of a client, by its name or type; can be given more than once')
            [CompletionResult]::new('--otlp-endpoint', '--otlp-endpoint', [CompletionResultType]::ParameterName, 'An OpenTelemetry collector that spans and metrics are sent to (OTLP over HTTP, such as http://127.0.0.1:4318); OTEL_EXPORTER_OTLP_ENDPOINT and its kin are understood')
            [CompletionResult]::new('--log-format', '--log-format', [CompletionResultType]::ParameterName, 'Form of the log: text or json; what is logged is ARCHONCTL_LOG''s to say [default: text]')
            [CompletionResult]::new('--data-dir', '--data-dir', [CompletionResultType]::ParameterName, 'Where journals and the embedded store are')
            [CompletionResult]::new('--database-url', '--database-url', [CompletionResultType]::ParameterName, 'Another database: postgres://USER@HOST/DATABASE or sqlite:FILE; no password here')
            [CompletionResult]::new('--database-url-file', '--database-url-file', [CompletionResultType]::ParameterName, 'A file that holds this URL, with the password')
            [CompletionResult]::new('--database-schema', '--database-schema', [CompletionResultType]::ParameterName, 'The schema with our tables, for PostgreSQL [default: the role''s own]')
            [CompletionResult]::new('--no-auth', '--no-auth', [CompletionResultType]::ParameterName, 'Let everybody into the API who can reach it, wherever it listens')
            [CompletionResult]::new('--journal-fsync', '--journal-fsync', [CompletionResultType]::ParameterName, 'Have records on the disk itself before an answer ends, so that a loss of power loses none')
            [CompletionResult]::new('--migrate', '--migrate', [CompletionResultType]::ParameterName, 'Apply pending migrations to a PostgreSQL store before serving; the embedded one is always migrated')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'archonctl;run' {
            [CompletionResult]::new('--name', '--name', [CompletionResultType]::ParameterName, 'The name its session is stored under [default: made from the command]')
            [CompletionResult]::new('--session-timeout', '--session-timeout', [CompletionResultType]::ParameterName, 'Time without activity that ends a session [default: 3600s]')
            [CompletionResult]::new('--idle-after', '--idle-after', [CompletionResultType]::ParameterName, 'Time without activity after which a session counts as idle [default: 5m]')
            [CompletionResult]::new('--request-timeout', '--request-timeout', [CompletionResultType]::ParameterName, 'How long the server may take to answer [default: 300s]')
            [CompletionResult]::new('--drain-timeout', '--drain-timeout', [CompletionResultType]::ParameterName, 'How long answers may still take when the client has left [default: 10s]')
            [CompletionResult]::new('--default-model', '--default-model', [CompletionResultType]::ParameterName, 'The model that costs are estimated for')
            [CompletionResult]::new('--data-dir', '--data-dir', [CompletionResultType]::ParameterName, 'Where journals and the embedded store are')
            [CompletionResult]::new('--database-url', '--database-url', [CompletionResultType]::ParameterName, 'Another database: postgres://USER@HOST/DATABASE or sqlite:FILE; no password here')
            [CompletionResult]::new('--database-url-file', '--database-url-file', [CompletionResultType]::ParameterName, 'A file that holds this URL, with the password')
            [CompletionResult]::new('--database-schema', '--database-schema', [CompletionResultType]::ParameterName, 'The schema with our tables, for PostgreSQL [default: the role''s own]')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'archonctl;bridge' {
            [CompletionResult]::new('--header', '--header', [CompletionResultType]::ParameterName, 'A header to send with every request; may be given several times')
            [CompletionResult]::new('--header-file', '--header-file', [CompletionResultType]::ParameterName, 'A file with headers, one on each line')
            [CompletionResult]::new('--name', '--name', [CompletionResultType]::ParameterName, 'The name its session is stored under [default: made from the URL]')
            [CompletionResult]::new('--retry-for', '--retry-for', [CompletionResultType]::ParameterName, 'How long a server that cannot be reached is tried before a request is answered with an error')
            [CompletionResult]::new('--session-timeout', '--session-timeout', [CompletionResultType]::ParameterName, 'Time without activity that ends a session [default: 3600s]')
            [CompletionResult]::new('--idle-after', '--idle-after', [CompletionResultType]::ParameterName, 'Time without activity after which a session counts as idle [default: 5m]')
            [CompletionResult]::new('--request-timeout', '--request-timeout', [CompletionResultType]::ParameterName, 'How long the server may take to answer [default: 300s]')
            [CompletionResult]::new('--drain-timeout', '--drain-timeout', [CompletionResultType]::ParameterName, 'How long answers may still take when the client has left [default: 10s]')
            [CompletionResult]::new('--default-model', '--default-model', [CompletionResultType]::ParameterName, 'The model that costs are estimated for')
            [CompletionResult]::new('--data-dir', '--data-dir', [CompletionResultType]::ParameterName, 'Where journals and the embedded store are')
            [CompletionResult]::new('--database-url', '--database-url', [CompletionResultType]::ParameterName, 'Another database: postgres://USER@HOST/DATABASE or sqlite:FILE; no password here')
            [CompletionResult]::new('--database-url-file', '--database-url-file', [CompletionResultType]::ParameterName, 'A file that holds this URL, with the password')
            [CompletionResult]::new('--database-schema', '--database-schema', [CompletionResultType]::ParameterName, 'The schema with our tables, for PostgreSQL [default: the role''s own]')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'archonctl;sessions' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List sessions, newest activity first')
            [CompletionResult]::new('show', 'show', [CompletionResultType]::ParameterValue, 'Show one session and its operations, newest first')
            [CompletionResult]::new('disconnected', 'disconnected', [CompletionResultType]::ParameterValue, 'List sessions that ended, newest end first, and why [default: the last 7 days]')
            [CompletionResult]::new('stats', 'stats', [CompletionResultType]::ParameterValue, 'Count sessions by client type: how many, how they ended, how long they lasted [default: of all time]')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'archonctl;sessions;list' {
            [CompletionResult]::new('--status', '--status', [CompletionResultType]::ParameterName, 'Only sessions that are so; repeat it or separate with commas [default: all]')
            [CompletionResult]::new('--client', '--client', [CompletionResultType]::ParameterName, 'Only sessions of this client type, such as Claude or Cursor')
            [CompletionResult]::new('--server', '--server', [CompletionResultType]::ParameterName, 'Only sessions with this server')
            [CompletionResult]::new('--limit', '--limit', [CompletionResultType]::ParameterName, 'Rows at the most, 1 to 10000')
            [CompletionResult]::new('--offset', '--offset', [CompletionResultType]::ParameterName, 'Rows to leave out before the first')
            [CompletionResult]::new('--data-dir', '--data-dir', [CompletionResultType]::ParameterName, 'Where journals and the embedded store are')
            [CompletionResult]::new('--database-url', '--database-url', [CompletionResultType]::ParameterName, 'Another database: postgres://USER@HOST/DATABASE or sqlite:FILE; no password here')
            [CompletionResult]::new('--database-url-file', '--database-url-file', [CompletionResultType]::ParameterName, 'A file that holds this URL, with the password')
            [CompletionResult]::new('--database-schema', '--database-schema', [CompletionResultType]::ParameterName, 'The schema with our tables, for PostgreSQL [default: the role''s own]')
            [CompletionResult]::new('--api-url', '--api-url', [CompletionResultType]::ParameterName, 'Ask the API of a daemon in place of a database, such as https://archon.example.com')
            [CompletionResult]::new('--api-token-file', '--api-token-file', [CompletionResultType]::ParameterName, 'A file with the token for it; ARCHONCTL_API_TOKEN holds the token itself')
            [CompletionResult]::new('--since', '--since', [CompletionResultType]::ParameterName, 'From here on: a time ago (7d, 1h30m) or RFC 3339; UTC if no offset is given')
            [CompletionResult]::new('--until', '--until', [CompletionResultType]::ParameterName, 'Up to here: a time ago (7d, 1h30m) or RFC 3339; UTC if no offset is given [default: now]')
            [CompletionResult]::new('--days', '--days', [CompletionResultType]::ParameterName, 'The last N days, 1 to 3650')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Form of the answer; wide has more columns, csv has all [default: table]')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Form of the answer; wide has more columns, csv has all [default: table]')
            [CompletionResult]::new('--columns', '--columns', [CompletionResultType]::ParameterName, 'Columns to show, in this order (table, wide, csv); a wrong name lists the right ones')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to colour')
            [CompletionResult]::new('--time', '--time', [CompletionResultType]::ParameterName, 'How tables show times; the other formats have RFC 3339 in UTC [default: relative]')
            [CompletionResult]::new('--with-calls', '--with-calls', [CompletionResultType]::ParameterName, 'Only sessions with at least one call')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for -o json')
            [CompletionResult]::new('--no-headers', '--no-headers', [CompletionResultType]::ParameterName, 'Leave out the header of tables and CSV')
            [CompletionResult]::new('--no-trunc', '--no-trunc', [CompletionResultType]::ParameterName, 'Cut nothing and leave nothing out to fit the terminal')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Only ids, one on each line, for tables that have them; no remarks on standard error')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Only ids, one on each line, for tables that have them; no remarks on standard error')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'archonctl;sessions;show' {
            [CompletionResult]::new('--limit', '--limit', [CompletionResultType]::ParameterName, 'Rows at the most, 1 to 10000')
            [CompletionResult]::new('--offset', '--offset', [CompletionResultType]::ParameterName, 'Rows to leave out before the first')
            [CompletionResult]::new('--data-dir', '--data-dir', [CompletionResultType]::ParameterName, 'Where journals and the embedded store are')
            [CompletionResult]::new('--database-url', '--database-url', [CompletionResultType]::ParameterName, 'Another database: postgres://USER@HOST/DATABASE or sqlite:FILE; no password here')
            [CompletionResult]::new('--database-url-file', '--database-url-file', [CompletionResultType]::ParameterName, 'A file that holds this URL, with the password')
            [CompletionResult]::new('--database-schema', '--database-schema', [CompletionResultType]::ParameterName, 'The schema with our tables, for PostgreSQL [default: the role''s own]')
            [CompletionResult]::new('--api-url', '--api-url', [CompletionResultType]::ParameterName, 'Ask the API of a daemon in place of a database, such as https://archon.example.com')
            [CompletionResult]::new('--api-token-file', '--api-token-file', [CompletionResultType]::ParameterName, 'A file with the token for it; ARCHONCTL_API_TOKEN holds the token itself')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Form of the answer; wide has more columns, csv has all [default: table]')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Form of the answer; wide has more columns, csv has all [default: table]')
            [CompletionResult]::new('--columns', '--columns', [CompletionResultType]::ParameterName, 'Columns to show, in this order (table, wide, csv); a wrong name lists the right ones')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to colour')
            [CompletionResult]::new('--time', '--time', [CompletionResultType]::ParameterName, 'How tables show times; the other formats have RFC 3339 in UTC [default: relative]')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for -o json')
            [CompletionResult]::new('--no-headers', '--no-headers', [CompletionResultType]::ParameterName, 'Leave out the header of tables and CSV')
            [CompletionResult]::new('--no-trunc', '--no-trunc', [CompletionResultType]::ParameterName, 'Cut nothing and leave nothing out to fit the terminal')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Only ids, one on each line, for tables that have them; no remarks on standard error')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Only ids, one on each line, for tables that have them; no remarks on standard error')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'archonctl;sessions;disconnected' {
            [CompletionResult]::new('--limit', '--limit', [CompletionResultType]::ParameterName, 'Rows at the most, 1 to 10000')
            [CompletionResult]::new('--offset', '--offset', [CompletionResultType]::ParameterName, 'Rows to leave out before the first')
            [CompletionResult]::new('--data-dir', '--data-dir', [CompletionResultType]::ParameterName, 'Where journals and the embedded store are')
            [CompletionResult]::new('--database-url', '--database-url', [CompletionResultType]::ParameterName, 'Another database: postgres://USER@HOST/DATABASE or sqlite:FILE; no password here')
            [CompletionResult]::new('--database-url-file', '--database-url-file', [CompletionResultType]::ParameterName, 'A file that holds this URL, with the password')
            [CompletionResult]::new('--database-schema', '--database-schema', [CompletionResultType]::ParameterName, 'The schema with our tables, for PostgreSQL [default: the role''s own]')
            [CompletionResult]::new('--api-url', '--api-url', [CompletionResultType]::ParameterName, 'Ask the API of a daemon in place of a database, such as https://archon.example.com')
            [CompletionResult]::new('--api-token-file', '--api-token-file', [CompletionResultType]::ParameterName, 'A file with the token for it; ARCHONCTL_API_TOKEN holds the token itself')
            [CompletionResult]::new('--since', '--since', [CompletionResultType]::ParameterName, 'From here on: a time ago (7d, 1h30m) or RFC 3339; UTC if no offset is given')
            [CompletionResult]::new('--until', '--until', [CompletionResultType]::ParameterName, 'Up to here: a time ago (7d, 1h30m) or RFC 3339; UTC if no offset is given [default: now]')
            [CompletionResult]::new('--days', '--days', [CompletionResultType]::ParameterName, 'The last N days, 1 to 3650')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Form of the answer; wide has more columns, csv has all [default: table]')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Form of the answer; wide has more columns, csv has all [default: table]')
            [CompletionResult]::new('--columns', '--columns', [CompletionResultType]::ParameterName, 'Columns to show, in this order (table, wide, csv); a wrong name lists the right ones')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to colour')
            [CompletionResult]::new('--time', '--time', [CompletionResultType]::ParameterName, 'How tables show times; the other formats have RFC 3339 in UTC [default: relative]')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for -o json')
            [CompletionResult]::new('--no-headers', '--no-headers', [CompletionResultType]::ParameterName, 'Leave out the header of tables and CSV')
            [CompletionResult]::new('--no-trunc', '--no-trunc', [CompletionResultType]::ParameterName, 'Cut nothing and leave nothing out to fit the terminal')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Only ids, one on each line, for tables that have them; no remarks on standard error')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Only ids, one on each line, for tables that have them; no remarks on standard error')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'archonctl;sessions;stats' {
            [CompletionResult]::new('--data-dir', '--data-dir', [CompletionResultType]::ParameterName, 'Where journals and the embedded store are')
            [CompletionResult]::new('--database-url', '--database-url', [CompletionResultType]::ParameterName, 'Another database: postgres://USER@HOST/DATABASE or sqlite:FILE; no password here')
            [CompletionResult]::new('--database-url-file', '--database-url-file', [CompletionResultType]::ParameterName, 'A file that holds this URL, with the password')
            [CompletionResult]::new('--database-schema', '--database-schema', [CompletionResultType]::ParameterName, 'The schema with our tables, for PostgreSQL [default: the role''s own]')
            [CompletionResult]::new('--api-url', '--api-url', [CompletionResultType]::ParameterName, 'Ask the API of a daemon in place of a database, such as https://archon.example.com')
            [CompletionResult]::new('--api-token-file', '--api-token-file', [CompletionResultType]::ParameterName, 'A file with the token for it; ARCHONCTL_API_TOKEN holds the token itself')
            [CompletionResult]::new('--since', '--since', [CompletionResultType]::ParameterName, 'From here on: a time ago (7d, 1h30m) or RFC 3339; UTC if no offset is given')
            [CompletionResult]::new('--until', '--until', [CompletionResultType]::ParameterName, 'Up to here: a time ago (7d, 1h30m) or RFC 3339; UTC if no offset is given [default: now]')
            [CompletionResult]::new('--days', '--days', [CompletionResultType]::ParameterName, 'The last N days, 1 to 3650')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Form of the answer; wide has more columns, csv has all [default: table]')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Form of the answer; wide has more columns, csv has all [default: table]')
            [CompletionResult]::new('--columns', '--columns', [CompletionResultType]::ParameterName, 'Columns to show, in this order (table, wide, csv); a wrong name lists the right ones')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to colour')
            [CompletionResult]::new('--time', '--time', [CompletionResultType]::ParameterName, 'How tables show times; the other formats have RFC 3339 in UTC [default: relative]')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for -o json')
            [CompletionResult]::new('--no-headers', '--no-headers', [CompletionResultType]::ParameterName, 'Leave out the header of tables and CSV')
            [CompletionResult]::new('--no-trunc', '--no-trunc', [CompletionResultType]::ParameterName, 'Cut nothing and leave nothing out to fit the terminal')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Only ids, one on each line, for tables that have them; no remarks on standard error')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Only ids, one on each line, for tables that have them; no remarks on standard error')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'archonctl;sessions;help' {
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List sessions, newest activity first')
            [CompletionResult]::new('show', 'show', [CompletionResultType]::ParameterValue, 'Show one session and its operations, newest first')
            [CompletionResult]::new('disconnected', 'disconnected', [CompletionResultType]::ParameterValue, 'List sessions that ended, newest end first, and why [default: the last 7 days]')
            [CompletionResult]::new('stats', 'stats', [CompletionResultType]::ParameterValue, 'Count sessions by client type: how many, how they ended, how long they lasted [default: of all time]')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'archonctl;sessions;help;list' {
            break
        }
        'archonctl;sessions;help;show' {
            break
        }
        'archonctl;sessions;help;disconnected' {
            break
        }
        'archonctl;sessions;help;stats' {
            break
        }
        'archonctl;sessions;help;help' {
            break
        }
        'archonctl;test-connection' {
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'How long each step may take')
            [CompletionResult]::new('--data-dir', '--data-dir', [CompletionResultType]::ParameterName, 'Where journals and the embedded store are')
            [CompletionResult]::new('--database-url', '--database-url', [CompletionResultType]::ParameterName, 'Another database: postgres://USER@HOST/DATABASE or sqlite:FILE; no password here')
            [CompletionResult]::new('--database-url-file', '--database-url-file', [CompletionResultType]::ParameterName, 'A file that holds this URL, with the password')
            [CompletionResult]::new('--database-schema', '--database-schema', [CompletionResultType]::ParameterName, 'The schema with our tables, for PostgreSQL [default: the role''s own]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Form of the answer; wide has more columns, csv has all [default: table]')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Form of the answer; wide has more columns, csv has all [default: table]')
            [CompletionResult]::new('--columns', '--columns', [CompletionResultType]::ParameterName, 'Columns to show, in this order (table, wide, csv); a wrong name lists the right ones')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to colour')
            [CompletionResult]::new('--time', '--time', [CompletionResultType]::ParameterName, 'How tables show times; the other formats have RFC 3339 in UTC [default: relative]')
            [CompletionResult]::new('--no-store-check', '--no-store-check', [CompletionResultType]::ParameterName, 'Do not look for the session in the store')
            [CompletionResult]::new('--any-server', '--any-server', [CompletionResultType]::ParameterName, 'Test any MCP server, with no archonctl in front of it: nothing is looked for in the store')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for -o json')
            [CompletionResult]::new('--no-headers', '--no-headers', [CompletionResultType]::ParameterName, 'Leave out the header of tables and CSV')
            [CompletionResult]::new('--no-trunc', '--no-trunc', [CompletionResultType]::ParameterName, 'Cut nothing and leave nothing out to fit the terminal')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Only ids, one on each line, for tables that have them; no remarks on standard error')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Only ids, one on each line, for tables that have them; no remarks on standard error')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'archonctl;migrate' {
            [CompletionResult]::new('--to', '--to', [CompletionResultType]::ParameterName, 'The number of the last migration to apply [default: all]')
            [CompletionResult]::new('--wait-timeout', '--wait-timeout', [CompletionResultType]::ParameterName, 'How long to wait at the most')
            [CompletionResult]::new('--lock-timeout', '--lock-timeout', [CompletionResultType]::ParameterName, 'How long a statement waits for a lock, before it is undone and tried again (PostgreSQL)')
            [CompletionResult]::new('--data-dir', '--data-dir', [CompletionResultType]::ParameterName, 'Where journals and the embedded store are')
            [CompletionResult]::new('--database-url', '--database-url', [CompletionResultType]::ParameterName, 'Another database: postgres://USER@HOST/DATABASE or sqlite:FILE; no password here')
            [CompletionResult]::new('--database-url-file', '--database-url-file', [CompletionResultType]::ParameterName, 'A file that holds this URL, with the password')
            [CompletionResult]::new('--database-schema', '--database-schema', [CompletionResultType]::ParameterName, 'The schema with our tables, for PostgreSQL [default: the role''s own]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Form of the answer; wide has more columns, csv has all [default: table]')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Form of the answer; wide has more columns, csv has all [default: table]')
            [CompletionResult]::new('--columns', '--columns', [CompletionResultType]::ParameterName, 'Columns to show, in this order (table, wide, csv); a wrong name lists the right ones')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to colour')
            [CompletionResult]::new('--time', '--time', [CompletionResultType]::ParameterName, 'How tables show times; the other formats have RFC 3339 in UTC [default: relative]')
            [CompletionResult]::new('--rehearse', '--rehearse', [CompletionResultType]::ParameterName, 'Run everything in one transaction, and undo it')
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'Wait for the end of another run of migrations, instead of exit code 6')
            [CompletionResult]::new('--no-copy', '--no-copy', [CompletionResultType]::ParameterName, 'Do not copy the embedded database before it is changed')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for -o json')
            [CompletionResult]::new('--no-headers', '--no-headers', [CompletionResultType]::ParameterName, 'Leave out the header of tables and CSV')
            [CompletionResult]::new('--no-trunc', '--no-trunc', [CompletionResultType]::ParameterName, 'Cut nothing and leave nothing out to fit the terminal')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Only ids, one on each line, for tables that have them; no remarks on standard error')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Only ids, one on each line, for tables that have them; no remarks on standard error')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('up', 'up', [CompletionResultType]::ParameterValue, 'Apply what is pending, record what was made by hand, make what is missing')
            [CompletionResult]::new('status', 'status', [CompletionResultType]::ParameterValue, 'Show every migration: recorded, really there, and the verdict')
            [CompletionResult]::new('verify', 'verify', [CompletionResultType]::ParameterValue, 'Prove that the schema is what the migrations make; exit code 5 and every difference by name if not')
            [CompletionResult]::new('plan', 'plan', [CompletionResultType]::ParameterValue, 'Print the SQL that `migrate up` would run, without running it')
            [CompletionResult]::new('adopt', 'adopt', [CompletionResultType]::ParameterValue, 'Record migrations that were made by hand, as far as they are all there')
            [CompletionResult]::new('repair', 'repair', [CompletionResultType]::ParameterValue, 'Make what is missing of migrations that are there in part, or recorded and not there')
            [CompletionResult]::new('down', 'down', [CompletionResultType]::ParameterValue, 'Undo the last migration, or all after a number')
            [CompletionResult]::new('dump', 'dump', [CompletionResultType]::ParameterValue, 'Print the schema as it is, as SQL that makes it again')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'archonctl;migrate;up' {
            [CompletionResult]::new('--to', '--to', [CompletionResultType]::ParameterName, 'The number of the last migration to apply [default: all]')
            [CompletionResult]::new('--wait-timeout', '--wait-timeout', [CompletionResultType]::ParameterName, 'How long to wait at the most')
            [CompletionResult]::new('--lock-timeout', '--lock-timeout', [CompletionResultType]::ParameterName, 'How long a statement waits for a lock, before it is undone and tried again (PostgreSQL)')
            [CompletionResult]::new('--data-dir', '--data-dir', [CompletionResultType]::ParameterName, 'Where journals and the embedded store are')
            [CompletionResult]::new('--database-url', '--database-url', [CompletionResultType]::ParameterName, 'Another database: postgres://USER@HOST/DATABASE or sqlite:FILE; no password here')
            [CompletionResult]::new('--database-url-file', '--database-url-file', [CompletionResultType]::ParameterName, 'A file that holds this URL, with the password')
            [CompletionResult]::new('--database-schema', '--database-schema', [CompletionResultType]::ParameterName, 'The schema with our tables, for PostgreSQL [default: the role''s own]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Form of the answer; wide has more columns, csv has all [default: table]')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Form of the answer; wide has more columns, csv has all [default: table]')
            [CompletionResult]::new('--columns', '--columns', [CompletionResultType]::ParameterName, 'Columns to show, in this order (table, wide, csv); a wrong name lists the right ones')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to colour')
            [CompletionResult]::new('--time', '--time', [CompletionResultType]::ParameterName, 'How tables show times; the other formats have RFC 3339 in UTC [default: relative]')
            [CompletionResult]::new('--rehearse', '--rehearse', [CompletionResultType]::ParameterName, 'Run everything in one transaction, and undo it')
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'Wait for the end of another run of migrations, instead of exit code 6')
            [CompletionResult]::new('--no-copy', '--no-copy', [CompletionResultType]::ParameterName, 'Do not copy the embedded database before it is changed')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for -o json')
            [CompletionResult]::new('--no-headers', '--no-headers', [CompletionResultType]::ParameterName, 'Leave out the header of tables and CSV')
            [CompletionResult]::new('--no-trunc', '--no-trunc', [CompletionResultType]::ParameterName, 'Cut nothing and leave nothing out to fit the terminal')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Only ids, one on each line, for tables that have them; no remarks on standard error')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Only ids, one on each line, for tables that have them; no remarks on standard error')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'archonctl;migrate;status' {
            [CompletionResult]::new('--data-dir', '--data-dir', [CompletionResultType]::ParameterName, 'Where journals and the embedded store are')
            [CompletionResult]::new('--database-url', '--database-url', [CompletionResultType]::ParameterName, 'Another database: postgres://USER@HOST/DATABASE or sqlite:FILE; no password here')
            [CompletionResult]::new('--database-url-file', '--database-url-file', [CompletionResultType]::ParameterName, 'A file that holds this URL, with the password')
            [CompletionResult]::new('--database-schema', '--database-schema', [CompletionResultType]::ParameterName, 'The schema with our tables, for PostgreSQL [default: the role''s own]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Form of the answer; wide has more columns, csv has all [default: table]')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Form of the answer; wide has more columns, csv has all [default: table]')
            [CompletionResult]::new('--columns', '--columns', [CompletionResultType]::ParameterName, 'Columns to show, in this order (table, wide, csv); a wrong name lists the right ones')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to colour')
            [CompletionResult]::new('--time', '--time', [CompletionResultType]::ParameterName, 'How tables show times; the other formats have RFC 3339 in UTC [default: relative]')
            [CompletionResult]::new('--exit-code', '--exit-code', [CompletionResultType]::ParameterName, 'Exit with 8 if migrations are pending, with 5 if something is not as it should be')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for -o json')
            [CompletionResult]::new('--no-headers', '--no-headers', [CompletionResultType]::ParameterName, 'Leave out the header of tables and CSV')
            [CompletionResult]::new('--no-trunc', '--no-trunc', [CompletionResultType]::ParameterName, 'Cut nothing and leave nothing out to fit the terminal')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Only ids, one on each line, for tables that have them; no remarks on standard error')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Only ids, one on each line, for tables that have them; no remarks on standard error')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'archonctl;migrate;verify' {
            [CompletionResult]::new('--data-dir', '--data-dir', [CompletionResultType]::ParameterName, 'Where journals and the embedded store are')
            [CompletionResult]::new('--database-url', '--database-url', [CompletionResultType]::ParameterName, 'Another database: postgres://USER@HOST/DATABASE or sqlite:FILE; no password here')
            [CompletionResult]::new('--database-url-file', '--database-url-file', [CompletionResultType]::ParameterName, 'A file that holds this URL, with the password')
            [CompletionResult]::new('--database-schema', '--database-schema', [CompletionResultType]::ParameterName, 'The schema with our tables, for PostgreSQL [default: the role''s own]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Form of the answer; wide has more columns, csv has all [default: table]')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Form of the answer; wide has more columns, csv has all [default: table]')
            [CompletionResult]::new('--columns', '--columns', [CompletionResultType]::ParameterName, 'Columns to show, in this order (table, wide, csv); a wrong name lists the right ones')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to colour')
            [CompletionResult]::new('--time', '--time', [CompletionResultType]::ParameterName, 'How tables show times; the other formats have RFC 3339 in UTC [default: relative]')
            [CompletionResult]::new('--exit-code', '--exit-code', [CompletionResultType]::ParameterName, 'Exit with 8 if migrations are pending')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for -o json')
            [CompletionResult]::new('--no-headers', '--no-headers', [CompletionResultType]::ParameterName, 'Leave out the header of tables and CSV')
            [CompletionResult]::new('--no-trunc', '--no-trunc', [CompletionResultType]::ParameterName, 'Cut nothing and leave nothing out to fit the terminal')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Only ids, one on each line, for tables that have them; no remarks on standard error')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Only ids, one on each line, for tables that have them; no remarks on standard error')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'archonctl;migrate;plan' {
            [CompletionResult]::new('--to', '--to', [CompletionResultType]::ParameterName, 'The number of the last migration to apply [default: all]')
            [CompletionResult]::new('--data-dir', '--data-dir', [CompletionResultType]::ParameterName, 'Where journals and the embedded store are')
            [CompletionResult]::new('--database-url', '--database-url', [CompletionResultType]::ParameterName, 'Another database: postgres://USER@HOST/DATABASE or sqlite:FILE; no password here')
            [CompletionResult]::new('--database-url-file', '--database-url-file', [CompletionResultType]::ParameterName, 'A file that holds this URL, with the password')
            [CompletionResult]::new('--database-schema', '--database-schema', [CompletionResultType]::ParameterName, 'The schema with our tables, for PostgreSQL [default: the role''s own]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Form of the answer; wide has more columns, csv has all [default: table]')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Form of the answer; wide has more columns, csv has all [default: table]')
            [CompletionResult]::new('--columns', '--columns', [CompletionResultType]::ParameterName, 'Columns to show, in this order (table, wide, csv); a wrong name lists the right ones')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to colour')
            [CompletionResult]::new('--time', '--time', [CompletionResultType]::ParameterName, 'How tables show times; the other formats have RFC 3339 in UTC [default: relative]')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for -o json')
            [CompletionResult]::new('--no-headers', '--no-headers', [CompletionResultType]::ParameterName, 'Leave out the header of tables and CSV')
            [CompletionResult]::new('--no-trunc', '--no-trunc', [CompletionResultType]::ParameterName, 'Cut nothing and leave nothing out to fit the terminal')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Only ids, one on each line, for tables that have them; no remarks on standard error')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Only ids, one on each line, for tables that have them; no remarks on standard error')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'archonctl;migrate;adopt' {
            [CompletionResult]::new('--wait-timeout', '--wait-timeout', [CompletionResultType]::ParameterName, 'How long to wait at the most')
            [CompletionResult]::new('--lock-timeout', '--lock-timeout', [CompletionResultType]::ParameterName, 'How long a statement waits for a lock, before it is undone and tried again (PostgreSQL)')
            [CompletionResult]::new('--data-dir', '--data-dir', [CompletionResultType]::ParameterName, 'Where journals and the embedded store are')
            [CompletionResult]::new('--database-url', '--database-url', [CompletionResultType]::ParameterName, 'Another database: postgres://USER@HOST/DATABASE or sqlite:FILE; no password here')
            [CompletionResult]::new('--database-url-file', '--database-url-file', [CompletionResultType]::ParameterName, 'A file that holds this URL, with the password')
            [CompletionResult]::new('--database-schema', '--database-schema', [CompletionResultType]::ParameterName, 'The schema with our tables, for PostgreSQL [default: the role''s own]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Form of the answer; wide has more columns, csv has all [default: table]')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Form of the answer; wide has more columns, csv has all [default: table]')
            [CompletionResult]::new('--columns', '--columns', [CompletionResultType]::ParameterName, 'Columns to show, in this order (table, wide, csv); a wrong name lists the right ones')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to colour')
            [CompletionResult]::new('--time', '--time', [CompletionResultType]::ParameterName, 'How tables show times; the other formats have RFC 3339 in UTC [default: relative]')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Only say what would be recorded')
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'Wait for the end of another run of migrations, instead of exit code 6')
            [CompletionResult]::new('--no-copy', '--no-copy', [CompletionResultType]::ParameterName, 'Do not copy the embedded database before it is changed')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for -o json')
            [CompletionResult]::new('--no-headers', '--no-headers', [CompletionResultType]::ParameterName, 'Leave out the header of tables and CSV')
            [CompletionResult]::new('--no-trunc', '--no-trunc', [CompletionResultType]::ParameterName, 'Cut nothing and leave nothing out to fit the terminal')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Only ids, one on each line, for tables that have them; no remarks on standard error')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Only ids, one on each line, for tables that have them; no remarks on standard error')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'archonctl;migrate;repair' {
            [CompletionResult]::new('--wait-timeout', '--wait-timeout', [CompletionResultType]::ParameterName, 'How long to wait at the most')
            [CompletionResult]::new('--lock-timeout', '--lock-timeout', [CompletionResultType]::ParameterName, 'How long a statement waits for a lock, before it is undone and tried again (PostgreSQL)')
            [CompletionResult]::new('--data-dir', '--data-dir', [CompletionResultType]::ParameterName, 'Where journals and the embedded store are')
            [CompletionResult]::new('--database-url', '--database-url', [CompletionResultType]::ParameterName, 'Another database: postgres://USER@HOST/DATABASE or sqlite:FILE; no password here')
            [CompletionResult]::new('--database-url-file', '--database-url-file', [CompletionResultType]::ParameterName, 'A file that holds this URL, with the password')
            [CompletionResult]::new('--database-schema', '--database-schema', [CompletionResultType]::ParameterName, 'The schema with our tables, for PostgreSQL [default: the role''s own]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Form of the answer; wide has more columns, csv has all [default: table]')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Form of the answer; wide has more columns, csv has all [default: table]')
            [CompletionResult]::new('--columns', '--columns', [CompletionResultType]::ParameterName, 'Columns to show, in this order (table, wide, csv); a wrong name lists the right ones')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to colour')
            [CompletionResult]::new('--time', '--time', [CompletionResultType]::ParameterName, 'How tables show times; the other formats have RFC 3339 in UTC [default: relative]')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Only say what would be run')
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'Wait for the end of another run of migrations, instead of exit code 6')
            [CompletionResult]::new('--no-copy', '--no-copy', [CompletionResultType]::ParameterName, 'Do not copy the embedded database before it is changed')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for -o json')
            [CompletionResult]::new('--no-headers', '--no-headers', [CompletionResultType]::ParameterName, 'Leave out the header of tables and CSV')
            [CompletionResult]::new('--no-trunc', '--no-trunc', [CompletionResultType]::ParameterName, 'Cut nothing and leave nothing out to fit the terminal')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Only ids, one on each line, for tables that have them; no remarks on standard error')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Only ids, one on each line, for tables that have them; no remarks on standard error')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'archonctl;migrate;down' {
            [CompletionResult]::new('--to', '--to', [CompletionResultType]::ParameterName, 'The number of the last migration that stays; 0 undoes all [default: undo the last one]')
            [CompletionResult]::new('--wait-timeout', '--wait-timeout', [CompletionResultType]::ParameterName, 'How long to wait at the most')
            [CompletionResult]::new('--lock-timeout', '--lock-timeout', [CompletionResultType]::ParameterName, 'How long a statement waits for a lock, before it is undone and tried again (PostgreSQL)')
            [CompletionResult]::new('--data-dir', '--data-dir', [CompletionResultType]::ParameterName, 'Where journals and the embedded store are')
            [CompletionResult]::new('--database-url', '--database-url', [CompletionResultType]::ParameterName, 'Another database: postgres://USER@HOST/DATABASE or sqlite:FILE; no password here')
            [CompletionResult]::new('--database-url-file', '--database-url-file', [CompletionResultType]::ParameterName, 'A file that holds this URL, with the password')
            [CompletionResult]::new('--database-schema', '--database-schema', [CompletionResultType]::ParameterName, 'The schema with our tables, for PostgreSQL [default: the role''s own]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Form of the answer; wide has more columns, csv has all [default: table]')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Form of the answer; wide has more columns, csv has all [default: table]')
            [CompletionResult]::new('--columns', '--columns', [CompletionResultType]::ParameterName, 'Columns to show, in this order (table, wide, csv); a wrong name lists the right ones')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to colour')
            [CompletionResult]::new('--time', '--time', [CompletionResultType]::ParameterName, 'How tables show times; the other formats have RFC 3339 in UTC [default: relative]')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Only print the SQL')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Do not ask')
            [CompletionResult]::new('--confirm', '--confirm', [CompletionResultType]::ParameterName, 'Also where data is lost; does not ask either')
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'Wait for the end of another run of migrations, instead of exit code 6')
            [CompletionResult]::new('--no-copy', '--no-copy', [CompletionResultType]::ParameterName, 'Do not copy the embedded database before it is changed')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for -o json')
            [CompletionResult]::new('--no-headers', '--no-headers', [CompletionResultType]::ParameterName, 'Leave out the header of tables and CSV')
            [CompletionResult]::new('--no-trunc', '--no-trunc', [CompletionResultType]::ParameterName, 'Cut nothing and leave nothing out to fit the terminal')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Only ids, one on each line, for tables that have them; no remarks on standard error')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Only ids, one on each line, for tables that have them; no remarks on standard error')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'archonctl;migrate;dump' {
            [CompletionResult]::new('--data-dir', '--data-dir', [CompletionResultType]::ParameterName, 'Where journals and the embedded store are')
            [CompletionResult]::new('--database-url', '--database-url', [CompletionResultType]::ParameterName, 'Another database: postgres://USER@HOST/DATABASE or sqlite:FILE; no password here')
            [CompletionResult]::new('--database-url-file', '--database-url-file', [CompletionResultType]::ParameterName, 'A file that holds this URL, with the password')
            [CompletionResult]::new('--database-schema', '--database-schema', [CompletionResultType]::ParameterName, 'The schema with our tables, for PostgreSQL [default: the role''s own]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Form of the answer; wide has more columns, csv has all [default: table]')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Form of the answer; wide has more columns, csv has all [default: table]')
            [CompletionResult]::new('--columns', '--columns', [CompletionResultType]::ParameterName, 'Columns to show, in this order (table, wide, csv); a wrong name lists the right ones')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to colour')
            [CompletionResult]::new('--time', '--time', [CompletionResultType]::ParameterName, 'How tables show times; the other formats have RFC 3339 in UTC [default: relative]')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for -o json')
            [CompletionResult]::new('--no-headers', '--no-headers', [CompletionResultType]::ParameterName, 'Leave out the header of tables and CSV')
            [CompletionResult]::new('--no-trunc', '--no-trunc', [CompletionResultType]::ParameterName, 'Cut nothing and leave nothing out to fit the terminal')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Only ids, one on each line, for tables that have them; no remarks on standard error')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Only ids, one on each line, for tables that have them; no remarks on standard error')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'archonctl;migrate;help' {
            [CompletionResult]::new('up', 'up', [CompletionResultType]::ParameterValue, 'Apply what is pending, record what was made by hand, make what is missing')
            [CompletionResult]::new('status', 'status', [CompletionResultType]::ParameterValue, 'Show every migration: recorded, really there, and the verdict')
            [CompletionResult]::new('verify', 'verify', [CompletionResultType]::ParameterValue, 'Prove that the schema is what the migrations make; exit code 5 and every difference by name if not')
            [CompletionResult]::new('plan', 'plan', [CompletionResultType]::ParameterValue, 'Print the SQL that `migrate up` would run, without running it')
            [CompletionResult]::new('adopt', 'adopt', [CompletionResultType]::ParameterValue, 'Record migrations that were made by hand, as far as they are all there')
            [CompletionResult]::new('repair', 'repair', [CompletionResultType]::ParameterValue, 'Make what is missing of migrations that are there in part, or recorded and not there')
            [CompletionResult]::new('down', 'down', [CompletionResultType]::ParameterValue, 'Undo the last migration, or all after a number')
            [CompletionResult]::new('dump', 'dump', [CompletionResultType]::ParameterValue, 'Print the schema as it is, as SQL that makes it again')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'archonctl;migrate;help;up' {
            break
        }
        'archonctl;migrate;help;status' {
            break
        }
        'archonctl;migrate;help;verify' {
            break
        }
        'archonctl;migrate;help;plan' {
            break
        }
        'archonctl;migrate;help;adopt' {
            break
        }
        'archonctl;migrate;help;repair' {
            break
        }
        'archonctl;migrate;help;down' {
            break
        }
        'archonctl;migrate;help;dump' {
            break
        }
        'archonctl;migrate;help;help' {
            break
        }
        'archonctl;doctor' {
            [CompletionResult]::new('--data-dir', '--data-dir', [CompletionResultType]::ParameterName, 'Where journals and the embedded store are')
            [CompletionResult]::new('--database-url', '--database-url', [CompletionResultType]::ParameterName, 'Another database: postgres://USER@HOST/DATABASE or sqlite:FILE; no password here')
            [CompletionResult]::new('--database-url-file', '--database-url-file', [CompletionResultType]::ParameterName, 'A file that holds this URL, with the password')
            [CompletionResult]::new('--database-schema', '--database-schema', [CompletionResultType]::ParameterName, 'The schema with our tables, for PostgreSQL [default: the role''s own]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Form of the answer; wide has more columns, csv has all [default: table]')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Form of the answer; wide has more columns, csv has all [default: table]')
            [CompletionResult]::new('--columns', '--columns', [CompletionResultType]::ParameterName, 'Columns to show, in this order (table, wide, csv); a wrong name lists the right ones')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to colour')
            [CompletionResult]::new('--time', '--time', [CompletionResultType]::ParameterName, 'How tables show times; the other formats have RFC 3339 in UTC [default: relative]')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for -o json')
            [CompletionResult]::new('--no-headers', '--no-headers', [CompletionResultType]::ParameterName, 'Leave out the header of tables and CSV')
            [CompletionResult]::new('--no-trunc', '--no-trunc', [CompletionResultType]::ParameterName, 'Cut nothing and leave nothing out to fit the terminal')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Only ids, one on each line, for tables that have them; no remarks on standard error')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Only ids, one on each line, for tables that have them; no remarks on standard error')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'archonctl;pricing' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List what models cost: prices in force and to come, in US dollars')
            [CompletionResult]::new('set', 'set', [CompletionResultType]::ParameterValue, 'Set what a model costs from a day on, in US dollars')
            [CompletionResult]::new('import', 'import', [CompletionResultType]::ParameterValue, 'Set prices from a CSV or JSON file, all or none')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'archonctl;pricing;list' {
            [CompletionResult]::new('--provider', '--provider', [CompletionResultType]::ParameterName, 'Only providers whose names contain this')
            [CompletionResult]::new('--model', '--model', [CompletionResultType]::ParameterName, 'Only models whose names contain this')
            [CompletionResult]::new('--data-dir', '--data-dir', [CompletionResultType]::ParameterName, 'Where journals and the embedded store are')
            [CompletionResult]::new('--database-url', '--database-url', [CompletionResultType]::ParameterName, 'Another database: postgres://USER@HOST/DATABASE or sqlite:FILE; no password here')
            [CompletionResult]::new('--database-url-file', '--database-url-file', [CompletionResultType]::ParameterName, 'A file that holds this URL, with the password')
            [CompletionResult]::new('--database-schema', '--database-schema', [CompletionResultType]::ParameterName, 'The schema with our tables, for PostgreSQL [default: the role''s own]')
            [CompletionResult]::new('--api-url', '--api-url', [CompletionResultType]::ParameterName, 'Ask the API of a daemon in place of a database, such as https://archon.example.com')
            [CompletionResult]::new('--api-token-file', '--api-token-file', [CompletionResultType]::ParameterName, 'A file with the token for it; ARCHONCTL_API_TOKEN holds the token itself')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Form of the answer; wide has more columns, csv has all [default: table]')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Form of the answer; wide has more columns, csv has all [default: table]')
            [CompletionResult]::new('--columns', '--columns', [CompletionResultType]::ParameterName, 'Columns to show, in this order (table, wide, csv); a wrong name lists the right ones')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to colour')
            [CompletionResult]::new('--time', '--time', [CompletionResultType]::ParameterName, 'How tables show times; the other formats have RFC 3339 in UTC [default: relative]')
            [CompletionResult]::new('--all', '--all', [CompletionResultType]::ParameterName, 'Prices that newer ones have replaced as well')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for -o json')
            [CompletionResult]::new('--no-headers', '--no-headers', [CompletionResultType]::ParameterName, 'Leave out the header of tables and CSV')
            [CompletionResult]::new('--no-trunc', '--no-trunc', [CompletionResultType]::ParameterName, 'Cut nothing and leave nothing out to fit the terminal')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Only ids, one on each line, for tables that have them; no remarks on standard error')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Only ids, one on each line, for tables that have them; no remarks on standard error')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'archonctl;pricing;set' {
            [CompletionResult]::new('--provider', '--provider', [CompletionResultType]::ParameterName, 'Who offers it')
            [CompletionResult]::new('--input-per-1m', '--input-per-1m', [CompletionResultType]::ParameterName, 'Price of 1,000,000 tokens of input')
            [CompletionResult]::new('--output-per-1m', '--output-per-1m', [CompletionResultType]::ParameterName, 'Price of 1,000,000 tokens of output')
            [CompletionResult]::new('--input-per-1k', '--input-per-1k', [CompletionResultType]::ParameterName, 'Price of 1,000 tokens of input')
            [CompletionResult]::new('--output-per-1k', '--output-per-1k', [CompletionResultType]::ParameterName, 'Price of 1,000 tokens of output')
            [CompletionResult]::new('--since', '--since', [CompletionResultType]::ParameterName, 'The day it takes effect, UTC [default: today]')
            [CompletionResult]::new('--notes', '--notes', [CompletionResultType]::ParameterName, 'Where the price is from, or other remarks')
            [CompletionResult]::new('--data-dir', '--data-dir', [CompletionResultType]::ParameterName, 'Where journals and the embedded store are')
            [CompletionResult]::new('--database-url', '--database-url', [CompletionResultType]::ParameterName, 'Another database: postgres://USER@HOST/DATABASE or sqlite:FILE; no password here')
            [CompletionResult]::new('--database-url-file', '--database-url-file', [CompletionResultType]::ParameterName, 'A file that holds this URL, with the password')
            [CompletionResult]::new('--database-schema', '--database-schema', [CompletionResultType]::ParameterName, 'The schema with our tables, for PostgreSQL [default: the role''s own]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Form of the answer; wide has more columns, csv has all [default: table]')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Form of the answer; wide has more columns, csv has all [default: table]')
            [CompletionResult]::new('--columns', '--columns', [CompletionResultType]::ParameterName, 'Columns to show, in this order (table, wide, csv); a wrong name lists the right ones')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to colour')
            [CompletionResult]::new('--time', '--time', [CompletionResultType]::ParameterName, 'How tables show times; the other formats have RFC 3339 in UTC [default: relative]')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Say what would be set, and set nothing')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for -o json')
            [CompletionResult]::new('--no-headers', '--no-headers', [CompletionResultType]::ParameterName, 'Leave out the header of tables and CSV')
            [CompletionResult]::new('--no-trunc', '--no-trunc', [CompletionResultType]::ParameterName, 'Cut nothing and leave nothing out to fit the terminal')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Only ids, one on each line, for tables that have them; no remarks on standard error')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Only ids, one on each line, for tables that have them; no remarks on standard error')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'archonctl;pricing;import' {
            [CompletionResult]::new('--data-dir', '--data-dir', [CompletionResultType]::ParameterName, 'Where journals and the embedded store are')
            [CompletionResult]::new('--database-url', '--database-url', [CompletionResultType]::ParameterName, 'Another database: postgres://USER@HOST/DATABASE or sqlite:FILE; no password here')
            [CompletionResult]::new('--database-url-file', '--database-url-file', [CompletionResultType]::ParameterName, 'A file that holds this URL, with the password')
            [CompletionResult]::new('--database-schema', '--database-schema', [CompletionResultType]::ParameterName, 'The schema with our tables, for PostgreSQL [default: the role''s own]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Form of the answer; wide has more columns, csv has all [default: table]')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Form of the answer; wide has more columns, csv has all [default: table]')
            [CompletionResult]::new('--columns', '--columns', [CompletionResultType]::ParameterName, 'Columns to show, in this order (table, wide, csv); a wrong name lists the right ones')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to colour')
            [CompletionResult]::new('--time', '--time', [CompletionResultType]::ParameterName, 'How tables show times; the other formats have RFC 3339 in UTC [default: relative]')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Say what would be set, and set nothing')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for -o json')
            [CompletionResult]::new('--no-headers', '--no-headers', [CompletionResultType]::ParameterName, 'Leave out the header of tables and CSV')
            [CompletionResult]::new('--no-trunc', '--no-trunc', [CompletionResultType]::ParameterName, 'Cut nothing and leave nothing out to fit the terminal')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Only ids, one on each line, for tables that have them; no remarks on standard error')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Only ids, one on each line, for tables that have them; no remarks on standard error')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'archonctl;pricing;help' {
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List what models cost: prices in force and to come, in US dollars')
            [CompletionResult]::new('set', 'set', [CompletionResultType]::ParameterValue, 'Set what a model costs from a day on, in US dollars')
            [CompletionResult]::new('import', 'import', [CompletionResultType]::ParameterValue, 'Set prices from a CSV or JSON file, all or none')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'archonctl;pricing;help;list' {
            break
        }
        'archonctl;pricing;help;set' {
            break
        }
        'archonctl;pricing;help;import' {
            break
        }
        'archonctl;pricing;help;help' {
            break
        }
        'archonctl;token' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('create', 'create', [CompletionResultType]::ParameterValue, 'Make a token; it is shown this once, with -q nothing else')
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List tokens, the newest first')
            [CompletionResult]::new('revoke', 'revoke', [CompletionResultType]::ParameterValue, 'Revoke a token; it is good no more at once')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'archonctl;token;create' {
            [CompletionResult]::new('--scope', '--scope', [CompletionResultType]::ParameterName, 'What it may be used for; repeat it or separate with commas: read to ask, write to report sessions, admin for everything')
            [CompletionResult]::new('--expires', '--expires', [CompletionResultType]::ParameterName, 'How long it is good for, such as 90d [default: until it is revoked]')
            [CompletionResult]::new('--data-dir', '--data-dir', [CompletionResultType]::ParameterName, 'Where journals and the embedded store are')
            [CompletionResult]::new('--database-url', '--database-url', [CompletionResultType]::ParameterName, 'Another database: postgres://USER@HOST/DATABASE or sqlite:FILE; no password here')
            [CompletionResult]::new('--database-url-file', '--database-url-file', [CompletionResultType]::ParameterName, 'A file that holds this URL, with the password')
            [CompletionResult]::new('--database-schema', '--database-schema', [CompletionResultType]::ParameterName, 'The schema with our tables, for PostgreSQL [default: the role''s own]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Form of the answer; wide has more columns, csv has all [default: table]')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Form of the answer; wide has more columns, csv has all [default: table]')
            [CompletionResult]::new('--columns', '--columns', [CompletionResultType]::ParameterName, 'Columns to show, in this order (table, wide, csv); a wrong name lists the right ones')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to colour')
            [CompletionResult]::new('--time', '--time', [CompletionResultType]::ParameterName, 'How tables show times; the other formats have RFC 3339 in UTC [default: relative]')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for -o json')
            [CompletionResult]::new('--no-headers', '--no-headers', [CompletionResultType]::ParameterName, 'Leave out the header of tables and CSV')
            [CompletionResult]::new('--no-trunc', '--no-trunc', [CompletionResultType]::ParameterName, 'Cut nothing and leave nothing out to fit the terminal')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Only ids, one on each line, for tables that have them; no remarks on standard error')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Only ids, one on each line, for tables that have them; no remarks on standard error')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'archonctl;token;list' {
            [CompletionResult]::new('--data-dir', '--data-dir', [CompletionResultType]::ParameterName, 'Where journals and the embedded store are')
            [CompletionResult]::new('--database-url', '--database-url', [CompletionResultType]::ParameterName, 'Another database: postgres://USER@HOST/DATABASE or sqlite:FILE; no password here')
            [CompletionResult]::new('--database-url-file', '--database-url-file', [CompletionResultType]::ParameterName, 'A file that holds this URL, with the password')
            [CompletionResult]::new('--database-schema', '--database-schema', [CompletionResultType]::ParameterName, 'The schema with our tables, for PostgreSQL [default: the role''s own]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Form of the answer; wide has more columns, csv has all [default: table]')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Form of the answer; wide has more columns, csv has all [default: table]')
            [CompletionResult]::new('--columns', '--columns', [CompletionResultType]::ParameterName, 'Columns to show, in this order (table, wide, csv); a wrong name lists the right ones')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to colour')
            [CompletionResult]::new('--time', '--time', [CompletionResultType]::ParameterName, 'How tables show times; the other formats have RFC 3339 in UTC [default: relative]')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for -o json')
            [CompletionResult]::new('--no-headers', '--no-headers', [CompletionResultType]::ParameterName, 'Leave out the header of tables and CSV')
            [CompletionResult]::new('--no-trunc', '--no-trunc', [CompletionResultType]::ParameterName, 'Cut nothing and leave nothing out to fit the terminal')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Only ids, one on each line, for tables that have them; no remarks on standard error')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Only ids, one on each line, for tables that have them; no remarks on standard error')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'archonctl;token;revoke' {
            [CompletionResult]::new('--data-dir', '--data-dir', [CompletionResultType]::ParameterName, 'Where journals and the embedded store are')
            [CompletionResult]::new('--database-url', '--database-url', [CompletionResultType]::ParameterName, 'Another database: postgres://USER@HOST/DATABASE or sqlite:FILE; no password here')
            [CompletionResult]::new('--database-url-file', '--database-url-file', [CompletionResultType]::ParameterName, 'A file that holds this URL, with the password')
            [CompletionResult]::new('--database-schema', '--database-schema', [CompletionResultType]::ParameterName, 'The schema with our tables, for PostgreSQL [default: the role''s own]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Form of the answer; wide has more columns, csv has all [default: table]')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Form of the answer; wide has more columns, csv has all [default: table]')
            [CompletionResult]::new('--columns', '--columns', [CompletionResultType]::ParameterName, 'Columns to show, in this order (table, wide, csv); a wrong name lists the right ones')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to colour')
            [CompletionResult]::new('--time', '--time', [CompletionResultType]::ParameterName, 'How tables show times; the other formats have RFC 3339 in UTC [default: relative]')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for -o json')
            [CompletionResult]::new('--no-headers', '--no-headers', [CompletionResultType]::ParameterName, 'Leave out the header of tables and CSV')
            [CompletionResult]::new('--no-trunc', '--no-trunc', [CompletionResultType]::ParameterName, 'Cut nothing and leave nothing out to fit the terminal')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Only ids, one on each line, for tables that have them; no remarks on standard error')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Only ids, one on each line, for tables that have them; no remarks on standard error')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'archonctl;token;help' {
            [CompletionResult]::new('create', 'create', [CompletionResultType]::ParameterValue, 'Make a token; it is shown this once, with -q nothing else')
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List tokens, the newest first')
            [CompletionResult]::new('revoke', 'revoke', [CompletionResultType]::ParameterValue, 'Revoke a token; it is good no more at once')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'archonctl;token;help;create' {
            break
        }
        'archonctl;token;help;list' {
            break
        }
        'archonctl;token;help;revoke' {
            break
        }
        'archonctl;token;help;help' {
            break
        }
        'archonctl;config' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('show', 'show', [CompletionResultType]::ParameterValue, 'Show every setting and its value')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'archonctl;config;show' {
            [CompletionResult]::new('--data-dir', '--data-dir', [CompletionResultType]::ParameterName, 'Where journals and the embedded store are')
            [CompletionResult]::new('--database-url', '--database-url', [CompletionResultType]::ParameterName, 'Another database: postgres://USER@HOST/DATABASE or sqlite:FILE; no password here')
            [CompletionResult]::new('--database-url-file', '--database-url-file', [CompletionResultType]::ParameterName, 'A file that holds this URL, with the password')
            [CompletionResult]::new('--database-schema', '--database-schema', [CompletionResultType]::ParameterName, 'The schema with our tables, for PostgreSQL [default: the role''s own]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Form of the answer; wide has more columns, csv has all [default: table]')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Form of the answer; wide has more columns, csv has all [default: table]')
            [CompletionResult]::new('--columns', '--columns', [CompletionResultType]::ParameterName, 'Columns to show, in this order (table, wide, csv); a wrong name lists the right ones')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to colour')
            [CompletionResult]::new('--time', '--time', [CompletionResultType]::ParameterName, 'How tables show times; the other formats have RFC 3339 in UTC [default: relative]')
            [CompletionResult]::new('--origin', '--origin', [CompletionResultType]::ParameterName, 'Also show where each value comes from')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for -o json')
            [CompletionResult]::new('--no-headers', '--no-headers', [CompletionResultType]::ParameterName, 'Leave out the header of tables and CSV')
            [CompletionResult]::new('--no-trunc', '--no-trunc', [CompletionResultType]::ParameterName, 'Cut nothing and leave nothing out to fit the terminal')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Only ids, one on each line, for tables that have them; no remarks on standard error')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Only ids, one on each line, for tables that have them; no remarks on standard error')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'archonctl;config;help' {
            [CompletionResult]::new('show', 'show', [CompletionResultType]::ParameterValue, 'Show every setting and its value')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'archonctl;config;help;show' {
            break
        }
        'archonctl;config;help;help' {
            break
        }
        'archonctl;schema' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'archonctl;completions' {
            [CompletionResult]::new('--out', '--out', [CompletionResultType]::ParameterName, 'Write the scripts of all shells into this directory')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'archonctl;man' {
            [CompletionResult]::new('--out', '--out', [CompletionResultType]::ParameterName, 'Write the pages of all commands into this directory instead')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'archonctl;help' {
            [CompletionResult]::new('serve', 'serve', [CompletionResultType]::ParameterValue, 'Relay MCP traffic to a server and track its sessions')
            [CompletionResult]::new('run', 'run', [CompletionResultType]::ParameterValue, 'Run an MCP server over stdio and track its session')
            [CompletionResult]::new('bridge', 'bridge', [CompletionResultType]::ParameterValue, 'Be a stdio server that forwards to an MCP server over HTTP, and track its session')
            [CompletionResult]::new('sessions', 'sessions', [CompletionResultType]::ParameterValue, 'Show sessions: who works with a server, who left and why')
            [CompletionResult]::new('test-connection', 'test-connection', [CompletionResultType]::ParameterValue, 'Test that an MCP server answers, and that its session is tracked')
            [CompletionResult]::new('migrate', 'migrate', [CompletionResultType]::ParameterValue, 'Bring the database to this version, and prove it')
            [CompletionResult]::new('doctor', 'doctor', [CompletionResultType]::ParameterValue, 'Check the data directory, journals, the store and its instances, and explain what is wrong')
            [CompletionResult]::new('pricing', 'pricing', [CompletionResultType]::ParameterValue, 'Show and set what models cost')
            [CompletionResult]::new('token', 'token', [CompletionResultType]::ParameterValue, 'Make, list and revoke tokens for the API')
            [CompletionResult]::new('config', 'config', [CompletionResultType]::ParameterValue, 'Show settings')
            [CompletionResult]::new('schema', 'schema', [CompletionResultType]::ParameterValue, 'Print a description of the REST API')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Print the completion script of a shell')
            [CompletionResult]::new('man', 'man', [CompletionResultType]::ParameterValue, 'Print the manual page')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'archonctl;help;serve' {
            break
        }
        'archonctl;help;run' {
            break
        }
        'archonctl;help;bridge' {
            break
        }
        'archonctl;help;sessions' {
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List sessions, newest activity first')
            [CompletionResult]::new('show', 'show', [CompletionResultType]::ParameterValue, 'Show one session and its operations, newest first')
            [CompletionResult]::new('disconnected', 'disconnected', [CompletionResultType]::ParameterValue, 'List sessions that ended, newest end first, and why [default: the last 7 days]')
            [CompletionResult]::new('stats', 'stats', [CompletionResultType]::ParameterValue, 'Count sessions by client type: how many, how they ended, how long they lasted [default: of all time]')
            break
        }
        'archonctl;help;sessions;list' {
            break
        }
        'archonctl;help;sessions;show' {
            break
        }
        'archonctl;help;sessions;disconnected' {
            break
        }
        'archonctl;help;sessions;stats' {
            break
        }
        'archonctl;help;test-connection' {
            break
        }
        'archonctl;help;migrate' {
            [CompletionResult]::new('up', 'up', [CompletionResultType]::ParameterValue, 'Apply what is pending, record what was made by hand, make what is missing')
            [CompletionResult]::new('status', 'status', [CompletionResultType]::ParameterValue, 'Show every migration: recorded, really there, and the verdict')
            [CompletionResult]::new('verify', 'verify', [CompletionResultType]::ParameterValue, 'Prove that the schema is what the migrations make; exit code 5 and every difference by name if not')
            [CompletionResult]::new('plan', 'plan', [CompletionResultType]::ParameterValue, 'Print the SQL that `migrate up` would run, without running it')
            [CompletionResult]::new('adopt', 'adopt', [CompletionResultType]::ParameterValue, 'Record migrations that were made by hand, as far as they are all there')
            [CompletionResult]::new('repair', 'repair', [CompletionResultType]::ParameterValue, 'Make what is missing of migrations that are there in part, or recorded and not there')
            [CompletionResult]::new('down', 'down', [CompletionResultType]::ParameterValue, 'Undo the last migration, or all after a number')
            [CompletionResult]::new('dump', 'dump', [CompletionResultType]::ParameterValue, 'Print the schema as it is, as SQL that makes it again')
            break
        }
        'archonctl;help;migrate;up' {
            break
        }
        'archonctl;help;migrate;status' {
            break
        }
        'archonctl;help;migrate;verify' {
            break
        }
        'archonctl;help;migrate;plan' {
            break
        }
        'archonctl;help;migrate;adopt' {
            break
        }
        'archonctl;help;migrate;repair' {
            break
        }
        'archonctl;help;migrate;down' {
            break
        }
        'archonctl;help;migrate;dump' {
            break
        }
        'archonctl;help;doctor' {
            break
        }
        'archonctl;help;pricing' {
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List what models cost: prices in force and to come, in US dollars')
            [CompletionResult]::new('set', 'set', [CompletionResultType]::ParameterValue, 'Set what a model costs from a day on, in US dollars')
            [CompletionResult]::new('import', 'import', [CompletionResultType]::ParameterValue, 'Set prices from a CSV or JSON file, all or none')
            break
        }
        'archonctl;help;pricing;list' {
            break
        }
        'archonctl;help;pricing;set' {
            break
        }
        'archonctl;help;pricing;import' {
            break
        }
        'archonctl;help;token' {
            [CompletionResult]::new('create', 'create', [CompletionResultType]::ParameterValue, 'Make a token; it is shown this once, with -q nothing else')
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List tokens, the newest first')
            [CompletionResult]::new('revoke', 'revoke', [CompletionResultType]::ParameterValue, 'Revoke a token; it is good no more at once')
            break
        }
        'archonctl;help;token;create' {
            break
        }
        'archonctl;help;token;list' {
            break
        }
        'archonctl;help;token;revoke' {
            break
        }
        'archonctl;help;config' {
            [CompletionResult]::new('show', 'show', [CompletionResultType]::ParameterValue, 'Show every setting and its value')
            break
        }
        'archonctl;help;config;show' {
            break
        }
        'archonctl;help;schema' {
            break
        }
        'archonctl;help;completions' {
            break
        }
        'archonctl;help;man' {
            break
        }
        'archonctl;help;help' {
            break
        }
    })

    $completions.Where{ $_.CompletionText -like "$wordToComplete*" } |
        Sort-Object -Property ListItemText
}
