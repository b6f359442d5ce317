import { useEffect, useState } from "preact/hooks";
import { api, type AppPassword, type Preferences } from "./api";
import { browserZone, instantText } from "./dates";
import { Copy, Field, Link, Trouble, useTask } from "./parts";
import { useApp } from "./state";
import { mark, t } from "./text";
import { address } from "./words";

export function AccountPage() {
  const app = useApp();
  return (
    <>
      <h1>{t("Account")}</h1>
      <Profile />
      <section>
        <h2>{t("Your addresses")}</h2>
        <ul>{app.me.addresses.map((a) => <li>{address(a)}</li>)}</ul>
      </section>
      <Scheduling />
      <Connect />
      <AppPasswords />
      <Password />
    </>
  );
}

// The languages that mails are written in, each by its own name.
const languages = [["de", "Deutsch"], ["en", "English"], ["es", "Español"], ["fr", "Français"]];

function Profile() {
  const app = useApp();
  const [name, setName] = useState(app.me.displayName);
  const [zone, setZone] = useState(app.me.timeZone);
  const [language, setLanguage] = useState(app.me.language || "en");
  const [zones, setZones] = useState<string[]>([]);
  const task = useTask();
  useEffect(() => void api.zones().then(setZones, () => undefined), []);
  return (
    <section>
      <h2>{t("You")}</h2>
      <form
        onSubmit={(e) => {
          e.preventDefault();
          void task.run(async () => {
            app.setMe(await api.updateMe({ displayName: name.trim(), timeZone: zone.trim(), language }));
            app.say(t("Saved."));
          });
        }}
      >
        <div class="row">
          <Field label={t("Name that others see")}><input value={name} maxLength={200} autoComplete="name" onInput={(e) => setName(e.currentTarget.value)} /></Field>
          <Field label={t("Time zone")} hint={zone ? "" : t("As your browser says: {zone}", { zone: browserZone })}>
            <input value={zone} list="account-zones" autoComplete="off" onInput={(e) => setZone(e.currentTarget.value)} />
            <datalist id="account-zones">{zones.map((z) => <option value={z} />)}</datalist>
          </Field>
          <Field label={t("Language of your mails")} hint={t("To whoever did not name their own.")}>
            <select name="language" value={language} onChange={(e) => setLanguage(e.currentTarget.value)}>
              {languages.map(([tag, name]) => <option value={tag} lang={tag}>{name}</option>)}
            </select>
          </Field>
        </div>
        <Trouble error={task.error} />
        <button type="submit" disabled={task.busy}>{t("Save")}</button>
      </form>
    </section>
  );
}

const windows: [string, string][] = [["", mark("As the service does")], ["0", mark("Not at all: send at once")], ["30", mark("30 seconds")], ["60", mark("1 minute")], ["120", mark("2 minutes")], ["300", mark("5 minutes")]];

/** Second thoughts, who may act for one, and who is told when one is busy. */
function Scheduling() {
  const app = useApp();
  const task = useTask();
  const [p, setP] = useState<Preferences | null>(null);
  const [who, setWho] = useState("");
  const [tell, setTell] = useState("");
  const take = (x: Preferences) => { setP(x); setTell(x.tellBusy.join("\n")); };
  useEffect(() => void api.preferences().then(take, (e: Error) => task.setError(e.message)), []);
  if (!p) return <Trouble error={task.error} />;
  const seconds = p.undoSeconds === null ? "" : String(p.undoSeconds);
  const choices: [string, string][] = windows.some(([v]) => v === seconds) ? windows : [...windows, [seconds, `${seconds} seconds`]];
  return (
    <section>
      <h2>{t("Scheduling")}</h2>
      <form
        onSubmit={(e) => {
          e.preventDefault();
          void task.run(async () => {
            take(await api.setPreferences({ undoSeconds: p.undoSeconds, tellBusy: tell.split(/[\s,;]+/).filter((x) => x !== ""), delegation: p.delegation, hidePrivate: p.hidePrivate }));
            app.say(t("Saved."));
          });
        }}
      >
        <div class="row">
          <Field label={t("Messages wait for second thoughts")} hint={t("Meanwhile you can undo a change before anybody outside hears of it.")}>
            <select value={seconds} onChange={(e) => setP({ ...p, undoSeconds: e.currentTarget.value === "" ? null : Number(e.currentTarget.value) })}>
              {choices.map(([v, text]) => <option value={v}>{t(text)}</option>)}
            </select>
          </Field>
          <Field label={t("Tell these people outside when you are busy")} hint={t("Addresses, @domains, or * for everybody. Nothing: nobody outside is told.")}>
            <textarea rows={2} value={tell} onInput={(e) => setTell(e.currentTarget.value)} />
          </Field>
        </div>
        <label class="check"><input type="checkbox" name="delegation" checked={p.delegation} onChange={(e) => setP({ ...p, delegation: e.currentTarget.checked })} /> {t("Guests of my events may send others in their place")}</label>
        <label class="check"><input type="checkbox" name="hide-private" checked={p.hidePrivate} onChange={(e) => setP({ ...p, hidePrivate: e.currentTarget.checked })} /> {t("Others do not see my private events at all, not even as busy")}</label>
        <button type="submit" disabled={task.busy}>{t("Save")}</button>
      </form>
      <h3>{t("Who may act for whom")}</h3>
      <p class="hint">{t("Messages that somebody sends for somebody else are held until you say that they may.")}</p>
      {p.designates.length > 0 && (
        <ul class="plain lines">
          {p.designates.map((d) => (
            <li key={d.for + d.address}>
              <span><b>{d.address}</b> {t("for {whom}", { whom: d.for || t("you") })}</span>
              <button type="button" class="small danger" disabled={task.busy} aria-label={t("Take back: {who} for {whom}", { who: d.address, whom: d.for || t("you") })} onClick={() => task.run(async () => take(await api.dropDesignate(d)))}>{t("Take back")}</button>
            </li>
          ))}
        </ul>
      )}
      <form class="row" onSubmit={(e) => { e.preventDefault(); void task.run(async () => { take(await api.addDesignate({ address: who.trim(), for: "" })); setWho(""); }); }}>
        <Field label={t("May act for you")}><input type="email" required value={who} autoComplete="off" placeholder="secretary@example.org" onInput={(e) => setWho(e.currentTarget.value)} /></Field>
        <button type="submit" disabled={task.busy || who.trim() === ""}>{t("Allow")}</button>
      </form>
      <Trouble error={task.error} />
      <p><Link to="/rooms">{t("Rooms and their rules")}</Link></p>
    </section>
  );
}

