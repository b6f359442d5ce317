import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import { api, watch, type Calendar, type Me } from "./api";
import { AccountPage } from "./account";
import { CalendarPage } from "./calendar";
import { browserZone } from "./dates";
import { InvitationsPage } from "./invitations";
import { MailPage } from "./mail";
import { MessagesPage } from "./messages";
import { Link, Trouble } from "./parts";
import { RoomsPage } from "./rooms";
import { SharingPage } from "./sharing";
import { AppContext, parseRoute, usePath, type App as AppState } from "./state";
import { t } from "./text";

export function App() {
  const [me, setMe] = useState<Me | null>(null);
  const [calendars, setCalendars] = useState<Calendar[]>([]);
  const [counts, setCounts] = useState({ invitations: 0, held: 0 });
  const [version, setVersion] = useState(0);
  const [trouble, setTrouble] = useState("");
  const [note, setNote] = useState<{ text: string; tone: string; undo?: () => void } | null>(null);
  const noteTimer = useRef(0);

  const refresh = useCallback(() => setVersion((v) => v + 1), []);
  const say = useCallback((text: string, tone: "good" | "bad" = "good") => {
    clearTimeout(noteTimer.current);
    setNote({ text, tone });
    noteTimer.current = window.setTimeout(() => setNote(null), 8000);
  }, []);

  const offer = useCallback((text: string, seconds: number, back: () => Promise<string>) => {
    clearTimeout(noteTimer.current);
    const undo = () => void back().then((said) => { say(said); refresh(); }, (e: Error) => say(e.message, "bad"));
    setNote({ text, tone: "good", undo });
    noteTimer.current = window.setTimeout(() => setNote(null), seconds * 1000);
  }, []);
  const sayUndo = useCallback((text: string, owner: string, uid: string, back?: () => Promise<string>) => {
    say(text);
    if (back) offer(text, 30, back);
    if (uid === "") return;
    api.undoable(owner, uid).then(
      ({ seconds }) => { if (seconds > 0) offer(text, seconds, async () => (await api.undo(owner, uid)).sentence); },
      () => undefined, // it is saved; only taking it back is not offered
    );
  }, []);

  useEffect(() => {
    api.me().then(setMe, (e: Error) => setTrouble(e.message));
    return watch(refresh);
  }, []);

  useEffect(() => {
    api.calendars().then((c) => { setCalendars(c); setTrouble(""); }, (e: Error) => setTrouble(e.message));
    api.counts().then(setCounts, () => undefined); // the pages themselves say what is wrong
  }, [version]);

  const zone = me?.zone || browserZone;
  const app = useMemo<AppState | null>(
    () => me && { me, zone, calendars, counts, version, refresh, say, sayUndo, setMe },
    [me, zone, calendars, counts, version],
  );
  const path = usePath();
  const route = parseRoute(path, zone);

  useEffect(() => {
    const names = { calendar: t("Calendar"), invitations: t("Invitations"), messages: t("Messages"), account: t("Account"), rooms: t("Rooms"), sharing: t("Sharing"), mail: t("Mail") };
    document.title = names[route.page] + (counts.invitations ? ` (${counts.invitations})` : "") + " – Convene";
  }, [route.page, counts.invitations]);

  if (!app) return <main class="page">{trouble ? <Trouble error={trouble} /> : <p>{t("Loading…")}</p>}</main>;
  return (
    <AppContext.Provider value={app}>
      <a class="skip" href="#main">{t("Skip to the content")}</a>
      <header class="masthead">
        <Link to="/calendar" class="brand" label={t("Convene, to the calendar")}>{t("Convene")}</Link>
        <nav aria-label={t("Pages")}>
          <Link to="/calendar" current={route.page === "calendar"}>{t("Calendar")}</Link>
          <Link to="/invitations" current={route.page === "invitations"}>
            {t("Invitations")}{counts.invitations > 0 && <span class="count">{counts.invitations}<span class="sr"> {t("unanswered")}</span></span>}
          </Link>
          <Link to="/messages" current={route.page === "messages"}>
            {t("Messages")}{counts.held > 0 && <span class="count">{counts.held}<span class="sr"> {t("held")}</span></span>}
          </Link>
          <Link to="/sharing" current={route.page === "sharing"}>{t("Sharing")}</Link>
          <Link to="/rooms" current={route.page === "rooms"}>{t("Rooms")}</Link>
          <Link to="/mail" current={route.page === "mail"}>{t("Mail")}</Link>
          <Link to="/account" current={route.page === "account"}>{t("Account")}</Link>
        </nav>
        <form method="post" action="/sign-out" class="who">
          <span class="name">{app.me.displayName || app.me.name}</span>
          <button type="submit" class="small">{t("Sign out")}</button>
        </form>
      </header>
      <main id="main" tabIndex={-1} class={"page " + route.page}>
        <Trouble error={trouble} />
        {route.page === "calendar" && <CalendarPage view={route.view} day={route.day} />}
        {route.page === "invitations" && <InvitationsPage />}
        {route.page === "messages" && <MessagesPage />}
        {route.page === "account" && <AccountPage />}
        {route.page === "rooms" && <RoomsPage />}
        {route.page === "sharing" && <SharingPage />}
        {route.page === "mail" && <MailPage />}
      </main>
      <div class="note" role="status" aria-live="polite">{note && (
        <p class={note.tone}>
          {note.text}
          {note.undo && <button type="button" class="small" onClick={note.undo}>{t("Undo")}</button>}
        </p>
      )}</div>
    </AppContext.Provider>
  );
}
