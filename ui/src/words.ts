// The words and signs for what iTIP and the journal call by short names.
import { t } from "./text";

export interface Word {
  text: string;
  sign: string;
  tone: "good" | "warn" | "bad" | "plain";
}

const partstats: Record<string, Word> = {
  "NEEDS-ACTION": { text: "no answer yet", sign: "?", tone: "plain" },
  ACCEPTED: { text: "accepted", sign: "✓", tone: "good" },
  TENTATIVE: { text: "maybe", sign: "~", tone: "warn" },
  DECLINED: { text: "declined", sign: "✕", tone: "bad" },
  DELEGATED: { text: "delegated", sign: "→", tone: "plain" },
};

const worded = (w: Word | undefined, name: string): Word => (w ? { ...w, text: t(w.text) } : { text: name.toLowerCase(), sign: "•", tone: "plain" });

export const partstat = (p: string): Word => worded(partstats[p || "NEEDS-ACTION"], p);

const states: Record<string, Word> = {
  received: { text: "being read", sign: "", tone: "plain" },
  due: { text: "waiting to go out", sign: "", tone: "warn" },
  sent: { text: "sent", sign: "", tone: "good" },
  delivered: { text: "delivered", sign: "", tone: "good" },
  applied: { text: "applied", sign: "", tone: "good" },
  unchanged: { text: "nothing new", sign: "", tone: "plain" },
  ignored: { text: "ignored", sign: "", tone: "plain" },
  held: { text: "held for you", sign: "", tone: "warn" },
  rejected: { text: "rejected", sign: "", tone: "bad" },
  failed: { text: "failed", sign: "", tone: "bad" },
  superseded: { text: "replaced by a newer one", sign: "", tone: "plain" },
};

export const state = (s: string): Word => worded(states[s], s);

const methods: Record<string, string> = {
  REQUEST: "invitation",
  REPLY: "answer",
  CANCEL: "cancellation",
  ADD: "further date",
  REFRESH: "question for the current version",
  COUNTER: "proposal",
  DECLINECOUNTER: "refusal of a proposal",
  PUBLISH: "announcement",
};

export const method = (m: string): string => t(methods[m.toUpperCase()] ?? m.toLowerCase());

/** The address without its scheme, as people write it. */
export const address = (a: string): string => a.replace(/^mailto:/i, "");

const deliveries: Record<string, Word> = {
  queued: { text: "waits to be sent", sign: "", tone: "warn" },
  retrying: { text: "could not be sent yet", sign: "", tone: "warn" },
  sent: { text: "sent", sign: "", tone: "plain" },
  delivered: { text: "delivered", sign: "", tone: "plain" },
  bounced: { text: "not delivered", sign: "", tone: "bad" },
  opened: { text: "opened the page", sign: "", tone: "plain" },
  answered: { text: "answered", sign: "", tone: "good" },
};

/** How far the latest message to an attendee came. */
export const delivery = (s: string): Word => worded(deliveries[s], s);

const signs: Record<string, Word> = {
  lock: { text: "Sender verified", sign: "", tone: "good" },
  unsigned: { text: "Not signed", sign: "", tone: "plain" },
  warning: { text: "Sender not verified", sign: "", tone: "bad" },
  question: { text: "Waits for your decision", sign: "", tone: "warn" },
};

/** What a security sign says. */
export const securitySign = (s: string): Word => worded(signs[s], s);
