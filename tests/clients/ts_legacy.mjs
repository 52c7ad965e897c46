// A client of the legacy era: the official TypeScript SDK 1.x over streamable HTTP, over the older HTTP+SSE transport,
// or over stdio with the bridge `mcp-remote` in between.
import { parseArgs } from 'node:util';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { SCENARIOS, clientInfo, emit, hang, makeCalls, run, usage, watchStream } from './script.mjs';

const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { transport: { type: 'string', default: 'http' } }
});
const [url, scenario] = positionals;
if (!url || !SCENARIOS.includes(scenario) || !['http', 'sse', 'bridge'].includes(values.transport)) {
    usage('ts_legacy.mjs URL polite|close|hang [--transport http|sse|bridge]');
}

/** The transports without a session id in HTTP: nothing but closing ends them. */
function otherTransport() {
    if (values.transport === 'sse') return new SSEClientTransport(new URL(url));
    const bridge = 'node_modules/mcp-remote/dist/proxy.js';
    return new StdioClientTransport({ command: process.execPath, args: [bridge, url], stderr: 'ignore' });
}

run(async () => {
    const stream = watchStream();
    const client = new Client(clientInfo('ts-legacy-driver'));
    if (values.transport !== 'http') {
        await client.connect(otherTransport());
        emit({ event: 'connected', protocolVersion: null, sessionId: null });
        await makeCalls(client);
        if (scenario === 'hang') await hang();
        await client.close();
        return;
    }
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
