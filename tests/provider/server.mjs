// A real OpenID provider (oidc-provider) for the tests: its own pages for signing in, and nothing else of ours.
import { createServer } from "node:http";
import { Provider } from "oidc-provider";

const { client, redirects, logout, acr } = JSON.parse(process.argv[2]);
const server = createServer();
await new Promise((done) => server.listen(0, "127.0.0.1", done));  // a port that is free, and ours from here on
const { port } = server.address();
const issuer = `http://127.0.0.1:${port}`;
const page = (uid, failed) => `${head}<h1>National identity</h1>
<form method="post" action="/interaction/${uid}"><label>Person <input name="login" autofocus></label>
<label>Level <input name="level" value="${acr[0]}"></label><button>Continue</button></form></html>`;

const head = '<!doctype html><html lang="en"><link rel="icon" href="data:,"><title>National identity</title>';
const leaving = (ctx, form) => {
  ctx.body = `${head}${form}<button form="op.logoutForm" name="logout" value="yes">Sign out everywhere</button></html>`;
};
const left = (ctx) => { ctx.body = `${head}<p>You have signed out.</p></html>`; };

const provider = new Provider(issuer, {
  clients: [{
    client_id: client.id, client_secret: client.secret, redirect_uris: redirects,
    grant_types: ["authorization_code"], response_types: ["code"],
    ...(logout ? { backchannel_logout_uri: logout, backchannel_logout_session_required: true } : {}),
  }],
  acrValues: acr,
  claims: { openid: ["sub"], acr: null, auth_time: null, sid: null },
  cookies: { keys: ["a key of the tests"] },
  findAccount: (_, sub) => ({ accountId: sub, claims: () => ({ sub }) }),
  features: { devInteractions: { enabled: false }, backchannelLogout: { enabled: true },
    rpInitiatedLogout: { enabled: true, logoutSource: leaving, postLogoutSuccessSource: left } },
  fetch: (url, { dispatcher, ...options }) => fetch(url, options),  // the node that it tells of sign-outs is on this machine
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
  async loadExistingGrant(ctx) {  // this Member's officers consent by working here
    const grant = new ctx.oidc.provider.Grant({ accountId: ctx.oidc.session.accountId, clientId: ctx.oidc.client.clientId });
    grant.addOIDCScope("openid");
    await grant.save();
    return grant;
  },
});

const body = async (request) => {
  let text = "";
  for await (const piece of request) text += piece;
  return new URLSearchParams(text);
};

const callback = provider.callback();
server.on("request", async (request, response) => {
  const at = /^\/interaction\/([\w-]+)$/.exec(request.url);
  if (!at) return callback(request, response);
  if (request.method === "GET") {
    response.setHeader("content-type", "text/html");
    return response.end(page(at[1]));
  }
  const form = await body(request);
  const login = { accountId: form.get("login"), acr: form.get("level") || undefined, amr: ["hwk"] };
  const result = form.get("login") ? { login } : { error: "access_denied" };
  await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
});
console.log(`ready ${port}`);
