import { useEffect, useState } from "preact/hooks";
import { api, type Calendar, type Followed, type Offered, type Proxies, type Shares, type Version } from "./api";
import { instantText } from "./dates";
import { Copy, Field, PersonField, Trouble, useTask } from "./parts";
import { useApp } from "./state";
import { count, mark, t } from "./text";

/** Everything about who sees what: own calendars, others', the web's, and what was. */
export function SharingPage() {
  const app = useApp();
  const own = app.calendars.filter((c) => c.access === "own" && !c.followed);
  const theirs = app.calendars.filter((c) => c.access !== "own" && c.owner !== app.me.name);
  return (
    <>
      <h1>{t("Sharing")}</h1>
      <OfferedCalendars />
      {own.map((c) => (
        <section key={c.name}>
          <h2>{c.displayName}</h2>
          <CalendarShares calendar={c} />
        </section>
      ))}
      <section>
        <h2>{t("People who act for you")}</h2>
        <ActingPeople />
      </section>
      {theirs.length > 0 && (
        <section>
          <h2>{t("Shared with you")}</h2>
          <ul class="plain lines">{theirs.map((c) => <li key={c.owner + c.name}><span><b>{c.displayName}</b> <span class="hint">{t("of {name}", { name: c.ownerName })}, {modeText(c.mode)}</span></span><TakeOff calendar={c} /></li>)}</ul>
        </section>
      )}
      <section>
        <h2>{t("Calendars from the web")}</h2>
        <FollowedCalendars />
      </section>
      <section>
        <h2>{t("Changed and deleted lately")}</h2>
        <History />
      </section>
    </>
  );
}

const modes: Record<string, string> = {
  freebusy: mark("you see when it is busy"),
  read: mark("you can read it"),
  "read-write": mark("you can change it"),
  team: mark("you can change it as one of the team"),
  act: mark("you act for its owner"),
};

export const modeText = (mode: string) => t(modes[mode] ?? mode);