function Connect() {
  const { me } = useApp();
  const rows: [string, string][] = [[t("Server"), me.caldav.server], [t("Your principal"), me.caldav.principal], [t("Your calendars"), me.caldav.home]];
  return (
    <section>
      <h2>{t("Connect a calendar program")}</h2>
      <p>{t("Choose CalDAV in the program and give it the server’s address; most find the rest by themselves. Make an app password for it below. The user name is")} <code>{me.name}</code></p>
      <dl class="facts">
        {rows.map(([label, url]) => (
          <>
            <dt>{label}</dt>
            <dd><code>{url}</code> <Copy text={url} label={t("Copy: {what}", { what: label })} /></dd>
          </>
        ))}
      </dl>
    </section>
  );
}

function AppPasswords() {
  const app = useApp();
  const [list, setList] = useState<AppPassword[]>([]);
  const [label, setLabel] = useState("");
  const [made, setMade] = useState<{ label: string; password: string } | null>(null);
  const task = useTask();
  const load = () => api.appPasswords().then(setList, (e: Error) => task.setError(e.message));
  useEffect(() => void load(), [app.version]);
  return (
    <section>
      <h2>{t("App passwords")}</h2>
      <p class="hint">{t("One for each program, so that you can take it back without changing your own password.")}</p>
      {list.length > 0 && (
        <ul class="plain lines">
          {list.map((p) => (
            <li key={p.id}>
              <span><b>{p.label}</b> <span class="hint">{t("made {time}", { time: instantText(p.created) })}, {p.lastUsed ? t("last used {time}", { time: instantText(p.lastUsed) }) : t("never used")}</span></span>
              <button
                type="button"
                class="small danger"
                disabled={task.busy}
                aria-label={t("Revoke: {name}", { name: p.label })}
                onClick={() => task.run(async () => { await api.revokeAppPassword(p.id); setMade(null); app.say(t("{name} can no longer sign in.", { name: p.label })); await load(); })}
              >
                Revoke
              </button>
            </li>
          ))}
        </ul>
      )}
      {made && (
        <div class="made" role="status">
          <p>{t("The password for {name}. It is shown only now:", { name: made.label })}</p>
          <p><code class="secret">{made.password}</code> <Copy text={made.password} label={t("Copy the password")} /></p>
        </div>
      )}
      <form
        class="row"
        onSubmit={(e) => {
          e.preventDefault();
          void task.run(async () => {
            const r = await api.addAppPassword(label.trim());
            setMade({ label: label.trim(), password: r.password });
            setLabel("");
            await load();
          });
        }}
      >
        <Field label={t("For which program")}><input value={label} required maxLength={100} placeholder={t("Thunderbird at work")} onInput={(e) => setLabel(e.currentTarget.value)} /></Field>
        <button type="submit" disabled={task.busy}>{t("Make a password")}</button>
      </form>
      <Trouble error={task.error} />
    </section>
  );
}

function Password() {
  const app = useApp();
  const [current, setCurrent] = useState("");
  const [password, setPassword] = useState("");
  const [again, setAgain] = useState("");
  const task = useTask();
  return (
    <section>
      <h2>{t("Change your password")}</h2>
      <form
        onSubmit={(e) => {
          e.preventDefault();
          if (password !== again) {
            task.setError(t("The two new passwords differ."));
            return;
          }
          void task.run(async () => {
            await api.changePassword(current, password);
            setCurrent("");
            setPassword("");
            setAgain("");
            app.say(t("Your password is changed. Other sessions are signed out."));
          });
        }}
      >
        <input type="text" name="username" value={app.me.name} autoComplete="username" hidden readOnly />
        <div class="row">
          <Field label={t("Present password")}><input type="password" required autoComplete="current-password" value={current} onInput={(e) => setCurrent(e.currentTarget.value)} /></Field>
          <Field label={t("New password")}><input type="password" required minLength={8} autoComplete="new-password" value={password} onInput={(e) => setPassword(e.currentTarget.value)} /></Field>
          <Field label={t("New password again")}><input type="password" required autoComplete="new-password" value={again} onInput={(e) => setAgain(e.currentTarget.value)} /></Field>
        </div>
        <Trouble error={task.error} />
        <button type="submit" disabled={task.busy}>{t("Change password")}</button>
      </form>
    </section>
  );
}
