// What both servers of the modern era offer.
import { McpServer } from '@modelcontextprotocol/server';
import * as z from 'zod';

export function buildServer() {
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