/** Calendars one was invited to, with yes and no. */
export function OfferedCalendars() {
  const app = useApp();
  const task = useTask();
  const [list, setList] = useState<Offered[]>([]);
  useEffect(() => void api.offered().then(setList, (e: Error) => task.setError(e.message)), [app.version]);
  const answer = (o: Offered, accept: boolean) =>
    task.run(async () => {
      await api.answerShare(o.owner, o.id, accept);
      app.say(accept ? t("{title} is among your calendars now.", { title: o.displayName }) : t("{name} hears that you do not want {title}.", { name: o.ownerName, title: o.displayName }));
      app.refresh();
    });
  return (
    <>
      <Trouble error={task.error} />
      {list.length > 0 && (
        <ul class="cards">
          {list.map((o) => (
            <li class="card" key={o.owner + o.id}>
              <h2>{t("{name} shares the calendar “{title}” with you", { name: o.ownerName, title: o.displayName })}</h2>
              <p>{modeText(o.mode)}</p>
              <div class="actions" role="group" aria-label={t("Answer {what}", { what: o.displayName })}>
                <button type="button" class="primary" disabled={task.busy} onClick={() => answer(o, true)}>{t("Accept")}</button>
                <button type="button" disabled={task.busy} onClick={() => answer(o, false)}>{t("Decline")}</button>
              </div>
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

/** With whom a calendar is shared, and its public addresses. */
export function CalendarShares({ calendar }: { calendar: Calendar }) {
  const app = useApp();
  const task = useTask();
  const [s, setS] = useState<Shares | null>(null);
  const [who, setWho] = useState("");
  const [access, setAccess] = useState("read");
  const [ask, setAsk] = useState(false);
  useEffect(() => void api.shares(calendar).then(setS, (e: Error) => task.setError(e.message)), [calendar.name, app.version]);
  if (!s) return <Trouble error={task.error} />;
  const text = (a: string) => t(s.kinds.find((k) => k.access === a)?.text ?? a);
  const states: Record<string, string> = { invited: t("has not answered yet"), declined: t("has declined") };
  const what = calendar.displayName;
  return (
    <div class="shares">
      {s.shares.length === 0 ? (
        <p class="hint">{t("Nobody else sees what is in it; colleagues see when you are busy.")}</p>
      ) : (
        <ul class="plain lines">
          {s.shares.map((x) => (
            <li key={x.name}>
              <span class="person"><b>{x.displayName}</b> {x.kind === "group" && <span class="hint">{t("group")}</span>} {states[x.state] && <span class="hint">{states[x.state]}</span>}</span>
              <span class="group">
                <select aria-label={t("What {name} may do", { name: x.displayName })} value={x.access} disabled={task.busy} onChange={(e) => { const to = e.currentTarget.value; void task.run(async () => { setS(await api.share(calendar, { who: x.name, access: to, ask: false })); app.say(t("Saved.")); }); }}>
                  {s.kinds.map((k) => <option value={k.access}>{t(k.text)}</option>)}
                </select>
                <button type="button" class="small danger" disabled={task.busy} aria-label={t("Take back: {name}, {what}", { what, name: x.displayName })} onClick={() => task.run(async () => { setS(await api.unshare(calendar, x.name)); app.say(t("{what} is shared with {name} no longer.", { what, name: x.displayName })); })}>{t("Take back")}</button>
              </span>
            </li>
          ))}
        </ul>
      )}
      <form
        class="row"
        onSubmit={(e) => {
          e.preventDefault();
          void task.run(async () => {
            setS(await api.share(calendar, { who: who.trim(), access, ask }));
            setWho("");
            app.say(ask ? t("They are asked.") : t("It is shared."));
          });
        }}
      >
        <PersonField label={t("Share with")} value={who} onChange={setWho} />
        <Field label={t("They may")}>
          <select value={access} onChange={(e) => setAccess(e.currentTarget.value)}>{s.kinds.map((k) => <option value={k.access}>{text(k.access)}</option>)}</select>
        </Field>
        <label class="check"><input type="checkbox" checked={ask} onChange={(e) => setAsk(e.currentTarget.checked)} /> {t("Ask them first")}</label>
        <button type="submit" disabled={task.busy || who.trim() === ""}>{t("Share")}</button>
      </form>
      <details open={s.feeds.length > 0}>
        <summary>{t("Public addresses")}{s.feeds.length > 0 && ` (${s.feeds.length})`}</summary>
        <p class="hint">{t("Whoever has such an address can read, without signing in. Private events are left out.")}</p>
        <ul class="plain lines">
          {s.feeds.map((f) => (
            <li key={f.id}>
              <span class="person"><a href={f.webcal}>{t("Subscribe")}</a> <span class="hint">{f.detail === "busy" ? t("busy time alone") : t("all but what is private")}, {t("since {time}", { time: instantText(f.created) })}</span><br /><code>{f.url}</code></span>
              <span class="group">
                <Copy text={f.url} label={t("Copy: {url}", { url: f.url })} />
                <button type="button" class="small danger" disabled={task.busy} aria-label={t("End it: {url}", { url: f.url })} onClick={() => task.run(async () => setS(await api.endFeed(calendar, f.id)))}>{t("End it")}</button>
              </span>
            </li>
          ))}
        </ul>
        <div class="actions">
          <button type="button" class="small" disabled={task.busy} onClick={() => task.run(async () => setS(await api.publishFeed(calendar, "full")))}>{t("Make a public address")}</button>
          <button type="button" class="small" disabled={task.busy} onClick={() => task.run(async () => setS(await api.publishFeed(calendar, "busy")))}>{t("One that only tells when I am busy")}</button>
        </div>
      </details>
      <Trouble error={task.error} />
    </div>
  );
}

/** Takes somebody's calendar off one's list. */
export function TakeOff({ calendar, onDone }: { calendar: Calendar; onDone?: () => void }) {
  const app = useApp();
  const task = useTask();
  const off = () =>
    task.run(async () => {
      await api.answerShare(calendar.owner, calendar.id, false);
      app.say(t("{title} is off your list.", { title: calendar.displayName }));
      app.refresh();
      onDone?.();
    });
  return (
    <>
      <button type="button" class="small danger" disabled={task.busy} aria-label={t("Take it off my list: {title}", { title: calendar.displayName })} onClick={off}>{t("Take it off my list")}</button>
      <Trouble error={task.error} />
    </>
  );
}

function ActingPeople() {
  const app = useApp();
  const task = useTask();
  const [p, setP] = useState<Proxies | null>(null);
  const [who, setWho] = useState("");
  useEffect(() => void api.proxies().then(setP, (e: Error) => task.setError(e.message)), [app.version]);
  const lines = p ? [...p.act.map((x) => ({ ...x, access: "act" })), ...p.read.map((x) => ({ ...x, access: "read" }))] : [];
  const add = (access: string) => task.run(async () => { setP(await api.addProxy(who.trim(), access)); setWho(""); });
  return (
    <>
      <p class="hint">{t("They read, or change, all of your calendars, what is private included, and answer and invite in your name.")}</p>
      <ul class="plain lines">
        {lines.map((x) => (
          <li key={x.access + x.name}>
            <span><b>{x.displayName}</b> <span class="hint">{x.access === "act" ? t("acts for you") : t("reads all calendars")}</span></span>
            <button type="button" class="small danger" disabled={task.busy} aria-label={t("Take back: {name}", { name: x.displayName })} onClick={() => task.run(async () => setP(await api.dropProxy(x.name, x.access)))}>{t("Take back")}</button>
          </li>
        ))}
      </ul>
      <form class="row" onSubmit={(e) => { e.preventDefault(); void add("act"); }}>
        <PersonField label={t("Name or mail address")} value={who} onChange={setWho} />
        <button type="submit" disabled={task.busy || who.trim() === ""}>{t("Let them act for me")}</button>
        <button type="button" disabled={task.busy || who.trim() === ""} onClick={() => add("read")}>{t("Let them read all calendars")}</button>
      </form>
      {p && (p.overseers.length > 0 || p.visits.length > 0) && (
        <>
          <h3>{t("Let in by the people who run this service")}</h3>
          <ul class="plain lines">
            {p.overseers.map((x) => <li key={x.name}><span><b>{x.displayName}</b> <span class="hint">{x.access === "act" ? t("may act for everybody") : t("may read everybody’s calendars, but for what is private")}</span></span></li>)}
          </ul>
          {p.visits.length > 0 && <p class="hint">{t("When they were in your calendars, by the hour:")}</p>}
          <ul class="plain lines">
            {p.visits.map((v) => <li key={v.hour + v.by + v.changed}><span>{instantText(v.hour)}: <b>{v.by}</b> {v.changed ? t("changed something") : t("read")}</span></li>)}
          </ul>
        </>
      )}
      <Trouble error={task.error} />
    </>
  );
}

/** How old what was fetched is, and what went wrong since. */
export function Age({ f }: { f: Followed }) {
  return (
    <>
      <span class="hint">{f.refreshed ? t("as of {time}", { time: instantText(f.refreshed) }) : t("not fetched yet")}{f.next && `, ${t("next {time}", { time: instantText(f.next) })}`}</span>
      {f.error && <div class="clash">{f.error}</div>}
    </>
  );
}

function FollowedCalendars() {
  const app = useApp();
  const task = useTask();
  const [list, setList] = useState<Followed[]>([]);
  const [url, setURL] = useState("");
  useEffect(() => void api.followed().then(setList, (e: Error) => task.setError(e.message)), [app.version]);
  return (
    <>
      <ul class="plain lines">
        {list.map((f) => (
          <li key={f.id}>
            <span class="person"><b>{f.displayName || f.name}</b> <Age f={f} /><br /><code>{f.url}</code></span>
            <span class="group">
              <button type="button" class="small" disabled={task.busy} aria-label={t("Fetch now: {title}", { title: f.displayName || f.name })} onClick={() => task.run(async () => { setList(await api.fetchFollowed(f.id)); app.say(t("It is fetched within a minute.")); })}>{t("Fetch now")}</button>
              <button type="button" class="small danger" disabled={task.busy} aria-label={t("Remove: {title}", { title: f.displayName || f.name })} onClick={() => task.run(async () => { await api.deleteCalendar({ owner: app.me.name, name: f.name }); app.refresh(); })}>{t("Remove")}</button>
            </span>
          </li>
        ))}
      </ul>
      <form class="row" onSubmit={(e) => { e.preventDefault(); void task.run(async () => { setList(await api.follow(url.trim())); setURL(""); app.say(t("The calendar is fetched within a minute.")); app.refresh(); }); }}>
        <Field label={t("Address of a calendar (https:// or webcal://)")} class="grow"><input value={url} required maxLength={4000} inputMode="url" onInput={(e) => setURL(e.currentTarget.value)} /></Field>
        <button type="submit" disabled={task.busy || url.trim() === ""}>{t("Follow it")}</button>
      </form>
      <Trouble error={task.error} />
    </>
  );
}

/** Earlier versions, of one event or of everything, with the way back. */
export function History({ uid }: { uid?: string }) {
  const app = useApp();
  const task = useTask();
  const [h, setH] = useState<{ days: number; versions: Version[] } | null>(null);
  const [deleted, setDeleted] = useState(false);
  useEffect(() => void api.history({ uid: uid ?? "", deleted: deleted ? "1" : "", zone: app.zone }).then(setH, (e: Error) => task.setError(e.message)), [uid, deleted, app.version]);
  const restore = (v: Version) =>
    task.run(async () => {
      const r = await api.restore(v.object, v.seq);
      const title = r.summary || t("No title");
      app.say(r.sent > 0 ? t("“{title}” is as it was.", { title }) + " " + count(r.sent, "{n} message is on the way.", "{n} messages are on the way.") : t("“{title}” is as it was.", { title }));
      app.refresh();
    });
  return (
    <>
      {!uid && <label class="check"><input type="checkbox" checked={deleted} onChange={(e) => setDeleted(e.currentTarget.checked)} /> {t("Only what was deleted")}</label>}
      {h?.versions.length === 0 && <p class="hint">{uid ? t("It has not changed in the last {n} days.", { n: h.days }) : t("Nothing in the last {n} days.", { n: h.days })}</p>}
      <ul class="plain lines">
        {h?.versions.map((v) => (
          <li key={`${v.object}.${v.seq}`}>
            <span class="person">
              <b>{v.summary || t("No title")}</b> {v.when && <span>{v.when}</span>} <span class="hint">{v.deleted ? t("deleted {time}", { time: instantText(v.replaced) }) : t("changed {time}", { time: instantText(v.replaced) })}{!uid && v.calendar && `, ${v.calendar}`}</span>
            </span>
            <button type="button" class="small" disabled={task.busy} aria-label={`${v.deleted ? t("Bring it back") : t("Set back to this")}: ${v.summary}, ${instantText(v.replaced)}`} onClick={() => restore(v)}>{v.deleted ? t("Bring it back") : t("Set back to this")}</button>
          </li>
        ))}
      </ul>
      {h && h.versions.length > 0 && <p class="hint">{t("Guests hear of it, as of any change.")}</p>}
      <Trouble error={task.error} />
    </>
  );
}
