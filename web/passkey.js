// Passkeys: make one with an invitation, sign in with one, and approve exactly one release with one.
const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

async function post(path, body) {
  const answer = await fetch(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
  const said = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(said.detail || "");
  return said;
}

function say(box, words) {
  const line = box.querySelector("[data-say]");
  line.textContent = words;
  line.hidden = !words;
}

async function assertion(challenge, host, allowed) {
  const found = await navigator.credentials.get({ publicKey: {
    challenge: bytes(challenge), rpId: host, userVerification: "required", timeout: 120000,
    allowCredentials: allowed.map((id) => ({ type: "public-key", id: bytes(id) })),
  } });
  const { clientDataJSON, authenticatorData, signature, userHandle } = found.response;
  return { credential: text(found.rawId), client_data: text(clientDataJSON), authenticator_data: text(authenticatorData),
    signature: text(signature), user: userHandle ? text(userHandle) : "" };
}

async function signIn(box) {
  const asked = await post("/sign-in/begin", {});
  const given = await assertion(asked.challenge, asked.host, []);
  const done = await post("/sign-in", { challenge: asked.challenge, ...given });
  location.assign(done.go);
}

async function join(box) {
  const code = location.hash.slice(1);
  const asked = await post("/join/begin", { code });
  const made = await navigator.credentials.create({ publicKey: {
    challenge: bytes(asked.challenge), rp: { id: asked.host, name: asked.name },
    user: { id: bytes(asked.user), name: asked.label, displayName: asked.label },
    pubKeyCredParams: [{ type: "public-key", alg: -7 }, { type: "public-key", alg: -8 }, { type: "public-key", alg: -257 }],
    authenticatorSelection: { residentKey: "required", userVerification: "required" },
    attestation: "none", timeout: 120000,
    excludeCredentials: asked.known.map((id) => ({ type: "public-key", id: bytes(id) })),
  } });
  const { clientDataJSON, attestationObject } = made.response;
  const done = await post("/join", { code, challenge: asked.challenge, client_data: text(clientDataJSON), attestation: text(attestationObject) });
  location.replace(done.go);
}

async function enter() {
  const done = await post("/join/demo", { code: location.hash.slice(1) });
  location.replace(done.go);
}

async function approve(form) {
  const { challenge, host, credentials } = form.dataset;
  const given = await assertion(challenge, host, credentials.split(" "));
  form.elements.assertion.value = JSON.stringify(given);
  form.submit();
}

async function leave(path, body) {
  const done = await post(path, body);
  location.assign(done.go);
}

async function bind() {
  const { challenge, host } = await post("/sign-in/begin", {});
  await leave("/me/accounts", { challenge, ...await assertion(challenge, host, []) });
}

const acts = { "sign-in": signIn, join, enter, approve, "provider-bind": bind,
  provider: () => leave("/sign-in/provider", {}), "provider-join": () => leave("/join/provider", { code: location.hash.slice(1) }) };

for (const box of document.querySelectorAll("[data-passkey]")) {
  box.addEventListener(box.tagName === "FORM" ? "submit" : "click", async (event) => {
    const button = event.target.closest("[data-act]") ?? (box.tagName === "FORM" ? box : null);
    if (!button) return;
    event.preventDefault();
    say(box, "");
    box.classList.add("busy");
    try {
      await acts[button.dataset.act](box);
    } catch (error) {
      const words = error.name === "NotAllowedError" ? box.dataset.cancelled : error.name === "InvalidStateError" ? box.dataset.known : error.message;
      say(box, words || box.dataset.failed);
    } finally {
      box.classList.remove("busy");
    }
  });
}
