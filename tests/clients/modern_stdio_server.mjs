// A server of the modern era over stdio: the official TypeScript server 2.x. It serves legacy clients too, unless told
// otherwise.
import { parseArgs } from 'node:util';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { buildServer } from './modern_tools.mjs';

const { values } = parseArgs({
    options: {
        'modern-only': { type: 'boolean', default: false } // refuse legacy clients
    }
});

serveStdio(buildServer, {
    legacy: values['modern-only'] ? 'reject' : 'serve',
    onerror: error => process.stderr.write(`${error}\n`)
});
