// A client of the modern era: the official TypeScript client 2.x over stdio.
import { parseArgs } from 'node:util';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { clientInfo, emit, hang, makeCalls, run, stdioArguments } from './script.mjs';

const { scenario, command, args, options } = stdioArguments('ts_modern_stdio.mjs', '[--mode MODE] [--listen]');
const { values } = parseArgs({
    args: options,
    options: {
        // As in ts_modern.mjs.
        mode: { type: 'string', default: 'auto' },
        listen: { type: 'boolean', default: false }
    }
});
const pinned = values.mode !== 'auto' && values.mode !== 'legacy';

run(async () => {
    const client = new Client(clientInfo('ts-modern-driver'), {
        versionNegotiation: { mode: pinned ? { pin: values.mode } : values.mode }
    });
    const transport = new StdioClientTransport({ command, args, stderr: 'inherit' });
    await client.connect(transport);
    const protocolVersion = client.getNegotiatedProtocolVersion() ?? null;
    emit({ event: 'connected', protocolVersion, pid: transport.pid });
    if (values.listen) {
        await client.listen({ toolsListChanged: true });
        emit({ event: 'listening' });
    }
    await makeCalls(client);
    if (scenario === 'hang') await hang();
    if (scenario === 'polite') await client.close();
});
