import { useEffect, useState } from "preact/hooks";
import { api, type Invitation } from "./api";
import { startOfWeek, whenText, dateOf } from "./dates";
import { Linked, Link, SecuritySign, Trouble } from "./parts";
import { Respond } from "./respond";
import { OfferedCalendars } from "./sharing";
import { useApp } from "./state";
import { address } from "./words";
import { count, t } from "./text";

/** What waits for one's answer. */
export function InvitationsPage() {
  const app = useApp();
  const [list, setList] = useState<Invitation[] | null>(null);
  const [error, setError] = useState("");
  useEffect(() => {
    api.invitations(app.zone).then((l) => { setList(l); setError(""); }, (e: Error) => setError(e.message));
  }, [app.version, app.zone]);
  return (
    <>
      <h1>{t("Invitations")}</h1>
      <Trouble error={error} />
      <OfferedCalendars />
      {list?.length === 0 && <p class="empty">{t("No invitation waits for your answer.")}</p>}
      {app.counts.held > 0 && <p><Link to="/messages">{count(app.counts.held, "A message is held for you", "{n} messages are held for you")}</Link> because it is not certain who sent {app.counts.held === 1 ? "it" : "them"}.</p>}
      <ul class="cards">
        {list?.map((i) => {
          const id = `${i.owner}/${i.calendar}/${i.name}/${i.occurrence}`;
          return (
            <li class="card" key={id}>
              <h2 dir="auto">{i.summary || t("No title")}</h2>
              <p>
                <Link to={`/calendar/week/${startOfWeek(dateOf(i.start))}`}>{whenText(i.start, i.end, i.allDay)}</Link>
                {i.ruleText && <span class="hint"> {t("repeats {rule}", { rule: i.ruleText })}</span>}
                {i.occurrence && <span class="hint"> {t("this occurrence alone")}</span>}
              </p>
              {i.location && <p><Linked text={i.location} /></p>}
              {i.organizer && <p class="hint">From {i.organizer.name ? `${i.organizer.name}, ` : ""}{address(i.organizer.address)}{i.owner !== app.me.name ? `, to ${i.owner}` : ""}</p>}
              <SecuritySign s={i.security} />
              {i.conflicts.length > 0 && <p class="clash">{t("At the same time: {titles}", { titles: i.conflicts.join(", ") })}</p>}
              {i.description && <p class="description" dir="auto"><Linked text={i.description} /></p>}
              <Respond owner={i.owner} uid={i.uid} occurrence={i.occurrence} partstat={i.partstat} what={i.summary || t("the event")} />
            </li>
          );
        })}
      </ul>
    </>
  );
}
