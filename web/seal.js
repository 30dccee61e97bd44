// Seals to the node's outbox key: HPKE (RFC 9180), base mode, HKDF-SHA256, AES-256-GCM; docs/spec/outbox.md says it all.
// X-Wing (ML-KEM-768 + X25519) where WebCrypto has ML-KEM, else X25519. The node's half: rilon/crypto/outbox.py.
const { subtle } = crypto;
const utf8 = (text) => new TextEncoder().encode(text);
const LABEL = utf8("rilon outbox 1");
const XWING = Uint8Array.of(0x5c, 0x2e, 0x2f, 0x2f, 0x5e, 0x5c);

export function join(...parts) {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) { all.set(part, at); at += part.length; }
  return all;
}
const big = (number, bytes) => Uint8Array.from({ length: bytes }, (_, at) => Math.floor(number / 256 ** (bytes - 1 - at)) % 256);
const framed = (...parts) => join(...parts.flatMap((part) => [big(part.length, 8), part]));
export const fromHex = (text) => Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
export const fromText = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
export function toText(bytes) {
  let text = "";
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

// SHA3-256 (FIPS 202) of up to 135 bytes: one block, which is all that X-Wing's combiner needs. WebCrypto has none yet.
function sha3(data) {
  const block = new Uint8Array(200);
  block.set(data); block[data.length] ^= 0x06; block[135] ^= 0x80;
  const view = new DataView(block.buffer), mask = (1n << 64n) - 1n;
  const s = Array.from({ length: 25 }, (_, i) => view.getBigUint64(8 * i, true));
  const turn = (lane, by) => by ? ((lane << by) | (lane >> (64n - by))) & mask : lane;
  for (let round = 0, lfsr = 1; round < 24; round++) {
    const c = [0, 1, 2, 3, 4].map((x) => s[x] ^ s[x + 5] ^ s[x + 10] ^ s[x + 15] ^ s[x + 20]);
    for (let i = 0; i < 25; i++) s[i] ^= c[(i + 4) % 5] ^ turn(c[(i + 1) % 5], 1n);
    for (let t = 0, x = 1, y = 0, lane = s[1]; t < 24; t++) {
      [x, y] = [y, (2 * x + 3 * y) % 5];
      const next = s[x + 5 * y];
      s[x + 5 * y] = turn(lane, BigInt(((t + 1) * (t + 2) / 2) % 64));
      lane = next;
    }
    for (let y = 0; y < 25; y += 5) {
      const row = s.slice(y, y + 5);
      for (let x = 0; x < 5; x++) s[y + x] = row[x] ^ (~row[(x + 1) % 5] & mask & row[(x + 2) % 5]);
    }
    for (let j = 0; j < 7; j++) {
      if (lfsr & 1) s[0] ^= 1n << BigInt(2 ** j - 1);
      lfsr = lfsr & 0x80 ? (lfsr << 1) ^ 0x171 : lfsr << 1;
    }
  }
  s.slice(0, 4).forEach((lane, i) => view.setBigUint64(8 * i, lane, true));
  return block.slice(0, 32);
}

async function hmac(key, data) {
  const held = await subtle.importKey("raw", key.length ? key : new Uint8Array(32), { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return new Uint8Array(await subtle.sign("HMAC", held, data));
}
const extract = (suite, salt, label, ikm) => hmac(salt, join(utf8("HPKE-v1"), suite, utf8(label), ikm));
const expand = async (suite, prk, label, info, length) =>
  (await hmac(prk, join(big(length, 2), utf8("HPKE-v1"), suite, utf8(label), info, Uint8Array.of(1)))).slice(0, length);

async function x25519(theirs) {
  const ours = await subtle.generateKey("X25519", false, ["deriveBits"]);
  const theirKey = await subtle.importKey("raw", theirs, "X25519", false, []);
  const shared = new Uint8Array(await subtle.deriveBits({ name: "X25519", public: theirKey }, ours.privateKey, 256));
  return { shared, sent: new Uint8Array(await subtle.exportKey("raw", ours.publicKey)) };
}

// RFC 9180 §4.1, DHKEM(X25519, HKDF-SHA256).
async function classical(key) {
  const suite = join(utf8("KEM"), big(0x0020, 2));
  const { shared, sent } = await x25519(key);
  const prk = await extract(suite, new Uint8Array(), "eae_prk", shared);
  return { kem: 0x0020, sent, secret: await expand(suite, prk, "shared_secret", join(sent, key), 32) };
}

// draft-connolly-cfrg-xwing-kem: the key is ML-KEM's 1,184 bytes, then X25519's 32.
async function hybrid(key) {
  const lattice = await subtle.importKey("raw-public", key.slice(0, 1184), "ML-KEM-768", false, ["encapsulateBits"]);
  const one = await subtle.encapsulateBits("ML-KEM-768", lattice);
  const other = await x25519(key.slice(1184));
  const secret = sha3(join(new Uint8Array(one.sharedKey), other.shared, other.sent, key.slice(1184), XWING));
  return { kem: 0x647a, sent: join(new Uint8Array(one.ciphertext), other.sent), secret };
}

export const quantumSafe = () => { try { return SubtleCrypto.supports("encapsulateBits", "ML-KEM-768"); } catch { return false; } };

function pad(data) { // Padmé, at least 1 KiB: rilon/crypto/padding.py
  const length = data.length + 4;
  const exponent = Math.floor(Math.log2(length)), unit = 2 ** (exponent - Math.floor(Math.log2(exponent)) - 1);
  const all = new Uint8Array(length <= 1024 ? 1024 : Math.ceil(length / unit) * unit);
  all.set(big(data.length, 4)); all.set(data, 4);
  return all;
}

const head = (bytes) => bytes.length < 256 ? Uint8Array.of(0x58, bytes.length) : bytes.length < 65536 ? join([0x59], big(bytes.length, 2)) : join([0x5a], big(bytes.length, 4));
const word = (text) => join([0x60 + text.length], utf8(text));

// Deterministic CBOR of {v, id, kid, payload}. `to` is what /outbox/key told; `id` 32 hex digits, the idempotency key.
export async function seal(to, id, text) {
  const safe = quantumSafe(), chosen = safe ? to.hybrid : to.classical;
  const key = fromText(chosen.key), kid = fromText(chosen.kid), name = fromHex(id);
  const info = framed(LABEL, Uint8Array.of(1), kid, utf8(to.member), utf8(to.world), fromHex(to.officer), name);
  const { kem, sent, secret } = await (safe ? hybrid : classical)(key);
  const suite = join(utf8("HPKE"), big(kem, 2), big(1, 2), big(2, 2)), none = new Uint8Array();
  const context = join([0], await extract(suite, none, "psk_id_hash", none), await extract(suite, none, "info_hash", info));
  const prk = await extract(suite, secret, "secret", none);
  const aes = await subtle.importKey("raw", await expand(suite, prk, "key", context, 32), "AES-GCM", false, ["encrypt"]);
  const iv = await expand(suite, prk, "base_nonce", context, 12);
  const payload = join(sent, new Uint8Array(await subtle.encrypt({ name: "AES-GCM", iv }, aes, pad(utf8(text)))));
  return join([0xa4], word("v"), [1], word("id"), [0x50], name, word("kid"), [0x50], kid, word("payload"), head(payload), payload);
}
