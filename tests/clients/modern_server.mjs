// A server of the modern era, without sessions: the official TypeScript server 2.x over streamable HTTP.
// It answers legacy clients too (no session id, GET and DELETE refused) unless told otherwise.
import { createServer } from 'node:http';
import { parseArgs } from 'node:util';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { McpServer, createMcpHandler } from '@modelcontextprotocol/server';
import * as z from 'zod';

const { values } = parseArgs({
    options: {
        port: { type: 'string', default: '0' }, // 0: any free one
        sse: { type: 'boolean', default: false }, // answer over SSE instead of one JSON body
        'modern-only': { type: 'boolean', default: false } // refuse legacy clients
    }
});

function build() {
    const server = new McpServer({ name: 'modern-test-server', version: '1.0.0' });
    server.registerTool(
        'echo',
        { description: 'Answers with the message', inputSchema: z.object({ message: z.string() }) },
        async ({ message }) => ({ content: [{ type: 'text', text: `Echo: ${message}` }] })
    );
    server.registerTool('fail', { description: 'Always fails', inputSchema: z.object({}) }, async () => ({
        content: [{ type: 'text', text: 'failed as asked' }],
        isError: true
    }));
    return server;
}

const handler = createMcpHandler(build, {
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
