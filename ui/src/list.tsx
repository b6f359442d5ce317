import type { ViewProps } from "./calendar";
import { addDays, clockRange, dateOf, longDay, nowIn, type Day } from "./dates";
import { daysOf } from "./lanes";
import { occurrenceClass } from "./occurrence";
import { useApp } from "./state";
import { partstat } from "./words";
import { t } from "./text";

/** What comes, day by day; an event of several days is told on its first day shown. */
export function ListView(p: ViewProps & { first: Day; last: Day }) {
  const app = useApp();
  const today = dateOf(nowIn(app.zone));
  const byDay = new Map<Day, typeof p.occurrences>();
  for (const o of p.occurrences) {
    const [a, b] = daysOf(o);
    if (b < p.first || a > p.last) continue;
    const d = a < p.first ? p.first : a;
    byDay.set(d, [...(byDay.get(d) ?? []), o]);
  }
  const days = [...byDay.keys()].sort();
  if (days.length === 0) return <p class="empty">{t("Nothing from {from} to {to}.", { from: longDay(p.first), to: longDay(p.last) })}</p>;
  return (
    <div class="list">
      {days.map((d) => (
        <section aria-labelledby={"d" + d}>
          <h2 id={"d" + d} class={d === today ? "today" : undefined}>{d === today ? t("Today, ") : d === addDays(today, 1) ? t("Tomorrow, ") : ""}{longDay(d)}</h2>
          <ul>
            {byDay.get(d)!.sort((x, y) => Number(y.allDay) - Number(x.allDay) || x.start.localeCompare(y.start)).map((o) => (
              <li>
                <button type="button" class={occurrenceClass(o) + " row"} style={{ "--c": p.color(o) }} onClick={() => p.open(o)}>
                  <span class="time">{o.allDay ? t("all day") : clockRange(o.start, o.end)}</span>
                  <span class="what" dir="auto">{o.summary || t("No title")}</span>
                  <span class="where" dir="auto">{o.location}</span>
                  {o.partstat && o.partstat !== "ACCEPTED" && <span class="answer">{partstat(o.partstat).text}</span>}
                </button>
              </li>
            ))}
          </ul>
        </section>
      ))}
    </div>
  );
}
