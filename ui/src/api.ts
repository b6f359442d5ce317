// What the server sends and takes; internal/web/doc.go describes it.
import { browserZone, type Day, type Wall } from "./dates";
import { t } from "./text";

export interface Me {
  name: string;
  displayName: string;
  admin: boolean;
  timeZone: string;
  language: string;
  zone: string;
  addresses: string[];
  caldav: { server: string; principal: string; home: string };
}

export interface Calendar {
  owner: string;
  ownerName: string;
  name: string;
  displayName: string;
  description: string;
  color: string;
  components: string[];
  access: "freebusy" | "read" | "write" | "own";
  mode: string;
  id: number;
  followed: boolean;
}

export interface Shares {
  kinds: { access: string; text: string }[];
  shares: { name: string; displayName: string; kind: string; access: string; state: string }[];
  feeds: { id: number; url: string; webcal: string; detail: string; created: string }[];
}

/** A calendar one was invited to. */
export interface Offered {
  owner: string;
  ownerName: string;
  id: number;
  displayName: string;
  mode: string;
}

export interface Proxies {
  act: { name: string; displayName: string }[];
  read: { name: string; displayName: string }[];
  /** Whom the configuration of the site lets in, and in which hours they were there. */
  overseers: { name: string; displayName: string; access: string }[];
  visits: { hour: string; by: string; changed: boolean }[];
}

/** A calendar that follows an address on the web. */
export interface Followed {
  id: number;
  name: string;
  displayName: string;
  url: string;
  refreshed: string;
  next: string;
  error: string;
}

/** An earlier state of an event. */
export interface Version {
  object: number;
  seq: number;
  uid: string;
  summary: string;
  calendar: string;
  replaced: string;
  deleted: boolean;
  when: string;
}

export interface Place {
  owner: string;
  calendar: string;
  name: string;
}

export interface Occurrence extends Place {
  id: string;
  uid: string;
  summary: string;
  location: string;
  start: Wall;
  end: Wall;
  allDay: boolean;
  recurring: boolean;
  status: string;
  busy: boolean;
  partstat: string;
  attendees: number;
  movable: boolean;
}

/** How far it is known who sent a message. */
export interface Security {
  sign: "lock" | "unsigned" | "warning" | "question";
  by: string;
  sentence: string;
}

/** How far the latest message to an attendee came. */
export interface Delivery {
  id: number;
  state: "queued" | "retrying" | "sent" | "delivered" | "bounced" | "opened" | "answered";
  sentence: string;
  time: string;
  next: string;
  page: string;
  canRetry: boolean;
}

export interface Attendee {
  address: string;
  name: string;
  role: string;
  kind: string;
  partstat: string;
  status: string;
  comment: string;
  delivery?: Delivery;
}

export interface EventFields {
  summary: string;
  location: string;
  description: string;
  url: string;
  allDay: boolean;
  start: Wall;
  end: Wall;
  zone: string;
  rrule: string;
  status: string;
  busy: boolean;
  hideGuests: boolean;
  attendees: Attendee[];
  alarms: number[]; // minutes before the start
}

export interface EventDetail extends Place {
  etag: string;
  uid: string;
  occurrence: string;
  following: boolean;
  recurring: boolean;
  ruleText: string;
  event: EventFields;
  start: Wall;
  end: Wall;
  organizer: Attendee | null;
  organizing: boolean;
  partstat: string;
  writable: boolean;
  kept: string[];
  security: Security | null;
  held: Message[];
  attachments: { name: string; url: string; size: number; managed: string }[];
}

/** An edit: what the form holds, and of what. */
export interface Edit {
  calendar: { owner: string; name: string };
  occurrence: string;
  following: boolean;
  event: EventFields;
}

export interface Sending {
  to: string;
  name: string;
  method: string; // empty: hears nothing
  sentence: string;
  changes: string[];
}

export interface Person {
  address: string;
  name: string;
  kind: string;
}

export interface Busy {
  address: string;
  status: string;
  known: boolean;
  /** Of a group: how many members' time is not in it, and those of them that can be named. */
  unknown: number;
  missing: string[];
  periods: { start: Wall; end: Wall; type: string }[];
}

export interface Invitation extends Place {
  uid: string;
  occurrence: string;
  summary: string;
  location: string;
  description: string;
  start: Wall;
  end: Wall;
  allDay: boolean;
  ruleText: string;
  organizer: Attendee | null;
  partstat: string;
  conflicts: string[];
  security: Security | null;
}

