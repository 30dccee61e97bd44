// htmx under a strict content policy: its HTML passes one named policy, and nothing is ever evaluated.
import htmx from "htmx.org/dist/htmx.esm.js";

const never = () => { throw new Error("nothing is evaluated here"); };
const worker = (path) => { if (path === "/sw.js") return path; throw new Error("no such program"); };
const html = window.trustedTypes
  ? window.trustedTypes.createPolicy("htmx", { createHTML: (text) => text, createScript: never, createScriptURL: worker })
  : { createHTML: (text) => text, createScriptURL: worker };
export const script = (path) => html.createScriptURL(path);
htmx.registerExtension("tt", { init: (api) => api.initSecurity?.(html, never, never) });
