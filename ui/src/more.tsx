import { useState } from "preact/hooks";
import { api, type EventDetail, type Sending } from "./api";
import { dateOf } from "./dates";
import { Field, Trouble, useTask } from "./parts";
import { useApp } from "./state";
import { address } from "./words";

type Verb = "" | "propose" | "delegate" | "forward" | "publish";

/** What one can do about an event beside answering and editing. */
export function More({ d, occurrence }: { d: EventDetail; occurrence: string }) {
  const app = useApp();
  const task = useTask();
  const [verb, setVerb] = useState<Verb>("");
  const about = { owner: d.owner, uid: d.uid, occurrence: d.recurring ? occurrence : "" };
  const tell = (sent: Sending[]) => {
    const [first] = sent;
    app.sayUndo(first ? `${first.name || address(first.to)} ${first.sentence}.` : "Done.", d.owner, d.uid);
    setVerb("");
    app.refresh();
  };
  const run = (f: () => Promise<Sending[]>) => task.run(async () => tell(await f()));
  const guest = !d.organizing && d.partstat !== "" && d.organizer !== null;
  const choose = (v: Verb, text: string) => <button type="button" class="quiet" aria-expanded={verb === v} onClick={() => { task.setError(""); setVerb(verb === v ? "" : v); }}>{text}</button>;
  return (
    <section class="more">
      <div class="actions">
        {guest && choose("propose", "Propose another time…")}
        {guest && choose("delegate", "Send somebody else…")}
        {guest && choose("forward", "Forward…")}
        {guest && <button type="button" class="quiet" disabled={task.busy} onClick={() => run(() => api.askRefresh(about))}>Ask for the present state</button>}
        {!guest && d.organizing !== false && choose("publish", "Publish…")}
      </div>
      {verb === "propose" && <Propose d={d} busy={task.busy} onSend={(p) => run(() => api.propose({ ...about, ...p }, app.zone))} />}
      {verb === "delegate" && (
        <Addresses label="Who goes instead" one busy={task.busy} button="Delegate" onSend={(to) => run(() => api.delegate({ ...about, to: to[0] ?? "", keepInformed: true }))} />
      )}
      {verb === "forward" && <Addresses label="Forward to" busy={task.busy} button="Forward" hint="The organizer decides whether they may come." onSend={(to) => run(() => api.forward({ ...about, to }))} />}
      {verb === "publish" && <Addresses label="Publish to" busy={task.busy} button="Publish" hint="They get it to know, not to answer; guests are not named." onSend={(to) => run(() => api.publish({ ...about, to }))} />}
      <Trouble error={task.error} />
    </section>
  );
}

function Propose({ d, busy, onSend }: { d: EventDetail; busy: boolean; onSend: (p: { start: string; end: string; comment: string }) => void }) {
  const [start, setStart] = useState(d.start);
  const [end, setEnd] = useState(d.end);
  const [comment, setComment] = useState("");
  const day = d.event.allDay;
  const part = (value: string, set: (v: string) => void, name: string) =>
    day ? (
      <input type="date" aria-label={name} required value={value} onInput={(e) => set(e.currentTarget.value)} />
    ) : (
      <span class="pair">
        <input type="date" aria-label={`${name} date`} required value={dateOf(value)} onInput={(e) => e.currentTarget.value && set(e.currentTarget.value + value.slice(10))} />
        <input type="time" aria-label={`${name} time`} required value={value.slice(11, 16)} onInput={(e) => set(value.slice(0, 11) + e.currentTarget.value)} />
      </span>
    );
  return (
    <form class="inline" onSubmit={(e) => { e.preventDefault(); onSend({ start, end, comment }); }}>
      <div class="row">
        <Field label="Proposed start">{part(start, setStart, "Proposed start")}</Field>
        <Field label="Proposed end">{part(end, setEnd, "Proposed end")}</Field>
      </div>
      <Field label="Comment for the organizer"><input value={comment} maxLength={2000} onInput={(e) => setComment(e.currentTarget.value)} /></Field>
      <button type="submit" class="primary" disabled={busy || end < start}>Send the proposal</button>
    </form>
  );
}

/** One or several addresses, and what happens to them. */
function Addresses(p: { label: string; one?: boolean; button: string; hint?: string; busy: boolean; onSend: (to: string[]) => void }) {
  const [text, setText] = useState("");
  const list = text.split(/[\s,;]+/).filter((x) => x !== "");
  return (
    <form class="inline" onSubmit={(e) => { e.preventDefault(); if (list.length > 0) p.onSend(list); }}>
      <Field label={p.label} hint={p.hint}>
        <input type={p.one ? "email" : "text"} value={text} autofocus autoComplete="off" required placeholder={p.one ? "name@example.org" : "name@example.org, other@example.org"} onInput={(e) => setText(e.currentTarget.value)} />
      </Field>
      <button type="submit" class="primary" disabled={p.busy || list.length === 0}>{p.button}</button>
    </form>
  );
}
