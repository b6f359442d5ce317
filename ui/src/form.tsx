import { useEffect, useState } from "preact/hooks";
import { api, type Edit, type EventDetail, type EventFields, type Sending } from "./api";
import { Attendees } from "./attendees";
import { addDays, addMinutes, dateOf, daysBetween, minutesBetween, wallAt, type Day, type Wall } from "./dates";
import { FindTime } from "./findtime";
import { Dialog, Field, Sendings, Trouble, useTask } from "./parts";
import { Reminders } from "./reminders";
import { Repeats } from "./repeats";
import { follow } from "./rrule";
import { remember, remembered, useApp } from "./state";
import { count, t } from "./text";
import { address } from "./words";

/** What the form starts from: a time picked, or an event. */
export type Draft = { start: Wall; end: Wall; allDay: boolean } | { detail: EventDetail };

let zoneNames: Promise<string[]> | undefined;

export function EventForm({ draft, onClose }: { draft: Draft; onClose: () => void }) {
  const app = useApp();
  const detail = "detail" in draft ? draft.detail : null;
  const writable = app.calendars.filter((c) => (c.access === "own" || c.access === "write") && (c.components.length === 0 || c.components.includes("VEVENT")));
  const lastUsed = remembered("calendar");
  const [calendar, setCalendar] = useState(() => {
    if (detail) return detail.owner + "/" + detail.calendar;
    const own = writable.find((c) => c.owner + "/" + c.name === lastUsed) ?? writable.find((c) => c.owner === app.me.name && c.name === "default") ?? writable[0];
    return own ? own.owner + "/" + own.name : "";
  });
  const [f, setF] = useState<EventFields>(() =>
    detail
      ? detail.event
      : { summary: "", location: "", description: "", url: "", ...("start" in draft ? { start: draft.start, end: draft.end, allDay: draft.allDay } : { start: "", end: "", allDay: false }), zone: app.zone, rrule: "", status: "", busy: true, hideGuests: false, attendees: [], alarms: [] },
  );
  const [zones, setZones] = useState<string[]>([]);
  const [sending, setSending] = useState<Sending[]>([]);
  const [previewError, setPreviewError] = useState("");
  const [asking, setAsking] = useState(false);
  const [initial] = useState(() => JSON.stringify(f));
  const task = useTask();
  const close = () => (JSON.stringify(f) === initial || asking ? onClose() : setAsking(true));
  const set = (change: Partial<EventFields>) => setF((x) => ({ ...x, ...change }));
  const single = detail !== null && detail.occurrence !== "" && !detail.following;

  useEffect(() => {
    (zoneNames ??= api.zones()).then(setZones, () => { zoneNames = undefined; });
  }, []);

  const edit = (): Edit => {
    const [owner, name] = calendar.split("/") as [string, string];
    return { calendar: { owner, name }, occurrence: detail?.occurrence ?? "", following: detail?.following ?? false, event: f };
  };
  const invalid = f.start === "" || f.end === "" || f.end < f.start || (f.allDay && f.end <= f.start);

  // What saving will send is asked anew a moment after each change.
  const guests = f.attendees.length > 0 || (detail?.event.attendees.length ?? 0) > 0;
  useEffect(() => {
    if (!guests || invalid) {
      setSending([]);
      setPreviewError("");
      return;
    }
    const stop = new AbortController();
    const t = setTimeout(() => {
      api.preview(detail, edit(), "", false, app.zone, stop.signal).then(
        (s) => { setSending(s); setPreviewError(""); },
        (e: Error) => { if (e.name !== "AbortError") { setSending([]); setPreviewError(e.message); } },
      );
    }, 350);
    return () => { clearTimeout(t); stop.abort(); };
  }, [JSON.stringify(f), calendar]);

  // Moving the start moves the end with it, and a rule that named its weekday or day of the month.
  const moveStart = (start: Wall) => {
    const rrule = f.rrule && dateOf(start) !== dateOf(f.start) ? follow(f.rrule, dateOf(f.start), dateOf(start)) : f.rrule;
    if (f.allDay) set({ start, rrule, end: f.end ? addDays(start, Math.max(1, daysBetween(f.start, f.end))) : addDays(start, 1) });
    else set({ start, rrule, end: addMinutes(start, Math.max(0, minutesBetween(f.start, f.end))) });
  };
  const toggleAllDay = (allDay: boolean) => {
    if (allDay) {
      const first = dateOf(f.start);
      const last: Day = dateOf(f.end);
      set({ allDay, start: first, end: addDays(last < first ? first : last, 1) });
    } else {
      set({ allDay, start: wallAt(f.start, 540), end: wallAt(addDays(f.end, -1), 600), zone: f.zone || app.zone });
    }
  };

  const save = () =>
    task.run(async () => {
      remember("calendar", calendar);
      const r = detail ? await api.updateEvent(detail, detail.etag, edit(), app.zone) : await api.addEvent(edit(), app.zone);
      app.sayUndo(r.sent > 0 ? t("Saved.") + " " + count(r.sent, "{n} message is on the way.", "{n} messages are on the way.") : t("Saved."), r.owner, r.sent > 0 ? r.uid : "");
      app.refresh();
      onClose();
    });

  const who = sending.filter((s) => s.method !== "").map((s) => s.name || address(s.to));
  const head = detail ? (single ? t("Edit this occurrence") : detail.following ? t("Edit this and later occurrences") : detail.recurring ? t("Edit the whole series") : t("Edit event")) : t("New event");
  return (
    <Dialog title={head} wide onClose={close}>
      <form
        class="event-form"
        onSubmit={(e) => {
          e.preventDefault();
          if (!invalid) void save();
        }}
      >
        <Field label={t("Title")}><input name="summary" dir="auto" value={f.summary} autofocus maxLength={1000} onInput={(e) => set({ summary: e.currentTarget.value })} /></Field>
        <div class="row times">
          {f.allDay ? (
            <>
              <Field label={t("First day")}><input type="date" name="start" required value={f.start} onInput={(e) => e.currentTarget.value && moveStart(e.currentTarget.value)} /></Field>
              <Field label={t("Last day")}><input type="date" name="end" required min={f.start} value={addDays(f.end, -1)} onInput={(e) => e.currentTarget.value && set({ end: addDays(e.currentTarget.value, 1) })} /></Field>
            </>
          ) : (
            <>
              <Field label={t("Start")} class="moment">
                <span class="pair">
                  <input type="date" name="start" aria-label={t("Start date")} required value={dateOf(f.start)} onInput={(e) => e.currentTarget.value && moveStart(e.currentTarget.value + f.start.slice(10))} />
                  <input type="time" name="start-time" aria-label={t("Start time")} required value={f.start.slice(11, 16)} onInput={(e) => e.currentTarget.value && moveStart(f.start.slice(0, 11) + e.currentTarget.value)} />
                </span>
              </Field>
              <Field label={t("End")} class="moment">
                <span class="pair">
                  <input type="date" name="end" aria-label={t("End date")} required min={dateOf(f.start)} value={dateOf(f.end)} onInput={(e) => e.currentTarget.value && set({ end: e.currentTarget.value + f.end.slice(10) })} />
                  <input type="time" name="end-time" aria-label={t("End time")} required value={f.end.slice(11, 16)} onInput={(e) => e.currentTarget.value && set({ end: f.end.slice(0, 11) + e.currentTarget.value })} />
                </span>
              </Field>
            </>
          )}
        </div>
        {invalid && <p class="clash" role="alert">{t("The end is before the start.")}</p>}
        <div class="row">
          {!f.allDay && (
            <Field label={t("Time zone")} class="grow">
              <input name="zone" list="zones" value={f.zone} autoComplete="off" placeholder={t("Local time wherever one is")} onChange={(e) => set({ zone: e.currentTarget.value.trim() })} />
              <datalist id="zones">{zones.map((z) => <option value={z} />)}</datalist>
            </Field>
          )}
          <label class="check"><input type="checkbox" name="all-day" checked={f.allDay} onChange={(e) => toggleAllDay(e.currentTarget.checked)} /> {t("All day")}</label>
        </div>
        {!single && <Repeats rrule={f.rrule} start={dateOf(f.start)} stored={detail?.event.rrule ?? ""} text={detail?.ruleText ?? ""} onChange={(rrule) => set({ rrule })} />}
        <div class="row">
          <Field label={t("Place")} class="grow"><input name="location" dir="auto" value={f.location} maxLength={2000} onInput={(e) => set({ location: e.currentTarget.value })} /></Field>
          <Field label={t("Calendar")}>
            <select name="calendar" value={calendar} disabled={single} onChange={(e) => setCalendar(e.currentTarget.value)}>
              {writable.map((c) => <option value={c.owner + "/" + c.name}>{c.displayName}{c.owner !== app.me.name ? ` (${c.ownerName})` : ""}</option>)}
            </select>
          </Field>
        </div>
        <Attendees list={f.attendees} organizer={detail?.organizer?.address ?? ""} onChange={(attendees) => set({ attendees })} />
        {guests && !single && (
          <label class="check"><input type="checkbox" name="hide-guests" checked={f.hideGuests} onChange={(e) => set({ hideGuests: e.currentTarget.checked })} /> {t("Hide the guest list: each guest sees only themselves and you")}</label>
        )}
        <FindTime attendees={f.attendees} start={f.start} end={f.end} allDay={f.allDay} uid={detail?.uid ?? ""} onPick={(start, end) => set({ allDay: false, start, end, zone: app.zone })} />
        <Field label={t("Description")}><textarea name="description" dir="auto" rows={4} value={f.description} onInput={(e) => set({ description: e.currentTarget.value })} /></Field>
        <div class="row">
          <Field label={t("Show as")}>
            <select value={f.busy ? "busy" : "free"} onChange={(e) => set({ busy: e.currentTarget.value === "busy" })}>
              <option value="busy">{t("Busy")}</option>
              <option value="free">{t("Free")}</option>
            </select>
          </Field>
          <Field label={t("State")}>
            <select value={f.status} onChange={(e) => set({ status: e.currentTarget.value })}>
              <option value="">{t("Not said")}</option>
              <option value="CONFIRMED">{t("Certain")}</option>
              <option value="TENTATIVE">{t("Not certain yet")}</option>
              <option value="CANCELLED">{t("Cancelled")}</option>
            </select>
          </Field>
        </div>
        <Reminders alarms={f.alarms} allDay={f.allDay} onChange={(alarms) => set({ alarms })} />
        {detail && detail.kept.length > 0 && <p class="hint">{t("Kept as they are: {list}.", { list: detail.kept.join(", ") })}</p>}
        {guests && (
          <section class="sending" aria-live="polite" aria-label={t("What will be sent")}>
            {previewError ? <p class="clash">{previewError}</p> : (
              <>
                {who.length === 0 && <p class="hint">{t("Saving sends nothing.")}</p>}
                <Sendings list={sending} heading={t("Saving sends")} />
              </>
            )}
          </section>
        )}
        <Trouble error={task.error}>
          {task.condition === "precondition-failed" && <p>{t("Close this form and open the event again to see its present state; what you wrote here is not saved.")}</p>}
        </Trouble>
        {asking && (
          <div class="trouble" role="alert">
            <p>{t("What you changed is not saved.")}</p>
            <button type="button" class="danger" onClick={onClose}>{t("Discard it")}</button> <button type="button" autofocus onClick={() => setAsking(false)}>{t("Go on writing")}</button>
          </div>
        )}
        <div class="actions">
          <button type="submit" class="primary" disabled={task.busy || invalid || calendar === ""}>
            {who.length === 0 ? t("Save") : who.length <= 2 ? t("Save and send to {who}", { who: who.join(t(" and ")) }) : t("Save and send to {who}", { who: count(who.length, "{n} person", "{n} people") })}
          </button>
          <button type="button" onClick={close}>{t("Cancel")}</button>
        </div>
      </form>
    </Dialog>
  );
}
