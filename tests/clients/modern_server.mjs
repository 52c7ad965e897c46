// A server of the modern era, without sessions: the official TypeScript server 2.x over streamable HTTP.
// It answers legacy clients too (no session id, GET and DELETE refused) unless told otherwise.
import { createServer } from 'node:http';
import { parseArgs } from 'node:util';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler } from '@modelcontextprotocol/server';
import { buildServer } from './modern_tools.mjs';

const { values } = parseArgs({
    options: {
        port: { type: 'string', default: '0' }, // 0: any free one
        sse: { type: 'boolean', default: false }, // answer over SSE instead of one JSON body
        'modern-only': { type: 'boolean', default: false } // refuse legacy clients
    }
});

const handler = createMcpHandler(buildServer, {
    responseMode: values.sse ? 'sse' : 'auto',
    legacy: values['modern-only'] ? 'reject' : 'stateless',
    onerror: error => process.stderr.write(`${error}\n`)
});
const handle = toNodeHandler(handler);

const http = createServer((request, response) => {
    if (new URL(request.url, 'http://localhost').pathname === '/mcp') {
        void handle(request, response);
    } else {
        response.writeHead(404).end();
    }
});
http.listen(Number(values.port), '127.0.0.1', () => process.stdout.write(`LISTENING ${http.address().port}\n`));

for (const signal of ['SIGINT', 'SIGTERM']) {
    process.on(signal, async () => {
        await handler.close(); // ends what is in flight, `subscriptions/listen` streams too
        http.close(() => process.exit(0));
        http.closeIdleConnections();
        setTimeout(() => http.closeAllConnections(), 500).unref();
    });
}
