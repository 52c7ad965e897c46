// A client of the legacy era: the official TypeScript SDK 1.x over streamable HTTP.
import { parseArgs } from 'node:util';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { SCENARIOS, clientInfo, emit, hang, makeCalls, run, usage, watchStream } from './script.mjs';

const { positionals } = parseArgs({ allowPositionals: true });
const [url, scenario] = positionals;
if (!url || !SCENARIOS.includes(scenario)) usage('ts_legacy.mjs URL polite|close|hang');

run(async () => {
    const stream = watchStream();
    const client = new Client(clientInfo('ts-legacy-driver'));
    const transport = new StreamableHTTPClientTransport(new URL(url), { fetch: stream.fetch });
    await client.connect(transport);
    emit({
        event: 'connected',
        protocolVersion: transport.protocolVersion ?? null,
        sessionId: transport.sessionId ?? null
    });

    await makeCalls(client);
    await stream.answered; // the SDK asks for the stream by itself; every scenario has it open at the end

    if (scenario === 'hang') await hang();
    if (scenario === 'polite') await transport.terminateSession(); // DELETE, if there is a session id
    await client.close();
});
