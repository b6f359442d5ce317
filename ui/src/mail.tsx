import { useEffect, useState } from "preact/hooks";
import { api, type Flood, type Key, type Preferences, type Rule } from "./api";
import { instantText } from "./dates";
import { Chip, Field, Trouble, useTask } from "./parts";
import { useApp } from "./state";
import { count, mark, t } from "./text";

/** Whose messages count, how mail is signed, and, for administrators, the same for the site. */
export function MailPage() {
  const app = useApp();
  return (
    <>
      <h1>{t("Mail and security")}</h1>
      <Securing />
      <section>
        <h2>{t("Whose messages count")}</h2>
        <Rules site={false} />
      </section>
      <section>
        <h2>{t("Keys and certificates")}</h2>
        <Keys site={false} />
      </section>
      {app.me.admin && (
        <>
          <section>
            <h2>{t("Floods of mail")}</h2>
            <Floods />
          </section>
          <section>
            <h2>{t("Rules for the whole site")}</h2>
            <Rules site />
          </section>
          <section>
            <h2>{t("Authorities and certificates of the site")}</h2>
            <Keys site />
          </section>
        </>
      )}
    </>
  );
}

/** Whether mail is signed and encrypted. */
function Securing() {
  const app = useApp();
  const task = useTask();
  const [p, setP] = useState<Preferences | null>(null);
  useEffect(() => void api.preferences().then(setP, (e: Error) => task.setError(e.message)), []);
  if (!p) return <Trouble error={task.error} />;
  const save = (change: { signMail?: boolean | null; encryptMail?: string }) => task.run(async () => { setP(await api.setPreferences(change)); app.say(t("Saved.")); });
  return (
    <section>
      <h2>{t("What you send")}</h2>
      <div class="row">
        <Field label={t("Sign mail")} hint={t("With your own key, where you have one.")}>
          <select name="sign" disabled={task.busy} value={p.signMail === null ? "" : p.signMail ? "yes" : "no"} onChange={(e) => save({ signMail: e.currentTarget.value === "" ? null : e.currentTarget.value === "yes" })}>
            <option value="">{t("As the service does")}</option>
            <option value="yes">{t("Yes")}</option>
            <option value="no">{t("No")}</option>
          </select>
        </Field>
        <Field label={t("Encrypt mail")} hint={t("To people whose certificate is known.")}>
          <select name="encrypt" disabled={task.busy} value={p.encryptMail} onChange={(e) => save({ encryptMail: e.currentTarget.value })}>
            <option value="">{t("As the service does")}</option>
            <option value="never">{t("Never")}</option>
            <option value="when-possible">{t("When possible")}</option>
            <option value="always">{t("Always, or do not send")}</option>
          </select>
        </Field>
      </div>
      <Trouble error={task.error} />
    </section>
  );
}

const levels: [string, string][] = [
  ["", mark("What the site asks for")],
  ["T1", mark("Their domain is proven")],
  ["T2", mark("Their address is proven")],
  ["T3", mark("They signed it")],
];
const verdicts: [string, string][] = [
  ["", mark("Judge by the evidence")],
  ["always", mark("I know them: never held for being unknown")],
  ["hold", mark("Hold for my decision")],
  ["never", mark("Refuse")],
];

const proofOf = (r: Rule) => (r.signed ? "T3" : r.minimum?.["*"] ?? "");

function ruleText(r: Rule): string {
  const parts = [];
  if (r.do) parts.push(t(verdicts.find(([v]) => v === r.do)?.[1] ?? r.do));
  if (proofOf(r)) parts.push(t("counts only when: {proof}", { proof: t(levels.find(([v]) => v === proofOf(r))?.[1] ?? proofOf(r)).toLowerCase() }));
  if (r.unknown === "hold") parts.push(t("first messages of strangers are held"));
  return parts.join("; ");
}

