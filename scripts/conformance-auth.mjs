// Runs the scenarios of authorisation (`auth/*`) of MCP's conformance suites with our client, directly and through archonctl,
// and compares the outcome check by check. The suite is the server here: the daemon, one for each scenario, stands between it
// and the client.
//
//   node scripts/conformance-auth.mjs SUITES BINARY    `scripts/conformance` calls it
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const [suites, binary] = process.argv.slice(2);
const client = new URL('../tests/clients/auth_client.mjs', import.meta.url).pathname;
const work = mkdtempSync(path.join(tmpdir(), 'conformance-auth-'));

// What cannot be the same by the specifications, since a credential is bound to the URL by which the client reaches the server, and
// through a proxy that is the proxy's: which check fails for it, how that is told from any other failure, and in which scenarios. A
// scenario where it does not happen is a failure of its own: then it is to be taken off.
const BOUND = [
    {
        why: 'RFC 9728, section 3.3: metadata has to name the URL that the client uses; the client then asks for a token for that (RFC 8707), and the suite compares with its own',
        check: 'resource-parameter-matches-prm',
        told: ({ details: { prmResource, authorizationResource, tokenResource } }) =>
            authorizationResource === tokenResource && authorizationResource !== prmResource &&
            new URL(authorizationResource).pathname === '/mcp',
        scenarios: [
            'auth-modern auth/metadata-default', 'auth-modern auth/metadata-var1', 'auth-modern auth/metadata-var2',
            'auth-modern auth/metadata-var3', 'auth-modern auth/token-endpoint-auth-basic',
            'auth-modern auth/token-endpoint-auth-post', 'auth-modern auth/token-endpoint-auth-none'
        ]
    },
    {
        why: 'RFC 8707, section 2, in an identity assertion: it names the resource by the URL that the client uses, and the authorization server of the suite knows the other one only',
        check: 'complete-flow-jwt-bearer',
        told: ({ details: { jagResource, expectedResource } }) =>
            jagResource !== expectedResource && new URL(jagResource).pathname === new URL(expectedResource).pathname,
        ends: true,
        scenarios: [
            'auth-legacy auth/cross-app-access-complete-flow',
            'auth-extensions auth/enterprise-managed-authorization'
        ]
    },
    {
        why: 'RFC 9449, section 4.3: the proof names the URI that the client sends it to',
        check: 'sep-1932-client-fresh-proof',
        told: ({ errorMessage }) => errorMessage === 'DPoP proof was missing or malformed: htu does not match the request URI',
        // No proof counts, so none is answered with a nonce.
        follows: ['sep-1932-client-rs-nonce'],
        ends: true,
        scenarios: ['auth-extensions auth/dpop', 'auth-extensions auth/dpop-nonce']
    }
];

function run(command, args, env = {}) {
    return new Promise(resolve => {
        execFile(command, args, { env: { ...process.env, ...env }, maxBuffer: 64 << 20 }, (_error, out, err) => resolve(out + err));
    });
}

// The outcome of one scenario: its verdict, and its checks. Notes (INFO) tell of each request, in whatever order they came.
async function outcome(suite, scenario, through) {
    const out = path.join(work, `${suite.name}-${scenario.replace('/', '-')}-${through ? 'through' : 'direct'}`);
    const said = await run(process.execPath, [
        path.join(suites, suite.package, 'dist/index.js'), 'client', '--scenario', scenario, ...suite.args,
        '--command', `node ${client}`, '--timeout', '120000', '-o', out
    ], { ARCHONCTL_BINARY: through ? binary : '' });
    const verdict = said.match(/OVERALL: (\w+)/)?.[1] ?? `none: ${said}`;
    let files = [];
    try {
        files = readdirSync(out, { recursive: true }).filter(file => path.basename(file) === 'checks.json');
    } catch { /* nothing was written: the verdict tells */ }
    const checks = files.flatMap(file => JSON.parse(readFileSync(path.join(out, file))));
    return { verdict, checks: checks.filter(check => check.status !== 'INFO') };
}

