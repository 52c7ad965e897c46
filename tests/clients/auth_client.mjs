// A client that authorises itself (MCP, Authorization), as MCP's conformance suite wants one for its `auth/*` scenarios: the
// official TypeScript client 2.x, an OAuth provider without a browser, and, if ARCHONCTL_BINARY names one, a daemon in
// between. The suite starts the servers and says in MCP_CONFORMANCE_SCENARIO what it wants to see.
//
//   auth_client.mjs URL
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
    Client,
    ClientCredentialsProvider,
    CrossAppAccessProvider,
    DpopSession,
    PrivateKeyJwtProvider,
    StreamableHTTPClientTransport,
    UnauthorizedError,
    requestJwtAuthorizationGrant
} from '@modelcontextprotocol/client';

const scenario = process.env.MCP_CONFORMANCE_SCENARIO ?? '';
const context = JSON.parse(process.env.MCP_CONFORMANCE_CONTEXT ?? '{}');
const modern = process.env.MCP_CONFORMANCE_PROTOCOL_VERSION === '2026-07-28';
const serverUrl = process.argv.at(-1);
const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';

// Follows the authorization server's redirect by itself: the suite's grants everything without asking.
class Provider {
    clientMetadataUrl = 'https://conformance-test.local/client-metadata.json';
    redirectUrl = 'http://127.0.0.1:9/callback';
    clientMetadata = {
        client_name: 'archonctl-auth-client',
        redirect_uris: [this.redirectUrl],
        grant_types: ['authorization_code', 'refresh_token'],
        response_types: ['code']
    };
    #clients = new Map();
    #tokens = new Map();
    #last;
    #verifier;
    #dpop;

    constructor(registered) {
        this.registered = registered;
        if (scenario.startsWith('auth/dpop')) {
            this.#dpop = DpopSession.create();
            this.dpop = () => this.#dpop;
        }
    }
    clientInformation(ctx) { return this.#clients.get(ctx?.issuer) ?? this.registered; }
    saveClientInformation(info, ctx) { this.#clients.set(ctx?.issuer, info); }
    tokens(ctx) { return ctx ? this.#tokens.get(ctx.issuer) : this.#last; }
    saveTokens(tokens, ctx) { this.#last = tokens; this.#tokens.set(ctx?.issuer, tokens); }
    saveCodeVerifier(verifier) { this.#verifier = verifier; }
    codeVerifier() { return this.#verifier; }
    invalidateCredentials(scope) {
        if (scope === 'all' || scope === 'tokens') { this.#tokens.clear(); this.#last = undefined; }
        if (scope === 'all' || scope === 'client') this.#clients.clear();
    }
    async redirectToAuthorization(url) {
        const response = await fetch(url, { redirect: 'manual' });
        const location = response.headers.get('location');
        if (!location) throw new Error(`${url.origin} granted nothing: ${response.status}`);
        this.callback = new URL(location).searchParams;
    }
}

// A workload that has a token of its own already (RFC 7523, section 2.1).
class WorkloadProvider extends ClientCredentialsProvider {
    constructor() {
        super({ clientId: context.client_id, clientSecret: '' });
    }
    get clientMetadata() {
        return { redirect_uris: [], grant_types: [JWT_BEARER], token_endpoint_auth_method: 'none' };
    }
    clientInformation() {
        return { client_id: context.client_id };
    }
    prepareTokenRequest(scope) {
        return new URLSearchParams({ grant_type: JWT_BEARER, assertion: context.valid_jwt, ...(scope && { scope }) });
    }
}

function provider() {
    const { client_id: clientId, client_secret: clientSecret } = context;
    switch (scenario) {
        case 'auth/client-credentials-basic':
            return new ClientCredentialsProvider({ clientId, clientSecret });
        case 'auth/client-credentials-jwt':
            return new PrivateKeyJwtProvider({
                clientId,
                privateKey: context.private_key_pem,
                algorithm: context.signing_algorithm ?? 'ES256'
            });
        case 'auth/cross-app-access-complete-flow':
        case 'auth/enterprise-managed-authorization':
            return new CrossAppAccessProvider({
                clientId,
                clientSecret,
                assertion: async asked => {
                    const granted = await requestJwtAuthorizationGrant({
                        tokenEndpoint: context.idp_token_endpoint,
                        audience: asked.authorizationServerUrl,
                        resource: asked.resourceUrl,
                        idToken: context.idp_id_token,
                        clientId: context.idp_client_id,
                        scope: asked.scope,
                        fetchFn: asked.fetchFn
                    });
                    return granted.jwtAuthGrant;
                }
            });
        case 'auth/wif-jwt-bearer':
            return new WorkloadProvider();
        default:
            return new Provider(clientId ? { client_id: clientId, client_secret: clientSecret } : undefined);
    }
}

// A daemon in front of `url`; its endpoint, and how to end it.
async function behind(binary, url) {
    const data = await mkdtemp(path.join(tmpdir(), 'archonctl-auth-'));
    const daemon = spawn(binary, ['serve', '--listen', '127.0.0.1:0', '--api-listen', 'off', '--data-dir', data, '--upstream', url], {
        stdio: ['ignore', 'ignore', 'pipe']
    });
    const ended = new Promise(resolve => daemon.on('exit', resolve));
    const stop = async () => {
        daemon.kill();
        await ended;
        await rm(data, { recursive: true, force: true });
    };
    const said = [];
    for await (const line of createInterface({ input: daemon.stderr })) {
        said.push(line);
        const found = line.match(/relaying (http:\/\/\S+\/mcp)/);
        if (found) {
            daemon.stderr.resume();
            return { url: found[1].replace('127.0.0.1', 'localhost'), stop };
        }
    }
    await stop();
    throw new Error(`the daemon did not start:\n${said.join('\n')}`);
}

const auth = provider();
// Once more for each time that the server wants other authorization, three times in all.
async function authorised(transport, what) {
    for (let attempt = 0; ; attempt += 1) {
        try {
            return await what();
        } catch (error) {
            const asked = error instanceof UnauthorizedError || error?.cause instanceof UnauthorizedError;
            if (!asked || !auth.callback || attempt === 2) throw error;
            const callback = auth.callback;
            auth.callback = undefined;
            await transport().finishAuth(callback);
        }
    }
}

async function main(url) {
    let client, transport;
    const connect = async () => {
        transport = new StreamableHTTPClientTransport(new URL(url), {
            authProvider: auth,
            // The suite's server of this revision, which does not ask for it, names another issuer than its own URL.
            skipIssuerMetadataValidation: scenario === 'auth/2025-03-26-oauth-metadata-backcompat'
        });
        client = new Client({ name: 'archonctl-auth-client', version: '1' }, {
            versionNegotiation: { mode: modern ? { pin: '2026-07-28' } : 'legacy' }
        });
        await client.connect(transport);
    };
    await authorised(() => transport, connect);
    await authorised(() => transport, () => client.listTools());
    await authorised(() => transport, () => client.callTool({ name: 'test-tool', arguments: {} }));
    await client.close();
}

const binary = process.env.ARCHONCTL_BINARY;
const daemon = binary ? await behind(binary, serverUrl) : undefined;
try {
    await main(daemon?.url ?? serverUrl);
} catch (error) {
    console.error(error);
    process.exitCode = 1;
} finally {
    await daemon?.stop();
}