/** What one, or the site, says of senders: everybody, a domain, an address. */
function Rules({ site }: { site: boolean }) {
  const app = useApp();
  const task = useTask();
  const [list, setList] = useState<Rule[] | null>(null);
  const [subject, setSubject] = useState("");
  const [what, setWhat] = useState("never");
  const [proof, setProof] = useState("");
  useEffect(() => void api.rules(site).then(setList, (e: Error) => task.setError(e.message)), [app.version]);
  if (!list) return <Trouble error={task.error} />;
  const all = list.find((r) => r.subject === "") ?? { subject: "" };
  const put = (r: Rule) => task.run(async () => { setList(await api.setRule(r, site)); app.say(t("Saved.")); });
  const withProof = (r: Rule, p: string): Rule => {
    const { "*": _, ...other } = r.minimum ?? {};
    return { ...r, signed: p === "T3", minimum: p === "" || p === "T3" ? other : { ...other, "*": p } };
  };
  return (
    <>
      <p class="hint">{site ? t("These hold for everybody here; people can be stricter, never looser.") : t("You can be stricter than the site, never looser. Nothing is dropped unsaid: what is held or refused stays among your messages.")}</p>
      <div class="row">
        <Field label={t("Anybody’s messages count when")}>
          <select name="proof" disabled={task.busy} value={proofOf(all)} onChange={(e) => put(withProof(all, e.currentTarget.value))}>{levels.map(([v, text]) => <option value={v}>{t(text)}</option>)}</select>
        </Field>
        <Field label={t("First messages of strangers")}>
          <select name="unknown" disabled={task.busy} value={all.unknown ?? ""} onChange={(e) => put({ ...all, unknown: e.currentTarget.value })}>
            <option value="">{t("As the site does")}</option>
            <option value="hold">{t("Are held for my decision")}</option>
          </select>
        </Field>
      </div>
      <ul class="plain lines">
        {list.filter((r) => r.subject !== "").map((r) => (
          <li key={r.subject}>
            <span class="person"><b>{r.subject}</b> <span class="hint">{ruleText(r)}</span></span>
            <button type="button" class="small danger" disabled={task.busy} aria-label={t("Remove: {name}", { name: r.subject })} onClick={() => task.run(async () => setList(await api.dropRule(r.subject, site)))}>{t("Remove")}</button>
          </li>
        ))}
      </ul>
      <form class="row" onSubmit={(e) => { e.preventDefault(); void put(withProof({ subject: subject.trim(), do: what }, proof)).then(() => setSubject("")); }}>
        <Field label={t("Address or domain")}><input value={subject} required autoComplete="off" autoCapitalize="none" placeholder="example.org" onInput={(e) => setSubject(e.currentTarget.value)} /></Field>
        <Field label={t("Their messages")}><select value={what} onChange={(e) => setWhat(e.currentTarget.value)}>{verdicts.filter(([v]) => !site || v !== "always").map(([v, text]) => <option value={v}>{t(text)}</option>)}</select></Field>
        <Field label={t("and count when")}><select value={proof} onChange={(e) => setProof(e.currentTarget.value)}>{levels.map(([v, text]) => <option value={v}>{t(text)}</option>)}</select></Field>
        <button type="submit" disabled={task.busy || subject.trim() === "" || (what === "" && proof === "")}>{t("Add")}</button>
      </form>
      <Trouble error={task.error} />
    </>
  );
}

const roles: Record<string, string> = { own: mark("your own"), person: mark("of a person"), authority: mark("certifies others") };
const tones: Record<string, "good" | "plain" | "bad"> = { trusted: "good", collected: "plain", revoked: "bad" };
const states: Record<string, string> = { trusted: mark("believed"), collected: mark("seen in signed mail"), revoked: mark("not believed") };

