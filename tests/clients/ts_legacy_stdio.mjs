// A client of the legacy era: the official TypeScript SDK 1.x over stdio.
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { ListRootsRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { clientInfo, emit, hang, makeCalls, run, stdioArguments } from './script.mjs';

const { scenario, command, args } = stdioArguments('ts_legacy_stdio.mjs');

run(async () => {
    const client = new Client(clientInfo('ts-legacy-driver'), { capabilities: { roots: {} } });
    // Servers of this era may ask back, which is an operation too.
    client.setRequestHandler(ListRootsRequestSchema, async () => ({ roots: [{ uri: 'file:///tmp', name: 'tmp' }] }));
    const transport = new StdioClientTransport({ command, args, stderr: 'inherit' });
    await client.connect(transport);
    emit({ event: 'connected', pid: transport.pid });
    await makeCalls(client);
    if (scenario === 'hang') await hang();
    if (scenario === 'polite') await client.close();
    // `close`: this process ends, and with it its ends of the pipes.
});