const good = check => check.status === 'SUCCESS';
const lines = ({ verdict, checks }) => [...checks.map(check => `${check.id} ${check.status}`).sort(), `OVERALL ${verdict}`];

// What is wrong with a scenario; nothing if it is as it should be.
function difference(name, direct, through) {
    const bound = BOUND.find(({ scenarios }) => scenarios.includes(name));
    if (!bound) {
        const [before, after] = [lines(direct), lines(through)];
        const gone = before.filter(line => !after.includes(line));
        const added = after.filter(line => !before.includes(line));
        return before.join() === after.join() ? [] : [...gone.map(line => `- ${line}`), ...added.map(line => `+ ${line}`), `(${before.length} and ${after.length} lines)`];
    }
    const wrong = [];
    if (direct.verdict !== 'PASSED') wrong.push(`directly: ${direct.verdict}`);
    const failed = through.checks.filter(check => !good(check));
    if (!failed.some(check => check.id === bound.check)) wrong.push(`${bound.check} does not fail any more: take it off`);
    for (const check of failed) {
        const known = check.id === bound.check ? bound.told(check) : bound.follows?.includes(check.id);
        if (!known) wrong.push(`${check.id} ${check.status}: ${check.errorMessage ?? check.description} ${JSON.stringify(check.details)}`);
    }
    if (!bound.ends) {
        const rest = ({ checks }) => checks.filter(check => check.id !== bound.check).map(check => `${check.id} ${check.status}`).sort();
        if (rest(direct).join() !== rest(through).join()) wrong.push('the other checks are not the same');
    }
    return wrong;
}

async function scenarios(suite) {
    const listed = await run(process.execPath, [path.join(suites, suite.package, 'dist/index.js'), 'list', '--client']);
    return listed.split('\n').filter(line => suite.tag.test(line)).map(line => line.match(/auth\/[\w-]+/)[0]);
}

const SUITES = [
    { name: 'auth-legacy', package: 'conformance-legacy', tag: /auth\//, args: [] },
    { name: 'auth-modern', package: 'conformance-modern', tag: /auth\/.*2026-07-28/, args: ['--spec-version', '2026-07-28'] },
    { name: 'auth-extensions', package: 'conformance-modern', tag: /auth\/.*extension/, args: [] }
];

let failed = false;
const seen = new Set();
try {
    for (const suite of SUITES) {
        const all = await scenarios(suite);
        let passed = 0;
        let bound = 0;
        for (const scenario of all) {
            const name = `${suite.name} ${scenario}`;
            seen.add(name);
            let direct, through;
            // Every scenario is good directly. Where one is not, there was nothing to compare with: both ways once more.
            for (let attempt = 0; attempt < 3 && direct?.verdict !== 'PASSED'; attempt += 1) {
                if (direct) console.log(`${name}: not good without archonctl, once more: ${lines(direct).join(', ')}`);
                [direct, through] = await Promise.all([outcome(suite, scenario, false), outcome(suite, scenario, true)]);
            }
            const wrong = difference(name, direct, through);
            passed += direct.verdict === 'PASSED';
            bound += BOUND.some(({ scenarios }) => scenarios.includes(name));
            if (wrong.length) {
                failed = true;
                console.log(`${name}: not the same through archonctl\n  ${wrong.join('\n  ')}`);
            }
        }
        if (all.length < 6) {
            failed = true;
            console.log(`${suite.name}: only ${all.length} scenarios`);
        }
        console.log(`${suite.name}: ${all.length} scenarios, ${passed} of them good; ${all.length - bound} the same directly and through archonctl, ${bound} bound to the URL`);
    }
    for (const { why, check, scenarios } of BOUND) {
        console.log(`bound to the URL (${check}): ${scenarios.map(name => name.split('/')[1]).join(', ')}. ${why}`);
        for (const name of scenarios.filter(name => !seen.has(name))) {
            failed = true;
            console.log(`${name}: there is no such scenario any more`);
        }
    }
} finally {
    rmSync(work, { recursive: true, force: true });
}
process.exitCode = failed ? 1 : 0;
