// The words and signs for what iTIP and the journal call by short names.
import { mark, t } from "./text";

export interface Word {
  text: string;
  sign: string;
  tone: "good" | "warn" | "bad" | "plain";
}

const partstats: Record<string, Word> = {
  "NEEDS-ACTION": { text: mark("no answer yet"), sign: "?", tone: "plain" },
  ACCEPTED: { text: mark("accepted"), sign: "✓", tone: "good" },
  TENTATIVE: { text: mark("maybe"), sign: "~", tone: "warn" },
  DECLINED: { text: mark("declined"), sign: "✕", tone: "bad" },
  DELEGATED: { text: mark("delegated"), sign: "→", tone: "plain" },
};

const worded = (w: Word | undefined, name: string): Word => (w ? { ...w, text: t(w.text) } : { text: name.toLowerCase(), sign: "•", tone: "plain" });

export const partstat = (p: string): Word => worded(partstats[p || "NEEDS-ACTION"], p);

const states: Record<string, Word> = {
  received: { text: mark("being read"), sign: "", tone: "plain" },
  due: { text: mark("waiting to go out"), sign: "", tone: "warn" },
  sent: { text: mark("sent"), sign: "", tone: "good" },
  delivered: { text: mark("delivered"), sign: "", tone: "good" },
  applied: { text: mark("applied"), sign: "", tone: "good" },
  unchanged: { text: mark("nothing new"), sign: "", tone: "plain" },
  ignored: { text: mark("ignored"), sign: "", tone: "plain" },
  held: { text: mark("held for you"), sign: "", tone: "warn" },
  rejected: { text: mark("rejected"), sign: "", tone: "bad" },
  failed: { text: mark("failed"), sign: "", tone: "bad" },
  superseded: { text: mark("replaced by a newer one"), sign: "", tone: "plain" },
};

export const state = (s: string): Word => worded(states[s], s);

const methods: Record<string, string> = {
  REQUEST: mark("invitation"),
  REPLY: mark("answer"),
  CANCEL: mark("cancellation"),
  ADD: mark("further date"),
  REFRESH: mark("question for the current version"),
  COUNTER: mark("proposal"),
  DECLINECOUNTER: mark("refusal of a proposal"),
  PUBLISH: mark("announcement"),
};

export const method = (m: string): string => t(methods[m.toUpperCase()] ?? m.toLowerCase());

/** The address without its scheme, as people write it. */
export const address = (a: string): string => a.replace(/^mailto:/i, "");

const deliveries: Record<string, Word> = {
  queued: { text: mark("waits to be sent"), sign: "", tone: "warn" },
  retrying: { text: mark("could not be sent yet"), sign: "", tone: "warn" },
  sent: { text: mark("sent"), sign: "", tone: "plain" },
  delivered: { text: mark("delivered"), sign: "", tone: "plain" },
  bounced: { text: mark("not delivered"), sign: "", tone: "bad" },
  opened: { text: mark("opened the page"), sign: "", tone: "plain" },
  answered: { text: mark("answered"), sign: "", tone: "good" },
};

/** How far the latest message to an attendee came. */
export const delivery = (s: string): Word => worded(deliveries[s], s);

const signs: Record<string, Word> = {
  lock: { text: mark("Sender verified"), sign: "", tone: "good" },
  unsigned: { text: mark("Not signed"), sign: "", tone: "plain" },
  warning: { text: mark("Sender not verified"), sign: "", tone: "bad" },
  question: { text: mark("Waits for your decision"), sign: "", tone: "warn" },
};

/** What a security sign says. */
export const securitySign = (s: string): Word => worded(signs[s], s);
