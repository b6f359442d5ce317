import { useEffect, useState } from "preact/hooks";
import { api, type Attendee, type Delivery, type EventDetail, type Place, type Sending } from "./api";
import { instantText, whenText } from "./dates";
import type { Draft } from "./form";
import { Chip, Copy, Dialog, Linked, SecuritySign, Sendings, Trouble, useTask } from "./parts";
import { MessageRow } from "./messages";
import { More } from "./more";
import { Reminders } from "./reminders";
import { Respond } from "./respond";
import { History } from "./sharing";
import { useApp } from "./state";
import { count, mark, t } from "./text";
import { address, delivery, partstat } from "./words";

const few = 25; // attendees that are listed at once

/** "3 accepted, 2 no answer yet" */
function tally(list: Attendee[]): string {
  const n = new Map<string, number>();
  for (const a of list) n.set(partstat(a.partstat).text, (n.get(partstat(a.partstat).text) ?? 0) + 1);
  return [...n].map(([text, k]) => `${k} ${text}`).join(", ");
}

const kinds: Record<string, string> = { ROOM: mark("room"), RESOURCE: mark("resource"), GROUP: mark("group") };

/** An event as it is, with what one can do to it. */
export function Details({ place, occurrence, onClose, onEdit }: { place: Place; occurrence: string; onClose: () => void; onEdit: (d: Draft) => void }) {
  const app = useApp();
  const [d, setD] = useState<EventDetail | null>(null);
  const [error, setError] = useState("");
  const [deleting, setDeleting] = useState<"" | "occurrence" | "following" | "series">("");
  const [sending, setSending] = useState<Sending[]>([]);
  const [past, setPast] = useState(false);
  const [all, setAll] = useState(false);
  const task = useTask();

  useEffect(() => {
    api.event(place, occurrence, false, app.zone).then(
      (x) => { setD(x); setError(""); },
      (e: Error) => setError(e.message),
    );
  }, [place.owner, place.calendar, place.name, occurrence, app.version]);

  useEffect(() => {
    if (deleting === "" || !d) return;
    api.preview(d, null, deleting === "series" ? "" : occurrence, deleting === "following", app.zone).then(setSending, () => setSending([]));
  }, [deleting, d?.etag]);

  if (!d) return <Dialog title={t("Event")} onClose={onClose}>{error ? <Trouble error={error} /> : <p>{t("Loading…")}</p>}</Dialog>;
  const e = d.event;
  const calendar = app.calendars.find((c) => c.owner === d.owner && c.name === d.calendar);
  const elsewhere = !e.allDay && e.zone !== "" && e.zone !== app.zone && whenText(e.start, e.end, false) !== whenText(d.start, d.end, false);
  const edit = (id: string, following: boolean) =>
    id === occurrence && !following
      ? onEdit({ detail: d })
      : void task.run(async () => onEdit({ detail: await api.event(place, id, following, app.zone) }));
  const remove = () =>
    task.run(async () => {
      await api.deleteEvent(d, d.etag, deleting === "series" ? "" : occurrence, deleting === "following", app.zone);
      app.sayUndo(t("Deleted."), d.owner, d.uid);
      app.refresh();
      onClose();
    });
  const canEdit = d.writable && d.organizing;

  return (
    <Dialog title={e.summary || t("No title")} onClose={onClose}>
      <dl class="facts">
        <dt>{t("When")}</dt>
        <dd>
          {whenText(d.start, d.end, e.allDay)}
          {elsewhere && <div class="hint">{whenText(e.start, e.end, false)} {t("in {zone}", { zone: e.zone.replaceAll("_", " ") })}</div>}
          {d.ruleText && <div class="hint">{t("Repeats {rule}", { rule: d.ruleText })}</div>}
        </dd>
        {e.status === "CANCELLED" && <><dt>{t("State")}</dt><dd class="clash">{t("Cancelled")}</dd></>}
        {e.status === "TENTATIVE" && <><dt>{t("State")}</dt><dd>{t("Not certain yet")}</dd></>}
        {e.location && <><dt>{t("Where")}</dt><dd><Linked text={e.location} /></dd></>}
        {e.url && <><dt>{t("Link")}</dt><dd><Linked text={e.url} /></dd></>}
        <dt>{t("Calendar")}</dt>
        <dd>{calendar ? calendar.displayName : d.calendar}{d.owner !== app.me.name && calendar && `, ${calendar.ownerName}`}</dd>
        {d.organizer && <><dt>{t("Organizer")}</dt><dd>{d.organizer.name || address(d.organizer.address)}{d.organizing && ` (${t("you")})`}</dd></>}
        {e.attendees.length > 0 && (
          <>
            <dt>{t("Attendees")}</dt>
            <dd>
              {e.attendees.length > 8 && <p class="hint">{tally(e.attendees)}</p>}
              <ul class="guests plain">
                {(all ? e.attendees : e.attendees.slice(0, few)).map((a) => (
                  <li>
                    <span class={"sign " + partstat(a.partstat).tone} aria-hidden="true">{partstat(a.partstat).sign}</span>
                    <span class="person">
                      {a.name || address(a.address)} <span class="hint">{partstat(a.partstat).text}{a.role === "OPT-PARTICIPANT" ? ", " + t("optional") : ""}{kinds[a.kind] ? ", " + t(kinds[a.kind]!) : ""}</span>
                      {a.comment && <div class="hint">“{a.comment}”</div>}
                      {a.delivery ? <DeliveryLine d={d} a={a} x={a.delivery} /> : a.status && <div class="hint">{a.status}</div>}
                    </span>
                  </li>
                ))}
              </ul>
              {!all && e.attendees.length > few && <button type="button" class="small" onClick={() => setAll(true)}>{t("Show all {n}", { n: e.attendees.length })}</button>}
            </dd>
          </>
        )}
      </dl>
      <Attached d={d} />
      {e.status !== "CANCELLED" && (canEdit || d.writable) && <MyReminders d={d} />}
      <SecuritySign s={d.security} />
      {d.held.length > 0 && (
        <section>
          <h3>{t("Waits for your decision")}</h3>
          <ul class="journal">{d.held.map((m) => <MessageRow key={m.id} m={m} onChange={() => app.refresh()} />)}</ul>
        </section>
      )}
      {e.description && <p class="description" dir="auto"><Linked text={e.description} /></p>}
      {d.partstat && !d.organizing && e.status !== "CANCELLED" && (
        <section class="answer-box">
          <h3>{t("Your answer: {answer}", { answer: partstat(d.partstat).text })}</h3>
          {d.recurring && occurrence !== "" && <p class="hint">{t("For this occurrence alone:")}</p>}
          <Respond owner={d.owner} uid={d.uid} occurrence={occurrence} partstat={d.partstat} what={e.summary || "the event"} />
          {d.recurring && occurrence !== "" && (
            <details>
              <summary>{t("Answer for the whole series")}</summary>
              <Respond owner={d.owner} uid={d.uid} occurrence="" partstat="" what={t("{title}, the whole series", { title: e.summary || t("the event") })} />
            </details>
          )}
        </section>
      )}
      {d.writable && e.status !== "CANCELLED" && deleting === "" && <More d={d} occurrence={occurrence} />}
      {d.owner === app.me.name && deleting === "" && (
        <details class="history" onToggle={(x) => setPast(x.currentTarget.open)}>
          <summary>{t("Earlier versions")}</summary>
          {past && <History uid={d.uid} />}
        </details>
      )}
      <Trouble error={error || task.error}>
        {task.condition === "precondition-failed" && <button type="button" onClick={() => { task.setError(""); app.refresh(); }}>{t("Show the present state")}</button>}
      </Trouble>
      {deleting !== "" ? (
        <div class="trouble" role="alert">
          <p>{deleting === "series" && d.recurring ? t("Delete the whole series?") : deleting === "occurrence" ? t("Delete this occurrence?") : deleting === "following" ? t("Delete this occurrence and all later ones?") : t("Delete this event?")}</p>
          <Sendings list={sending} heading={t("Deleting sends")} />
          <div class="actions">
            <button type="button" class="danger" disabled={task.busy} onClick={remove} autofocus>{t("Delete")}</button>
            <button type="button" onClick={() => setDeleting("")}>{t("Keep")}</button>
          </div>
        </div>
      ) : (
        d.writable && (
          <>
            {canEdit && (
              <div class={d.recurring ? "actions" : "actions together"}>
                {d.recurring && occurrence !== "" && <button type="button" class="primary" onClick={() => edit(occurrence, false)}>{t("Edit this occurrence")}</button>}
                {d.recurring && occurrence !== "" && <button type="button" disabled={task.busy} aria-label={t("This and later: edit")} onClick={() => edit(occurrence, true)}>{t("This and later")}</button>}
                <button type="button" class={d.recurring && occurrence !== "" ? "" : "primary"} disabled={task.busy} aria-label={d.recurring ? t("The whole series: edit") : undefined} onClick={() => edit("", false)}>{d.recurring ? t("The whole series") : t("Edit")}</button>
              </div>
            )}
            <div class="actions">
              {d.recurring && occurrence !== "" && <button type="button" class="danger" onClick={() => setDeleting("occurrence")}>{t("Delete this…")}</button>}
              {canEdit && d.recurring && occurrence !== "" && <button type="button" class="danger" aria-label={t("This and later…: delete")} onClick={() => setDeleting("following")}>{t("This and later…")}</button>}
              <button type="button" class="danger" aria-label={d.recurring ? t("The whole series…: delete") : undefined} onClick={() => setDeleting("series")}>{d.recurring ? t("The whole series…") : t("Delete…")}</button>
            </div>
          </>
        )
      )}
    </Dialog>
  );
}

