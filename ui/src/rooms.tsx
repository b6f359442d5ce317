import { useEffect, useState } from "preact/hooks";
import { api, type Message, type Policy, type Room } from "./api";
import { Groups } from "./groups";
import { MessageRow } from "./messages";
import { Field, Trouble, useTask } from "./parts";
import { useApp } from "./state";
import { mark, t } from "./text";

/** Rooms and resources, and what they answer by themselves. */
export function RoomsPage() {
  const app = useApp();
  const [list, setList] = useState<Room[] | null>(null);
  const [error, setError] = useState("");
  useEffect(() => {
    api.rooms().then((l) => { setList(l); setError(""); }, (e: Error) => setError(e.message));
  }, [app.version]);
  return (
    <>
      <h1>{t("Rooms, resources and groups")}</h1>
      <Requests />
      <p class="hint">{t("A room accepts what its rules allow and what is free, and declines the rest with a reason. It is never booked twice.")}</p>
      <Trouble error={error} />
      {list?.length === 0 && <p class="empty">{t("There are no rooms yet. An administrator makes them:")}{" "}<code>convene account add ADDRESS --kind room</code>.</p>}
      <ul class="cards">
        {list?.map((r) => (
          <li class="card" key={r.name}>
            <h2>{r.displayName}</h2>
            <p class="hint">{r.address}</p>
            <Rules room={r} onSaved={(n) => setList((l) => l?.map((x) => (x.name === n.name ? n : x)) ?? null)} />
          </li>
        ))}
      </ul>
      <Groups />
    </>
  );
}

/** Bookings that the reader decides about. */
function Requests() {
  const app = useApp();
  const [list, setList] = useState<Message[]>([]);
  useEffect(() => void api.messages({ show: "held", before: "", zone: app.zone }).then((r) => setList(r.messages.filter((m) => m.booking)), () => undefined), [app.version]);
  if (list.length === 0) return null;
  return (
    <section>
      <h2>{t("Requests that wait for you")}</h2>
      <ul class="journal">{list.map((m) => <MessageRow key={m.id} m={m} onChange={() => app.refresh()} />)}</ul>
    </section>
  );
}

const hours = (minutes: number) => (minutes === 0 ? "" : String(minutes / 60));
const days = (minutes: number) => (minutes === 0 ? "" : String(minutes / 1440));
const lines = (text: string) => text.split(/[\n,]+/).map((x) => x.trim()).filter((x) => x !== "");

function Rules({ room, onSaved }: { room: Room; onSaved: (r: Room) => void }) {
  const app = useApp();
  const task = useTask();
  const [p, setP] = useState<Policy>(room.policy);
  const set = (change: Partial<Policy>) => setP((x) => ({ ...x, ...change }));
  const number = (label: string, value: string, unit: string, change: (n: number) => Partial<Policy>, hint?: string) => (
    <Field label={`${t(label)} (${t(unit)})`} hint={hint}>
      <input type="number" min="0" step="any" value={value} placeholder={t("no limit")} onInput={(e) => set(change(e.currentTarget.value === "" ? 0 : Number(e.currentTarget.value)))} />
    </Field>
  );
  const list = (label: string, value: string[], change: (l: string[]) => Partial<Policy>, hint: string) => (
    <Field label={t(label)} hint={hint && t(hint)}>
      <textarea rows={2} value={value.join("\n")} onInput={(e) => set(change(e.currentTarget.value.split("\n")))} />
    </Field>
  );
  return (
    <form
      onSubmit={(e) => {
        e.preventDefault();
        void task.run(async () => {
          const clean = { ...p, open: lines(p.open.join("\n")), organizers: lines(p.organizers.join("\n")), domains: lines(p.domains.join("\n")), approvers: lines(p.approvers.join("\n")) };
          const saved = await api.setPolicy(room.name, clean);
          setP(saved.policy);
          onSaved(saved);
          app.say(t("Saved. {room} answers by these rules from now on.", { room: room.displayName }));
        });
      }}
    >
      <fieldset class="bare" disabled={!room.mayChange || task.busy}>
        <legend class="sr">{t("Rules of {room}", { room: room.displayName })}</legend>
        {list(mark("Open"), p.open, (open) => ({ open }), mark("One line each, such as mon-fri 08:00-18:00. Nothing: always."))}
        <div class="row">
          {number(mark("Booked ahead at most"), days(p.ahead), mark("days"), (n) => ({ ahead: Math.round(n * 1440) }))}
          {number(mark("Booked at least before"), hours(p.notice), mark("hours"), (n) => ({ notice: Math.round(n * 60) }))}
          {number(mark("Shortest booking"), hours(p.shortest), mark("hours"), (n) => ({ shortest: Math.round(n * 60) }))}
          {number(mark("Longest booking"), hours(p.longest), mark("hours"), (n) => ({ longest: Math.round(n * 60) }))}
          {number(mark("Holds"), p.capacity ? String(p.capacity) : "", mark("people"), (n) => ({ capacity: Math.round(n) }))}
        </div>
        {list(mark("Approved by"), p.approvers, (approvers) => ({ approvers }), mark("Addresses. One of them decides about each request; the place is held meanwhile."))}
        <details>
          <summary>{t("Series and who may book")}</summary>
          <div class="row">
            {number(mark("Of a series, taken may be"), p.conflicts ? String(p.conflicts) : "", mark("per cent"), (n) => ({ conflicts: Math.round(n) }))}
            {number(mark("Bookings at the same time"), p.overlapping ? String(p.overlapping) : "", mark("1 if empty"), (n) => ({ overlapping: Math.round(n) }))}
          </div>
          <label class="check"><input type="checkbox" checked={p.endless} onChange={(e) => set({ endless: e.currentTarget.checked })} /> {t("Series may go on beyond that")}</label>
          <label class="check"><input type="checkbox" checked={p.tentative} onChange={(e) => set({ tentative: e.currentTarget.checked })} /> {t("Answer “maybe” where somebody else may need it, instead of declining")}</label>
          {list(mark("Only for these people"), p.organizers, (organizers) => ({ organizers }), mark("Addresses. Nothing: everybody."))}
          {list(mark("Only for people of these domains"), p.domains, (domains) => ({ domains }), mark("Such as example.org. Nothing: everybody of this service."))}
        </details>
        <Trouble error={task.error} />
        {room.mayChange ? <button type="submit" class="primary">{t("Save")}</button> : <p class="hint">{t("Administrators, and who may write to its calendar, can change this.")}</p>}
      </fieldset>
    </form>
  );
}