export interface Message {
  id: number;
  direction: "in" | "out";
  transport: string;
  method: string;
  summary: string;
  uid: string;
  recurrenceId: string;
  from: string;
  to: string;
  state: string;
  reason: string;
  sentence: string;
  created: string;
  updated: string;
  nextAttempt: string;
  attempts: { time: string; transport: string; status: string; sentence: string }[];
  evidence: unknown;
  changes: string[];
  refresh: boolean;
  canApprove: boolean;
  canReject: boolean;
  canRetry: boolean;
  canAlways: boolean;
  canNever: boolean;
  canUndo: boolean;
  proposal: boolean;
  crasher: boolean;
  booking: boolean;
  security: Security | null;
}

/** An event of somebody's home, or one occurrence of it. */
export interface About {
  owner: string;
  uid: string;
  occurrence: string;
}

export interface Preferences {
  undoSeconds: number | null;
  tellBusy: string[];
  delegation: boolean; // guests may send others in their place
  hidePrivate: boolean; // others do not see private events at all
  signMail: boolean | null;
  encryptMail: string;
  designates: { address: string; for: string }[];
}

export interface Policy {
  open: string[];
  ahead: number;
  notice: number;
  shortest: number;
  longest: number;
  capacity: number;
  conflicts: number;
  overlapping: number;
  endless: boolean;
  tentative: boolean;
  organizers: string[];
  domains: string[];
  approvers: string[];
}

export interface Room {
  name: string;
  displayName: string;
  address: string;
  kind: string;
  mayChange: boolean;
  policy: Policy;
}

/** What a person, or the site, says of somebody's messages; subject "" is everybody. */
export interface Rule {
  subject: string;
  do?: string;
  minimum?: Record<string, string>;
  signed?: boolean;
  unknown?: string;
}

export interface Flood {
  kind: string;
  subject: string;
  began: string;
  last: string;
  seen: number;
  state: string;
}

export interface Key {
  protocol: string;
  fingerprint: string;
  role: string;
  state: string;
  addresses: string[] | null;
  subject?: string;
  issuer?: string;
  expires?: string;
}

/** A group and who belongs to it. */
export interface Group {
  name: string;
  displayName: string;
  address: string;
  mayChange: boolean;
  members: { address: string; name: string; kind: string }[];
}

export interface AppPassword {
  id: number;
  label: string;
  created: string;
  lastUsed: string;
}

/** A refusal: the condition is for the program, the sentence for the person. */
export class Refusal extends Error {
  constructor(readonly condition: string, sentence: string, readonly status: number) {
    super(sentence);
  }
}

async function call<T>(method: string, path: string, body?: unknown, headers: Record<string, string> = {}, signal?: AbortSignal): Promise<T> {
  const init: RequestInit = { method, headers: { Accept: "application/json", ...headers }, credentials: "same-origin" };
  const patience = AbortSignal.timeout(60_000); // a server that says nothing for so long will not
  init.signal = signal ? (AbortSignal.any?.([signal, patience]) ?? signal) : patience;
  if (body !== undefined) {
    init.body = body instanceof Blob ? body : JSON.stringify(body);
    init.headers = { ...init.headers, "Content-Type": body instanceof Blob ? body.type || "application/octet-stream" : "application/json" };
  }
  let response: Response;
  try {
    response = await fetch("/api/" + path, init);
  } catch (e) {
    if (e instanceof DOMException && e.name === "AbortError") throw e;
    if (e instanceof DOMException && e.name === "TimeoutError") throw new Refusal("unreachable", t("The server takes too long to answer. Look whether it was done before you try again."), 0);
    throw new Refusal("unreachable", "The server cannot be reached. Check the connection and try again.", 0);
  }
  if (response.status === 401) {
    location.assign("/sign-in?next=" + encodeURIComponent(location.pathname));
    throw new Refusal("unauthenticated", "Please sign in again.", 401);
  }
  if (response.status === 204) return undefined as T;
  let value: unknown;
  try {
    value = await response.json();
  } catch {
    throw new Refusal("internal", `The server gave an answer that cannot be read (${response.status}).`, response.status);
  }
  if (!response.ok) {
    const p = value as { condition?: string; sentence?: string };
    throw new Refusal(p.condition ?? "internal", p.sentence ?? t("Something went wrong."), response.status);
  }
  return value as T;
}

const q = (values: Record<string, string>) => "?" + new URLSearchParams(values).toString();
const at = (p: Place) => [p.owner, p.calendar, p.name].map(encodeURIComponent).join("/");
const cal = (c: { owner: string; name: string }) => [c.owner, c.name].map(encodeURIComponent).join("/");