/** How far the latest message to an attendee came, and what to do where it did not. */
function DeliveryLine({ d, a, x }: { d: EventDetail; a: Attendee; x: Delivery }) {
  const app = useApp();
  const task = useTask();
  const name = a.name || address(a.address);
  const stuck = x.state === "bounced" || x.state === "retrying";
  const retry = () => task.run(async () => { await api.decide(x.id, "retry", app.zone); app.say(t("It is sent again.")); app.refresh(); });
  const remove = () =>
    task.run(async () => {
      // From the whole series, unless they were invited to this occurrence alone.
      const all = await api.event(d, "", false, app.zone);
      const from = all.event.attendees.some((o) => o.address === a.address) ? all : d;
      const event = { ...from.event, attendees: from.event.attendees.filter((o) => o.address !== a.address) };
      await api.updateEvent(d, d.etag, { calendar: { owner: d.owner, name: d.calendar }, occurrence: from.occurrence, following: false, event }, app.zone);
      app.sayUndo(t("{name} is no longer invited.", { name }), d.owner, d.uid);
      app.refresh();
    });
  return (
    <div class="delivery">
      {x.state !== "answered" && <Chip word={delivery(x.state)} />} {x.state !== "answered" && x.state !== "queued" && <time class="hint" dateTime={x.time}>{instantText(x.time)}</time>}
      {(stuck || x.state === "queued") && x.sentence && <div class="hint">{x.sentence}</div>}
      {x.next && x.state !== "bounced" && <div class="hint">{t("Next attempt {time}", { time: instantText(x.next) })}</div>}
      {stuck && d.owner === app.me.name && (
        <div class="actions">
          {x.canRetry && <button type="button" class="small" disabled={task.busy} aria-label={t("Try again: {name}", { name })} onClick={retry}>{t("Try again")}</button>}
          {d.writable && <button type="button" class="small danger" disabled={task.busy} aria-label={t("Remove: {name}", { name })} onClick={remove}>{t("Remove")}</button>}
          {x.page && <Copy text={x.page} label={t("Copy the link: {name}", { name })} shown={t("Copy the link")} />}
        </div>
      )}
      <Trouble error={task.error} />
    </div>
  );
}

