// The pages' program. Everything works without it but passkeys, live notices, the outbox and the matrix beside the form.
import "./trusted.js";
import "./live.js";
import "./forms.js";
import "./keys.js";
import "./passkey.js";
import "./outbox.js";
import "./time.js";
