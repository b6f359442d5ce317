import { useEffect, useState } from "preact/hooks";
import { api, type Message } from "./api";
import { instantText, wallText } from "./dates";
import { Chip, SecuritySign, Trouble, useTask } from "./parts";
import { useApp } from "./state";
import { mark, t } from "./text";
import { address, method, state } from "./words";

const filters: [string, string][] = [["", mark("All")], ["held", mark("Held")], ["in", mark("Received")], ["out", mark("Sent")], ["waiting", mark("Waiting")], ["failed", mark("Failed")]];

/** The scheduling journal: every message in and out, and what became of it. */
export function MessagesPage() {
  const app = useApp();
  const [show, setShow] = useState("");
  const [list, setList] = useState<Message[] | null>(null);
  const [more, setMore] = useState(false);
  const [error, setError] = useState("");
  const load = (before: string) =>
    api.messages({ show, before, zone: app.zone }).then(
      (r) => {
        setList((old) => (before && old ? [...old, ...r.messages] : r.messages));
        setMore(r.more);
        setError("");
      },
      (e: Error) => setError(e.message),
    );
  useEffect(() => void load(""), [show, app.version]);
  return (
    <>
      <h1>{t("Messages")}</h1>
      <div class="group views" role="group" aria-label={t("Show")}>
        {filters.map(([value, text]) => (
          <button type="button" aria-pressed={value === show} onClick={() => setShow(value)}>{t(text)}{value === "held" && app.counts.held > 0 ? ` (${app.counts.held})` : ""}</button>
        ))}
      </div>
      <Trouble error={error} />
      {list?.length === 0 && <p class="empty">{show === "" ? t("No message has been sent or received.") : t("No such message.")}</p>}
      <ul class="journal">{list?.map((m) => <MessageRow key={m.id} m={m} onChange={(n) => setList((l) => l?.map((x) => (x.id === n.id ? n : x)) ?? null)} />)}</ul>
      {more && <button type="button" onClick={() => load(String(list?.[list.length - 1]?.id ?? ""))}>{t("Earlier messages")}</button>}
    </>
  );
}

/** One message, and what one can decide about it. */
export function MessageRow({ m, onChange }: { m: Message; onChange: (m: Message) => void }) {
  const app = useApp();
  const task = useTask();
  const decide = (verb: "approve" | "reject" | "retry", how: "" | "always" | "never" = "") =>
    task.run(async () => {
      const after = await api.decide(m.id, verb, app.zone, how);
      onChange(after);
      app.say(after.sentence || "Done.");
      app.refresh();
    });
  const undo = () =>
    task.run(async () => {
      app.say((await api.undo(app.me.name, m.uid)).sentence);
      app.refresh();
    });
  const [yes, no] = m.proposal ? [t("Take it up"), t("Decline")] : m.crasher ? [t("Let them in"), t("Turn them away")] : m.booking ? [t("Give the room"), t("Do not give it")] : [t("Apply now"), t("Reject")];
  const what = m.refresh ? t("silent update") : method(m.method);
  return (
    <li class="message">
      <div class="line">
        <span class="direction" aria-hidden="true">{m.direction === "in" ? "↓" : "↑"}</span>
        <span class="what">
          <span class="sr">{m.direction === "in" ? t("Received: ") : t("Sent: ")}</span>
          <b dir="auto">{m.summary || t("No title")}</b> <span class="hint">{what}{m.recurrenceId && " " + t("for one occurrence")} {m.direction === "in" ? t("from {who}", { who: address(m.from) }) : t("to {who}", { who: address(m.to) })}</span>
        </span>
        <Chip word={state(m.state)} />
        <time class="hint" dateTime={m.created}>{instantText(m.created)}</time>
      </div>
      {m.sentence && m.sentence !== m.security?.sentence && <p class="sentence">{m.sentence}</p>}
      <SecuritySign s={m.security} />
      {(m.canApprove || m.canRetry || m.canUndo) && (
        <div class="actions">
          {m.canApprove && <button type="button" class={m.canReject ? "primary" : ""} disabled={task.busy} onClick={() => decide("approve")}>{m.canReject ? yes : t("Apply it after all")}</button>}
          {m.canAlways && <button type="button" disabled={task.busy} onClick={() => decide("approve", "always")}>{t("Always from this person")}</button>}
          {m.canReject && <button type="button" disabled={task.busy} onClick={() => decide("reject")}>{no}</button>}
          {m.canNever && <button type="button" class="danger" disabled={task.busy} onClick={() => decide("reject", "never")}>{t("Never from this person")}</button>}
          {m.canUndo && <button type="button" disabled={task.busy} onClick={undo}>{t("Undo the change")}</button>}
          {m.canRetry && <button type="button" disabled={task.busy} onClick={() => decide("retry")}>{t("Try again now")}</button>}
        </div>
      )}
      <Trouble error={task.error} />
      <details>
        <summary>{t("Details")}<span class="sr"> {t("of the {what} {title}", { what, title: m.summary })}</span></summary>
        <dl class="facts">
          <dt>{t("From")}</dt><dd>{address(m.from)}</dd>
          <dt>{t("To")}</dt><dd>{address(m.to)}</dd>
          {m.transport && <><dt>{t("Way")}</dt><dd>{m.transport}</dd></>}
          {m.recurrenceId && <><dt>{t("Occurrence")}</dt><dd>{wallText(m.recurrenceId)}</dd></>}
          {m.reason && <><dt>{t("Reason")}</dt><dd>{m.reason}</dd></>}
          {m.nextAttempt && <><dt>{t("Next attempt")}</dt><dd>{instantText(m.nextAttempt)}</dd></>}
          {m.changes.length > 0 && (
            <>
              <dt>{t("Changes")}</dt>
              <dd><ul class="plain">{m.changes.map((c) => <li>{c}</li>)}</ul></dd>
            </>
          )}
          {m.attempts.length > 0 && (
            <>
              <dt>{t("Attempts")}</dt>
              <dd><ul class="plain">{m.attempts.map((a) => <li>{instantText(a.time)}{a.transport && `, ${a.transport}`}{a.status && `, ${a.status}`}: {a.sentence}</li>)}</ul></dd>
            </>
          )}
          <dt>{t("Event")}</dt><dd><code>{m.uid}</code></dd>
          {m.evidence !== null && <><dt>{t("Evidence")}</dt><dd><Evidence value={m.evidence} /></dd></>}
        </dl>
      </details>
    </li>
  );
}

/** What the service went by: names and what they say, in the order they came. */
function Evidence({ value }: { value: unknown }) {
  if (Array.isArray(value)) return <ul class="plain">{value.map((v) => <li><Evidence value={v} /></li>)}</ul>;
  if (value !== null && typeof value === "object") {
    return (
      <dl class="facts">
        {Object.entries(value).map(([k, v]) => <><dt>{k.replaceAll("-", " ")}</dt><dd><Evidence value={v} /></dd></>)}
      </dl>
    );
  }
  return <>{String(value)}</>;
}