/** One's own reminders: nobody else hears of them. */
function MyReminders({ d }: { d: EventDetail }) {
  const app = useApp();
  const task = useTask();
  const change = (alarms: number[]) =>
    task.run(async () => {
      const all = d.occurrence === "" ? d : await api.event(d, "", false, app.zone); // those of a series ring for all of it
      await api.updateEvent(d, all.etag, { calendar: { owner: d.owner, name: d.calendar }, occurrence: "", following: false, event: { ...all.event, alarms } }, app.zone);
      app.refresh();
    });
  return (
    <>
      <Reminders alarms={d.event.alarms} allDay={d.event.allDay} disabled={task.busy} onChange={change} />
      <Trouble error={task.error} />
    </>
  );
}

const size = (octets: number) => (octets < 1024 ? count(octets, "{n} octet", "{n} octets") : octets < 1 << 20 ? `${Math.round(octets / 1024)} kB` : `${(octets / (1 << 20)).toFixed(1)} MB`);

/** Files and addresses that go with an event. */
function Attached({ d }: { d: EventDetail }) {
  const app = useApp();
  const task = useTask();
  const mine = d.writable && d.organizing;
  const tell = (sent: number) => app.sayUndo(sent > 0 ? t("Saved.") + " " + count(sent, "{n} message is on the way.", "{n} messages are on the way.") : t("Saved."), d.owner, sent > 0 ? d.uid : "");
  if (d.attachments.length === 0 && !mine) return null;
  return (
    <section class="attached">
      {d.attachments.length > 0 && (
        <ul class="plain lines" aria-label={t("Attachments")}>
          {d.attachments.map((a) => (
            <li>
              <span class="person">{a.url ? <a href={a.url} rel="noopener noreferrer" target="_blank">{a.name}</a> : a.name} {a.size > 0 && <span class="hint">{size(a.size)}</span>}</span>
              {mine && a.managed && <button type="button" class="small danger" disabled={task.busy} aria-label={t("Remove: {name}", { name: a.name })} onClick={() => task.run(async () => { tell((await api.detach(d, d.etag, a.managed)).sent); app.refresh(); })}>{t("Remove")}</button>}
            </li>
          ))}
        </ul>
      )}
      {mine && (
        <label class="file">
          <span class="label">{t("Attach a file")}</span>
          <input type="file" disabled={task.busy} onChange={(e) => { const field = e.currentTarget; const file = field.files?.[0]; if (file) void task.run(async () => { tell((await api.attach(d, d.etag, file)).sent); field.value = ""; app.refresh(); }); }} />
        </label>
      )}
      <Trouble error={task.error} />
    </section>
  );
}
