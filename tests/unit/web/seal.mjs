// Seals what it is told, by the browser's own program; run by test_seal.py. Without `safe` as a browser without ML-KEM.
import { pathToFileURL } from "node:url";
const { seal, toText } = await import(pathToFileURL(process.argv[2]));
let asked = "";
for await (const part of process.stdin) asked += part;
const { to, id, texts, safe } = JSON.parse(asked);
if (!safe) SubtleCrypto.supports = () => false;
const sealed = [];
for (const text of texts) sealed.push(toText(await seal(to, id, text)));
console.log(JSON.stringify(sealed));
