import { useEffect, useState } from "preact/hooks";
import { api, type Attendee, type Busy } from "./api";
import { addDays, clock, dateOf, longDay, minutesBetween, minutesOf, nowIn, shortDay, wallAt, weekday, type Day, type Wall } from "./dates";
import { Trouble } from "./parts";
import { useApp } from "./state";
import { address } from "./words";
import { count, t } from "./text";

const workday = [8 * 60, 18 * 60] as const; // suggestions stay within these hours
const ahead = 14; // days that are searched
const most = 50; // people whose time is looked at
const span = [6 * 60, 22 * 60] as const; // hours the strips show

interface Row {
  name: string;
  busy: Busy;
}

/** When everyone asked is free: a strip for each, and the next times that suit all. */
export function FindTime(p: { attendees: Attendee[]; start: Wall; end: Wall; allDay: boolean; uid: string; onPick: (start: Wall, end: Wall) => void }) {
  const app = useApp();
  const [rows, setRows] = useState<Row[]>([]);
  const [error, setError] = useState("");
  const day = dateOf(p.start);
  const own = app.me.addresses[0] ?? "";
  const who = [own, ...p.attendees.map((a) => a.address).filter((a) => !app.me.addresses.some((m) => address(m).toLowerCase() === address(a).toLowerCase()))];
  const asked = who.slice(0, most);
  const key = asked.join(" ");

  useEffect(() => {
    if (who.length < 2) return;
    const stop = new AbortController();
    api.freebusy(asked, day, addDays(day, ahead), app.zone, p.uid, stop.signal).then(
      (answer) => {
        setError("");
        setRows(answer.map((busy) => {
          const a = p.attendees.find((x) => address(x.address).toLowerCase() === address(busy.address).toLowerCase());
          return { busy, name: busy === answer[0] ? t("You") : a?.name || address(busy.address) };
        }));
      },
      (e: Error) => e.name !== "AbortError" && setError(e.message),
    );
    return () => stop.abort();
  }, [key, day, app.zone, p.uid, app.version]);

  if (who.length < 2) return null;
  const length = p.allDay ? 60 : Math.max(15, minutesBetween(p.start, p.end));
  const suits = rows.length > 0 ? suggest(rows, p.allDay ? wallAt(day, workday[0]) : p.start, length, nowIn(app.zone)) : [];
  const clash = p.allDay ? [] : rows.filter((r) => r.busy.periods.some((b) => b.start < p.end && b.end > p.start)).map((r) => r.name);
  const percent = (m: number) => ((Math.min(Math.max(m, span[0]), span[1]) - span[0]) / (span[1] - span[0])) * 100;
  const inDay = (w: Wall) => (dateOf(w) < day ? 0 : dateOf(w) > day ? 1440 : minutesOf(w));

  return (
    <section class="findtime" aria-labelledby="findtime-title">
      <h3 id="findtime-title">{t("Find a time")}{" "}<span class="hint">{longDay(day)}</span></h3>
      <Trouble error={error} />
      <div class="strips">
        {who.length > most && <p class="hint">{t("The first {n} people are looked at.", { n: most })}</p>}
        <div class="scale" aria-hidden="true">
          {[6, 8, 10, 12, 14, 16, 18, 20].map((h) => <span style={{ left: `${percent(h * 60)}%` }}>{h}</span>)}
        </div>
        {[...rows.slice(0, 1), ...rows.slice(1).sort((a, b) => Number(clash.includes(b.name)) - Number(clash.includes(a.name)))].slice(0, 25).map((r) => {
          const today = r.busy.periods.filter((b) => dateOf(b.start) <= day && (dateOf(b.end) > day || (dateOf(b.end) === day && minutesOf(b.end) > 0)));
          const words = !r.busy.known ? t("not known") : today.length === 0 ? t("free all day") : t("busy") + " " + today.map((b) => `${inDay(b.start) === 0 ? "00:00" : clock(b.start)} to ${inDay(b.end) === 1440 ? "24:00" : clock(b.end)}`).join(", ");
          return (
            <div class="strip">
              <span class="name">{r.name}</span>
              <div class={"track" + (r.busy.known ? "" : " unknown")} role="img" aria-label={`${r.name}: ${words}`} title={words}>
                {today.map((b) => (
                  <span class={"busy " + b.type.toLowerCase()} style={{ left: `${percent(inDay(b.start))}%`, width: `${percent(inDay(b.end)) - percent(inDay(b.start))}%` }} />
                ))}
                {!p.allDay && <span class="chosen" style={{ left: `${percent(inDay(p.start))}%`, width: `${Math.max(0.5, percent(inDay(p.end)) - percent(inDay(p.start)))}%` }} />}
                {!r.busy.known && <span class="unknown-text">{t("not known")}</span>}
              </div>
              {r.busy.known && r.busy.unknown > 0 && (
                <p class="hint">{count(r.busy.unknown, "The time of {n} member is not known", "The time of {n} members is not known")}{r.busy.missing.length > 0 && `: ${r.busy.missing.map(address).join(", ")}`}</p>
              )}
            </div>
          );
        })}
      </div>
      <p class={clash.length ? "clash" : "hint"} role="status">
        {rows.length === 0 ? "" : clash.length ? t("Busy then: {names}.", { names: clash.join(", ") }) : p.allDay ? "" : t("Everyone whose time is known is free then.")}
      </p>
      {suits.length > 0 && (
        <p class="suggestions">
          <span>{t("Free for all:")} </span>
          {suits.map((s) => (
            <button type="button" class="small" onClick={() => p.onPick(s, wallAt(dateOf(s), minutesOf(s) + length))}>{shortDay(dateOf(s))}, {clock(s)}</button>
          ))}
        </p>
      )}
    </section>
  );
}

/** The first times from `from` on, within working hours, when nobody is known to be busy. */
function suggest(rows: Row[], from: Wall, length: number, now: Wall): Wall[] {
  const out: Wall[] = [];
  const begin = from > now ? from : now;
  const first: Day = dateOf(begin);
  const perDay = new Map<Day, number>();
  for (let i = 0; i < ahead && out.length < 4; i++) {
    const day = addDays(first, i);
    if (weekday(day) === 0 || weekday(day) === 6) continue;
    const start = i === 0 ? Math.max(workday[0], Math.ceil(minutesOf(begin) / 30) * 30) : workday[0];
    for (let m = start; m + length <= workday[1] && out.length < 4; m += 30) {
      const a = wallAt(day, m);
      const b = wallAt(day, m + length);
      if ((perDay.get(day) ?? 0) >= 2) break;
      if (rows.some((r) => r.busy.periods.some((p) => p.start < b && p.end > a))) continue;
      perDay.set(day, (perDay.get(day) ?? 0) + 1);
      out.push(a);
      m += length - (length % 30); // the next suggestion does not overlap this one
    }
  }
  return out;
}
