import { useEffect, useState } from "preact/hooks";
import { api, type Edit, type EventDetail, type Occurrence, type Sending } from "./api";
import { addMinutes, dateOf, minutesBetween, whenText, type Wall } from "./dates";
import { Dialog, Sendings, Trouble, useTask } from "./parts";
import { follow } from "./rrule";
import { useApp } from "./state";
import { count, t } from "./text";

export interface Move {
  o: Occurrence;
  start: Wall;
  end: Wall;
}

type Scope = "one" | "following" | "all";

/** The edit that moves an event by what the reader's clock shows. */
function edit(d: EventDetail, m: Move): Edit {
  const from = minutesBetween(m.o.start, m.start);
  const start = addMinutes(d.event.start, from);
  const end = addMinutes(d.event.end, minutesBetween(m.o.end, m.end));
  const was = dateOf(d.event.start);
  const rrule = d.event.rrule && dateOf(start) !== was ? follow(d.event.rrule, was, dateOf(start)) : d.event.rrule;
  return { calendar: { owner: d.owner, name: d.calendar }, occurrence: d.occurrence, following: d.following, event: { ...d.event, start, end, rrule } };
}

/** What moving an event comes to: asked first where it repeats or others hear of it. */
export function MoveDialog({ move, onClose }: { move: Move; onClose: () => void }) {
  const app = useApp();
  const task = useTask();
  const { o } = move;
  const [scope, setScope] = useState<Scope>("one");
  const [loaded, setLoaded] = useState<{ scope: Scope; d: EventDetail; sending: Sending[] } | null>(null);
  const ready = loaded?.scope === scope ? loaded : null; // what was asked about is what is saved
  const sending = ready?.sending ?? null;
  const title = o.summary || t("No title");

  const save = (x: EventDetail) =>
    task.run(async () => {
      const r = await api.updateEvent(x, x.etag, edit(x, move), app.zone);
      const text = t("“{title}” is moved.", { title });
      // Where nobody heard of it, it is put back as it was.
      const back = async () => {
        const now = await api.event(x, x.occurrence, false, app.zone);
        await api.updateEvent(now, now.etag, { ...edit(x, move), event: { ...now.event, start: x.event.start, end: x.event.end, rrule: x.event.rrule } }, app.zone);
        return t("“{title}” is where it was.", { title });
      };
      app.sayUndo(r.sent > 0 ? text + " " + count(r.sent, "{n} message is on the way.", "{n} messages are on the way.") : text, r.owner, r.sent > 0 ? r.uid : "", r.sent === 0 && !x.following ? back : undefined);
      app.refresh();
      onClose();
    });

  useEffect(() => {
    let gone = false;
    const load = async () => {
      const x = await api.event(o, o.recurring && scope !== "all" ? o.id : "", scope === "following", app.zone);
      if (gone) return;
      if (!o.recurring && x.event.attendees.length === 0) return void save(x);
      const list = x.event.attendees.length > 0 ? await api.preview(x, edit(x, move), "", false, app.zone) : [];
      if (!gone) setLoaded({ scope, d: x, sending: list });
    };
    load().catch((e: Error) => !gone && task.setError(e.message));
    return () => { gone = true; };
  }, [scope]);

  if (!o.recurring && o.attendees === 0 && !task.error) return null; // done at once
  const scopes: [Scope, string][] = [["one", t("This occurrence")], ["following", t("This and later ones")], ["all", t("The whole series")]];
  return (
    <Dialog title={t("Move “{title}”", { title })} onClose={onClose}>
      <form onSubmit={(e) => { e.preventDefault(); if (ready) void save(ready.d); }}>
        <dl class="facts">
          <dt>{t("From")}</dt><dd>{whenText(o.start, o.end, o.allDay)}</dd>
          <dt>{t("To")}</dt><dd><b>{whenText(move.start, move.end, o.allDay)}</b></dd>
        </dl>
        {o.recurring && (
          <fieldset class="scopes">
            <legend class="label">{t("What moves")}</legend>
            {scopes.map(([value, text]) => <label class="check"><input type="radio" name="scope" value={value} checked={scope === value} autofocus={scope === value} onChange={() => setScope(value)} /> {text}</label>)}
          </fieldset>
        )}
        <div class="sending" aria-live="polite">
          {task.error ? null : sending === null ? <p class="hint">{t("Loading…")}</p> : sending.some((s) => s.method !== "") ? <Sendings list={sending} heading={t("Saving sends")} /> : <p class="hint">{t("Saving sends nothing.")}</p>}
        </div>
        <Trouble error={task.error} />
        <div class="actions">
          <button type="submit" class="primary" disabled={task.busy || sending === null}>{sending?.some((s) => s.method !== "") ? t("Move and send") : t("Move")}</button>
          <button type="button" onClick={onClose}>{t("Leave it where it was")}</button>
        </div>
      </form>
    </Dialog>
  );
}