/** Keys and certificates, with import and what follows. */
function Keys({ site }: { site: boolean }) {
  const app = useApp();
  const task = useTask();
  const [list, setList] = useState<Key[] | null>(null);
  const [file, setFile] = useState<File | null>(null);
  const [own, setOwn] = useState(false);
  const [password, setPassword] = useState("");
  const [kind, setKind] = useState("rsa");
  useEffect(() => void api.keys(site).then(setList, (e: Error) => task.setError(e.message)), [app.version]);
  if (!list) return <Trouble error={task.error} />;
  const take = (form: HTMLFormElement) =>
    task.run(async () => {
      if (!file) return;
      const octets = new Uint8Array(await file.arrayBuffer());
      let text = "";
      for (const o of octets) text += String.fromCharCode(o);
      setList(await api.importKey({ data: btoa(text), password, own }, site));
      setFile(null);
      setPassword("");
      form.reset();
      app.say(t("Taken."));
    });
  return (
    <>
      {list.length === 0 && <p class="hint">{t("There are none yet.")}</p>}
      <ul class="plain lines">
        {list.map((k) => {
          const of = k.addresses?.join(", ") || k.subject || k.fingerprint.slice(0, 16);
          return (
            <li key={k.fingerprint}>
              <span class="person">
                <b>{of}</b> <Chip word={{ text: t(states[k.state] ?? k.state), sign: "", tone: tones[k.state] ?? "plain" }} />
                <div class="hint">{k.protocol.toUpperCase()}, {t(roles[k.role] ?? k.role)}{k.issuer && k.role !== "authority" && `, ${t("certified by {issuer}", { issuer: k.issuer })}`}{k.expires && `, ${t("until {time}", { time: instantText(k.expires) })}`}</div>
                <code>{k.fingerprint.slice(0, 32)}</code>
              </span>
              <span class="group">
                <a class="button small" href={`/api/keys/${encodeURIComponent(k.fingerprint)}/export${site ? "?site=1" : ""}`} download aria-label={t("Fetch: {name}", { name: of })}>{t("Fetch")}</a>
                {k.state !== "revoked" && <button type="button" class="small" disabled={task.busy} aria-label={t("Stop using: {name}", { name: of })} onClick={() => task.run(async () => setList(await api.revokeKey(k.fingerprint, site)))}>{t("Stop using")}</button>}
                {k.role !== "own" || k.state === "revoked" ? <button type="button" class="small danger" disabled={task.busy} aria-label={t("Forget: {name}", { name: of })} onClick={() => task.run(async () => setList(await api.deleteKey(k.fingerprint, site)))}>{t("Forget")}</button> : null}
              </span>
            </li>
          );
        })}
      </ul>
      {!site && (
        <form class="row" onSubmit={(e) => { e.preventDefault(); void task.run(async () => setList(await api.makeKey(kind))); }}>
          <Field label={t("Make a key of your own")} hint={t("Certified by this site. Mail is signed with it from then on.")}>
            <select value={kind} onChange={(e) => setKind(e.currentTarget.value)}>
              <option value="rsa">{t("S/MIME, read everywhere")}</option>
              <option value="ec">{t("S/MIME, elliptic curve")}</option>
              <option value="pgp">OpenPGP</option>
            </select>
          </Field>
          <button type="submit" disabled={task.busy}>{t("Make it")}</button>
        </form>
      )}
      <form class="row" onSubmit={(e) => { e.preventDefault(); void take(e.currentTarget); }}>
        <Field label={site ? t("Believe what is in a file") : t("Take from a file")} hint={t("PKCS #12, PEM, DER or OpenPGP")}><input type="file" name="key" accept=".p12,.pfx,.pem,.crt,.cer,.der,.asc,.gpg,.pgp" onChange={(e) => setFile(e.currentTarget.files?.[0] ?? null)} /></Field>
        {!site && <label class="check"><input type="checkbox" checked={own} onChange={(e) => setOwn(e.currentTarget.checked)} /> {t("It is my own key")}</label>}
        {own && <Field label={t("Password of the file")}><input type="password" autoComplete="off" value={password} onInput={(e) => setPassword(e.currentTarget.value)} /></Field>}
        <button type="submit" disabled={task.busy || !file}>{t("Take it")}</button>
      </form>
      <Trouble error={task.error} />
    </>
  );
}

const floods: Record<string, string> = { sender: mark("from {subject}"), domain: mark("from people of {subject}"), recipient: mark("to one account"), unproven: mark("to one account, with nothing to show who sent them") };

/** Outbreaks of mail: all that they held is let in or refused at once. */
function Floods() {
  const app = useApp();
  const task = useTask();
  const [list, setList] = useState<Flood[] | null>(null);
  const load = () => api.floods().then(setList, (e: Error) => task.setError(e.message));
  useEffect(() => void load(), [app.version]);
  if (!list) return <Trouble error={task.error} />;
  const settle = (f: Flood, release: boolean) =>
    task.run(async () => {
      const r = await api.settleFlood(f, release);
      app.say(release ? count(r.messages, "{n} message is let in, by its own evidence.", "{n} messages are let in, each by its own evidence.") : count(r.messages, "{n} message is refused.", "{n} messages are refused."));
      await load();
    });
  const words: Record<string, string> = { open: t("held"), released: t("let in"), rejected: t("refused") };
  return (
    <>
      {list.length === 0 && <p class="hint">{t("There was none.")}</p>}
      <ul class="plain lines">
        {list.map((f) => {
          const who = t(floods[f.kind] ?? "{subject}", { subject: f.subject });
          return (
            <li key={f.kind + f.subject + f.began}>
              <span class="person"><b>{count(f.seen, "{n} message", "{n} messages")} {who}</b> <Chip word={{ text: words[f.state] ?? f.state, sign: "", tone: f.state === "open" ? "warn" : "plain" }} /> <span class="hint">{t("from {began} to {last}", { began: instantText(f.began), last: instantText(f.last) })}</span></span>
              {f.state === "open" && (
                <span class="group">
                  <button type="button" class="small danger" disabled={task.busy} aria-label={t("Refuse all: {who}", { who })} onClick={() => settle(f, false)}>{t("Refuse all")}</button>
                  <button type="button" class="small" disabled={task.busy} aria-label={t("Let them in: {who}", { who })} onClick={() => settle(f, true)}>{t("Let them in")}</button>
                </span>
              )}
            </li>
          );
        })}
      </ul>
      <Trouble error={task.error} />
    </>
  );
}