export const api = {
  me: () => call<Me>("GET", "me" + q({ zone: browserZone })),
  updateMe: (change: { displayName?: string; timeZone?: string; language?: string }) => call<Me>("PATCH", "me" + q({ zone: browserZone }), change),
  counts: () => call<{ invitations: number; held: number }>("GET", "counts"),
  zones: () => call<string[]>("GET", "zones"),

  calendars: () => call<Calendar[]>("GET", "calendars"),
  addCalendar: (c: { displayName: string; color: string }) => call<Calendar>("POST", "calendars", c),
  updateCalendar: (c: Calendar, change: { displayName?: string; color?: string }) => call<Calendar>("PATCH", "calendars/" + cal(c), change),
  deleteCalendar: (c: { owner: string; name: string }) => call<void>("DELETE", "calendars/" + cal(c)),

  shares: (c: Calendar) => call<Shares>("GET", "shares/" + cal(c)),
  share: (c: Calendar, s: { who: string; access: string; ask: boolean }) => call<Shares>("POST", "shares/" + cal(c), s),
  unshare: (c: Calendar, who: string) => call<Shares>("DELETE", "shares/" + cal(c) + q({ who })),
  publishFeed: (c: Calendar, detail: string) => call<Shares>("POST", "feeds/" + cal(c), { detail }),
  endFeed: (c: Calendar, id: number) => call<Shares>("DELETE", "feeds/" + cal(c) + q({ id: String(id) })),
  offered: () => call<Offered[]>("GET", "offered"),
  answerShare: (owner: string, id: number, accept: boolean) => call<void>("POST", "shared", { owner, id, accept }),
  proxies: () => call<Proxies>("GET", "proxies"),
  addProxy: (who: string, access: string) => call<Proxies>("POST", "proxies", { who, access }),
  dropProxy: (who: string, access: string) => call<Proxies>("DELETE", "proxies" + q({ who, access })),
  followed: () => call<Followed[]>("GET", "followed"),
  follow: (url: string) => call<Followed[]>("POST", "followed", { url }),
  fetchFollowed: (id: number) => call<Followed[]>("POST", `followed/${id}/refresh`, {}),
  history: (f: { uid: string; deleted: string; zone: string }) => call<{ days: number; versions: Version[] }>("GET", "history" + q(f)),
  restore: (object: number, seq: number) => call<{ summary: string; sent: number }>("POST", "history", { object, seq }),

  occurrences: (from: Day, to: Day, zone: string, signal?: AbortSignal) =>
    call<{ occurrences: Occurrence[]; incomplete: string }>("GET", "occurrences" + q({ from, to, zone }), undefined, {}, signal),
  event: (p: Place, occurrence: string, following: boolean, zone: string) =>
    call<EventDetail>("GET", "events/" + at(p) + q({ occurrence, following: following ? "1" : "", zone })),
  addEvent: (edit: Edit, zone: string) => call<{ sent: number; uid: string } & Place>("POST", "events" + q({ zone }), edit),
  updateEvent: (p: Place, etag: string, edit: Edit, zone: string) => call<{ sent: number; uid: string } & Place>("PUT", "events/" + at(p) + q({ zone }), edit, { "If-Match": etag }),
  deleteEvent: (p: Place, etag: string, occurrence: string, following: boolean, zone: string) =>
    call<void>("DELETE", "events/" + at(p) + q({ occurrence, following: following ? "1" : "", zone }), undefined, { "If-Match": etag }),
  attach: (p: Place, etag: string, file: File) => call<{ sent: number; uid: string } & Place>("POST", `events/${at(p)}/attachments` + q({ filename: file.name }), file, { "If-Match": etag }),
  detach: (p: Place, etag: string, managed: string) => call<{ sent: number; uid: string } & Place>("DELETE", `events/${at(p)}/attachments` + q({ managed }), undefined, { "If-Match": etag }),
  preview: (p: Place | null, edit: Edit | null, occurrence: string, following: boolean, zone: string, signal?: AbortSignal) =>
    call<Sending[]>("POST", "preview" + q({ zone }), { place: p && { owner: p.owner, calendar: p.calendar, name: p.name }, edit, occurrence, following }, {}, signal),

  directory: (text: string, signal?: AbortSignal) => call<Person[]>("GET", "directory" + q({ q: text }), undefined, {}, signal),
  freebusy: (addresses: string[], from: Day, to: Day, zone: string, uid: string, signal?: AbortSignal) =>
    call<Busy[]>("POST", "freebusy", { addresses, from, to, zone, uid }, {}, signal),

  invitations: (zone: string) => call<Invitation[]>("GET", "invitations" + q({ zone })),
  respond: (r: { owner: string; uid: string; occurrence: string; partstat: string; comment: string }) => call<void>("POST", "respond", r),

  propose: (r: About & { start: Wall; end: Wall; location?: string; comment: string }, zone: string) => call<Sending[]>("POST", "propose" + q({ zone }), r),
  askRefresh: (r: About) => call<Sending[]>("POST", "refresh", r),
  publish: (r: About & { to: string[] }) => call<Sending[]>("POST", "publish", r),
  forward: (r: About & { to: string[] }) => call<Sending[]>("POST", "forward", r),
  delegate: (r: About & { to: string; keepInformed: boolean }) => call<Sending[]>("POST", "delegate", r),
  undoable: (owner: string, uid: string) => call<{ seconds: number }>("GET", "undo" + q({ owner, uid })),
  undo: (owner: string, uid: string) => call<{ sentence: string }>("POST", "undo", { owner, uid }),

  preferences: () => call<Preferences>("GET", "preferences"),
  setPreferences: (p: { undoSeconds?: number | null; tellBusy?: string[]; delegation?: boolean; hidePrivate?: boolean; signMail?: boolean | null; encryptMail?: string }) => call<Preferences>("PUT", "preferences", p),
  addDesignate: (d: { address: string; for: string }) => call<Preferences>("POST", "designates", d),
  dropDesignate: (d: { address: string; for: string }) => call<Preferences>("DELETE", "designates" + q(d)),
  rooms: () => call<Room[]>("GET", "rooms"),
  setPolicy: (room: string, p: Policy) => call<Room>("PUT", "rooms/" + encodeURIComponent(room), p),

  rules: (site: boolean) => call<Rule[]>("GET", "rules" + (site ? "?site=1" : "")),
  setRule: (r: Rule, site: boolean) => call<Rule[]>("PUT", "rules" + (site ? "?site=1" : ""), r),
  dropRule: (subject: string, site: boolean) => call<Rule[]>("DELETE", "rules" + q({ subject, ...(site ? { site: "1" } : {}) })),
  floods: () => call<Flood[]>("GET", "floods"),
  settleFlood: (f: Flood, release: boolean) => call<{ messages: number }>("POST", "floods", { kind: f.kind, subject: f.subject, release }),
  keys: (site: boolean) => call<Key[]>("GET", "keys" + (site ? "?site=1" : "")),
  makeKey: (kind: string) => call<Key[]>("POST", "keys", { kind }),
  importKey: (f: { data: string; password: string; own: boolean }, site: boolean) => call<Key[]>("POST", "keys/import" + (site ? "?site=1" : ""), f),
  revokeKey: (fingerprint: string, site: boolean) => call<Key[]>("POST", `keys/${encodeURIComponent(fingerprint)}/revoke` + (site ? "?site=1" : ""), {}),
  deleteKey: (fingerprint: string, site: boolean) => call<Key[]>("DELETE", `keys/${encodeURIComponent(fingerprint)}` + (site ? "?site=1" : "")),
  groups: () => call<Group[]>("GET", "groups"),
  addGroup: (g: { address: string; displayName: string }) => call<Group>("POST", "groups", g),
  addMembers: (group: string, who: string[]) => call<Group>("POST", `groups/${encodeURIComponent(group)}/members`, { who }),
  dropMembers: (group: string, who: string[]) => call<Group>("DELETE", `groups/${encodeURIComponent(group)}/members`, { who }),

  messages: (filter: { show: string; before: string; zone: string }) => call<{ messages: Message[]; more: boolean }>("GET", "messages" + q(filter)),
  decide: (id: number, verb: "approve" | "reject" | "retry", zone: string, how: "" | "always" | "never" = "") => call<Message>("POST", `messages/${id}/${verb}` + q({ zone, ...(how ? { [how]: "1" } : {}) }), {}),

  changePassword: (current: string, password: string) => call<void>("POST", "password", { current, password }),
  appPasswords: () => call<AppPassword[]>("GET", "app-passwords"),
  addAppPassword: (label: string) => call<{ id: number; password: string }>("POST", "app-passwords", { label }),
  revokeAppPassword: (id: number) => call<void>("DELETE", `app-passwords/${id}`),
};

/**
 * Calls back after each change of one's data; returns the way to stop. A page
 * that nobody looks at does not listen: browsers open few connections to one
 * server, and a row of forgotten tabs would use them up.
 */
export function watch(changed: () => void): () => void {
  let source: EventSource | null = null;
  let timer = 0;
  const soon = () => {
    clearTimeout(timer);
    timer = window.setTimeout(changed, 150); // a save touches several rows
  };
  const listen = () => {
    if (document.visibilityState === "hidden") {
      source?.close();
      source = null;
    } else if (!source) {
      source = new EventSource("/api/changes");
      source.addEventListener("change", soon);
      soon(); // what changed while nobody listened
    }
  };
  const again = () => {
    // After an answer that is not a stream (signed out, server restarting) the browser gives up by itself.
    if (source?.readyState === EventSource.CLOSED) {
      source = null;
      listen();
    }
  };
  listen();
  document.addEventListener("visibilitychange", listen);
  const retry = window.setInterval(again, 15_000);
  return () => {
    clearTimeout(timer);
    clearInterval(retry);
    document.removeEventListener("visibilitychange", listen);
    source?.close();
  };
}
