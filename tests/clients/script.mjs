// What the TypeScript drivers share: the output lines and the calls every scenario makes.

export const SCENARIOS = ['polite', 'close', 'hang'];

/** One JSON object per line on stdout; writes to a pipe are synchronous on Linux, so nothing is held back. */
export function emit(event) {
    process.stdout.write(`${JSON.stringify(event)}\n`);
}

/** The identity the client sends, settable so that a test can tell its sessions apart. */
export function clientInfo(defaultName) {
    return {
        name: process.env.CLIENT_NAME || defaultName,
        version: process.env.CLIENT_VERSION || '1.2.3'
    };
}

/** `fetch` that notes when the GET stream of a legacy session has been answered. */
export function watchStream() {
    const stream = {};
    stream.answered = new Promise(resolve => {
        stream.fetch = async (url, init) => {
            const response = await fetch(url, init);
            if (init?.method === 'GET') {
                emit({ event: 'stream', status: response.status });
                resolve(response.status);
            }
            return response;
        };
    });
    return stream;
}

/** Lists the tools, calls `echo` five times, and makes one call that must fail; or what `CALL_TOOLS` names instead. */
export async function makeCalls(client) {
    const { tools } = await client.listTools();
    emit({ event: 'tools', count: tools.length });
    if (process.env.CALL_TOOLS) {
        for (const name of process.env.CALL_TOOLS.split(',')) {
            const { isError, structuredContent } = await client.callTool({ name, arguments: {} });
            emit({ event: 'call', tool: name, ok: !isError, structuredContent });
            if (isError) throw new Error(`${name} failed`);
        }
        return;
    }
    if (!tools.some(tool => tool.name === 'echo')) throw new Error('the server lists no tool `echo`');

    for (let n = 1; n <= 5; n++) {
        const result = await client.callTool({ name: 'echo', arguments: { message: `hello ${n}` } });
        const ok = !result.isError && result.content?.[0]?.text === `Echo: hello ${n}`;
        emit({ event: 'call', ok });
        if (!ok) throw new Error(`unexpected answer: ${JSON.stringify(result)}`);
    }

    const failing = { name: process.env.FAIL_TOOL || 'fail', arguments: {} };
    let failed;
    try {
        const result = await client.callTool(failing);
        if (result.isError) failed = { how: 'isError', message: result.content?.[0]?.text };
    } catch (error) {
        // Only a JSON-RPC error carries a numeric code of the protocol; anything else broke below it.
        if (!Number.isInteger(error?.code) || error.code > -32000) throw error;
        failed = { how: 'jsonrpc', code: error.code, message: error.message };
    }
    if (!failed) throw new Error(`the call of \`${failing.name}\` succeeded`);
    emit({ event: 'failed', ...failed });
}

/** Says so and stays, for a test to kill. The timer keeps Node alive where no stream does. */
export function hang() {
    emit({ event: 'READY' });
    setInterval(() => {}, 60_000);
    return new Promise(() => {});
}

/** Runs a driver: exit code 0 only if everything went as expected. */
export function run(main) {
    main().then(
        () => {
            emit({ event: 'done' });
            process.exit(0);
        },
        error => {
            emit({ event: 'unexpected', message: String(error?.stack ?? error) });
            process.exit(1);
        }
    );
}

/** Says how a driver is used, and ends it. */
export function usage(text) {
    process.stderr.write(`usage: ${text}\n`);
    process.exit(2);
}

/** `SCENARIO [options] -- COMMAND [ARGUMENTS]`, as the stdio drivers take it. */
export function stdioArguments(driver, optionsText = '') {
    const words = process.argv.slice(2);
    const at = words.indexOf('--');
    const [scenario, ...options] = words.slice(0, at);
    const [command, ...args] = words.slice(at + 1);
    if (at < 0 || !command || !SCENARIOS.includes(scenario)) {
        usage(`${driver} polite|close|hang ${optionsText} -- COMMAND [ARGUMENTS]`);
    }
    return { scenario, options, command, args };
}
