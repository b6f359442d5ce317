import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { span, type ViewProps } from "./calendar";
import { addDays, clock, dateOf, dayNumber, daysBetween, longDay, monthShort, nowIn, wallAt, weekdayLong, weekdayShort, type Day } from "./dates";
import { bars, spansDays } from "./lanes";
import { occurrenceClass, occurrenceLabel, unseen } from "./occurrence";
import { go, useApp } from "./state";
import { count, t } from "./text";

const lanes = 4; // bars a day shows before "more"

export function MonthView(p: ViewProps) {
  const app = useApp();
  const [from, to] = span("month", p.day);
  const weeks = daysBetween(from, to) / 7;
  const today = dateOf(nowIn(app.zone));
  const [at, setAt] = useState<Day>(p.day);
  const table = useRef<HTMLTableElement>(null);
  const moved = useRef(false);
  const focus = at >= from && at < to ? at : p.day;

  useEffect(() => setAt(p.day), [p.day]);
  useLayoutEffect(() => {
    if (moved.current) table.current?.querySelector<HTMLElement>(`[data-day="${focus}"]`)?.focus();
    moved.current = false;
  }, [focus, from]);

  const onKeyDown = (e: KeyboardEvent, d: Day) => {
    const by = ({ ArrowLeft: -1, ArrowRight: 1, ArrowUp: -7, ArrowDown: 7 } as Record<string, number>)[e.key];
    if (by === undefined) return;
    e.preventDefault();
    moved.current = true;
    const next = addDays(d, by);
    setAt(next);
    if (next.slice(0, 7) !== p.day.slice(0, 7) && (next < from || next >= to)) go(`/calendar/month/${next}`);
  };

  return (
    <table class="month" ref={table} aria-label={t("Month")}>
      <thead>
        <tr>{Array.from({ length: 7 }, (_, i) => addDays(from, i)).map((d) => <th scope="col"><abbr title={weekdayLong(d)}>{weekdayShort(d)}</abbr></th>)}</tr>
      </thead>
      <tbody>
        {Array.from({ length: weeks }, (_, w) => {
          const first = addDays(from, w * 7);
          const row = bars(p.occurrences, first, 7);
          return (
            <tr>
              {Array.from({ length: 7 }, (_, i) => {
                const d = addDays(first, i);
                const here = row.filter((b) => b.from <= i && b.to >= i).sort((a, b) => a.lane - b.lane);
                const fits = here.length <= lanes && here.every((b) => b.lane < lanes);
                const shown = here.filter((b) => b.lane < (fits ? lanes : lanes - 1));
                const slots = Array.from({ length: Math.max(-1, ...shown.map((b) => b.lane)) + 1 }, (_, l) => shown.find((b) => b.lane === l));
                return (
                  <td
                    class={(d === today ? "today " : "") + (d.slice(0, 7) === p.day.slice(0, 7) ? "" : "other")}
                    onClick={(e) => e.target === e.currentTarget && p.create(wallAt(d, 540), wallAt(d, 600), false)}
                  >
                    <button
                      type="button"
                      class="day"
                      data-day={d}
                      tabIndex={d === focus ? 0 : -1}
                      aria-current={d === today ? "date" : undefined}
                      onKeyDown={(e) => onKeyDown(e, d)}
                      onClick={() => (matchMedia("(max-width: 40rem)").matches ? go(`/calendar/day/${d}`) : p.create(wallAt(d, 540), wallAt(d, 600), false))}
                    >
                      {dayNumber(d) === "1" ? `1 ${monthShort(d)}` : dayNumber(d)}
                      <span class="sr">, {longDay(d)}, {here.length === 0 ? t("nothing") : count(here.length, "{n} event", "{n} events")}. {t("New event")}</span>
                    </button>
                    {slots.map((b) =>
                      b ? (
                        <button
                          type="button"
                          class={occurrenceClass(b.occurrence) + " bar" + (spansDays(b.occurrence) ? " whole" : "") + (b.before || b.from < i ? " from" : "") + (b.after || b.to > i ? " to" : "")}
                          style={{ "--c": p.color(b.occurrence) }}
                          title={occurrenceLabel(b.occurrence)}
                          onClick={() => p.open(b.occurrence)}
                        >
                          {!spansDays(b.occurrence) && b.from === i && <span class="time">{clock(b.occurrence.start)}</span>}
                          <span class="what" dir="auto">{b.from === i || i === 0 ? b.occurrence.summary || t("No title") : "\u00a0"}</span>
                          <span class="sr">{b.from === i || i === 0 ? "" : b.occurrence.summary || t("No title")}, {unseen(b.occurrence)}</span>
                        </button>
                      ) : (
                        <span class="bar blank" aria-hidden="true" />
                      ),
                    )}
                    {!fits && (
                      <button type="button" class="more" onClick={() => go(`/calendar/day/${d}`)}>
                        {t("{n} more", { n: here.length - shown.length })}<span class="sr"> {longDay(d)}</span>
                      </button>
                    )}
                  </td>
                );
              })}
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
