// htmx under a strict content policy: its HTML passes one named policy, and nothing is ever evaluated.
import htmx from "htmx.org/dist/htmx.esm.js";

const never = () => { throw new Error("nothing is evaluated here"); };
const html = window.trustedTypes
  ? window.trustedTypes.createPolicy("htmx", { createHTML: (text) => text, createScript: never })
  : { createHTML: (text) => text };
htmx.registerExtension("tt", { init: (api) => api.initSecurity?.(html, never, never) });
