import { useState } from "preact/hooks";
import { api, type EventDetail, type Sending } from "./api";
import { addDays, addMinutes, dateOf, daysBetween, minutesBetween, whenText } from "./dates";
import { FindTime } from "./findtime";
import { Dialog, Field, Trouble, useTask, type Task } from "./parts";
import { useApp } from "./state";
import { t } from "./text";
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
    app.sayUndo(first ? `${first.name || address(first.to)} ${first.sentence}.` : t("Done."), d.owner, d.uid);
    setVerb("");
    app.refresh();
  };
  const run = (f: () => Promise<Sending[]>) => task.run(async () => tell(await f()));
  const guest = !d.organizing && d.partstat !== "" && d.organizer !== null;
  const choose = (v: Verb, text: string) => <button type="button" class="small" aria-expanded={verb === v} onClick={() => { task.setError(""); setVerb(verb === v ? "" : v); }}>{text}</button>;
  return (
    <section class="more">
      <div class="actions">
        {guest && choose("propose", t("Propose another time…"))}
        {guest && choose("delegate", t("Send somebody else…"))}
        {guest && choose("forward", t("Forward…"))}
        {guest && <button type="button" class="small" disabled={task.busy} onClick={() => run(() => api.askRefresh(about))}>{t("Ask for the present state")}</button>}
        {!guest && d.organizing !== false && choose("publish", t("Publish…"))}
      </div>
      {verb === "propose" && <Propose d={d} task={task} onSend={(p) => run(() => api.propose({ ...about, ...p }, app.zone))} onClose={() => setVerb("")} />}
      {verb === "delegate" && (
        <Addresses label={t("Who goes instead")} one busy={task.busy} button={t("Delegate")} onSend={(to) => run(() => api.delegate({ ...about, to: to[0] ?? "", keepInformed: true }))} />
      )}
      {verb === "forward" && <Addresses label={t("Forward to")} busy={task.busy} button={t("Forward")} hint={t("The organizer decides whether they may come.")} onSend={(to) => run(() => api.forward({ ...about, to }))} />}
      {verb === "publish" && <Addresses label={t("Publish to")} busy={task.busy} button={t("Publish")} hint={t("They get it to know, not to answer; guests are not named.")} onSend={(to) => run(() => api.publish({ ...about, to }))} />}
      {verb !== "propose" && <Trouble error={task.error} />}
    </section>
  );
}

/** A time that would suit better, with a look at who is free then. */
function Propose({ d, task, onSend, onClose }: { d: EventDetail; task: Task; onSend: (p: { start: string; end: string; comment: string }) => void; onClose: () => void }) {
  const app = useApp();
  const [start, setStart] = useState(d.start);
  const [end, setEnd] = useState(d.end);
  const [comment, setComment] = useState("");
  const day = d.event.allDay;
  const shown = (value: string, last: boolean) => (day && last ? addDays(value, -1) : value); // the end of a day without hours is the day after
  const part = (value: string, last: boolean, set: (v: string) => void, name: string) =>
    day ? (
      <input type="date" aria-label={name} required value={shown(value, last)} onInput={(e) => e.currentTarget.value && set(last ? addDays(e.currentTarget.value, 1) : e.currentTarget.value)} />
    ) : (
      <span class="pair">
        <input type="date" aria-label={t("{name} date", { name })} required value={dateOf(value)} onInput={(e) => e.currentTarget.value && set(e.currentTarget.value + value.slice(10))} />
        <input type="time" aria-label={t("{name} time", { name })} required value={value.slice(11, 16)} onInput={(e) => e.currentTarget.value && set(value.slice(0, 11) + e.currentTarget.value)} />
      </span>
    );
  const moveStart = (to: string) => {
    setEnd(day ? addDays(to, Math.max(1, daysBetween(d.start, d.end))) : addMinutes(to, Math.max(0, minutesBetween(start, end))));
    setStart(to);
  };
  const wrong = day ? end <= start : end < start;
  return (
    <Dialog title={t("Propose another time")} wide onClose={onClose}>
      <form class="event-form" onSubmit={(e) => { e.preventDefault(); if (!wrong) onSend({ start, end, comment }); }}>
        <p class="hint">{t("Now: {when}, on your clock ({zone}). The organizer decides; until then nothing changes.", { when: whenText(d.start, d.end, day), zone: app.zone.replaceAll("_", " ") })}</p>
        <div class="row times">
          <Field label={t("Proposed start")} class="moment">{part(start, false, moveStart, t("Proposed start"))}</Field>
          <Field label={day ? t("Proposed last day") : t("Proposed end")} class="moment">{part(end, true, setEnd, t("Proposed end"))}</Field>
        </div>
        {wrong && <p class="clash" role="alert">{t("The end is before the start.")}</p>}
        <FindTime attendees={d.event.attendees} start={start} end={end} allDay={day} uid={d.uid} onPick={(a, b) => { setStart(a); setEnd(b); }} />
        <Field label={t("Comment for the organizer")}><input name="comment" value={comment} maxLength={2000} onInput={(e) => setComment(e.currentTarget.value)} /></Field>
        <Trouble error={task.error} />
        <div class="actions">
          <button type="submit" class="primary" disabled={task.busy || wrong}>{t("Send the proposal")}</button>
          <button type="button" onClick={onClose}>{t("Cancel")}</button>
        </div>
      </form>
    </Dialog>
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
