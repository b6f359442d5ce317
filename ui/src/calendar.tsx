import { useEffect, useRef, useState } from "preact/hooks";
import { api, type Calendar, type Followed, type Occurrence, type Place } from "./api";
import { addDays, addMinutes, addMonths, dateOf, longDay, monthAndYear, nowIn, startOfMonth, startOfWeek, wallAt, weekTitle, minutesOf, type Day, type Wall } from "./dates";
import { Details } from "./details";
import { EventForm, type Draft } from "./form";
import { ListView } from "./list";
import { MonthView } from "./month";
import { MoveDialog, type Move } from "./move";
import { Age, CalendarShares, modeText, TakeOff } from "./sharing";
import { Dialog, Field, Link, Trouble, useTask } from "./parts";
import { go, remember, remembered, useApp, views, type View } from "./state";
import { mark, t } from "./text";
import { TimeGrid } from "./week";

export interface ViewProps {
  day: Day;
  occurrences: Occurrence[];
  color: (o: { owner: string; calendar: string }) => string;
  open: (o: Occurrence) => void;
  create: (start: Wall, end: Wall, allDay: boolean) => void;
}

/** The days a view shows: [from, to). */
export function span(view: View, day: Day): [Day, Day] {
  switch (view) {
    case "day":
      return [day, addDays(day, 1)];
    case "week":
      return [startOfWeek(day), addDays(startOfWeek(day), 7)];
    case "list":
      return [day, addDays(day, 30)];
    case "month": {
      const from = startOfWeek(startOfMonth(day));
      const weeks = startOfWeek(addMonths(startOfMonth(day), 1)) === addMonths(startOfMonth(day), 1) ? 0 : 7;
      return [from, addDays(startOfWeek(addMonths(startOfMonth(day), 1)), weeks)];
    }
  }
}

const step: Record<View, (day: Day, n: number) => Day> = {
  day: (d, n) => addDays(d, n),
  week: (d, n) => addDays(d, 7 * n),
  list: (d, n) => addDays(d, 30 * n),
  month: addMonths,
};

const title: Record<View, (day: Day) => string> = {
  day: longDay,
  week: (d) => weekTitle(startOfWeek(d)),
  list: (d) => t("From {day}", { day: longDay(d) }),
  month: monthAndYear,
};

const viewNames: Record<View, string> = { day: mark("Day"), week: mark("Week"), month: mark("Month"), list: mark("List") };
const palette = ["#2563eb", "#0f766e", "#b45309", "#be185d", "#6d28d9", "#15803d", "#b91c1c", "#0369a1"];
const keyOf = (c: { owner: string; name: string }) => c.owner + "/" + c.name;

export function colorOf(c: Calendar, index: number): string {
  return /^#[0-9a-f]{6}/i.test(c.color) ? c.color.slice(0, 7) : palette[index % palette.length]!;
}

