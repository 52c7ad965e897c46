// A client of the modern era: the official TypeScript client 2.x over streamable HTTP.
import { parseArgs } from 'node:util';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { SCENARIOS, clientInfo, emit, hang, makeCalls, run, usage, watchStream } from './script.mjs';

const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
        // `auto` (probe, else `initialize`), `legacy` (`initialize` only), or the one revision to speak.
        mode: { type: 'string', default: 'auto' },
        // Hold a `subscriptions/listen` stream, as interactive clients do.
        listen: { type: 'boolean', default: false }
    }
});
const [url, scenario] = positionals;
if (!url || !SCENARIOS.includes(scenario)) {
    usage('ts_modern.mjs URL polite|close|hang [--mode auto|legacy|2026-07-28] [--listen]');
}
const pinned = values.mode !== 'auto' && values.mode !== 'legacy';

run(async () => {
    const stream = watchStream();
    const client = new Client(clientInfo('ts-modern-driver'), {
        versionNegotiation: { mode: pinned ? { pin: values.mode } : values.mode }
    });
    const transport = new StreamableHTTPClientTransport(new URL(url), { fetch: stream.fetch });
    await client.connect(transport);
    const protocolVersion = client.getNegotiatedProtocolVersion() ?? null;
    emit({ event: 'connected', protocolVersion, sessionId: transport.sessionId ?? null });
    if (pinned && protocolVersion !== values.mode) throw new Error(`spoke ${protocolVersion}`);

    if (values.listen) {
        await client.listen({ toolsListChanged: true });
        emit({ event: 'listening' });
    }

    await makeCalls(client);
    if (client.getProtocolEra() === 'legacy') await stream.answered;

    if (scenario === 'hang') await hang();
    if (scenario === 'polite') await transport.terminateSession(); // nothing on the wire without a session id
    await client.close();
});
