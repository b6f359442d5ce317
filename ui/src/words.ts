// The words and signs for what iTIP and the journal call by short names.

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

export const partstat = (p: string): Word => partstats[p || "NEEDS-ACTION"] ?? { text: p.toLowerCase(), sign: "•", tone: "plain" };

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

export const state = (s: string): Word => states[s] ?? { text: s, sign: "", tone: "plain" };

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

export const method = (m: string): string => methods[m.toUpperCase()] ?? m.toLowerCase();

/** The address without its scheme, as people write it. */
export const address = (a: string): string => a.replace(/^mailto:/i, "");

export function count(n: number, one: string, many: string): string {
  return `${n} ${n === 1 ? one : many}`;
}