export function CalendarPage({ view, day }: { view: View; day: Day }) {
  const app = useApp();
  const shown = app.calendars.filter((c) => c.components.length === 0 || c.components.includes("VEVENT"));
  const [hidden, setHidden] = useState<string[]>(() => (remembered("hidden") ?? "").split(" ").filter(Boolean));
  const [occurrences, setOccurrences] = useState<Occurrence[]>([]);
  const [incomplete, setIncomplete] = useState("");
  const [error, setError] = useState("");
  const [opened, setOpened] = useState<{ place: Place; occurrence: string } | null>(null);
  const [draft, setDraft] = useState<Draft | null>(null);
  const [move, setMove] = useState<Move | null>(null);
  const [editing, setEditing] = useState<Calendar | "new" | null>(null);

  const [from, to] = span(view, day);
  useEffect(() => remember("view", view), [view]);
  useEffect(() => {
    const stop = new AbortController();
    api.occurrences(from, to, app.zone, stop.signal).then(
      (r) => { setOccurrences(r.occurrences); setIncomplete(r.incomplete); setError(""); },
      (e: Error) => e.name !== "AbortError" && setError(e.message),
    );
    return () => stop.abort();
  }, [from, to, app.zone, app.version]);

  const colors = new Map(shown.map((c, i) => [keyOf(c), colorOf(c, i)]));
  const toggle = (key: string) => {
    const next = hidden.includes(key) ? hidden.filter((h) => h !== key) : [...hidden, key];
    setHidden(next);
    remember("hidden", next.join(" "));
  };
  const to_ = (v: View, d: Day) => go(`/calendar/${v}/${d}`);
  const today = dateOf(nowIn(app.zone));
  const create = (start: Wall, end: Wall, allDay: boolean) => setDraft({ start, end, allDay });
  const createNow = () => {
    const now = nowIn(app.zone);
    const start = day >= from && today >= from && today < to ? wallAt(today, (Math.floor(minutesOf(now) / 60) + 1) * 60) : wallAt(day, 9 * 60);
    create(start, addMinutes(start, 60), false);
  };

  // Single letters work wherever no text is being written.
  const keys = useRef<(e: KeyboardEvent) => void>(() => undefined);
  keys.current = (e) => {
    const t = e.target as HTMLElement;
    if (e.ctrlKey || e.metaKey || e.altKey || /^(INPUT|TEXTAREA|SELECT)$/.test(t.tagName) || document.querySelector("dialog[open]")) return;
    const view_ = ({ d: "day", w: "week", m: "month", l: "list" } as Record<string, View>)[e.key];
    if (view_) to_(view_, day);
    else if (e.key === "t") to_(view, today);
    else if (e.key === "n" || e.key === "j") to_(view, step[view](day, 1));
    else if (e.key === "p" || e.key === "k") to_(view, step[view](day, -1));
    else if (e.key === "c") createNow();
    else return;
    e.preventDefault();
  };
  useEffect(() => {
    const on = (e: KeyboardEvent) => keys.current(e);
    addEventListener("keydown", on);
    return () => removeEventListener("keydown", on);
  }, []);

  const props: ViewProps = {
    day,
    occurrences: occurrences.filter((o) => !hidden.includes(o.owner + "/" + o.calendar)),
    color: (o) => colors.get(o.owner + "/" + o.calendar) ?? palette[0]!,
    open: (o) => setOpened({ place: o, occurrence: o.recurring ? o.id : "" }),
    create,
  };

  return (
    <>
      <div class="toolbar">
        <div class="group">
          <button type="button" onClick={() => to_(view, today)}>{t("Today")}</button>
          <button type="button" class="icon" aria-label={t("Earlier")} onClick={() => to_(view, step[view](day, -1))}>‹</button>
          <button type="button" class="icon" aria-label={t("Later")} onClick={() => to_(view, step[view](day, 1))}>›</button>
        </div>
        <h1 aria-live="polite">{title[view](day)}</h1>
        <div class="group views" role="group" aria-label={t("View")}>
          {views.map((v) => (
            <button type="button" aria-pressed={v === view} onClick={() => to_(v, day)}>{t(viewNames[v])}</button>
          ))}
        </div>
        <button type="button" class="primary" onClick={createNow} aria-keyshortcuts="c">{t("New event")}</button>
      </div>
      <Trouble error={error} />
      {incomplete && <p class="hint">{incomplete}</p>}
      <div class="calendar-layout">
        <details class="calendars" open={matchMedia("(min-width: 60rem)").matches}>
          <summary>{t("Calendars")}</summary>
          <ul>
            {shown.map((c) => (
              <li>
                <label>
                  <input type="checkbox" checked={!hidden.includes(keyOf(c))} onChange={() => toggle(keyOf(c))} style={{ accentColor: colors.get(keyOf(c)) }} />
                  <span class="swatch" style={{ background: colors.get(keyOf(c)) }} aria-hidden="true" />
                  <span>{c.displayName}{c.owner !== app.me.name && <span class="hint"> {c.ownerName}</span>}</span>
                </label>
                <button type="button" class="icon quiet" aria-label={c.owner === app.me.name ? t("Change or share {title}", { title: c.displayName }) : t("About {title}", { title: c.displayName })} onClick={() => setEditing(c)}>…</button>
              </li>
            ))}
          </ul>
          <button type="button" class="small" onClick={() => setEditing("new")}>{t("New calendar")}</button>
          <p class="links"><Link to="/sharing">{t("Sharing, calendars from the web, history")}</Link></p>
          <p class="hint zone">{t("Times are in {zone}.", { zone: app.zone.replaceAll("_", " ") })}</p>
          <p class="hint keys"><kbd>c</kbd> {t("new")}, <kbd>t</kbd> {t("today")}, <kbd>n</kbd> <kbd>p</kbd> {t("later and earlier")}, <kbd>d</kbd> <kbd>w</kbd> <kbd>m</kbd> <kbd>l</kbd> {t("views; on an event")} <kbd>m</kbd> {t("moves it")}</p>
        </details>
        <div class="view">
          {view === "month" && <MonthView {...props} />}
          {(view === "week" || view === "day") && <TimeGrid {...props} first={from} days={view === "day" ? 1 : 7} move={setMove} />}
          {view === "list" && <ListView {...props} first={from} last={addDays(to, -1)} />}
        </div>
      </div>
      {opened && (
        <Details
          place={opened.place}
          occurrence={opened.occurrence}
          onClose={() => setOpened(null)}
          onEdit={(d) => { setOpened(null); setDraft(d); }}
        />
      )}
      {move && <MoveDialog key={move.start + move.end} move={move} onClose={() => setMove(null)} />}
      {draft && <EventForm draft={draft} onClose={() => setDraft(null)} />}
      {editing && editing !== "new" && editing.owner !== app.me.name && <TheirCalendar calendar={editing} onClose={() => setEditing(null)} />}
      {editing && (editing === "new" || editing.owner === app.me.name) && <CalendarDialog calendar={editing === "new" ? null : editing} color={palette[shown.length % palette.length]!} onClose={() => setEditing(null)} />}
    </>
  );
}

function CalendarDialog({ calendar, color, onClose }: { calendar: Calendar | null; color: string; onClose: () => void }) {
  const app = useApp();
  const [name, setName] = useState(calendar?.displayName ?? "");
  const [tint, setTint] = useState(calendar ? colorOf(calendar, app.calendars.indexOf(calendar)) : color);
  const [sure, setSure] = useState(false);
  const task = useTask();
  const done = () => { app.refresh(); onClose(); };
  return (
    <Dialog title={calendar ? calendar.displayName : t("New calendar")} wide={calendar !== null} onClose={onClose}>
      <form
        onSubmit={(e) => {
          e.preventDefault();
          void task.run(async () => {
            const change = { displayName: name.trim(), color: tint };
            if (calendar) await api.updateCalendar(calendar, change);
            else await api.addCalendar(change);
            done();
          });
        }}
      >
        <Field label={t("Name")}><input value={name} required maxLength={200} onInput={(e) => setName(e.currentTarget.value)} /></Field>
        <Field label={t("Colour")}><input type="color" value={tint} onInput={(e) => setTint(e.currentTarget.value)} /></Field>
        <Trouble error={task.error} />
        <div class="actions">
          <button type="submit" class="primary" disabled={task.busy}>{t("Save")}</button>
          <button type="button" onClick={onClose}>{t("Cancel")}</button>
          {calendar && !sure && <button type="button" class="danger end" onClick={() => setSure(true)}>{t("Delete…")}</button>}
        </div>
        {calendar && sure && (
          <div class="trouble" role="alert">
            <p>{t("Delete {title} with everything in it?", { title: calendar.displayName })}</p>
            <button type="button" class="danger" disabled={task.busy} onClick={() => task.run(async () => { await api.deleteCalendar(calendar); done(); })}>{t("Delete the calendar")}</button>
          </div>
        )}
      </form>
      {calendar?.followed && <section class="apart"><h3>{t("From the web")}</h3><Following calendar={calendar} /></section>}
      {calendar && !calendar.followed && <section class="apart"><h3>{t("Shared with")}</h3><CalendarShares calendar={calendar} /></section>}
    </Dialog>
  );
}

/** Somebody else's calendar: whose it is and what one may do. */
function TheirCalendar({ calendar, onClose }: { calendar: Calendar; onClose: () => void }) {
  return (
    <Dialog title={calendar.displayName} onClose={onClose}>
      <p>{t("A calendar of {name}; {what}.", { name: calendar.ownerName, what: modeText(calendar.mode) })}</p>
      {calendar.description && <p>{calendar.description}</p>}
      <div class="actions"><TakeOff calendar={calendar} onDone={onClose} /></div>
    </Dialog>
  );
}

/** The address that a calendar follows, and how that goes. */
function Following({ calendar }: { calendar: Calendar }) {
  const [f, setF] = useState<Followed | null>(null);
  const task = useTask();
  const pick = (list: Followed[]) => setF(list.find((x) => x.name === calendar.name) ?? null);
  useEffect(() => void api.followed().then(pick, (e: Error) => task.setError(e.message)), [calendar.name]);
  return (
    <>
      {f && <p><code>{f.url}</code><br /><Age f={f} /></p>}
      {f && <button type="button" class="small" disabled={task.busy} onClick={() => task.run(async () => pick(await api.fetchFollowed(f.id)))}>{t("Fetch now")}</button>}
      <Trouble error={task.error} />
    </>
  );
}
